//! Responses that pass with faults: late, slow, stalled or cut, on the wire.

use std::time::Duration;

use fracas::clock::Clock;

use super::super::support::http2::Client;
use super::super::support::proxy::{self, TestProxy};
use super::super::support::upstream::Upstream;

const GET: &str = "GET /a HTTP/1.1\r\nHost: h\r\n\r\n";
/// A hundred bytes, in each of the ways in which HTTP/1.1 ends a body.
const FRAMINGS: [(&str, &str, &str); 2] = [
    ("with a length", "Content-Length: 100\r\n\r\n", ""),
    ("chunked", "Transfer-Encoding: chunked\r\n\r\n64\r\n", "\r\n0\r\n\r\n"),
];

fn hundred() -> String {
    "0123456789".repeat(10)
}

fn upstream(before: &str, behind: &str) -> Upstream {
    Upstream::answering(format!("HTTP/1.1 200 OK\r\nETag: \"7\"\r\n{before}{}{behind}", hundred()))
}

fn with_faults(upstream: &Upstream, faults: &str) -> TestProxy {
    let rules = format!("[[rule]]\nname = \"f\"\nmethod = \"GET\"\npass = {{ {faults} }}");
    proxy::before(upstream.address).rules(&rules).start()
}

#[test]
fn a_cut_response_breaks_off_after_exactly_so_many_bytes() {
    for (what, before, behind) in FRAMINGS {
        for cut in [0, 1, 64, 99] {
            let upstream = upstream(before, behind);
            let proxy = with_faults(&upstream, &format!("cut = \"{cut} B\""));
            let mut client = proxy.connect();
            client.send(GET);
            let head = client.head().expect("a head");
            assert!(head.contains("fracas: rule=\"f\", pass=(cut), n=1\r\n"), "{head}");
            let rest = client.rest().expect("the connection ends");
            let rest = String::from_utf8(rest).expect("text");
            let digits: String = match before.contains("chunked") {
                // Lines with the chunks' lengths stand between.
                true => rest.split("\r\n").skip(1).step_by(2).collect(),
                false => rest.clone(),
            };
            assert_eq!(digits, hundred()[..cut], "{what}, {cut}: {rest:?}");
            assert!(!rest.ends_with("0\r\n\r\n"), "{what}, {cut}: it ended as if it were whole");
            let [attempt] = &proxy.attempts()[..] else { panic!("one attempt") };
            let fault = attempt.fault.as_ref().expect("a fault");
            assert_eq!((fault.cut, &*fault.rule, fault.n, fault.delay), (true, "f", 1, 0));
            assert_eq!((attempt.got.error.as_deref(), attempt.got.status), (Some("cut"), Some(200)));
            assert!(attempt.got.shown.is_nothing() && !fault.version.is_nothing(), "{attempt:?}");
            assert_eq!((attempt.got.bytes, &attempt.conflict), (cut as u64, &None));
        }
    }
}

#[test]
fn a_cut_response_over_http2_is_reset_and_its_connection_lives() {
    let (_, before, behind) = FRAMINGS[0];
    let upstream = upstream(before, behind);
    let rules = "[[rule]]\nname = \"f\"\nfirst = 1\npass = { cut = \"10 B\" }";
    let proxy = proxy::before(upstream.address).rules(rules).start();
    let mut client = Client::connect(proxy.address);
    let url = format!("http://{}/a", proxy.address);
    let error = client.ask(http::Request::get(&*url), "").expect_err("a reset");
    assert!(error.is_reset(), "{error}");
    let second = client.ask(http::Request::get(&*url), "").expect("the connection goes on");
    assert_eq!(second.text(), hundred());
    drop(client);
    let attempts = proxy.attempts();
    assert_eq!((attempts[0].got.error.as_deref(), attempts[0].got.bytes), (Some("cut"), 10));
    assert_eq!((&attempts[1].fault, &attempts[1].got.error), (&None, &None));
}

#[test]
fn a_body_that_is_no_longer_than_the_cut_passes_whole() {
    for (what, before, behind) in FRAMINGS {
        let upstream = upstream(before, behind);
        let proxy = with_faults(&upstream, "cut = \"100 B\"");
        let mut client = proxy.connect();
        for n in 1..=2 {
            client.send(GET);
            let response = client.response();
            assert_eq!(response.text(), hundred(), "{what}");
            assert_eq!(response.header("fracas"), Some(&*format!("rule=\"f\", pass=(cut), n={n}")));
        }
        client.send("HEAD /a HTTP/1.1\r\nHost: h\r\n\r\n");
        assert_eq!(client.answer_to("HEAD").status(), 200);
        let attempts = proxy.attempts();
        assert!(attempts.iter().all(|attempt| attempt.got.error.is_none()), "{what}: {attempts:?}");
    }
}

#[test]
fn a_response_is_late_and_its_deadlines_are_the_upstreams_alone() {
    let (_, before, behind) = FRAMINGS[0];
    let upstream = upstream(before, behind);
    let rules =
        "[[rule]]\nname = \"f\"\npass = { delay = \"120ms\", rate = \"1000 B/s\", stall = \"120ms\" }";
    let short = Duration::from_millis(40);
    let proxy = proxy::before(upstream.address)
        .rules(rules)
        .with(|settings| {
            settings.timeouts.response_head = short;
            settings.timeouts.response_body = Some(short);
        })
        .start();
    let clock = Clock::start();
    let response = proxy.ask(GET);
    let took = Duration::from_nanos(clock.now().0);
    assert_eq!((response.status(), &*response.text()), (200, &*hundred()), "no failure of the upstream");
    // The delay, the stall, and 100 bytes at 1,000 B/s; earlier is certain to be wrong.
    assert!(took >= Duration::from_millis(120 + 120 + 95), "{took:?}");
    let [attempt] = &proxy.attempts()[..] else { panic!("one attempt") };
    assert_eq!((attempt.fault.as_ref().map(|fault| fault.delay), &attempt.got.error), (Some(120), &None));
    assert!(attempt.end - attempt.start >= 335_000);
}

#[test]
fn an_upstream_that_stops_within_a_slow_body_is_still_late() {
    let upstream = Upstream::playing(|talk| {
        talk.request();
        talk.socket.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n0123456789");
        talk.socket.ended();
    });
    let rules = "[[rule]]\npass = { rate = \"1 KiB/s\" }";
    let proxy = proxy::before(upstream.address)
        .rules(rules)
        .with(|settings| settings.timeouts.response_body = Some(Duration::from_millis(60)))
        .start();
    let mut client = proxy.connect();
    client.send(GET);
    client.head().expect("a head");
    client.ended();
    let [attempt] = &proxy.attempts()[..] else { panic!("one attempt") };
    assert_eq!(attempt.got.error.as_deref(), Some("timeout"));
}

#[test]
fn a_stalled_response_ends_with_the_proxy() {
    let (_, before, behind) = FRAMINGS[0];
    let upstream = upstream(before, behind);
    for faults in ["stall = \"1h\"", "delay = \"1h\"", "rate = \"1 B/s\""] {
        let rules = format!("[[rule]]\npass = {{ {faults} }}");
        let proxy = proxy::before(upstream.address)
            .rules(&rules)
            .with(|settings| settings.timeouts.drain = Duration::from_millis(50))
            .start();
        let mut client = proxy.connect();
        client.send(GET);
        if !faults.starts_with("delay") {
            client.head().expect("a head");
        }
        while upstream.requests().is_empty() {
            std::thread::yield_now();
        }
        upstream.forget();
        proxy.running().drain();
        // It would hang for an hour otherwise.
        let summary = proxy.join();
        assert_eq!((summary.failures, summary.panics), (0, 0), "{faults}");
        client.ended();
    }
}

#[test]
fn a_slow_response_holds_the_upstream_back() {
    const LENGTH: usize = 64 << 20;
    let (sent, took) = std::sync::mpsc::channel();
    let upstream = Upstream::playing(move |talk| {
        talk.request();
        talk.socket.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {LENGTH}\r\n\r\n"));
        let _ = sent.send(talk.socket.send_until_stuck(&[7; 65_536], LENGTH, Duration::from_millis(300)));
        talk.socket.ended();
    });
    let proxy = with_faults(&upstream, "stall = \"1h\"");
    let mut client = proxy.connect();
    client.send(GET);
    client.head().expect("a head");
    assert_eq!(client.exactly(1), [7]);
    let took = took.recv_timeout(super::super::support::LONG).expect("it is stuck");
    assert!(took < LENGTH / 2, "{took} bytes were taken from the upstream");
}
