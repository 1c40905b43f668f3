//! The upstream's origin in bodies: rewritten, or counted.

use super::super::support::encoded::encoded;
use super::super::support::proxy::{self, Setup, TestProxy};
use super::super::support::socket::Socket;
use super::super::support::upstream::{Talk, Upstream};

/// Responds to each request with this head and body, in which `UPSTREAM` is its own host and port; bytes come one
/// by one.
fn saying(head: &'static str, make: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static) -> Upstream {
    Upstream::playing(move |talk: &mut Talk| {
        let address = talk.socket.local_address().to_string();
        while let Some(request) = talk.request() {
            let body = make(&address);
            let length = body.len();
            talk.socket.send(format!("HTTP/1.1 {head}\r\nContent-Length: {length}\r\n\r\n"));
            if request.method() != "HEAD" {
                body.iter().for_each(|byte| talk.socket.send([*byte]));
            }
        }
    })
}

fn rewriting(setup: Setup) -> TestProxy {
    setup.with(|settings| settings.rewrite_bodies = true).start()
}

fn get(headers: &str) -> String {
    format!("GET /a HTTP/1.1\r\nHost: front.test:1\r\n{headers}\r\n")
}

const CODINGS: [&str; 4] = ["gzip", "br", "zstd", "gzip, br"];

#[test]
fn urls_of_the_upstream_lead_back_through_the_proxy_in_html_json_and_xml_alone() {
    for (head, from, to) in [
        (
            "200 OK\r\nContent-Type: text/html",
            "<a href='http://UPSTREAM/b'>",
            "<a href='http://front.test:1/b'>",
        ),
        (
            "404 Not Found\r\nContent-Type: application/hal+json",
            r#"["http:\/\/UPSTREAM\/b"]"#,
            r#"["http:\/\/front.test:1\/b"]"#,
        ),
        (
            "200 OK\r\nContent-Type: application/atom+xml; charset=utf-8",
            "<link href=\"//UPSTREAM\"/>",
            "<link href=\"//front.test:1\"/>",
        ),
        ("200 OK\r\nContent-Type: text/plain", "http://UPSTREAM/b", "http://UPSTREAM/b"),
        (
            "200 OK\r\nContent-Type: text/html\r\nContent-Encoding: dcb",
            "http://UPSTREAM/b",
            "http://UPSTREAM/b",
        ),
        ("206 Partial Content\r\nContent-Type: text/html", "http://UPSTREAM/b", "http://UPSTREAM/b"),
    ] {
        let upstream = saying(head, move |address| from.replace("UPSTREAM", address).into_bytes());
        let to = to.replace("UPSTREAM", &upstream.address.to_string());
        let proxy = rewriting(proxy::before(upstream.address));
        for _ in 0..2 {
            assert_eq!(proxy.ask(get("")).text(), to, "{head}");
        }
    }
}

#[test]
fn a_compressed_body_is_sent_plain_and_its_tag_stays() {
    const HEAD: &str =
        "200 OK\r\nContent-Type: text/html\r\nContent-Encoding: gzip\r\nETag: \"a\"\r\nAccept-Ranges: bytes";
    let upstream = saying(HEAD, |address| encoded("gzip", format!("<a href=http://{address}/b>").as_bytes()));
    let proxy = rewriting(proxy::before(upstream.address));
    let got = proxy.ask(get("Accept-Encoding: gzip, br\r\nRange: bytes=0-3\r\n"));
    assert_eq!(got.text(), "<a href=http://front.test:1/b>");
    for name in ["content-encoding", "content-length", "accept-ranges"] {
        assert_eq!(got.header(name), None, "{name}");
    }
    assert_eq!(got.header("etag"), Some("\"a\""));
    let seen = &upstream.requests()[0];
    assert_eq!((seen.header("accept-encoding"), seen.header("range")), (Some("gzip, br"), None));

    // Its length would be another.
    let mut client = proxy.connect();
    client.send("HEAD /a HTTP/1.1\r\nHost: front.test:1\r\n\r\n");
    let head = client.head().expect("a head");
    assert!(!head.contains("content-length") && !head.contains("content-encoding"), "{head}");
    client.send(get("Connection: close\r\n"));
    assert_eq!(client.response().text(), "<a href=http://front.test:1/b>");
}

#[test]
fn a_body_in_any_coding_is_rewritten_and_one_that_is_not_in_it_breaks_off() {
    for coding in CODINGS {
        let head: &'static str =
            format!("200 OK\r\nContent-Type: text/html\r\nContent-Encoding: {coding}").leak();
        let upstream =
            saying(head, |address| encoded(coding, format!("<a href=http://{address}/b>").as_bytes()));
        let proxy = rewriting(proxy::before(upstream.address));
        assert_eq!(proxy.ask(get("")).text(), "<a href=http://front.test:1/b>", "{coding}");

        let upstream = saying(head, |address| format!("<a href=http://{address}/b>").into_bytes());
        let proxy = rewriting(proxy::before(upstream.address));
        let mut client = proxy.connect();
        client.send(get(""));
        let got = String::from_utf8_lossy(&client.rest().unwrap_or_default()).into_owned();
        // Its end never comes, and neither do bytes in no coding.
        assert!(!got.ends_with("0\r\n\r\n") && !got.contains("href"), "{coding} {got}");
    }
}

#[test]
fn the_beginning_of_a_page_goes_before_the_rest_comes() {
    let upstream = Upstream::playing(|talk: &mut Talk| {
        if talk.request().is_some() {
            let address = talk.socket.local_address();
            talk.socket
                .send("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n");
            let piece = format!("http://{address}/b first");
            talk.socket.send(format!("{:x}\r\n{piece}\r\n", piece.len()));
            // The client asks for the rest when it has the first piece.
            talk.request();
            talk.socket.send("0\r\n\r\n");
        }
    });
    let proxy = rewriting(proxy::before(upstream.address));
    let mut client: Socket = proxy.connect();
    client.send(get(""));
    client.head().expect("a head");
    let piece = "http://front.test:1/b first";
    let sent = format!("{:X}\r\n{piece}\r\n", piece.len());
    assert_eq!(client.exactly(sent.len()), sent.as_bytes());
}

#[test]
fn responses_that_hold_the_upstreams_origin_are_noted_and_no_others() {
    for (head, body, is_noted) in [
        ("200 OK\r\nContent-Type: text/html", "<a href='http://UPSTREAM/b'>", true),
        ("200 OK\r\nContent-Type: application/json", r#"["https:\/\/UPSTREAM\/b"]"#, true),
        ("500 Oops\r\nContent-Type: application/problem+json", r#"["//UPSTREAM"]"#, true),
        ("200 OK\r\nContent-Type: text/html", "<a href='http://front.test:1/b'>", false),
        ("200 OK\r\nContent-Type: text/html", "UPSTREAM", false),
        ("200 OK\r\nContent-Type: image/png", "http://UPSTREAM/b", false),
    ] {
        for coding in CODINGS.into_iter().chain([""]) {
            let head: &'static str = format!("{head}\r\nContent-Encoding: {coding}").leak();
            let make = move |address: &str| encoded(coding, body.replace("UPSTREAM", address).as_bytes());
            let upstream = saying(head, make);
            let proxy = proxy::before(upstream.address).start();
            assert!(proxy.ask(get("")).header("content-length").is_some());
            let noted: Vec<bool> =
                proxy.attempts().iter().map(|attempt| attempt.got.names_upstream).collect();
            assert_eq!(noted, [is_noted], "{head} {body}");
        }
    }
}

#[test]
fn over_http2_bodies_are_rewritten_too() {
    let upstream =
        super::super::support::http2_upstream::Http2Upstream::playing(100, |mut asked| async move {
            let authority = asked.request.uri().authority().expect("an authority").to_string();
            let mut to = asked.head(http::Response::builder().header("content-type", "text/html"), false);
            to.send_data(format!("http://{authority}/b").into(), true).expect("it listens");
        });
    let proxy = rewriting(proxy::before(upstream.address).over_http2());
    assert_eq!(proxy.ask(get("")).text(), "http://front.test:1/b");
}
