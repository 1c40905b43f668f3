//! Connections: their number, their lives, and their effects on each other.

use std::num::{NonZeroU64, NonZeroUsize};
use std::time::Duration;

use fracas::matching::Match;
use fracas::rules::Schedule;
use http::Request;

use super::super::support::http2::Client as Http2Client;
use super::super::support::proxy::{self, conflict};
use super::super::support::upstream::{Upstream, start};

const GET: &str = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

/// A connection that has been idle for a second gives up a busy one's buffers.
#[test]
fn an_idle_connection_that_rests_loses_nothing() {
    let upstream = Upstream::answering(OK);
    let cut = Duration::from_millis(1_500);
    let proxy = proxy::before(upstream.address).with(|settings| settings.timeouts.request_head = cut).start();
    // Another client that begins a request and does not end it is cut off later than that.
    let pause = || {
        let mut slow = proxy.connect();
        slow.send("GET / HT");
        slow.ended();
    };
    let mut client = proxy.connect();
    client.send(GET);
    assert_eq!(client.response().status(), 200);
    pause();
    // The beginning of the next request comes together with the end of this one.
    let (begin, end) = GET.split_at(8);
    client.send(format!("{GET}{begin}"));
    assert_eq!(client.response().status(), 200);
    pause();
    client.send(end);
    assert_eq!(client.response().status(), 200);
    pause();
    client.finish();
    assert_eq!(client.rest().expect("a clean end"), b"");
}

#[test]
fn one_connection_upstream_serves_many_clients_in_turn() {
    let upstream = Upstream::playing(|talk| {
        while talk.request().is_some() {
            let number = talk.number;
            talk.socket.send(format!("HTTP/1.1 200 OK\r\nX-Number: {number}\r\nContent-Length: 0\r\n\r\n"));
        }
    });
    let proxy = proxy::before(upstream.address).start();
    for request in
        [GET, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx"].into_iter().cycle().take(10)
    {
        assert_eq!(proxy.ask(request).header("x-number"), Some("0"));
    }
}

#[test]
fn slow_answers_do_not_hold_up_others() {
    let (ask, asked) = std::sync::mpsc::channel();
    let (release, released) = std::sync::mpsc::channel::<()>();
    let released = std::sync::Mutex::new(released);
    let upstream = Upstream::playing(move |talk| {
        while let Some(request) = talk.request() {
            if request.target() == "/slow" {
                ask.send(()).expect("the test waits");
                released
                    .lock()
                    .expect("no panic")
                    .recv_timeout(super::super::support::LONG)
                    .expect("a release");
            }
            talk.socket.send(OK);
        }
    });
    let proxy = proxy::before(upstream.address).start();
    let mut slow = proxy.connect();
    slow.send("GET /slow HTTP/1.1\r\nHost: h\r\n\r\n");
    asked.recv_timeout(super::super::support::LONG).expect("the slow one arrives");
    for _ in 0..20 {
        assert_eq!(proxy.ask(GET).status(), 200);
    }
    release.send(()).expect("the upstream waits");
    assert_eq!(slow.response().status(), 200);
}

#[test]
fn c33_at_the_limit_clients_wait_their_turn() {
    // Two workers and one place: whichever has it must not keep the other's clients out.
    let upstream = Upstream::answering(OK);
    let proxy = proxy::before(upstream.address)
        .with(|settings| {
            settings.workers = NonZeroUsize::new(2);
            settings.limits.connections = Some(NonZeroUsize::MIN);
        })
        .start();
    let address = proxy.address;
    let clients: Vec<_> = (0..16)
        .map(|_| {
            start("client", move || {
                let mut client = super::super::support::socket::Socket::connect(address);
                client.send(GET);
                client.response().status()
            })
        })
        .collect();
    for client in clients {
        assert_eq!(client.join().expect("its turn comes"), 200);
    }

    let mut first = proxy.connect();
    first.send(GET);
    assert_eq!(first.response().status(), 200);
    let mut second = proxy.connect();
    second.send(GET);
    // While the first holds its place the second is not served.
    for _ in 0..20 {
        first.send(GET);
        assert_eq!(first.response().status(), 200);
    }
    assert!(second.has_nothing());
    drop(first);
    assert_eq!(second.response().status(), 200);
}

#[test]
fn c33_a_client_for_whom_no_place_comes_free_gets_a_503() {
    let upstream = Upstream::answering(OK);
    let proxy = proxy::before(upstream.address)
        .with(|settings| settings.limits.connections = Some(NonZeroUsize::MIN))
        .start();
    let mut first = proxy.connect();
    first.send(GET);
    assert_eq!(first.response().status(), 200);
    // More than are refused at a time.
    let mut others: Vec<_> = (0..100).map(|_| proxy.connect()).collect();
    for other in &mut others {
        other.send(GET);
    }
    for mut other in others {
        let response = other.response();
        assert_eq!((response.status(), response.header("fracas")), (503, Some("error=exhausted")));
        assert_eq!(response.header("connection"), Some("close"));
        other.ended();
    }
    let mut http2 = Http2Client::connect(proxy.address);
    let asked = Request::get(format!("http://{}/", proxy.address));
    assert_eq!(http2.ask(asked, "").expect("an answer").status, 503);
    first.send(GET);
    assert_eq!(first.response().status(), 200, "who has a place keeps it");
    assert_eq!(upstream.requests().len(), 2);
}

#[test]
fn c33_a_tunnel_keeps_its_place() {
    let upstream = Upstream::playing(|talk| {
        talk.request();
        talk.socket
            .send("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n");
        for _ in 0..20 {
            let ping = talk.socket.exactly(4);
            talk.socket.send(ping);
        }
        talk.socket.ended();
    });
    let proxy = proxy::before(upstream.address)
        .rule(conflict(Match { path: only("/409"), ..Match::default() }, Schedule::Always))
        .with(|settings| settings.limits.connections = Some(NonZeroUsize::MIN))
        .start();
    let mut tunnel = proxy.connect();
    tunnel.send("GET / HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n");
    assert!(tunnel.head().is_some_and(|head| head.starts_with("HTTP/1.1 101 ")));
    let mut next = proxy.connect();
    next.send("GET /409 HTTP/1.1\r\nHost: h\r\n\r\n");
    // While the tunnel holds its place no other client is served.
    for _ in 0..20 {
        tunnel.send("ping");
        assert_eq!(tunnel.exactly(4), b"ping");
    }
    assert!(next.has_nothing());
    drop(tunnel);
    assert_eq!(next.response().status(), 409);
    upstream.ended();
}

fn only(path: &str) -> fracas::matching::PathMatch {
    fracas::matching::PathMatch::Pattern(fracas::matching::PathPattern::parse(path).expect("a pattern"))
}

#[test]
fn c42_two_workers_count_as_one() {
    let upstream = Upstream::answering(OK);
    let mut rule = conflict(Match::default(), Schedule::First(NonZeroU64::new(100).expect("not zero")));
    rule.limit = NonZeroU64::new(70);
    let proxy = proxy::before(upstream.address)
        .rule(rule)
        .with(|settings| settings.workers = NonZeroUsize::new(2))
        .start();
    let address = proxy.address;
    let clients: Vec<_> = (0..8)
        .map(|_| {
            start("client", move || {
                (0..25)
                    .filter(|_| {
                        let mut client = super::super::support::socket::Socket::connect(address);
                        client.send(GET);
                        client.response().status() == 409
                    })
                    .count()
            })
        })
        .collect();
    let conflicts: usize = clients.into_iter().map(|client| client.join().expect("answers")).sum();
    assert_eq!(conflicts, 70);
    assert_eq!(upstream.requests().len(), 130);
}

#[test]
fn idle_connections_upstream_are_not_used_when_old() {
    let upstream = Upstream::playing(|talk| {
        while talk.request().is_some() {
            let number = talk.number;
            talk.socket.send(format!("HTTP/1.1 200 OK\r\nX-Number: {number}\r\nContent-Length: 0\r\n\r\n"));
        }
    });
    let proxy = proxy::before(upstream.address)
        .with(|settings| settings.timeouts.keep_alive = Duration::from_millis(300))
        .start();
    assert_eq!(proxy.ask(GET).header("x-number"), Some("0"));
    // The client's connection ends by the same timeout, and that is an event.
    let mut client = proxy.connect();
    client.ended();
    assert_eq!(proxy.ask(GET).header("x-number"), Some("1"));
}
