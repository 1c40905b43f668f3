//! Authentication of connections. NTLM and its kin authenticate a connection, not a request (RFC 4559 §6): the next
//! request on it counts as the same user's.

use http::HeaderMap;
use http::header::{AUTHORIZATION, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, WWW_AUTHENTICATE};

/// Schemes that authenticate a connection, or may.
const SCHEMES: [&str; 5] = ["NTLM", "Negotiate", "Kerberos", "Nego2", "CredSSP"];

/// Whether a message offers such a scheme, or uses one.
pub fn is_named(headers: &HeaderMap) -> bool {
    let names = [AUTHORIZATION, WWW_AUTHENTICATE, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION];
    let mut lines = names.iter().flat_map(|name| headers.get_all(name));
    lines.any(|line| elements(line.as_bytes()).any(is_of_connections))
}

/// Whether a challenge or credentials are of such a scheme: their first word (RFC 9110 §11.3).
fn is_of_connections(element: &[u8]) -> bool {
    let word = element.split(u8::is_ascii_whitespace).find(|word| !word.is_empty());
    word.is_some_and(|word| SCHEMES.iter().any(|scheme| word.eq_ignore_ascii_case(scheme.as_bytes())))
}

/// The elements of a list, which commas part, but for those in quotes.
fn elements(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    line.split(move |byte| {
        let parts = *byte == b',' && !is_quoted;
        is_quoted ^= *byte == b'"' && !is_escaped;
        is_escaped = is_quoted && *byte == b'\\' && !is_escaped;
        parts
    })
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;

    #[test]
    fn schemes_of_connections_are_told_from_others() {
        for (name, lines, is) in [
            (WWW_AUTHENTICATE, &["NTLM"][..], true),
            (WWW_AUTHENTICATE, &["Negotiate"], true),
            (WWW_AUTHENTICATE, &["ntlm"], true),
            (WWW_AUTHENTICATE, &["NEGOTIATE oYG="], true),
            (WWW_AUTHENTICATE, &["Basic realm=\"x\"", "NTLM TlRMTVNTUAAC"], true),
            (WWW_AUTHENTICATE, &["Basic realm=\"x\", Negotiate"], true),
            (WWW_AUTHENTICATE, &["Negotiate, Basic realm=\"x\""], true),
            (WWW_AUTHENTICATE, &["Basic realm=\"a, \\\" b\", charset=\"UTF-8\",\tNTLM"], true),
            (WWW_AUTHENTICATE, &["Digest realm=\"NTLM, NTLM\", nonce=x"], false),
            (WWW_AUTHENTICATE, &["Basic realm=\"x \\\", NTLM, \\\" y\""], false),
            (WWW_AUTHENTICATE, &["Bearer ntlm=1, scope=Negotiate"], false),
            (WWW_AUTHENTICATE, &["NTLMv3"], false),
            (WWW_AUTHENTICATE, &["", ","], false),
            (PROXY_AUTHENTICATE, &["NTLM"], true),
            (PROXY_AUTHORIZATION, &["NTLM x"], true),
            (AUTHORIZATION, &["NTLM TlRMTVNTUAAB"], true),
            (AUTHORIZATION, &["negotiate YII="], true),
            (AUTHORIZATION, &["CredSSP x"], true),
            (AUTHORIZATION, &["Basic bnRsbTpudGxt"], false),
            (AUTHORIZATION, &["Bearer NTLM"], false),
            (HeaderName::from_static("x-authenticate"), &["NTLM"], false),
        ] {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(&name, HeaderValue::from_static(line));
            }
            assert_eq!(is_named(&headers), is, "{name}: {lines:?}");
        }
    }
}
