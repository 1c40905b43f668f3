//! The headers that a proxy must remove and add (RFC 9110 §7.6).

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, Version, header};

use super::connection_auth;
use crate::model::text_of;

/// The names that this proxy adds.
pub const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
pub const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
pub const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");

const PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");

/// Names that a `Connection` line cannot take from a message: without them it would be another one.
static KEPT: [HeaderName; 4] =
    [header::HOST, header::CONTENT_LENGTH, header::CONTENT_TYPE, header::TRANSFER_ENCODING];

/// The previous hop's connection headers, taken out of the message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hop {
    /// `Upgrade`, nominated by `Connection`.
    pub upgrade: Option<HeaderValue>,
    /// `TE: trailers`.
    pub trailers: bool,
    /// `Transfer-Encoding: chunked`, the only one that gets here.
    pub chunked: bool,
    /// It offers or uses authentication of a connection.
    pub identity: bool,
    /// `Keep-Alive: timeout=…`, in seconds.
    pub keep_alive: Option<Duration>,
}

/// Which names a message has, of those that are looked for in each: found once, as going over the names is cheaper
/// than looking each up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Present {
    pub connection: bool,
    pub transfer_encoding: bool,
    pub via: bool,
    keep_alive: bool,
    /// `Authorization` and the like.
    credentials: bool,
    /// One of those that few messages have.
    others: bool,
}

impl Present {
    /// Those of `headers`.
    pub fn in_headers(headers: &HeaderMap) -> Present {
        let mut present = Present::default();
        for name in headers.keys() {
            match name.as_str() {
                "connection" => present.connection = true,
                "keep-alive" => present.keep_alive = true,
                "transfer-encoding" => present.transfer_encoding = true,
                "via" => present.via = true,
                "upgrade" | "te" | "proxy-connection" => present.others = true,
                "authorization" | "www-authenticate" => present.credentials = true,
                "proxy-authenticate" | "proxy-authorization" => {
                    present.credentials = true;
                    present.others = true;
                }
                _ => {}
            }
        }
        present
    }
}

/// Removes names meant for this hop: the fixed set, and any that a `Connection` line nominates.
///
/// Call it before anything is added, or a client could nominate the proxy's own headers. `present` are the names of
/// `headers`.
pub fn take_hop_by_hop(headers: &mut HeaderMap, present: Present) -> Hop {
    let identity = present.credentials && connection_auth::is_named(headers);
    let mut hop = Hop { identity, ..Hop::default() };
    if present.others {
        if let Some(upgrade) = headers.remove(header::UPGRADE) {
            let nominated =
                tokens(headers, &header::CONNECTION).any(|token| token.eq_ignore_ascii_case(b"upgrade"));
            hop.upgrade = nominated.then_some(upgrade);
        }
        if headers.contains_key(header::TE) {
            hop.trailers = tokens(headers, &header::TE).any(|token| token.eq_ignore_ascii_case(b"trailers"));
            headers.remove(header::TE);
        }
        for name in [PROXY_CONNECTION, header::PROXY_AUTHENTICATE, header::PROXY_AUTHORIZATION] {
            headers.remove(name);
        }
    }
    if present.keep_alive {
        hop.keep_alive = headers.remove(KEEP_ALIVE).as_ref().and_then(idle_timeout);
    }
    // Before its removal, so that its nominations are known; those that it cannot nominate stay.
    if present.connection {
        take_nominated(headers);
    }
    hop.chunked = present.transfer_encoding && headers.remove(header::TRANSFER_ENCODING).is_some();
    hop
}

/// Removes `Connection` and the names it nominates.
fn take_nominated(headers: &mut HeaderMap) {
    // Nearly all say one of these, and name no header.
    let mut lines = headers.get_all(header::CONNECTION).iter();
    if let (Some(line), None) = (lines.next(), lines.next())
        && (line == "keep-alive" || line == "close")
    {
        headers.remove(header::CONNECTION);
        return;
    }
    let nominated: Vec<HeaderName> = tokens(headers, &header::CONNECTION)
        // Nearly every client sends it, and it is gone already.
        .filter(|token| !token.eq_ignore_ascii_case(b"keep-alive"))
        .filter_map(|token| HeaderName::from_bytes(token).ok())
        .filter(|name| !KEPT.contains(name))
        .collect();
    for name in nominated {
        headers.remove(name);
    }
    headers.remove(header::CONNECTION);
}

/// How long the sender keeps an idle connection (RFC 2068 §19.7.1.1, which is all there is).
fn idle_timeout(value: &HeaderValue) -> Option<Duration> {
    let value = text_of(value.as_bytes());
    let mut parameters = value.split(',').filter_map(|parameter| parameter.split_once('='));
    let (_, seconds) = parameters.find(|(name, _)| name.trim().eq_ignore_ascii_case("timeout"))?;
    seconds.trim().parse().ok().map(Duration::from_secs)
}

/// Appends a value to a comma-separated list, as one line.
pub fn append_to_list(headers: &mut HeaderMap, name: HeaderName, value: &HeaderValue) {
    // Mostly there is no such list, and this is all.
    if !headers.append(&name, value.clone()) {
        return;
    }
    let mut list = Vec::new();
    for line in headers.get_all(&name) {
        if !list.is_empty() {
            list.extend_from_slice(b", ");
        }
        list.extend_from_slice(line.as_bytes());
    }
    if let Ok(list) = HeaderValue::from_bytes(&list) {
        headers.insert(name, list);
    }
}

/// Whether the connection closes after a message of HTTP/1 with these headers (RFC 9112 §9.3).
pub fn says_close(version: Version, headers: &HeaderMap) -> bool {
    let says = |word: &str| {
        headers.contains_key(header::CONNECTION)
            && tokens(headers, &header::CONNECTION).any(|token| token.eq_ignore_ascii_case(word.as_bytes()))
    };
    match version {
        Version::HTTP_2 => false,
        Version::HTTP_11 => says("close"),
        _ => says("close") || !says("keep-alive"),
    }
}

/// The words of a list, without their parameters. Bytes, because one odd byte in a line must not
/// hide the others from us that the next hop still sees.
fn tokens<'h>(headers: &'h HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'h [u8]> + use<'h> {
    headers
        .get_all(name)
        .iter()
        .flat_map(|line| line.as_bytes().split(|byte| *byte == b','))
        .map(|token| token.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii())
        .filter(|token| !token.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take_hop_by_hop(headers: &mut HeaderMap) -> Hop {
        super::take_hop_by_hop(headers, Present::in_headers(headers))
    }

    fn headers(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, HeaderValue::from_static(value));
        }
        headers
    }

    fn names(headers: &HeaderMap) -> Vec<&str> {
        let mut names: Vec<&str> = headers.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        names
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
        let keep_alive = Some(Duration::from_secs(5));
        assert_eq!(take_hop_by_hop(&mut message), Hop { chunked: true, keep_alive, ..Hop::default() });
        assert_eq!(names(&message), ["x-three"]);
    }

    #[test]
    fn odd_bytes_hide_nothing() {
        let mut message = headers(&[("x-one", "1")]);
        message.insert("connection", HeaderValue::from_bytes(b"\xff, x-one").expect("a value"));
        take_hop_by_hop(&mut message);
        assert!(message.is_empty());
    }

    #[test]
    fn connection_cannot_take_what_makes_the_message() {
        let mut message =
            headers(&[("connection", "host, content-length"), ("host", "a"), ("content-length", "1")]);
        take_hop_by_hop(&mut message);
        assert_eq!(names(&message), ["content-length", "host"]);
    }

    #[test]
    fn only_what_is_nominated_upgrades() {
        for (connection, upgrade, is_nominated) in [
            ("upgrade", "websocket", true),
            ("keep-alive, Upgrade", "WebSocket", true),
            ("keep-alive", "websocket", false),
            ("upgrade", "tcp", true),
        ] {
            let mut message = headers(&[("connection", connection), ("upgrade", upgrade)]);
            let upgrade_to = take_hop_by_hop(&mut message).upgrade;
            assert_eq!(upgrade_to.is_some(), is_nominated, "{connection} {upgrade}");
            assert!(message.is_empty());
        }
    }

    #[test]
    fn the_time_that_an_idle_connection_has_is_read() {
        for (value, seconds) in [
            ("timeout=5", Some(5)),
            ("max=100, Timeout = 5", Some(5)),
            ("timeout=0", Some(0)),
            ("timeout=-1", None),
            ("timeout=99999999999999999999", None),
            ("5", None),
        ] {
            let keep_alive = take_hop_by_hop(&mut headers(&[("keep-alive", value)])).keep_alive;
            assert_eq!(keep_alive, seconds.map(Duration::from_secs), "{value}");
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
}
