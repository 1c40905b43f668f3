//! Names in `Host` that a proxy on a loopback address refuses, so that a page of another site cannot reach the
//! upstream by a name that leads to 127.0.0.1.

use std::net::SocketAddr;

use fracas::matching::TextPattern;
use fracas::rules::Upstream as Target;
use fracas::rules::{Authority, Scheme, UpstreamUrl};

use super::super::support::proxy::{self, TestProxy};
use super::super::support::upstream::Upstream;

/// A proxy as a rules file without `allowed_hosts` makes it.
fn strict(upstream: SocketAddr) -> proxy::Setup {
    proxy::before(upstream).with(|settings| settings.allowed_hosts.clear())
}

fn get(host: &str) -> String {
    format!("GET / HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\nSec-Fetch-Site: same-origin\r\n\r\n")
}

fn status(proxy: &TestProxy, request: &str) -> u16 {
    proxy.ask(request).status()
}

#[test]
fn a_name_that_a_page_could_choose_is_421_and_never_reaches_the_upstream() {
    let upstream = Upstream::answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let proxy = strict(upstream.address).start();
    let port = proxy.address.port();
    for host in ["127.0.0.1", "localhost", "app.localhost", "[::1]", "192.0.2.1"] {
        assert_eq!(status(&proxy, &get(&format!("{host}:{port}"))), 200, "{host}");
    }
    upstream.forget();
    for host in ["rebind.attacker.example", "127.0.0.1.attacker.example", "0x7f.1", "h"] {
        let response = proxy.ask(get(&format!("{host}:{port}")));
        assert_eq!((response.status(), response.header("fracas")), (421, Some("error=host")), "{host}");
        assert!(response.text().contains(r#"allowed_hosts = [\"name\"]"#), "{}", response.text());
        // The target's own authority beats `Host` (RFC 9112 §3.2.2).
        let absolute = format!("GET http://{host}/ HTTP/1.1\r\nHost: localhost\r\n\r\n");
        assert_eq!(status(&proxy, &absolute), 421, "{host} as a target");
        let upgrade = format!(
            "GET / HTTP/1.1\r\nHost: {host}\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        );
        assert_eq!(status(&proxy, &upgrade), 421, "{host} for a WebSocket");
    }
    assert!(upstream.requests().is_empty(), "none of them was forwarded");
    assert_eq!(status(&proxy, "GET / HTTP/1.0\r\n\r\n"), 200, "HTTP/1.0 without a Host");
}

#[test]
fn names_that_the_rules_file_knows_are_served() {
    let upstream = Upstream::answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let named = strict(upstream.address)
        .rules("[[rule]]\nname = \"r\"\nhost = \"api.shop.test\"\nrate = 0.0\n")
        .with(|settings| {
            settings.allowed_hosts = vec![TextPattern::new("*.intern.test")];
            let authority = Authority { host: "localhost".into(), port: 1 };
            settings.upstream =
                Target::Url(UpstreamUrl { scheme: Scheme::Http, authority, base_path: "".into() });
        })
        .start();
    for (host, expected) in
        [("API.shop.test", 200), ("a.intern.test:81", 200), ("shop.test", 421), ("intern.test", 421)]
    {
        assert_eq!(status(&named, &get(host)), expected, "{host}");
    }
}

#[test]
fn other_listeners_serve_every_name() {
    let upstream = Upstream::answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let proxy = strict(upstream.address)
        .with(|settings| settings.listen = SocketAddr::from(([0, 0, 0, 0], 0)))
        .start();
    let mut client = super::super::support::socket::Socket::connect(SocketAddr::from((
        [127, 0, 0, 1],
        proxy.address.port(),
    )));
    client.send(get("anything.example"));
    assert_eq!(client.response().status(), 200);
}
