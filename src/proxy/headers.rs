//! What a proxy must take out of a header, and what it adds (RFC 9110 §7.6).

use http::header::{self, Entry};
use http::{HeaderMap, HeaderName, HeaderValue, Method};

/// The names that this proxy adds.
pub const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
pub const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
pub const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// Meant for the next hop alone, whatever `Connection` says.
const HOP_BY_HOP: [HeaderName; 7] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRANSFER_ENCODING,
];

/// Names that a `Connection` line cannot take from a message: without them it would be another one.
const KEPT: [HeaderName; 4] =
    [header::HOST, header::CONTENT_LENGTH, header::CONTENT_TYPE, header::TRANSFER_ENCODING];

/// What the previous hop said about itself, taken out of the header.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hop {
    /// `Upgrade: websocket`, nominated by `Connection`.
    pub websocket: bool,
    /// `TE: trailers`.
    pub trailers: bool,
}

/// Removes what is meant for this hop: the fixed set, and whatever any `Connection` line names.
///
/// Call it before anything is added, or a client could name what the proxy adds.
pub fn take_hop_by_hop(headers: &mut HeaderMap) -> Hop {
    let mut hop = Hop::default();
    if let Some(upgrade) = headers.get(header::UPGRADE) {
        let nominated =
            tokens(headers, &header::CONNECTION).any(|token| token.eq_ignore_ascii_case("upgrade"));
        hop.websocket = nominated && upgrade.as_bytes().eq_ignore_ascii_case(b"websocket");
        headers.remove(header::UPGRADE);
    }
    if headers.contains_key(header::TE) {
        hop.trailers = tokens(headers, &header::TE).any(|token| token.eq_ignore_ascii_case("trailers"));
    }
    if headers.contains_key(header::CONNECTION) {
        let named: Vec<HeaderName> = tokens(headers, &header::CONNECTION)
            .filter_map(|token| HeaderName::from_bytes(token.as_bytes()).ok())
            .filter(|name| !KEPT.contains(name))
            .collect();
        for name in named {
            headers.remove(name);
        }
    }
    for name in &HOP_BY_HOP {
        headers.remove(name);
    }
    hop
}

/// Adds `Via: 1.1 fracas` (RFC 9110 §7.6.3).
pub fn add_via(headers: &mut HeaderMap) {
    append_to_list(headers, header::VIA, &HeaderValue::from_static("1.1 fracas"));
}

/// Appends a value to a comma-separated list, as one line.
pub fn append_to_list(headers: &mut HeaderMap, name: HeaderName, value: &HeaderValue) {
    match headers.entry(name) {
        Entry::Vacant(entry) => {
            entry.insert(value.clone());
        }
        Entry::Occupied(mut entry) => {
            let mut list = Vec::new();
            for line in entry.iter().chain([value]) {
                if !list.is_empty() {
                    list.extend_from_slice(b", ");
                }
                list.extend_from_slice(line.as_bytes());
            }
            if let Ok(list) = HeaderValue::from_bytes(&list) {
                entry.insert(list);
            }
        }
    }
}

/// Whether a request's framing and host can be forwarded as exactly one message; if not, why.
///
/// hyper has refused what cannot be parsed, and differing lengths. What is left are requests that
/// two readers might understand differently.
pub fn check_request(method: &Method, is_http_10: bool, headers: &HeaderMap) -> Result<(), &'static str> {
    let mut hosts = headers.get_all(header::HOST).iter();
    match (hosts.next(), hosts.next()) {
        (Some(host), None) if is_host(host) => {}
        (None, _) if is_http_10 => {}
        (None, _) => return Err("a request needs a Host header"),
        (Some(_), None) => return Err("the Host header is not a host"),
        (Some(_), Some(_)) => return Err("a request has one Host header"),
    }
    let mut codings = headers.get_all(header::TRANSFER_ENCODING).iter();
    match (codings.next(), codings.next()) {
        (None, _) => {}
        (Some(coding), None) if coding.as_bytes().eq_ignore_ascii_case(b"chunked") => {
            if headers.contains_key(header::CONTENT_LENGTH) {
                return Err("a request has either a Content-Length or a Transfer-Encoding");
            }
        }
        _ => return Err("the only Transfer-Encoding served is chunked"),
    }
    if *method == Method::TRACE {
        return Err("TRACE is not forwarded");
    }
    Ok(())
}

/// `uri-host [":" port]` (RFC 9110 §7.2), without the characters that would start something else.
fn is_host(host: &HeaderValue) -> bool {
    let Ok(text) = host.to_str() else { return false };
    text.parse::<http::uri::Authority>().is_ok_and(|authority| !authority.as_str().contains('@'))
}

fn tokens<'h>(headers: &'h HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'h str> + use<'h> {
    headers
        .get_all(name)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','))
        .map(|token| token.split(';').next().unwrap_or_default().trim())
        .filter(|token| !token.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, HeaderValue::from_static(value));
        }
        headers
    }

    fn names(headers: &HeaderMap) -> Vec<&str> {
        headers.keys().map(HeaderName::as_str).collect()
    }

    #[test]
    fn every_connection_line_is_obeyed() {
        let mut message = headers(&[
            ("connection", ""),
            ("connection", "x-one , close"),
            ("connection", "X-Two"),
            ("x-one", "1"),
            ("x-two", "2"),
            ("keep-alive", "timeout=5"),
            ("proxy-authorization", "Basic eA=="),
            ("transfer-encoding", "chunked"),
            ("x-three", "3"),
        ]);
        assert_eq!(take_hop_by_hop(&mut message), Hop::default());
        assert_eq!(names(&message), ["x-three"]);
    }

    #[test]
    fn connection_cannot_take_what_makes_the_message() {
        let mut message =
            headers(&[("connection", "host, content-length"), ("host", "a"), ("content-length", "1")]);
        take_hop_by_hop(&mut message);
        assert_eq!(names(&message), ["host", "content-length"]);
    }

    #[test]
    fn only_nominated_websockets_upgrade() {
        for (connection, upgrade, websocket) in [
            ("upgrade", "websocket", true),
            ("keep-alive, Upgrade", "WebSocket", true),
            ("keep-alive", "websocket", false),
            ("upgrade", "h2c", false),
            ("upgrade", "h2c, websocket", false),
        ] {
            let mut message = headers(&[("connection", connection), ("upgrade", upgrade)]);
            assert_eq!(take_hop_by_hop(&mut message).websocket, websocket, "{connection} {upgrade}");
            assert!(message.is_empty());
        }
    }

    #[test]
    fn te_is_reduced_to_trailers() {
        for (te, trailers) in [("trailers", true), ("gzip, trailers;q=0.5", true), ("gzip", false)] {
            let mut message = headers(&[("te", te)]);
            assert_eq!(take_hop_by_hop(&mut message).trailers, trailers, "{te}");
            assert!(message.is_empty());
        }
    }

    #[test]
    fn lists_grow_on_one_line() {
        let mut message = headers(&[("via", "1.0 a"), ("via", "1.1 b")]);
        add_via(&mut message);
        assert_eq!(message.get_all("via").iter().collect::<Vec<_>>(), ["1.0 a, 1.1 b, 1.1 fracas"]);
    }

    #[test]
    fn requests_that_two_readers_could_read_differently_are_refused() {
        for (lines, is_fine) in [
            (&[("host", "a:1")][..], true),
            (&[("host", "[::1]:80")], true),
            (&[("host", "a"), ("transfer-encoding", "chunked")], true),
            (&[], false),
            (&[("host", "")], false),
            (&[("host", "a"), ("host", "a")], false),
            (&[("host", "a@b")], false),
            (&[("host", "a/b")], false),
            (&[("host", "a:99999")], false),
            (&[("host", "a"), ("transfer-encoding", "gzip, chunked")], false),
            (&[("host", "a"), ("transfer-encoding", "chunked"), ("transfer-encoding", "chunked")], false),
            (&[("host", "a"), ("transfer-encoding", "chunked"), ("content-length", "3")], false),
        ] {
            assert_eq!(check_request(&Method::POST, false, &headers(lines)).is_ok(), is_fine, "{lines:?}");
        }
        assert!(check_request(&Method::GET, true, &headers(&[])).is_ok(), "HTTP/1.0 knows no Host");
        assert!(check_request(&Method::TRACE, false, &headers(&[("host", "a")])).is_err());
    }
}
