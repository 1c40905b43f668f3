//! Header fields that a proxy removes and adds, for any header.

use fracas::proxy::headers::{self, Hop, Present};
use fracas::proxy::rewrite::{self, Front};
use fracas::rules::{Authority, Scheme, UpstreamUrl};
use http::header::VIA;
use http::{HeaderMap, HeaderName, HeaderValue};

use super::choices::Choices;

/// RFC 9110 §7.6.1, and further fields known to be meant for one hop.
const HOP_BY_HOP: [&str; 8] = [
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "transfer-encoding",
    "upgrade",
];
/// Without these a message would be another one.
const KEPT: [&str; 4] = ["content-length", "content-type", "host", "transfer-encoding"];
const NAMES: [&str; 20] = [
    "connection",
    "connection",
    "keep-alive",
    "te",
    "upgrade",
    "transfer-encoding",
    "proxy-authorization",
    "host",
    "content-length",
    "content-type",
    "x-forwarded-for",
    "via",
    "cookie",
    "x-a",
    "x-b",
    "trailer",
    "location",
    "content-location",
    "set-cookie",
    "set-cookie",
];
const VALUES: [&str; 26] = [
    "",
    ",",
    "close",
    "keep-alive, Upgrade",
    "x-a",
    "X-A , x-b",
    "te,trailers",
    "host, content-length",
    "via;q=1",
    "x-forwarded-for",
    "upgrade",
    "websocket",
    "h2c, websocket",
    "chunked",
    "trailers;q=0.5, gzip",
    "\u{7f}x-a",
    "http://up.test:8080/v1/a?b#c",
    "http://up.test:8080/v1?x",
    "//up.test:8080",
    "/v1",
    "/v1/..//a",
    "/v1?x",
    "http://[::1]:80/a",
    "HTTP://UP.TEST:8080/v1#",
    "s=1; Domain=up.test; Path=/v1/a; Secure; HttpOnly",
    "s=a=b;;path=/v1;domain=.up.test ; SameSite=None",
];

pub fn check(data: &[u8]) {
    let mut choices = Choices(data);
    let mut map = HeaderMap::new();
    while !choices.is_over() && map.len() < 40 {
        let name = HeaderName::from_static(choices.one(&NAMES));
        let value = match choices.below(3) {
            0 => HeaderValue::from_bytes(choices.bytes(40)),
            _ => HeaderValue::from_str(choices.one(&VALUES)),
        };
        if let Ok(value) = value {
            map.append(name, value);
        }
    }
    check_hop_by_hop(&map);
    check_rewriting(&map, choices.byte());
}

fn take_hop_by_hop(headers: &mut HeaderMap) -> Hop {
    let present = Present::in_headers(headers);
    headers::take_hop_by_hop(headers, present)
}

fn check_hop_by_hop(before: &HeaderMap) {
    let named: Vec<String> = before
        .get_all("connection")
        .iter()
        .flat_map(|line| line.as_bytes().split(|byte| *byte == b','))
        .map(|token| token.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii())
        .map(|token| String::from_utf8_lossy(token).to_ascii_lowercase())
        .collect();
    let is_taken = |name: &str| {
        HOP_BY_HOP.contains(&name) || named.iter().any(|taken| taken == name) && !KEPT.contains(&name)
    };
    let mut after = before.clone();
    take_hop_by_hop(&mut after);
    for name in before.keys() {
        let values = |map: &HeaderMap| map.get_all(name).iter().cloned().collect::<Vec<_>>();
        let expected = if is_taken(name.as_str()) { Vec::new() } else { values(before) };
        assert_eq!(values(&after), expected, "{name} of {before:?}");
    }
    assert!(after.keys_len() <= before.keys_len());
    assert_eq!(take_hop_by_hop(&mut after.clone()), Hop::default(), "nothing is left of it");

    headers::append_to_list(&mut after, VIA, &HeaderValue::from_static("1.1 fracas"));
    let via: Vec<_> = after.get_all("via").iter().collect();
    assert!(matches!(&via[..], [via] if via.as_bytes().ends_with(b"1.1 fracas")), "{via:?}");
}

fn check_rewriting(before: &HeaderMap, choice: u8) {
    let upstream = UpstreamUrl {
        scheme: if choice & 1 == 0 { Scheme::Http } else { Scheme::Https },
        authority: Authority { host: "up.test".into(), port: 8080 },
        base_path: if choice & 2 == 0 { "".into() } else { "/v1".into() },
    };
    let host = HeaderValue::from_static("front.test:4090");
    let front = Front { host: (choice & 4 == 0).then_some(host), forwarded: None, scheme: Scheme::Http };
    let mut after = before.clone();
    rewrite::response(&mut after, &upstream, &front);
    for name in before.keys() {
        let old: Vec<_> = before.get_all(name).iter().collect();
        let new: Vec<_> = after.get_all(name).iter().collect();
        match name.as_str() {
            "location" | "content-location" => {
                assert_eq!(new.len(), old.len(), "each stays");
                let is_ours = |value: &&HeaderValue| {
                    let bytes = value.as_bytes();
                    bytes.starts_with(b"http://front.test:4090/") || bytes.starts_with(b"/")
                };
                assert!(new.iter().all(|value| old.contains(value) || is_ours(value)), "{old:?} {new:?}");
            }
            "set-cookie" => {
                assert_eq!(new.len(), old.len(), "every cookie stays");
                for (old, new) in old.iter().zip(new) {
                    let first = |value: &HeaderValue| {
                        value.as_bytes().split(|byte| *byte == b';').next().map(<[u8]>::to_vec)
                    };
                    let bare = first(new).map(|pair| match pair.strip_prefix(b"fracas") {
                        Some(bare) if upstream.scheme == Scheme::Https => bare.to_vec(),
                        _ => pair,
                    });
                    assert!(first(new) == first(old) || bare == first(old), "{old:?} {new:?}");
                    assert!(new.len() <= old.len() + 6, "{old:?} {new:?}");
                }
            }
            _ => {
                assert_eq!(new.len(), old.len(), "each stays");
                for (old, new) in old.iter().zip(new) {
                    let is_url = old.as_bytes().first().is_some_and(|byte| b"hHwW".contains(byte));
                    let is_ours = new.as_bytes().starts_with(b"http") || new.as_bytes().starts_with(b"/");
                    assert!(*old == new || is_url && is_ours, "{name} points nowhere: {old:?} {new:?}");
                }
            }
        }
    }
    // A rewritten field points at the proxy, so that a second rewrite changes nothing.
    if upstream.base_path.is_empty() {
        let once = after.clone();
        rewrite::response(&mut after, &upstream, &front);
        assert_eq!(after, once);
    }
}
