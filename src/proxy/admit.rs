//! Admission of requests: only those that every reader understands in the same one way.
//!
//! hyper has refused unparsable requests, and differing lengths.

use http::header::{self, HeaderMap, HeaderValue};
use http::request::Parts;
use http::uri::{Scheme, Uri};
use http::{Method, Version};

use super::error::Failure;
use super::headers::Present;

/// Refuses a request, or makes its target and its `Host` say the same: from here on the target is a
/// path (or `*`), and `Host` is where the client wanted to go.
pub fn admit(head: &mut Parts, present: Present, uri_bytes: usize) -> Result<(), Failure> {
    if head.method == Method::CONNECT || head.method == Method::TRACE {
        return Err(Failure::Method);
    }
    check_host(head).map_err(Failure::BadRequest)?;
    if present.transfer_encoding {
        check_framing(&head.headers).map_err(Failure::BadRequest)?;
    }
    take_authority(head).map_err(Failure::BadRequest)?;
    match head.uri.path_and_query() {
        Some(target) if target.as_str().len() > uri_bytes => Err(Failure::UriTooLong),
        _ => Ok(()),
    }
}

fn check_host(head: &Parts) -> Result<(), &'static str> {
    let mut hosts = head.headers.get_all(header::HOST).iter();
    match (hosts.next(), hosts.next()) {
        (Some(host), None) if is_host(host.as_bytes()) => Ok(()),
        (None, _) if head.version < Version::HTTP_11 => Ok(()),
        (None, _) => Err("a request needs a Host header"),
        (Some(_), None) => Err("the Host header is not a host"),
        (Some(_), Some(_)) => Err("a request has one Host header"),
    }
}

fn check_framing(headers: &HeaderMap) -> Result<(), &'static str> {
    let mut codings = headers.get_all(header::TRANSFER_ENCODING).iter();
    match (codings.next(), codings.next()) {
        (None, _) => Ok(()),
        (Some(coding), None) if coding.as_bytes().eq_ignore_ascii_case(b"chunked") => {
            if headers.contains_key(header::CONTENT_LENGTH) {
                return Err("a request has either a Content-Length or a Transfer-Encoding");
            }
            Ok(())
        }
        _ => Err("the only Transfer-Encoding served is chunked"),
    }
}

/// An absolute target (RFC 9112 §3.2.2) beats `Host`; only its path is forwarded.
fn take_authority(head: &mut Parts) -> Result<(), &'static str> {
    const NOT_A_PATH: &str = "the request's target is not a path";
    if head.uri.path() == "*" && head.method != Method::OPTIONS {
        return Err("only OPTIONS is about the whole server");
    }
    let Some(authority) = head.uri.authority() else { return Ok(()) };
    if !head.uri.scheme().is_some_and(|scheme| *scheme == Scheme::HTTP || *scheme == Scheme::HTTPS) {
        return Err(NOT_A_PATH);
    }
    if !is_host(authority.as_str().as_bytes()) {
        return Err("the request's target does not name a host");
    }
    let host = HeaderValue::from_str(authority.as_str()).map_err(|_| NOT_A_PATH)?;
    head.headers.insert(header::HOST, host);
    head.uri = head.uri.path_and_query().cloned().map(Uri::from).ok_or(NOT_A_PATH)?;
    Ok(())
}

/// `uri-host [":" port]` (RFC 9110 §7.2, RFC 3986 §3.2), and not empty.
fn is_host(text: &[u8]) -> bool {
    let (host, port) = match text {
        [b'[', rest @ ..] => match rest.iter().position(|byte| *byte == b']') {
            Some(end) => {
                let (address, after) = rest.split_at(end);
                let is_address = std::str::from_utf8(address)
                    .is_ok_and(|address| address.parse::<std::net::Ipv6Addr>().is_ok());
                return is_address && is_port(after.get(1..).unwrap_or_default());
            }
            None => return false,
        },
        _ => text.split_at(text.iter().position(|byte| *byte == b':').unwrap_or(text.len())),
    };
    !host.is_empty() && host.iter().all(|byte| is_name_byte(*byte)) && is_port(port)
}

/// Nothing, or a colon and perhaps a number below 65536.
fn is_port(text: &[u8]) -> bool {
    match text {
        [] | [b':'] => true,
        [b':', digits @ ..] => {
            let number = digits.iter().try_fold(0_u16, |number, digit| match digit {
                b'0'..=b'9' => number.checked_mul(10)?.checked_add(u16::from(digit - b'0')),
                _ => None,
            });
            number.is_some()
        }
        _ => false,
    }
}

/// Of a registered name: unreserved, percent-encoded, and those of sub-delims that no reader takes
/// for the end of it.
fn is_name_byte(byte: u8) -> bool {
    let is_other = matches!(
        byte,
        b'-' | b'.' | b'_' | b'~' | b'%' | b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b'='
    );
    is_other || byte.is_ascii_alphanumeric()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admit(head: &mut Parts, uri_bytes: usize) -> Result<(), Failure> {
        let present = Present::in_headers(&head.headers);
        super::admit(head, present, uri_bytes)
    }

    fn head(method: &str, target: &'static str, lines: &[(&'static str, &'static str)]) -> Parts {
        let mut request = http::Request::builder().method(method).uri(target);
        for (name, value) in lines {
            request = request.header(*name, *value);
        }
        request.body(()).expect("a request").into_parts().0
    }

    #[test]
    fn requests_that_two_readers_could_read_differently_are_refused() {
        for (lines, is_fine) in [
            (&[("host", "a:1")][..], true),
            (&[("host", "a_b.test:")], true),
            (&[("host", "[::1]:80")], true),
            (&[("host", "[::1]")], true),
            (&[("host", "a"), ("transfer-encoding", "chunked")], true),
            (&[("host", "a"), ("transfer-encoding", "Chunked")], true),
            (&[], false),
            (&[("host", "")], false),
            (&[("host", ":80")], false),
            (&[("host", "a"), ("host", "a")], false),
            (&[("host", "a@b")], false),
            (&[("host", "a/b")], false),
            (&[("host", "a b")], false),
            (&[("host", "a,b")], false),
            (&[("host", "a:99999")], false),
            (&[("host", "a:+1")], false),
            (&[("host", "a:1:2")], false),
            (&[("host", "[::1")], false),
            (&[("host", "[::1]x")], false),
            (&[("host", "[a]")], false),
            (&[("host", "a"), ("transfer-encoding", "gzip, chunked")], false),
            (&[("host", "a"), ("transfer-encoding", "chunked"), ("transfer-encoding", "chunked")], false),
            (&[("host", "a"), ("transfer-encoding", "chunked"), ("content-length", "3")], false),
        ] {
            assert_eq!(admit(&mut head("POST", "/", lines), 100).is_ok(), is_fine, "{lines:?}");
        }
        let mut old = head("GET", "/", &[]);
        old.version = Version::HTTP_10;
        assert_eq!(admit(&mut old, 100), Ok(()), "HTTP/1.0 knows no Host");
    }

    #[test]
    fn targets_become_paths() {
        let host = &[("host", "h.test")][..];
        for (method, target, seen) in [
            ("GET", "/a//b/../c;d?e=%2F", Some(("/a//b/../c;d?e=%2F", "h.test"))),
            ("GET", "/?", Some(("/?", "h.test"))),
            ("GET", "http://a.test:81/b?c", Some(("/b?c", "a.test:81"))),
            ("GET", "https://a.test", Some(("/", "a.test"))),
            ("GET", "http://a.test//b", Some(("//b", "a.test"))),
            ("OPTIONS", "*", Some(("*", "h.test"))),
            ("GET", "*", None),
            ("GET", "a.test:80", None),
            ("GET", "http://user@a.test/", None),
            ("GET", "ftp://a.test/", None),
            ("CONNECT", "a.test:80", None),
            ("TRACE", "/", None),
        ] {
            let mut head = head(method, target, host);
            let admitted = admit(&mut head, 100).is_ok();
            let got = admitted.then(|| (head.uri.to_string(), head.headers["host"].to_str().expect("text")));
            let got = got.as_ref().map(|(target, host)| (&**target, *host));
            assert_eq!(got, seen, "{method} {target}");
        }
        let long = admit(&mut head("GET", "/12345678", host), 8);
        assert_eq!(long, Err(Failure::UriTooLong));
    }
}
