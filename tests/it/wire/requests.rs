//! Requests that are wrong, ambiguous or too big: refused, or forwarded as exactly one.

use super::super::support::proxy::{self, TestProxy};
use super::super::support::socket::Socket;
use super::super::support::upstream::Upstream;

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

/// Sends bytes, and nothing after them, and returns the statuses that came back.
fn statuses(proxy: &TestProxy, sent: &[u8]) -> Vec<u16> {
    let mut client = proxy.connect();
    client.send(sent);
    client.finish();
    let mut statuses = Vec::new();
    while let Some(head) = client.head() {
        let response = super::super::support::message::Message::parse_head(&head);
        statuses.push(response.status());
        if let Some(length) = response.header("content-length") {
            client.exactly(length.parse().expect("a number"));
        }
    }
    statuses
}

#[test]
fn c05_a_request_has_exactly_one_good_host() {
    let upstream = Upstream::answering(OK);
    let proxy = proxy::before(upstream.address).start();
    for lines in [
        "",
        "Host: \r\n",
        "Host: a\r\nHost: a\r\n",
        "Host: a\r\nHost: b\r\n",
        "Host: a@b\r\n",
        "Host: a/b\r\n",
        "Host: a b\r\n",
        "Host: a,b\r\n",
        "Host: a:99999\r\n",
        "Host: a:b\r\n",
        "Host: a\\b\r\n",
        "Host: \u{e4}\r\n",
        "Host: [::1\r\n",
    ] {
        let response = proxy.ask(format!("GET / HTTP/1.1\r\n{lines}\r\n"));
        assert_eq!(response.status(), 400, "{lines:?}");
        assert_eq!(response.header("fracas"), Some("error=request"), "{lines:?}");
        assert_eq!(response.header("connection"), Some("close"), "{lines:?}");
    }
    assert_eq!(upstream.requests(), []);
    for host in ["a", "a:80", "a:", "[::1]:80", "a_b-c.d", "127.0.0.1"] {
        assert_eq!(proxy.ask(format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n")).status(), 200, "{host}");
    }
}

/// The start of a second request, in a first one's body.
const INNER: &str = "GET /inner HTTP/1.1\r\nHost: h\r\n\r\n";

#[test]
fn c08_c09_c10_c17_nothing_smuggles_a_second_request() {
    // Each of these can be read as one request or as two. (name, head lines, body)
    let cases: &[(&str, &str, &str)] = &[
        ("CL, TE", "Content-Length: 5\r\nTransfer-Encoding: chunked", "0\r\n\r\n"),
        ("TE, CL", "Transfer-Encoding: chunked\r\nContent-Length: 5", "0\r\n\r\n"),
        ("TE, CL short", "Transfer-Encoding: chunked\r\nContent-Length: 1", "0\r\n\r\n"),
        ("CL, TE in odd case", "Content-Length: 5\r\ntRANSFER-eNCODING: cHUNKED", "0\r\n\r\n"),
        ("two CLs", "Content-Length: 0\r\nContent-Length: 5", "0\r\n\r\n"),
        ("two CLs, turned", "Content-Length: 5\r\nContent-Length: 0", "0\r\n\r\n"),
        ("CL list", "Content-Length: 5, 5", "0\r\n\r\n"),
        ("CL list, differing", "Content-Length: 0, 5", "0\r\n\r\n"),
        ("CL with sign", "Content-Length: +5", "0\r\n\r\n"),
        ("CL negative", "Content-Length: -1", ""),
        ("CL empty", "Content-Length:", ""),
        ("CL hexadecimal", "Content-Length: 0x5", "0\r\n\r\n"),
        ("CL with space inside", "Content-Length: 0 5", "0\r\n\r\n"),
        ("CL overflowing", "Content-Length: 18446744073709551621", "0\r\n\r\n"),
        ("CL name with space", "Content-Length : 5", "0\r\n\r\n"),
        ("CL behind a fold", "X: y\r\n Content-Length: 5", "0\r\n\r\n"),
        ("CL behind a bare CR", "X: y\rContent-Length: 5", "0\r\n\r\n"),
        ("CL behind a NUL", "X: y\0\r\nContent-Length: 5", "0\r\n\r\n"),
        ("TE twice", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", "0\r\n\r\n"),
        ("TE list", "Transfer-Encoding: chunked, chunked", "0\r\n\r\n"),
        ("TE gzip, chunked", "Transfer-Encoding: gzip, chunked", "0\r\n\r\n"),
        ("TE chunked, identity", "Transfer-Encoding: chunked, identity", "0\r\n\r\n"),
        ("TE chunked and identity", "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity", "0\r\n\r\n"),
        ("TE identity", "Transfer-Encoding: identity\r\nContent-Length: 5", "0\r\n\r\n"),
        ("TE xchunked", "Transfer-Encoding: xchunked\r\nContent-Length: 5", "0\r\n\r\n"),
        ("TE comma first", "Transfer-Encoding: ,chunked\r\nContent-Length: 5", "0\r\n\r\n"),
        ("TE quoted", "Transfer-Encoding: \"chunked\"\r\nContent-Length: 5", "0\r\n\r\n"),
        ("TE with parameter", "Transfer-Encoding: chunked;a=b\r\nContent-Length: 5", "0\r\n\r\n"),
        ("TE behind a tab", "Transfer-Encoding:\tchunked\r\nContent-Length: 5", "0\r\n\r\n"),
        ("TE with vertical tab", "Transfer-Encoding: \x0bchunked\r\nContent-Length: 5", "0\r\n\r\n"),
        ("TE name with space", "Transfer-Encoding : chunked\r\nContent-Length: 5", "0\r\n\r\n"),
        ("TE name with underscore", "Transfer_Encoding: chunked\r\nContent-Length: 5", "0\r\n\r\n"),
        ("TE folded", "Transfer-Encoding:\r\n chunked\r\nContent-Length: 5", "0\r\n\r\n"),
        (
            "TE named by Connection",
            "Connection: transfer-encoding\r\nTransfer-Encoding: chunked",
            "0\r\n\r\n",
        ),
        ("CL named by Connection", "Connection: content-length\r\nContent-Length: 5", "0\r\n\r\n"),
        ("chunk size negative", "Transfer-Encoding: chunked", "-1\r\n\r\n"),
        ("chunk size with 0x", "Transfer-Encoding: chunked", "0x0\r\n\r\n"),
        ("chunk size empty", "Transfer-Encoding: chunked", "\r\n\r\n"),
        ("chunk size overflowing", "Transfer-Encoding: chunked", "10000000000000000\r\n\r\n"),
        ("chunk lines end with LF", "Transfer-Encoding: chunked", "0\n\n"),
        ("chunk too long for its size", "Transfer-Encoding: chunked", "1\r\nab\r\n0\r\n\r\n"),
        ("chunk extension with LF", "Transfer-Encoding: chunked", "0;\n\r\n\r\n"),
    ];
    for (name, lines, body) in cases {
        let upstream = Upstream::answering(OK);
        let proxy = proxy::before(upstream.address).start();
        let sent = format!("POST /outer HTTP/1.1\r\nHost: h\r\n{lines}\r\n\r\n{body}{INNER}");
        let statuses = statuses(&proxy, sent.as_bytes());
        let seen = upstream.requests();
        // An unambiguous text is two requests: the outer one, and one after it.
        let is_plain = seen.len() == 2
            && (&*seen[0].start, &*seen[1].start) == ("POST /outer HTTP/1.1", "GET /inner HTTP/1.1")
            && statuses.first() == Some(&200)
            && [
                "CL named by Connection",
                "TE named by Connection",
                "TE behind a tab",
                "TE name with underscore",
            ]
            .contains(name);
        let is_one = seen.len() <= 1 && seen.iter().all(|request| request.target() == "/outer");
        assert!(is_plain || is_one, "{name}: {seen:?} {statuses:?}");
        for request in &seen {
            let framing = ["content-length", "transfer-encoding"].map(|field| request.all(field).len());
            assert!(framing[0] + framing[1] <= 1, "{name}: {request}");
        }
        assert!(!statuses.is_empty(), "{name} was answered");
    }
}

#[test]
fn c11_what_is_not_http_is_refused() {
    let upstream = Upstream::answering(OK);
    let proxy = proxy::before(upstream.address).start();
    for sent in [
        &b"hello\r\n\r\n"[..],
        b"GET / HTTP/1.1\r\nHost: h\r\nBad Name: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: h\r\nX : y\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: h\r\n: y\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: h\r\nX: a\0b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: h\r\nX: a\rb\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: h\r\nX: a\r\n b\r\n\r\n",
        b"GET / HTTP/1.1\r\n Host: h\r\n\r\n",
        b"GET /\r\n\r\n",
        b"GET / HTTP/3.0\r\nHost: h\r\n\r\n",
        b"GET /a b HTTP/1.1\r\nHost: h\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ] {
        assert_eq!(statuses(&proxy, sent), [400], "{:?}", String::from_utf8_lossy(sent));
    }
    assert_eq!(upstream.requests(), []);
}

#[test]
fn c11_lines_that_end_with_a_bare_lf_do_so_no_longer() {
    let upstream = Upstream::answering(OK);
    let proxy = proxy::before(upstream.address).start();
    assert_eq!(proxy.ask("GET / HTTP/1.1\nHost: h\nX-A: b\n\n").status(), 200);
    assert_eq!(upstream.request().header("x-a"), Some("b"), "the recorder knows no bare LF");
}

#[test]
fn c31_what_is_too_big_is_refused() {
    let upstream = Upstream::answering(OK);
    let proxy = proxy::before(upstream.address)
        .with(|settings| {
            settings.limits.uri_bytes = 100;
            settings.limits.header_bytes = 16 * 1024;
            settings.limits.header_count = 20;
        })
        .start();
    let get = |target: &str, lines: &str| format!("GET {target} HTTP/1.1\r\nHost: h\r\n{lines}\r\n");
    let path = |length: usize| format!("/{}", "a".repeat(length - 1));
    for (sent, status) in [
        (get(&path(100), ""), 200),
        (get(&path(101), ""), 414),
        (get("/", &"X: y\r\n".repeat(19)), 200),
        (get("/", &"X: y\r\n".repeat(20)), 431),
        (get("/", &format!("X: {}\r\n", "y".repeat(15 * 1024))), 200),
        (get("/", &format!("X: {}\r\n", "y".repeat(16 * 1024))), 431),
        // More than the sockets hold: it has to be read, or the response would be lost.
        (get("/", &format!("X: {}\r\n", "y".repeat(16 * 1024 * 1024))), 431),
    ] {
        assert_eq!(proxy.ask(&sent).status(), status, "{} bytes", sent.len());
    }
}

#[test]
fn c16_pipelined_requests_are_answered_in_order() {
    let upstream = Upstream::playing(|talk| {
        while let Some(request) = talk.request() {
            let body = format!("{} {}", request.target(), request.text());
            talk.socket.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len()));
        }
    });
    let proxy = proxy::before(upstream.address).start();
    let mut client = proxy.connect();
    let sent: String = (0..50)
        .map(|number| match number % 3 {
            0 => format!("GET /{number} HTTP/1.1\r\nHost: h\r\n\r\n"),
            1 => format!("POST /{number} HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx"),
            _ => format!(
                "PUT /{number} HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n"
            ),
        })
        .collect();
    client.send(sent);
    for number in 0..50 {
        let body = if number % 3 == 0 { "" } else { "x" };
        assert_eq!(client.response().text(), format!("/{number} {body}"));
    }
}

#[test]
fn bad_requests_leave_other_connections_alone() {
    let upstream = Upstream::answering(OK);
    let proxy = proxy::before(upstream.address).start();
    let mut bystander = proxy.connect();
    let ask = |bystander: &mut Socket| {
        bystander.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
        assert_eq!(bystander.response().status(), 200);
    };
    ask(&mut bystander);
    let garbage: Vec<u8> = (0..100_000_u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    for length in [1, 10, 1_000, 100_000] {
        let mut client = proxy.connect();
        client.send(&garbage[..length]);
        client.finish();
        client.ended();
        ask(&mut bystander);
    }
    let client = proxy.connect();
    client.reset();
    ask(&mut bystander);
}
