//! Draining: no request in flight is lost, and none hangs.

use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use fracas::clock::Clock;
use fracas::matching::Match;
use fracas::rules::Schedule;

use super::super::support::LONG;
use super::super::support::proxy::{self, conflict};
use super::super::support::socket::Socket;
use super::super::support::upstream::{Upstream, start};

const GET: &str = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";

/// An upstream that reports each request, and responds on a signal.
fn gated() -> (Upstream, Receiver<()>, Sender<()>) {
    let (ask, asked) = channel();
    let (release, released) = channel::<()>();
    let released = Mutex::new(released);
    let upstream = Upstream::playing(move |talk| {
        while talk.request().is_some() {
            let _ = ask.send(());
            let _ = released.lock().expect("no panic").recv_timeout(LONG);
            if talk.socket.try_send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").is_err() {
                break;
            }
        }
    });
    (upstream, asked, release)
}

#[test]
fn c34_requests_in_flight_are_answered_and_new_connections_refused() {
    let (upstream, asked, release) = gated();
    let proxy = proxy::before(upstream.address).start();
    let address = proxy.address;
    let mut client = proxy.connect();
    client.send(GET);
    asked.recv_timeout(LONG).expect("the request arrives");
    let mut idle = proxy.connect();

    proxy.running().drain();
    // An idle connection is closed, which also shows that the order has arrived.
    assert_eq!(idle.rest().expect("a clean end"), b"");
    assert!(std::net::TcpStream::connect(address).is_err(), "nobody listens");
    release.send(()).expect("the upstream waits");
    let response = client.response();
    assert_eq!((&*response.text(), response.header("connection")), ("ok", Some("close")));
    assert_eq!(client.rest().expect("a clean end"), b"");
    let summary = proxy.join();
    assert_eq!((summary.requests, summary.failures, summary.panics), (1, 0, 0));
}

#[test]
fn c34_a_connection_under_load_hears_that_it_ends() {
    let upstream = Upstream::answering("HTTP/1.1 409 Conflict\r\nContent-Length: 0\r\n\r\n");
    let forwarding = proxy::before(upstream.address);
    let injecting = proxy::before(upstream.address).rule(conflict(Match::default(), Schedule::Always));
    for proxy in [forwarding.start(), injecting.start()] {
        let (begin, begun) = channel();
        let clients: Vec<_> = (0..8)
            .map(|_| {
                let mut client = proxy.connect();
                let begin = begin.clone();
                start("client", move || ask_until_told_to_stop(&mut client, &begin))
            })
            .collect();
        for _ in 0..8 {
            begun.recv_timeout(LONG).expect("load");
        }
        proxy.running().drain();
        let asked: u64 = clients.into_iter().map(|client| client.join().expect("no request fails")).sum();
        let summary = proxy.join();
        assert_eq!((summary.requests, summary.failures), (asked, 0));
    }
}

/// Sends requests without a pause, signals after a while, and returns their number.
fn ask_until_told_to_stop(client: &mut Socket, begin: &Sender<()>) -> u64 {
    let mut asked = 0;
    loop {
        client.send(GET);
        asked += 1;
        let response = client.response();
        assert_eq!(response.status(), 409);
        if asked == 10 {
            begin.send(()).expect("the test waits");
        }
        if response.header("connection") == Some("close") {
            return asked;
        }
    }
}

#[test]
fn c34_what_takes_too_long_is_cut_off() {
    let (upstream, asked, _release) = gated();
    let drain = Duration::from_millis(50);
    let proxy = proxy::before(upstream.address).with(|settings| settings.timeouts.drain = drain).start();
    let mut client = proxy.connect();
    client.send(GET);
    asked.recv_timeout(LONG).expect("the request arrives");
    let clock = Clock::start();
    proxy.running().drain();
    proxy.join();
    assert!(clock.now().0 >= 50_000_000, "it was given its time");
    client.ended();
}

#[test]
fn a_second_order_stops_at_once() {
    let (upstream, asked, _release) = gated();
    let proxy = proxy::before(upstream.address).with(|settings| settings.timeouts.drain = LONG * 10).start();
    let mut client = proxy.connect();
    client.send(GET);
    asked.recv_timeout(LONG).expect("the request arrives");
    proxy.running().drain();
    proxy.running().stop();
    proxy.join();
    client.ended();
}

#[test]
fn stopping_in_the_middle_of_everything_leaves_nothing_behind() {
    let (upstream, asked, _release) = gated();
    let proxy = proxy::before(upstream.address).start();
    let mut clients: Vec<Socket> = (0..4).map(|_| proxy.connect()).collect();
    let sent = [
        GET,
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc",
        "POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 10\r\n\r\n",
        "GET / HT",
    ];
    for (client, sent) in clients.iter_mut().zip(sent) {
        client.send(sent);
    }
    asked.recv_timeout(LONG).expect("a request arrives");
    proxy.running().stop();
    assert_eq!(proxy.join().panics, 0);
    for client in &mut clients {
        client.ended();
    }
}

#[test]
fn c34_a_tunnel_may_end_by_itself() {
    let upstream = Upstream::playing(|talk| {
        talk.request();
        talk.socket
            .send("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n");
        let heard = talk.socket.exactly(4);
        talk.socket.send(heard);
    });
    let proxy = proxy::before(upstream.address).start();
    let mut client = proxy.connect();
    client.send("GET / HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n");
    assert!(client.head().is_some_and(|head| head.starts_with("HTTP/1.1 101 ")));
    let mut idle = proxy.connect();
    proxy.running().drain();
    idle.ended();
    client.send("ping");
    assert_eq!(client.rest().expect("a clean end"), b"ping");
    drop(client);
    proxy.join();
}
