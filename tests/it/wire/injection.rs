//! Responses by rule, among responses by the upstream.

use std::num::NonZeroU64;
use std::time::Duration;

use fracas::clock::Clock;
use fracas::matching::Match;
use fracas::model::{Key, KeyPart};
use fracas::rules::Schedule;

use super::super::support::proxy::{self, conflict};
use super::super::support::upstream::Upstream;

/// A rule for every second request.
fn every_second() -> fracas::rules::Rule {
    conflict(Match::default(), Schedule::Every(NonZeroU64::new(2).expect("not zero")))
}

#[test]
fn c19_injected_and_forwarded_answers_share_a_connection() {
    let upstream = Upstream::echoing();
    let proxy = proxy::before(upstream.address).rule(every_second()).start();
    let mut client = proxy.connect();
    let requests = [
        "GET / HTTP/1.1\r\nHost: h\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc",
        "PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    ];
    for (number, request) in requests.iter().cycle().take(20).enumerate() {
        client.send(request);
        assert_eq!(client.response().status(), if number % 2 == 0 { 200 } else { 409 }, "no. {number}");
    }
    assert_eq!(upstream.requests().len(), 10, "what is refused before the upstream never gets there");
    let summary = proxy.running().summary();
    assert_eq!((summary.requests, summary.rules[0].matched, summary.rules[0].fired), (20, 20, 10));
}

#[test]
fn c16_pipelined_requests_meet_rules_in_order() {
    let upstream = Upstream::echoing();
    let proxy = proxy::before(upstream.address).rule(every_second()).start();
    let mut client = proxy.connect();
    client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc".repeat(40));
    for number in 0..40 {
        assert_eq!(client.response().status(), if number % 2 == 0 { 200 } else { 409 }, "no. {number}");
    }
}

#[test]
fn a_head_request_gets_the_head_of_an_injected_answer() {
    let upstream = Upstream::echoing();
    let proxy = proxy::before(upstream.address).rule(conflict(Match::default(), Schedule::Always)).start();
    let mut client = proxy.connect();
    for _ in 0..2 {
        client.send("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n");
        assert_eq!(client.answer_to("HEAD").status(), 409);
    }
}

#[test]
fn a_delay_delays_its_own_answer() {
    let upstream = Upstream::echoing();
    let mut rule = conflict(Match::default(), Schedule::Always);
    rule.reply.delay = Duration::from_millis(50);
    let proxy = proxy::before(upstream.address).rule(rule).start();
    let clock = Clock::start();
    assert_eq!(proxy.ask("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc").status(), 409);
    assert!(clock.now().0 >= 50_000_000);
}

/// A rule that reads bodies, and fires for the second of each `/n`.
fn by_body() -> fracas::rules::Rule {
    let mut rule = every_second();
    rule.per = Key(vec![KeyPart::Body("/n".into())]);
    rule
}

#[test]
fn a_body_that_a_rule_looked_at_is_forwarded_whole() {
    let upstream = Upstream::echoing();
    let proxy =
        proxy::before(upstream.address).rule(by_body()).with(|settings| settings.body_limit = 1_000).start();
    let mut client = proxy.connect();
    for (n, fill) in [(1, 0), (2, 10), (3, 980), (4, 1_000), (5, 200_000)] {
        let body = format!(r#"{{"n":{n},"fill":"{}"}}"#, "x".repeat(fill));
        let is_read = body.len() <= 1_000;
        let size = body.len();
        let sized = format!("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: {size}\r\n\r\n{body}");
        client.send(&sized);
        assert!(client.response().text() == body, "{size} bytes, sized");
        let chunked = format!(
            "POST / HTTP/1.1\r\nHost: h\r\nTrailer: x-t\r\nTransfer-Encoding: chunked\r\n\r\n\
             {size:x}\r\n{body}\r\n0\r\nX-T: 1\r\n\r\n"
        );
        client.send(&chunked);
        assert_eq!(
            client.response().status(),
            if is_read { 409 } else { 200 },
            "{size} bytes, the second time"
        );
        client.send(&chunked);
        assert!(client.response().text() == body, "{size} bytes, chunked");
        let request = upstream.requests().pop().expect("a request");
        assert_eq!(request.trailers, [("x-t".to_owned(), "1".to_owned())], "{size} bytes");
    }
}

#[test]
fn a_body_that_breaks_off_while_a_rule_looks_goes_nowhere() {
    let upstream = Upstream::echoing();
    let proxy = proxy::before(upstream.address).rule(by_body()).start();
    for body in
        ["Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nzz\r\n", "Transfer-Encoding: chunked\r\n\r\nx\r\n"]
    {
        let response = proxy.ask(format!("POST / HTTP/1.1\r\nHost: h\r\n{body}"));
        assert_eq!((response.status(), response.header("fracas")), (400, Some("error=request")), "{body:?}");
    }
    let mut client = proxy.connect();
    client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nab");
    client.finish();
    client.ended();
    assert_eq!(upstream.requests(), []);
}

#[test]
fn a_rule_that_looks_at_bodies_says_100_itself() {
    let upstream = Upstream::echoing();
    let proxy = proxy::before(upstream.address).rule(by_body()).start();
    let mut client = proxy.connect();
    for expected in [200, 409] {
        client.send("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 7\r\n\r\n");
        assert_eq!(client.head().as_deref(), Some("HTTP/1.1 100 Continue\r\n\r\n"));
        client.send(r#"{"n":1}"#);
        assert_eq!(client.response().status(), expected);
    }
}

#[test]
fn c19_a_body_that_nobody_read_is_over_when_all_of_it_has_come() {
    let upstream = Upstream::echoing();
    let proxy = proxy::before(upstream.address)
        .rule(conflict(Match::default(), Schedule::Always))
        .with(|settings| settings.timeouts.keep_alive = Duration::from_millis(50))
        .start();
    let clock = Clock::start();
    for body in ["Content-Length: 3\r\n\r\nabc", "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"] {
        let mut client = proxy.connect();
        client.send(format!("POST / HTTP/1.1\r\nHost: h\r\n{body}"));
        assert_eq!(client.response().status(), 409);
        assert_eq!(client.rest().expect("it ends as an idle one"), b"", "{body:?}");
    }
    assert!(clock.now().0 < 4_000_000_000, "it was taken for one that still sends");
}
