//! Headers for one hop end there.

use super::super::support::proxy;
use super::super::support::upstream::Upstream;

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
/// Headers that the proxy adds to a request from `Host: h`.
const OURS: [&str; 5] = ["host", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"];

#[test]
fn c01_c03_what_is_named_or_known_to_be_for_this_hop_is_not_sent_on() {
    let cases: &[(&str, &[&str])] = &[
        ("Connection: x-a\r\nX-A: 1\r\nX-B: 2\r\n", &["x-b: 2"]),
        ("Connection: \r\nConnection: X-A , x-b\r\nConnection: ,,\r\nX-A: 1\r\nX-B: 2\r\n", &[]),
        ("X-A: 1\r\nX-A: 2\r\nConnection: close, x-a\r\n", &[]),
        ("Connection: keep-alive\r\nKeep-Alive: timeout=5\r\nProxy-Connection: keep-alive\r\n", &[]),
        ("Proxy-Authorization: Basic eA==\r\nAuthorization: Basic eA==\r\n", &["authorization: Basic eA=="]),
        ("TE: gzip\r\nConnection: te\r\n", &[]),
        ("TE: trailers, gzip;q=0.5\r\nConnection: TE\r\n", &["connection: te", "te: trailers"]),
        ("Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABk\r\n", &[]),
        ("Upgrade: websocket\r\n", &[]),
        ("Trailer: x-t\r\n", &["trailer: x-t"]),
        ("Connection: host, content-length, via\r\nVia: 1.1 a\r\n", &[]),
    ];
    for (sent, forwarded) in cases {
        let upstream = Upstream::answering(OK);
        let proxy = proxy::before(upstream.address).start();
        proxy.ask(format!("GET / HTTP/1.1\r\nHost: h\r\n{sent}\r\n"));
        assert_eq!(upstream.request().lines_without(&OURS)[1..], **forwarded, "{sent:?}");
    }
}

#[test]
fn c02_a_client_cannot_delete_what_we_add() {
    let upstream = Upstream::answering(OK);
    let proxy = proxy::before(upstream.address).start();
    proxy.ask(
        "GET / HTTP/1.1\r\nHost: h\r\n\
         Connection: x-forwarded-for, x-forwarded-host, x-forwarded-proto, via, host\r\n\
         X-Forwarded-For: 192.0.2.1\r\n\r\n",
    );
    let request = upstream.request();
    assert_eq!(OURS.map(|name| request.all(name).len()), [1; 5]);
    assert_eq!(request.header("x-forwarded-for"), Some("127.0.0.1"));
}

#[test]
fn c03_answers_lose_theirs_too() {
    let upstream = Upstream::answering(
        "HTTP/1.1 200 OK\r\nDate: D\r\nConnection: \r\nConnection: x-a, keep-alive\r\nX-A: 1\r\nX-B: 2\r\n\
         Keep-Alive: timeout=5\r\nProxy-Authenticate: Basic\r\nProxy-Connection: close\r\nUpgrade: h2c\r\n\
         Content-Length: 0\r\n\r\n",
    );
    let proxy = proxy::before(upstream.address).start();
    let response = proxy.ask("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_eq!(
        response.lines_without(&[]),
        ["HTTP/1.1 200 OK", "content-length: 0", "date: D", "via: 1.1 fracas", "x-b: 2"]
    );
}

#[test]
fn each_side_closes_for_itself() {
    // The client's `close` is not the upstream's: that connection serves the next client.
    let upstream = Upstream::answering(OK);
    let proxy = proxy::before(upstream.address).start();
    for _ in 0..3 {
        let mut client = proxy.connect();
        client.send("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
        assert_eq!(client.response().header("connection"), Some("close"));
        assert_eq!(client.rest().expect("a clean end"), b"");
    }
    assert_eq!(upstream.requests().len(), 3);

    // And the upstream's is not the client's.
    let upstream = Upstream::playing(|talk| {
        talk.request();
        talk.socket.send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    });
    let proxy = proxy::before(upstream.address).start();
    let mut client = proxy.connect();
    for _ in 0..3 {
        client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
        assert_eq!(client.response().header("connection"), None);
    }
}
