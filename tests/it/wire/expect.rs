//! `Expect: 100-continue`: the client waits for the upstream's word.

use fracas::matching::Match;
use fracas::rules::Schedule;

use super::super::support::proxy::{self, conflict};
use super::super::support::upstream::{Talk, Upstream};

const HEAD: &str = "POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n";
const CONTINUE: &str = "HTTP/1.1 100 Continue\r\n\r\n";

fn finish(talk: &mut Talk) {
    talk.socket.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
}

#[test]
fn c20_the_upstreams_100_is_the_clients() {
    let upstream = Upstream::playing(|talk| {
        while let Some(mut request) = talk.request_head() {
            assert_eq!(request.header("expect"), Some("100-continue"));
            assert!(talk.socket.has_nothing(), "the body waits");
            talk.socket.send(CONTINUE);
            talk.socket.request_body(&mut request);
            assert_eq!(request.body, b"hello");
            finish(talk);
        }
    });
    let proxy = proxy::before(upstream.address).start();
    let mut client = proxy.connect();
    for _ in 0..2 {
        client.send(HEAD);
        assert_eq!(client.head().as_deref(), Some(CONTINUE));
        client.send("hello");
        assert_eq!((client.response().text(), client.has_nothing()), ("ok".to_owned(), true));
    }
}

#[test]
fn c20_an_upstream_that_says_no_is_heard_without_a_100() {
    let upstream = Upstream::playing(|talk| {
        talk.request_head();
        talk.socket.send("HTTP/1.1 417 Expectation Failed\r\nContent-Length: 2\r\n\r\nno");
        assert_eq!(talk.socket.rest().unwrap_or_default(), b"", "the body never comes");
    });
    let proxy = proxy::before(upstream.address).start();
    let mut client = proxy.connect();
    client.send(HEAD);
    let response = client.response();
    assert_eq!((response.status(), &*response.text()), (417, "no"));
    assert_eq!(response.header("connection"), Some("close"));
    // The connection to the upstream ends with the response: it still waits for five bytes there.
    upstream.ended();
}

#[test]
fn c20_an_upstream_that_never_says_100_gets_the_body_all_the_same() {
    let upstream = Upstream::playing(|talk| {
        assert_eq!(talk.request().map(|request| request.text()).as_deref(), Some("hello"));
        finish(talk);
    });
    let proxy = proxy::before(upstream.address).start();
    let mut client = proxy.connect();
    client.send(HEAD);
    assert_eq!(client.head().as_deref(), Some(CONTINUE));
    client.send("hello");
    assert_eq!(client.response().text(), "ok");
}

#[test]
fn c20_a_client_that_does_not_wait_is_not_held_against() {
    let upstream = Upstream::playing(|talk| {
        talk.request_head();
        talk.socket.send(CONTINUE);
        assert_eq!(talk.socket.exactly(5), b"hello");
        finish(talk);
    });
    let proxy = proxy::before(upstream.address).start();
    let mut client = proxy.connect();
    client.send(format!("{HEAD}hello"));
    let mut head = client.head().expect("an answer");
    if head == CONTINUE {
        head = client.head().expect("another answer");
    }
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
}

#[test]
fn c20_an_injected_answer_comes_without_a_100() {
    let upstream = Upstream::echoing();
    let proxy = proxy::before(upstream.address).rule(conflict(Match::default(), Schedule::Always)).start();
    let mut client = proxy.connect();
    client.send(HEAD);
    let response = client.response();
    assert_eq!((response.status(), response.header("connection")), (409, Some("close")));
    client.finish();
    assert_eq!(client.rest().expect("a clean end"), b"");

    // A client that sends its body at once gets its response, too.
    let mut client = proxy.connect();
    client.send(format!("{HEAD}hello"));
    assert_eq!(client.response().status(), 409);
    client.ended();
    assert_eq!(upstream.requests(), []);
}

#[test]
fn http_10_expects_nothing_and_no_body_needs_no_leave() {
    let upstream = Upstream::echoing();
    let proxy = proxy::before(upstream.address).start();
    let old = proxy.ask("POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello");
    assert_eq!(old.text(), "hello");
    assert_eq!(upstream.request().header("expect"), None);
    let empty = proxy.ask("GET / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n\r\n");
    assert_eq!(empty.status(), 200);
}

#[test]
fn other_expectations_are_the_upstreams_business() {
    let upstream = Upstream::echoing();
    let proxy = proxy::before(upstream.address).start();
    proxy.ask("POST / HTTP/1.1\r\nHost: h\r\nExpect: tea\r\nContent-Length: 1\r\n\r\nx");
    assert_eq!(upstream.request().header("expect"), Some("tea"));
}
