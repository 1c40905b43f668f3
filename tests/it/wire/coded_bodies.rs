//! Rules see request bodies through their `Content-Encoding` and byte order mark; the bytes that came are forwarded.

use super::super::support::encoded::encoded;
use super::super::support::proxy;
use super::super::support::upstream::Upstream;

const RULES: &str = "[[rule]]\nmethod = \"POST\"\nbody = { \"/state\" = \"locked\" }\n";
const LOCKED: &[u8] = b"{\"state\": \"locked\"}";
const OPEN: &[u8] = b"{\"state\": \"open\"}";

fn post(headers: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!(
        "POST /a HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n{headers}\r\n"
    );
    [head.as_bytes(), body].concat()
}

#[test]
fn a_rule_sees_a_body_decoded_and_the_upstream_gets_the_bytes_that_came() {
    let wide = |text: &[u8]| text.iter().flat_map(|byte| [*byte, 0]).collect::<Vec<u8>>();
    let upstream = Upstream::echoing();
    let proxy = proxy::before(upstream.address).with(|it| it.body_limit = 1 << 20).rules(RULES).start();
    for coding in ["", "gzip", "br", "zstd", "gzip, br"] {
        for mark in [&b""[..], b"\xef\xbb\xbf"] {
            let headers = format!("Content-Encoding: {coding}\r\n");
            let body = |text: &[u8]| encoded(coding, &[mark, text].concat());
            assert_eq!(proxy.ask(post(&headers, &body(LOCKED))).status(), 409, "{coding} {mark:?}");
            let got = proxy.ask(post(&headers, &body(OPEN)));
            assert_eq!(got.status(), 200);
            assert!(got.body == body(OPEN), "{coding} {mark:?}");
        }
    }
    let utf16 = [b"\xff\xfe", &*wide(LOCKED)].concat();
    assert_eq!(proxy.ask(post("", &utf16)).status(), 409);
    assert_eq!(proxy.ask(post("Content-Encoding: br\r\n", &encoded("br", &utf16))).status(), 409);
    // Longer than a worker decodes itself.
    let numbers: String = (0..60_000).map(|n| format!("{n},")).collect();
    let long = format!("{{\"state\": \"locked\", \"n\": [{numbers}0]}}").into_bytes();
    assert_eq!(proxy.ask(post("Content-Encoding: gzip\r\n", &encoded("gzip", &long))).status(), 409);
}

#[test]
fn a_body_that_bombs_nests_or_is_not_valid_matches_no_rule_and_passes_untouched() {
    let upstream = Upstream::echoing();
    let proxy = proxy::before(upstream.address).with(|it| it.body_limit = 1 << 20).rules(RULES).start();
    let bomb = [&b"{\"state\": \"locked\", \"n\": \""[..], &vec![b' '; 4 << 20], b"\"}"].concat();
    let nested =
        [&b"{\"state\": \"locked\", \"n\": "[..], &vec![b'['; 100_000], &vec![b']'; 100_000], b"}"].concat();
    for coding in ["gzip", "br", "zstd", "gzip, br"] {
        let whole = encoded(coding, LOCKED);
        let cut = whole[..whole.len() - 2].to_vec();
        for body in [encoded(coding, &bomb), encoded(coding, &nested), LOCKED.to_vec(), cut] {
            let got = proxy.ask(post(&format!("Content-Encoding: {coding}\r\n"), &body));
            assert_eq!(got.status(), 200, "{coding}");
            assert!(got.body == body, "{coding}");
        }
    }
    let got = proxy.ask(post("Content-Encoding: compress\r\n", LOCKED));
    assert_eq!((got.status(), &*got.body), (200, LOCKED));
}
