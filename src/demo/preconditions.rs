//! Conditional requests: `If-Match` and `If-None-Match` (RFC 9110 §13).

use http::{HeaderMap, HeaderName, HeaderValue, Method, header};

/// Result of a request's conditions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Condition {
    /// Go on.
    Holds,
    /// The client has the current version: respond with 304.
    NotModified,
    /// Respond with 412.
    Failed,
}

/// Evaluates the conditions against the current, strong entity tag of the resource; `None` when
/// there is no such resource. The order is that of RFC 9110 §13.2.2.
pub(super) fn evaluate(method: &Method, headers: &HeaderMap, current: Option<&HeaderValue>) -> Condition {
    // `If-Match` compares strongly (§13.1.1), `If-None-Match` weakly (§13.1.2).
    if headers.contains_key(header::IF_MATCH) && !names(headers, header::IF_MATCH, current, false) {
        return Condition::Failed;
    }
    if headers.contains_key(header::IF_NONE_MATCH) && names(headers, header::IF_NONE_MATCH, current, true) {
        let reads = *method == Method::GET || *method == Method::HEAD;
        return if reads { Condition::NotModified } else { Condition::Failed };
    }
    Condition::Holds
}

/// Whether the header is `*` and there is a resource, or lists its entity tag.
fn names(headers: &HeaderMap, name: HeaderName, current: Option<&HeaderValue>, weakly: bool) -> bool {
    let Some(current) = current.map(HeaderValue::as_bytes) else {
        return false;
    };
    headers
        .get_all(name)
        .into_iter()
        .map(|line| line.as_bytes().trim_ascii())
        .any(|line| line == b"*" || tags(line).any(|(weak, tag)| tag == current && (weakly || !weak)))
}

/// The entity tags of a list (§8.8.3), each as whether it is weak and its opaque tag, quotes
/// included. Ends at the first thing that is not an entity tag.
fn tags(mut line: &[u8]) -> impl Iterator<Item = (bool, &[u8])> {
    std::iter::from_fn(move || {
        while let Some(rest) =
            line.strip_prefix(b",").or(line.strip_prefix(b" ")).or(line.strip_prefix(b"\t"))
        {
            line = rest;
        }
        let weak = line.strip_prefix(b"W/");
        let tag = weak.unwrap_or(line);
        let length = tag.strip_prefix(b"\"")?.iter().position(|byte| *byte == b'"')? + 2;
        let (tag, rest) = tag.split_at_checked(length)?;
        line = rest;
        Some((weak.is_some(), tag))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_are_evaluated_as_rfc_9110_says() {
        use Condition::{Failed, Holds, NotModified};
        let (none, one) = (None, Some("\"1\""));
        type Headers = &'static [(&'static str, &'static str)];
        let cases: &[(Method, Option<&str>, Headers, Condition)] = &[
            (Method::PUT, one, &[], Holds),
            (Method::PUT, one, &[("if-match", "\"1\"")], Holds),
            (Method::PUT, one, &[("if-match", "\"2\"")], Failed),
            (Method::PUT, one, &[("if-match", "\"2\", \"1\"")], Holds),
            (Method::PUT, one, &[("if-match", "\"2\"\t,,\"1\"")], Holds),
            (Method::PUT, one, &[("if-match", "\"2\""), ("if-match", "\"1\"")], Holds),
            (Method::PUT, one, &[("if-match", "W/\"1\"")], Failed),
            (Method::PUT, one, &[("if-match", "W/\"1\", \"1\"")], Holds),
            (Method::PUT, one, &[("if-match", "1")], Failed),
            (Method::PUT, one, &[("if-match", "")], Failed),
            (Method::PUT, one, &[("if-match", "\"1")], Failed),
            (Method::PUT, one, &[("if-match", "\"2,\"1\"")], Failed),
            (Method::PUT, one, &[("if-match", "*")], Holds),
            (Method::PUT, none, &[("if-match", "*")], Failed),
            (Method::PUT, none, &[("if-match", "\"1\"")], Failed),
            (Method::PUT, none, &[("if-none-match", "*")], Holds),
            (Method::PUT, one, &[("if-none-match", "*")], Failed),
            (Method::PUT, one, &[("if-none-match", "\"1\"")], Failed),
            (Method::PUT, one, &[("if-none-match", "\"2\"")], Holds),
            (Method::GET, one, &[("if-none-match", "\"1\"")], NotModified),
            (Method::GET, one, &[("if-none-match", "\"0\", W/\"1\"")], NotModified),
            (Method::GET, one, &[("if-none-match", "*")], NotModified),
            (Method::HEAD, one, &[("if-none-match", "\"1\"")], NotModified),
            (Method::GET, one, &[("if-none-match", "\"2\"")], Holds),
            (Method::GET, one, &[("if-none-match", "junk")], Holds),
            (Method::GET, one, &[("if-match", "\"2\""), ("if-none-match", "\"1\"")], Failed),
            (Method::GET, one, &[("if-match", "\"1\""), ("if-none-match", "\"1\"")], NotModified),
        ];
        for (method, current, headers, expected) in cases {
            let mut map = HeaderMap::new();
            for (name, value) in *headers {
                map.append(*name, value.parse().unwrap());
            }
            let current = current.map(HeaderValue::from_static);
            assert_eq!(evaluate(method, &map, current.as_ref()), *expected, "{method} {headers:?}");
        }
    }
}
