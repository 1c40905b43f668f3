//! Upgrades: WebSocket tunnels, and nothing else.

use super::super::support::proxy;
use super::super::support::upstream::{Talk, Upstream};

const ASK: &str = "GET /chat HTTP/1.1\r\nHost: h\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\
                   Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
const SWITCH: &str = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                      Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

/// Bytes that are no HTTP, and no text.
fn noise(length: usize) -> Vec<u8> {
    (0..length as u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8).collect()
}

#[test]
fn c27_a_tunnel_is_transparent_both_ways() {
    const LENGTH: usize = 3_000_000;
    let upstream = Upstream::playing(|talk: &mut Talk| {
        talk.request();
        // The first bytes of the new protocol come with the old one's last.
        talk.socket.send([SWITCH.as_bytes(), b"\x00first"].concat());
        let heard = talk.socket.exactly(LENGTH);
        talk.socket.send(heard);
        assert_eq!(talk.socket.rest().expect("a clean end"), b"last words");
        talk.socket.send("and mine");
    });
    let proxy = proxy::before(upstream.address).start();
    let mut client = proxy.connect();
    client.send(ASK);
    assert_eq!(
        super::super::support::message::Message::parse_head(&client.head().expect("an answer"))
            .lines_without(&["date"]),
        [
            "HTTP/1.1 101 Switching Protocols",
            "connection: upgrade",
            "sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
            "upgrade: websocket",
            "via: 1.1 fracas",
        ]
    );
    assert_eq!(client.exactly(6), b"\x00first");
    let noise = noise(LENGTH);
    let echo = std::thread::scope(|scope| {
        let reader = &mut client;
        std::thread::Builder::new()
            .spawn_scoped(scope, || {
                reader.send(&noise);
                reader.exactly(LENGTH)
            })
            .expect("a thread")
            .join()
            .expect("an echo")
    });
    assert!(echo == noise);
    // Each direction ends on its own.
    client.send("last words");
    client.finish();
    assert_eq!(client.rest().expect("a clean end"), b"and mine");
    upstream.ended();

    let request = upstream.request();
    assert_eq!(
        (request.header("connection"), request.header("upgrade")),
        (Some("upgrade"), Some("websocket"))
    );
    assert_eq!(request.header("sec-websocket-version"), Some("13"));
}

#[test]
fn c27_an_upstream_may_decline() {
    let upstream = Upstream::answering(
        "HTTP/1.1 426 Upgrade Required\r\nUpgrade: websocket\r\nContent-Length: 2\r\n\r\nno",
    );
    let proxy = proxy::before(upstream.address).start();
    let mut client = proxy.connect();
    for _ in 0..2 {
        client.send(ASK);
        let response = client.response();
        assert_eq!((response.status(), &*response.text()), (426, "no"));
    }
}

#[test]
fn c27_a_101_that_nobody_asked_for_is_a_502() {
    for ask in [
        "GET / HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n",
        "GET / HTTP/1.0\r\nHost: h\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
    ] {
        let upstream = Upstream::playing(|talk| {
            talk.request();
            talk.socket.send([SWITCH, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nextra"].concat());
            talk.socket.ended();
        });
        let proxy = proxy::before(upstream.address).start();
        let response = proxy.ask(ask);
        assert_eq!((response.status(), response.header("fracas")), (502, Some("error=protocol")), "{ask:?}");
        upstream.ended();
    }
}

#[test]
fn c27_a_101_to_another_protocol_is_a_502() {
    let upstream = Upstream::answering(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n",
    );
    let proxy = proxy::before(upstream.address).start();
    assert_eq!(proxy.ask(ASK).status(), 502);
}

#[test]
fn c27_early_bytes_wait_for_the_101() {
    // With a 101 they are the tunnel's, without one they are the next request.
    let early = "GET /next HTTP/1.1\r\nHost: h\r\n\r\n";
    for is_accepted in [true, false] {
        let upstream = Upstream::playing(move |talk| {
            talk.request();
            assert!(talk.socket.has_nothing(), "nothing comes before the answer");
            if is_accepted {
                talk.socket.send(SWITCH);
                assert_eq!(talk.socket.exactly(early.len()), early.as_bytes());
                talk.socket.send("tunnel");
            } else {
                talk.socket.send("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
                assert_eq!(
                    talk.request().map(|request| request.target().to_owned()).as_deref(),
                    Some("/next")
                );
                talk.socket.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
            }
        });
        let proxy = proxy::before(upstream.address).start();
        let mut client = proxy.connect();
        client.send([ASK, early].concat());
        let head = client.head().expect("an answer");
        if is_accepted {
            assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
            assert_eq!(client.exactly(6), b"tunnel");
        } else {
            assert!(head.starts_with("HTTP/1.1 400 "), "{head}");
            assert_eq!(client.response().status(), 200);
        }
    }
}

#[test]
fn c27_when_either_side_breaks_the_other_hears_of_it() {
    for client_leaves in [true, false] {
        let upstream = Upstream::playing(move |talk| {
            talk.request();
            talk.socket.send(SWITCH);
            if client_leaves {
                talk.socket.ended();
            }
        });
        let proxy = proxy::before(upstream.address).start();
        let mut client = proxy.connect();
        client.send(ASK);
        client.head();
        if client_leaves {
            client.reset();
        } else {
            client.ended();
        }
        upstream.ended();
    }
}
