//! Cookies of the upstream's that a client of the proxy keeps, and sends back.
//!
//! From an `https` upstream to an `http` client, attributes are removed that browsers and cookie jars take over TLS
//! alone (draft-ietf-httpbis-rfc6265bis §5.6): `Secure`, `SameSite=None`, `Partitioned`. A name with a prefix that
//! promises `Secure` has a word before it as long as the client has the cookie.

use std::borrow::Cow;

use http::HeaderMap;
use http::header::{self, HeaderValue};

use super::{Front, Server, strip_base};
use crate::rules::{Scheme, UpstreamUrl};

/// Before a name that begins with a prefix. No other name of any server's begins with both.
const WORD: &[u8] = b"fracas";
/// In lower case, as browsers compare them. The last covers `__Host-Http-` with the first.
const PREFIXES: [&[u8]; 3] = [b"__host-", b"__secure-", b"__http-"];

/// A cookie that the client will send back to the proxy; `None` when it can stay as it is.
pub fn set(cookie: &[u8], upstream: &UpstreamUrl, front: &Front) -> Option<Vec<u8>> {
    let is_downgrade = upstream.scheme == Scheme::Https && front.scheme == Scheme::Http;
    let mut attributes = cookie.split(|byte| *byte == b';');
    let pair = attributes.next()?;
    let mut kept = vec![if is_downgrade { masked(pair) } else { Cow::Borrowed(pair) }];
    kept.extend(attributes.filter_map(|attribute| keep(attribute, upstream, is_downgrade)));
    let changed = kept.join(&b';');
    (changed != cookie).then_some(changed)
}

/// An attribute as the client sees it; `None` when it is removed.
fn keep<'c>(attribute: &'c [u8], upstream: &UpstreamUrl, is_downgrade: bool) -> Option<Cow<'c, [u8]>> {
    let (name, value) = match attribute.iter().position(|byte| *byte == b'=') {
        Some(at) => (attribute.get(..at)?.trim_ascii(), attribute.get(at + 1..)?.trim_ascii()),
        None => (attribute.trim_ascii(), &b""[..]),
    };
    let is = |known: &[u8]| name.eq_ignore_ascii_case(known);
    if is(b"domain") && covers(value, &upstream.authority.host) {
        return None;
    }
    // Without `Secure` a client refuses a cookie of either kind; without both it is one for this site's own pages.
    let needs_tls =
        is(b"secure") || is(b"partitioned") || is(b"samesite") && value.eq_ignore_ascii_case(b"none");
    if is_downgrade && needs_tls {
        return None;
    }
    if is(b"path")
        && !upstream.base_path.is_empty()
        && let Some(path) = strip_base(value, &upstream.base_path)
    {
        return Some([b" Path=", &*path].concat().into());
    }
    Some(attribute.into())
}

/// Whether a cookie's `Domain` covers the upstream's host (RFC 6265 §5.1.3).
fn covers(domain: &[u8], host: &str) -> bool {
    let domain = domain.strip_prefix(b".").unwrap_or(domain);
    // Spellings of one address are one.
    let server = |authority| Server::parse(authority, super::Spoken::of(Scheme::Http));
    let is_same = server(domain).is_some_and(|server| server.is(&Server::new(host, 80)));
    let host = host.as_bytes();
    let is_above = || {
        let before = host.len().checked_sub(domain.len())?;
        let (rest, end) = host.split_at_checked(before)?;
        Some(rest.ends_with(b".") && end.eq_ignore_ascii_case(domain) && !domain.is_empty())
    };
    is_same || is_above() == Some(true)
}

/// The pair under a name that clients take over HTTP too.
fn masked(pair: &[u8]) -> Cow<'_, [u8]> {
    if has_prefix(pair.trim_ascii_start()) {
        [WORD, pair.trim_ascii_start()].concat().into()
    } else {
        pair.into()
    }
}

fn has_prefix(name: &[u8]) -> bool {
    PREFIXES
        .iter()
        .any(|prefix| name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix)))
}

/// Gives a request's cookies the names by which the upstream knows them.
pub fn restore(headers: &mut HeaderMap, upstream: &UpstreamUrl) {
    if upstream.scheme != Scheme::Https {
        return;
    }
    let header::Entry::Occupied(mut lines) = headers.entry(header::COOKIE) else { return };
    for line in lines.iter_mut() {
        let restored = restored(line.as_bytes()).and_then(|line| HeaderValue::from_bytes(&line).ok());
        if let Some(restored) = restored {
            *line = restored;
        }
    }
}

fn restored(line: &[u8]) -> Option<Vec<u8>> {
    memchr::memmem::find(line, WORD)?;
    let pairs: Vec<_> = line
        .split(|byte| *byte == b';')
        .map(|pair| {
            let start = pair.len() - pair.trim_ascii_start().len();
            let name =
                pair.get(start..).and_then(|pair| pair.strip_prefix(WORD)).filter(|name| has_prefix(name));
            name.map_or(Cow::Borrowed(pair), |name| {
                [pair.get(..start).unwrap_or_default(), name].concat().into()
            })
        })
        .collect();
    Some(pairs.join(&b';'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::Authority;

    const HTTP: Front = Front { host: None, forwarded: None, scheme: Scheme::Http };
    const HTTPS: Front = Front { scheme: Scheme::Https, ..HTTP };

    fn upstream(scheme: Scheme, host: &str, base: &str) -> UpstreamUrl {
        UpstreamUrl { scheme, authority: Authority { host: host.into(), port: 443 }, base_path: base.into() }
    }

    fn check(upstream: &UpstreamUrl, front: &Front, table: &[(&[u8], &[u8])]) {
        for (from, to) in table {
            let kept = set(from, upstream, front).unwrap_or_else(|| from.to_vec());
            assert_eq!(kept.escape_ascii().to_string(), to.escape_ascii().to_string());
        }
    }

    #[test]
    fn cookies_come_back_to_the_proxy() {
        check(
            &upstream(Scheme::Https, "www.api.test", "/v1"),
            &HTTP,
            &[
                (b"s=1; Domain=api.test; Path=/v1/x; Secure; HttpOnly", b"s=1; Path=/x; HttpOnly"),
                (b"s=1; domain=.www.API.test", b"s=1"),
                (b"domain=1; Domain=other.test; Path=/", b"domain=1; Domain=other.test; Path=/"),
                (b"s=Zo\xc3\xab; Domain=api.test", b"s=Zo\xc3\xab"),
                (b"s=Zo\xeb; Domain=xapi.test; Path=/v1", b"s=Zo\xeb; Domain=xapi.test; Path=/"),
                (b"s=a=b; Domain=", b"s=a=b; Domain="),
            ],
        );
        check(
            &upstream(Scheme::Http, "::1", ""),
            &HTTP,
            &[
                (b"s=1; Secure; SameSite=None; Path=/v1", b"s=1; Secure; SameSite=None; Path=/v1"),
                (b"__Host-s=1; Secure; Path=/", b"__Host-s=1; Secure; Path=/"),
                (b"s=1; Domain=[0:0:0:0:0:0:0:1]", b"s=1"),
            ],
        );
    }

    #[test]
    fn what_needs_tls_is_taken_off_for_a_client_that_has_none() {
        let table: [(&[u8], &[u8]); 7] = [
            (b"s=1; Secure; SameSite=None", b"s=1"),
            (b"s=1; SameSite = none ; secure; Partitioned; HttpOnly", b"s=1; HttpOnly"),
            (b"s=1; SameSite=Strict; Secure", b"s=1; SameSite=Strict"),
            (b"__Host-s=1; Secure; Path=/", b"fracas__Host-s=1; Path=/"),
            (b" __secure-s=\xe9; Secure", b"fracas__secure-s=\xe9"),
            (b"__Host-Http-s=1; Secure; HttpOnly; Path=/", b"fracas__Host-Http-s=1; HttpOnly; Path=/"),
            (b"__Http-s=1; Secure; HttpOnly", b"fracas__Http-s=1; HttpOnly"),
        ];
        let upstream = upstream(Scheme::Https, "up.test", "");
        check(&upstream, &HTTP, &table);
        for (from, _) in table {
            assert_eq!(set(from, &upstream, &HTTPS), None, "a client with TLS keeps it");
        }
    }

    #[test]
    fn the_upstream_hears_its_own_names() {
        for (from, to) in [
            (&b"fracas__Host-s=1; t=2; fracas__Secure-u=\xe9"[..], &b"__Host-s=1; t=2; __Secure-u=\xe9"[..]),
            (b"a=fracas__Host-s;fracas__HOST-Http-s=1", b"a=fracas__Host-s;__HOST-Http-s=1"),
            (
                b"fracas=1; fracas__s=2; fracasfracas__Host-s=3",
                b"fracas=1; fracas__s=2; fracasfracas__Host-s=3",
            ),
        ] {
            let header = |bytes: &[u8]| {
                let value = HeaderValue::from_bytes(bytes).expect("a value");
                HeaderMap::from_iter([(header::COOKIE, value)])
            };
            let mut headers = header(from);
            restore(&mut headers, &upstream(Scheme::Http, "up.test", ""));
            assert_eq!(headers, header(from), "it never had other names");
            restore(&mut headers, &upstream(Scheme::Https, "up.test", ""));
            assert_eq!(headers, header(to));
        }
    }
}
