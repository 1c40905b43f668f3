//! Identities of client, server and proxy: `Host`, `Via` and the `X-Forwarded-` headers.

use fracas::rules::HostHeader;

use super::super::support::proxy;
use super::super::support::upstream::Upstream;

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

#[test]
fn the_head_that_arrives_is_sent_on_with_ours_added() {
    let upstream = Upstream::answering(OK);
    let proxy = proxy::before(upstream.address).start();
    proxy.ask("GET /a HTTP/1.1\r\nHost: front.test\r\nAccept: */*\r\nCookie: a=1\r\nX-Two: 1\r\nX-Two: 2\r\nX-Empty:\r\n\r\n");
    let host = format!("host: {}", upstream.address);
    assert_eq!(
        upstream.request().lines_without(&[]),
        [
            "GET /a HTTP/1.1",
            "accept: */*",
            "cookie: a=1",
            &host,
            "via: 1.1 fracas",
            "x-empty: ",
            "x-forwarded-for: 127.0.0.1",
            "x-forwarded-host: front.test",
            "x-forwarded-proto: http",
            "x-two: 1",
            "x-two: 2",
        ]
    );
}

#[test]
fn the_head_that_comes_back_is_sent_on_with_ours_added() {
    let upstream = Upstream::answering(
        "HTTP/1.1 299 My Reason\r\nDate: D\r\nServer: s\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n\
         Via: 1.0 x\r\nContent-Length: 2\r\n\r\nok",
    );
    let proxy = proxy::before(upstream.address).start();
    let response = proxy.ask("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_eq!(
        response.lines_without(&[]),
        [
            "HTTP/1.1 299 My Reason",
            "content-length: 2",
            "date: D",
            "server: s",
            "set-cookie: a=1",
            "set-cookie: b=2",
            "via: 1.0 x, 1.1 fracas",
        ]
    );
    assert_eq!(response.text(), "ok");
}

#[test]
fn an_upstream_cannot_pretend_to_be_us() {
    let upstream =
        Upstream::answering("HTTP/1.1 409 Conflict\r\nFracas: rule=\"x\"\r\nContent-Length: 0\r\n\r\n");
    let proxy = proxy::before(upstream.address).start();
    let response = proxy.ask("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_eq!((response.status(), response.header("fracas")), (409, None));
}

#[test]
fn c04_what_a_peer_says_of_others_is_added_to_and_believed_only_when_trusted() {
    let said = "Via: 1.0 peer\r\nX-Forwarded-For: 192.0.2.1\r\nX-Forwarded-For: 192.0.2.2\r\n\
                X-Forwarded-Proto: https\r\nX-Forwarded-Host: outer.test\r\n";
    for (is_trusted, said, proto, host, via, forwarded_for) in [
        (false, "", "http", "h", "1.1 fracas", "127.0.0.1"),
        (true, "", "http", "h", "1.1 fracas", "127.0.0.1"),
        (false, said, "http", "h", "1.0 peer, 1.1 fracas", "192.0.2.1, 192.0.2.2, 127.0.0.1"),
        (true, said, "https", "outer.test", "1.0 peer, 1.1 fracas", "192.0.2.1, 192.0.2.2, 127.0.0.1"),
        (true, "X-Forwarded-Proto: https\r\n", "https", "h", "1.1 fracas", "127.0.0.1"),
    ] {
        let upstream = Upstream::answering(OK);
        let trusted = if is_trusted { vec!["127.0.0.0/8".parse().expect("a network")] } else { Vec::new() };
        let proxy = proxy::before(upstream.address).with(|settings| settings.trusted = trusted).start();
        proxy.ask(format!("GET / HTTP/1.1\r\nHost: h\r\n{said}\r\n"));
        let request = upstream.request();
        let names = ["x-forwarded-proto", "x-forwarded-host", "via", "x-forwarded-for"];
        let seen = names.map(|name| request.header(name).unwrap_or_default());
        assert_eq!(seen, [proto, host, via, forwarded_for], "trusted: {is_trusted}, said: {said:?}");
    }
}

#[test]
fn the_host_is_the_upstreams_or_the_clients() {
    for (policy, sent, seen) in [
        (HostHeader::Upstream, "GET / HTTP/1.1\r\nHost: front.test:1\r\n\r\n", "UPSTREAM"),
        (HostHeader::Client, "GET / HTTP/1.1\r\nHost: front.test:1\r\n\r\n", "front.test:1"),
        (HostHeader::Upstream, "GET / HTTP/1.0\r\n\r\n", "UPSTREAM"),
        (HostHeader::Client, "GET / HTTP/1.0\r\n\r\n", "UPSTREAM"),
    ] {
        let upstream = Upstream::answering(OK);
        let proxy = proxy::before(upstream.address).with(|settings| settings.host = policy).start();
        proxy.ask(sent);
        let seen = seen.replace("UPSTREAM", &upstream.address.to_string());
        assert_eq!(upstream.request().header("host"), Some(&*seen), "{policy:?} {sent:?}");
    }
}

#[test]
fn versions_are_ours_and_via_says_theirs() {
    let upstream = Upstream::answering("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n");
    let proxy = proxy::before(upstream.address).start();
    let response = proxy.ask("GET / HTTP/1.0\r\nX-Forwarded-Host: spoofed\r\n\r\n");
    assert_eq!(response.start, "HTTP/1.0 200 OK");
    assert_eq!(response.header("via"), Some("1.0 fracas"));
    let request = upstream.request();
    assert_eq!(request.start, "GET / HTTP/1.1");
    assert_eq!(request.header("via"), Some("1.0 fracas"));
    assert_eq!(request.header("x-forwarded-host"), None);
}
