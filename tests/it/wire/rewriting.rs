//! Answers that point at the upstream point at the proxy.

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
        let answer = proxy.ask("POST / HTTP/1.1\r\nHost: front.test:1\r\nContent-Length: 0\r\n\r\n");
        let lines = answer.lines_without(&["date", "via", "content-length"]);
        assert_eq!(lines, ["HTTP/1.1 201 Created", to], "{from}");
    }
}
