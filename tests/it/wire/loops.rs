//! Requests that come back to a proxy, over however many others: each ends in a 508 at once.

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Sender, channel};

use super::super::support::proxy;
use super::super::support::upstream::{Upstream, start};

const GET: &str = "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";

/// A port that forwards its connections to an address that is given later.
fn detour() -> (SocketAddr, Sender<SocketAddr>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    let from = listener.local_addr().expect("an address");
    let (sender, target) = channel();
    start("detour", move || {
        let Ok(target) = target.recv() else { return };
        for client in listener.incoming().flatten() {
            let Ok(server) = TcpStream::connect(target) else { return };
            for (mut from, mut to) in [(&client, &server), (&server, &client)]
                .map(|(from, to)| (from.try_clone().expect("a socket"), to.try_clone().expect("a socket")))
            {
                start("pipe", move || io::copy(&mut from, &mut to));
            }
        }
    });
    (from, sender)
}

#[test]
fn a_request_that_comes_back_is_a_508() {
    for between in 0..3 {
        let (mut upstream, target) = detour();
        let mut chain = Vec::new();
        for _ in 0..between {
            let proxy = proxy::before(upstream).start();
            upstream = proxy.address;
            chain.push(proxy);
        }
        let front = proxy::before(upstream).start();
        target.send(front.address).expect("it waits");
        let response = front.ask(GET);
        assert_eq!(response.status(), 508, "{between} between");
        assert_eq!(front.running().summary().requests, 2, "it goes round once");
        for proxy in &chain {
            assert_eq!(proxy.running().summary().requests, 1);
        }
        assert_eq!(front.running().summary().failures, 1);
    }
}

#[test]
fn proxies_in_a_row_are_no_loop_and_a_stranger_cannot_play_one() {
    let upstream = Upstream::answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let second = proxy::before(upstream.address).start();
    let first = proxy::before(second.address).start();
    assert_eq!(first.ask(GET).status(), 200);
    let via = "GET / HTTP/1.1\r\nHost: h\r\nVia: 1.1 fracas, 1.1 fracas-0000000000000000\r\n\r\n";
    assert_eq!(first.ask(via).status(), 200);
}

#[test]
fn via_can_be_left_out_both_ways() {
    let upstream = Upstream::answering("HTTP/1.1 200 OK\r\nVia: 1.0 x\r\nContent-Length: 0\r\n\r\n");
    let proxy = proxy::before(upstream.address).with(|settings| settings.via = false).start();
    assert_eq!(proxy.ask("GET / HTTP/1.1\r\nHost: h\r\nVia: 1.1 y\r\n\r\n").header("via"), Some("1.0 x"));
    assert_eq!(upstream.request().header("via"), Some("1.1 y"));
    upstream.forget();
    proxy.ask(GET);
    assert_eq!(upstream.request().header("via"), None);
}
