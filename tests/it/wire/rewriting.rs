//! Responses that point at the upstream point at the proxy.

use fracas::rules::HostHeader;

use super::super::support::proxy;
use super::super::support::upstream::Upstream;

#[test]
fn references_and_cookies_lead_back_through_the_proxy() {
    for (base, from, to) in [
        ("", "Location: http://UPSTREAM/a?b#c", "location: http://front.test:1/a?b#c"),
        ("", "Content-Location: http://UPSTREAM/a", "content-location: http://front.test:1/a"),
        ("", "Location: //UPSTREAM/a", "location: http://front.test:1/a"),
        ("", "Location: /a", "location: /a"),
        ("", "Location: http://other.test/a", "location: http://other.test/a"),
        ("/v1", "Location: http://UPSTREAM/v1/a", "location: http://front.test:1/a"),
        ("/v1", "Location: /v1/a", "location: /a"),
        ("/v1", "Location: /v2/a", "location: /v2/a"),
        ("/v1", "Set-Cookie: s=1; Path=/v1/x; HttpOnly", "set-cookie: s=1; Path=/x; HttpOnly"),
        ("", "Set-Cookie: s=1; Domain=127.0.0.1", "set-cookie: s=1"),
        ("/v1", "Location: https://front.test:1/v1/login", "location: http://front.test:1/login"),
        ("", "Location: http://UPSTREAM/caf\u{e9}", "location: http://front.test:1/caf\u{e9}"),
        ("", "Link: <http://UPSTREAM/a?page=2>; rel=next", "link: <http://front.test:1/a?page=2>; rel=next"),
        ("", "Refresh: 0; url=http://UPSTREAM/a", "refresh: 0; url=http://front.test:1/a"),
        ("", "Operation-Location: http://UPSTREAM/a", "operation-location: http://front.test:1/a"),
        ("", "X-Any: http://UPSTREAM/a", "x-any: http://front.test:1/a"),
        ("", "Set-Cookie: n=Zo\u{eb}; Domain=127.0.0.1; Path=/", "set-cookie: n=Zo\u{eb}; Path=/"),
        ("", "Set-Cookie: s=1; Domain=other.test", "set-cookie: s=1; Domain=other.test"),
    ] {
        let upstream = Upstream::playing({
            let from = from.to_owned();
            move |talk| {
                let address = talk.socket.local_address().to_string();
                while talk.request().is_some() {
                    let line = from.replace("UPSTREAM", &address);
                    talk.socket.send(format!("HTTP/1.1 201 Created\r\n{line}\r\nContent-Length: 0\r\n\r\n"));
                }
            }
        });
        let proxy = proxy::before(upstream.address).below(base).start();
        let response = proxy.ask("POST / HTTP/1.1\r\nHost: front.test:1\r\nContent-Length: 0\r\n\r\n");
        let lines = response.lines_without(&["date", "via", "content-length"]);
        assert_eq!(lines, ["HTTP/1.1 201 Created", to], "{from}");
    }
}

#[test]
fn fields_that_lead_to_other_ports_of_the_proxys_host_are_removed() {
    let upstream = Upstream::answering(
        "HTTP/1.1 200 OK\r\nAlt-Svc: h2=\":443\"\r\nStrict-Transport-Security: max-age=31536000\r\n\
         Content-Length: 0\r\n\r\n",
    );
    let proxy = proxy::before(upstream.address).start();
    let response = proxy.ask("GET / HTTP/1.1\r\nHost: front.test:1\r\n\r\n");
    assert_eq!(response.lines_without(&["date", "via", "content-length"]), ["HTTP/1.1 200 OK"]);
}

#[test]
fn requests_that_name_the_proxy_name_the_upstream() {
    const SOCKET: &str = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                          Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nOrigin: http://front.test:1";
    use HostHeader::{Client, Upstream as Own};
    for (host, base, from, to) in [
        (Own, "", "Origin: http://front.test:1", "origin: http://UPSTREAM"),
        (Own, "", SOCKET, "origin: http://UPSTREAM"),
        (Own, "", "Origin: http://evil.test", "origin: http://evil.test"),
        (Own, "/v1", "Referer: http://front.test:1/a", "referer: http://UPSTREAM/v1/a"),
        (Own, "/v1", "Destination: http://front.test:1/b", "destination: http://UPSTREAM/v1/b"),
        (Client, "/v1", "Destination: http://front.test:1/b", "destination: http://front.test:1/v1/b"),
        (Client, "/v1", "Origin: http://front.test:1", "origin: http://front.test:1"),
    ] {
        let upstream = Upstream::answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        let proxy = proxy::before(upstream.address).below(base).with(|settings| settings.host = host).start();
        proxy.ask(format!("GET / HTTP/1.1\r\nHost: front.test:1\r\n{from}\r\n\r\n"));
        let to = to.replace("UPSTREAM", &upstream.address.to_string());
        let lines = upstream.request().lines_without(&[]);
        assert!(lines.contains(&to), "{to}: {lines:?}");
    }
}

#[test]
fn a_byte_beyond_ascii_blinds_no_rule() {
    let upstream = Upstream::playing(|talk| {
        let mut version = 1;
        while let Some(request) = talk.request() {
            version += usize::from(request.method() == "PUT");
            let head = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nETag: \"caf\xe9";
            talk.socket.send([head, version.to_string().as_bytes(), b"\"\r\n\r\n"].concat());
        }
    });
    let rules = "[[rule]]\npath = \"/doc\"\nmethod = \"PUT\"\non = \"stale\"\n\
                 [[rule]]\nname = \"cookie\"\npath = \"/cookie\"\ncookie = { session = \"abc\" }\n\
                 [[rule]]\nname = \"header\"\npath = \"/header\"\nheader = { x-a = \"caf*\" }\n\
                 [[rule]]\nname = \"per\"\npath = \"/per\"\nfirst = 1\nper = \"cookie:name\"\n";
    let proxy = proxy::before(upstream.address).rules(rules).start();
    for (start, line, status) in [
        ("GET /doc", &b"Accept: */*"[..], 200),
        ("PUT /doc", b"If-Match: \"caf\xe91\"", 200),
        ("PUT /doc", b"If-Match: \"caf\xe91\"", 409),
        ("PUT /doc", b"If-Match: \"other\", \"caf\xe92\"", 200),
        ("GET /cookie", b"Cookie: session=abc; name=Zo\xc3\xab", 409),
        ("GET /cookie", b"Cookie: name=Zo\xeb; session=abc", 409),
        ("GET /cookie", b"Cookie: name=Zo\xeb", 200),
        ("GET /header", b"X-A: caf\xe9", 409),
        ("GET /per", b"Cookie: name=Zo\xeb", 409),
        ("GET /per", b"Cookie: name=Zo\xeb", 200),
        ("GET /per", b"Cookie: name=Zo\xec", 409),
    ] {
        let head = format!("{start} HTTP/1.1\r\nHost: front.test:1\r\nContent-Length: 0\r\n");
        let response = proxy.ask([head.as_bytes(), line, b"\r\n\r\n"].concat());
        assert_eq!(response.status(), status, "{start} {}", line.escape_ascii());
    }
}
