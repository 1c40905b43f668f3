//! Translates heads of HTTP/2 into those of HTTP/1.1, which rules and upstreams know.
//!
//! h2 has refused connection headers, misplaced pseudo-headers, lengths that do not fit and bytes that no
//! value may hold (RFC 9113 §8.2, §8.3).

use http::Method;
use http::header::{self, Entry, HeaderMap, HeaderValue};
use http::request::Parts;
use http::uri::{Authority, Scheme};

use crate::proxy::error::Failure;

/// Makes the head of a stream one of HTTP/1.1: with `Host`, and each `Cookie` and `Content-Length` on one
/// line. Refuses heads that HTTP/1.1 cannot express.
pub fn translate(head: &mut Parts, header_count: usize) -> Result<(), Failure> {
    let is_path = head.uri.path().starts_with('/') || head.uri.path() == "*";
    if head.method != Method::CONNECT && !is_path {
        return Err(Failure::BadRequest("the request's target is not a path"));
    }
    take_host(head)?;
    let headers = &mut head.headers;
    if headers.values().any(|value| is_padded(value.as_bytes())) {
        return Err(Failure::BadRequest("a header's value begins or ends with a space"));
    }
    join_cookies(headers);
    if let Entry::Occupied(mut length) = headers.entry(header::CONTENT_LENGTH) {
        // They are the same, or h2 would have refused them.
        let first = length.get().clone();
        length.insert(first);
    }
    if headers.len() > header_count {
        return Err(Failure::HeadTooLarge);
    }
    Ok(())
}

/// `:authority` becomes `Host`; when both are there they must agree (RFC 9113 §8.3.1).
fn take_host(head: &mut Parts) -> Result<(), Failure> {
    let Some(authority) = head.uri.authority() else { return Ok(()) };
    match head.headers.entry(header::HOST) {
        Entry::Vacant(host) => {
            let authority = HeaderValue::from_str(authority.as_str())
                .map_err(|_| Failure::BadRequest("the request's target does not name a host"))?;
            host.insert(authority);
            Ok(())
        }
        Entry::Occupied(hosts) => {
            let is_same = |host: &HeaderValue| {
                let host = Authority::try_from(host.as_bytes()).ok();
                host.is_some_and(|host| is_same_host(&host, authority, head.uri.scheme()))
            };
            if hosts.iter().all(is_same) {
                Ok(())
            } else {
                Err(Failure::BadRequest("the Host header and :authority name different hosts"))
            }
        }
    }
}

/// Whether both lead to the same place (RFC 9110 §4.2.3).
fn is_same_host(one: &Authority, other: &Authority, scheme: Option<&Scheme>) -> bool {
    let default = if scheme == Some(&Scheme::HTTPS) { 443 } else { 80 };
    let port = |authority: &Authority| authority.port_u16().unwrap_or(default);
    one.host().eq_ignore_ascii_case(other.host()) && port(one) == port(other)
}

/// HTTP/2 may cut a cookie in crumbs, which HTTP/1.1 knows as one line (RFC 9113 §8.2.3).
fn join_cookies(headers: &mut HeaderMap) {
    let Entry::Occupied(mut cookies) = headers.entry(header::COOKIE) else { return };
    let crumbs: Vec<&[u8]> = cookies.iter().map(HeaderValue::as_bytes).collect();
    if crumbs.len() == 1 {
        return;
    }
    if let Ok(joined) = HeaderValue::from_bytes(&crumbs.join(&b"; "[..])) {
        cookies.insert(joined);
    }
}

/// Whether a value has space around it, which HTTP/1.1 would take for none of it (RFC 9113 §8.2.1).
fn is_padded(value: &[u8]) -> bool {
    matches!(value, [b' ' | b'\t', ..] | [.., b' ' | b'\t'])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(target: &'static str, lines: &[(&'static str, &'static str)]) -> Parts {
        let mut request = http::Request::builder().uri(target).version(http::Version::HTTP_2);
        for (name, value) in lines {
            request = request.header(*name, *value);
        }
        request.body(()).expect("a request").into_parts().0
    }

    /// `Host` after the translation.
    fn host(target: &'static str, lines: &[(&'static str, &'static str)]) -> Option<String> {
        let mut head = head(target, lines);
        translate(&mut head, 100).ok()?;
        Some(head.headers.get(header::HOST)?.to_str().expect("text").to_owned())
    }

    #[test]
    fn the_authority_is_the_host() {
        for (target, hosts, seen) in [
            ("http://a.test:81/x", &[][..], Some("a.test:81")),
            ("http://a.test/", &[("host", "A.test")], Some("A.test")),
            ("http://a.test/", &[("host", "a.test:80")], Some("a.test:80")),
            ("https://a.test:443/", &[("host", "a.test")], Some("a.test")),
            ("/x", &[("host", "a.test")], Some("a.test")),
            ("https://a.test/", &[("host", "a.test:80")], None),
            ("http://a.test/", &[("host", "b.test")], None),
            ("http://a.test/", &[("host", "a.test"), ("host", "b.test")], None),
            ("http://a.test/", &[("host", "a.test:81")], None),
            ("http://a.test/", &[("host", "")], None),
            ("http://a.test/", &[("host", "a b")], None),
        ] {
            assert_eq!(host(target, hosts).as_deref(), seen, "{target} {hosts:?}");
        }
    }

    #[test]
    fn crumbs_become_a_cookie_and_lengths_one() {
        let lines = [
            ("cookie", "a=1"),
            ("x", "y"),
            ("cookie", "b=2"),
            ("content-length", "3"),
            ("content-length", "3"),
        ];
        let mut head = head("http://h/", &lines);
        translate(&mut head, 100).expect("it is fine");
        let all = |name| head.headers.get_all(name).iter().collect::<Vec<_>>();
        assert_eq!(all("cookie"), ["a=1; b=2"]);
        assert_eq!(all("content-length"), ["3"]);
    }

    #[test]
    fn what_the_other_protocol_cannot_say_is_refused() {
        let padded = translate(&mut head("http://h/", &[("x", " y")]), 100);
        assert!(matches!(padded, Err(Failure::BadRequest(_))), "{padded:?}");
        let many = [("cookie", "a=1"), ("cookie", "b=2"), ("x", "1")];
        // With Host, and one cookie.
        assert_eq!(translate(&mut head("http://h/", &many), 3), Ok(()));
        assert_eq!(translate(&mut head("http://h/", &many), 2), Err(Failure::HeadTooLarge));
    }
}
