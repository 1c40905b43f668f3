//! Half-closed clients. A proxy cannot tell them from clients that are gone: both send the same FIN. fracas
//! takes them for gone while they wait, as nginx does, or a client that gives up would leave its call
//! running upstream (c22).

use std::time::Duration;

use fracas::matching::Match;
use fracas::rules::Schedule;

use super::super::support::LONG;
use super::super::support::proxy::{self, conflict};
use super::super::support::upstream::Upstream;

const GET: &str = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
const POST: &str = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc";

#[test]
fn c23_a_half_closed_client_that_waits_for_the_upstream_counts_as_gone() {
    for request in [GET, POST] {
        let (heard, hears) = std::sync::mpsc::channel();
        let upstream = Upstream::playing(move |talk| {
            talk.request();
            heard.send(()).expect("the test waits");
            talk.socket.ended();
        });
        let proxy = proxy::before(upstream.address).start();
        let mut client = proxy.connect();
        client.send(request);
        hears.recv_timeout(LONG).expect("the request arrives");
        client.finish();
        assert_eq!(client.rest().unwrap_or_default(), b"", "{request:?}");
        upstream.ended();
        assert_eq!(upstream.requests().len(), 1, "{request:?} is not tried again");
    }
}

#[test]
fn c23_a_half_closed_client_gets_a_response_that_is_ready() {
    let upstream = Upstream::answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    let proxy = proxy::before(upstream.address).start();
    for request in [GET, POST] {
        let mut client = proxy.connect();
        client.send(request);
        assert_eq!(client.response().text(), "ok");
        client.finish();
        assert_eq!(client.rest().expect("a clean end"), b"");
    }
}

#[test]
fn c23_a_half_closed_client_gets_an_injected_answer_that_has_no_delay() {
    let upstream = Upstream::answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let proxy = proxy::before(upstream.address).rule(conflict(Match::default(), Schedule::Always)).start();
    for request in [GET, POST].into_iter().cycle().take(100) {
        let mut client = proxy.connect();
        client.send(request);
        client.finish();
        assert_eq!(client.response().status(), 409);
        assert_eq!(client.rest().expect("a clean end"), b"");
    }
    assert_eq!(upstream.requests(), []);
}

#[test]
fn c23_a_half_closed_client_does_not_keep_its_delayed_answer_waiting() {
    let mut rule = conflict(Match::default(), Schedule::Always);
    rule.reply.delay = Duration::from_secs(3_600);
    let upstream = Upstream::answering("");
    let proxy = proxy::before(upstream.address).rule(rule).start();
    let mut client = proxy.connect();
    client.send(GET);
    client.finish();
    assert_eq!(client.rest().unwrap_or_default(), b"");
}
