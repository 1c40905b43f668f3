//! A client or upstream that exceeds a deadline loses its connection, and no other does.

use std::time::Duration;

use fracas::clock::Clock;
use fracas::matching::{Match, PathMatch, PathPattern};
use fracas::rules::{Schedule, Timeouts};

use super::super::support::LONG;
use super::super::support::message::Message;
use super::super::support::proxy::{self, TestProxy, conflict};
use super::super::support::socket::Socket;
use super::super::support::upstream::{Talk, Upstream};

const GET: &str = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
/// Timeouts that are meant to expire.
const SHORT: Duration = Duration::from_millis(60);
/// Timeouts that are not, however busy the machine is.
const AMPLE: Duration = Duration::from_secs(1);
/// Many of these make more than [`AMPLE`].
const STEP: Duration = Duration::from_millis(110);

fn proxy_with(upstream: &Upstream, change: impl FnOnce(&mut Timeouts)) -> TestProxy {
    proxy::before(upstream.address).with(|settings| change(&mut settings.timeouts)).start()
}

/// The result of `work`, which must have taken at least [`SHORT`]. It begins before the proxy's own clock.
fn not_too_soon<T>(work: impl FnOnce() -> T) -> T {
    let clock = Clock::start();
    let done = work();
    assert!(clock.now().0 >= SHORT.as_nanos() as u64, "it was cut off too soon");
    done
}

#[test]
fn an_idle_connection_is_closed_after_keep_alive() {
    let upstream = Upstream::answering(OK);
    let proxy = proxy_with(&upstream, |timeouts| timeouts.keep_alive = SHORT);
    // One that never says anything, and one that did.
    not_too_soon(|| assert_eq!(proxy.connect().rest().expect("a clean end"), b""));
    not_too_soon(|| {
        let mut client = proxy.connect();
        client.send(GET);
        assert_eq!(client.response().status(), 200);
        assert_eq!(client.rest().expect("a clean end"), b"");
    });
}

#[test]
fn c30_a_slow_head_is_cut_off_and_an_idle_connection_is_not() {
    let upstream = Upstream::answering(OK);
    let proxy = proxy_with(&upstream, |timeouts| timeouts.request_head = SHORT);
    let mut idle = proxy.connect();
    let mut used = proxy.connect();
    used.send(GET);
    assert_eq!(used.response().status(), 200);
    // A byte now and then does not help.
    let mut slow = proxy.connect();
    not_too_soon(|| {
        for byte in GET.as_bytes().iter().cycle() {
            if slow.try_send([*byte; 1]).is_err() {
                break;
            }
            if *byte == b'h' {
                slow.ended();
                break;
            }
        }
    });
    for client in [&mut idle, &mut used] {
        client.send(GET);
        assert_eq!(client.response().status(), 200);
    }
    // A second request's head is timed from its own first byte.
    not_too_soon(|| {
        used.send("GET");
        used.ended();
    });
}

#[test]
fn c30_a_slow_body_is_a_408() {
    let upstream = Upstream::playing(|talk| {
        talk.request_head();
        talk.socket.ended();
    });
    let proxy = proxy_with(&upstream, |timeouts| {
        timeouts.request_body = SHORT;
        timeouts.response_head = SHORT / 3;
    });
    for body in ["Content-Length: 10\r\n\r\nabc", "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"] {
        let mut client = proxy.connect();
        // Not a 504, although the upstream was silent past its deadline: it cannot respond yet.
        let response = not_too_soon(|| {
            client.send(format!("POST / HTTP/1.1\r\nHost: h\r\n{body}"));
            client.response()
        });
        assert_eq!((response.status(), response.header("fracas")), (408, Some("error=timeout")));
        assert_eq!(response.header("connection"), Some("close"));
        upstream.ended();
    }
}

#[test]
fn a_body_that_keeps_moving_may_take_its_time() {
    let upstream = Upstream::playing(|talk| {
        let mut request = talk.request_head().expect("a request");
        talk.socket.request_body(&mut request);
        talk.socket.send(format!("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", request.body.len()));
    });
    let proxy = proxy_with(&upstream, |timeouts| {
        timeouts.request_body = AMPLE;
        timeouts.response_head = AMPLE;
    });
    let mut client = proxy.connect();
    client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n");
    for _ in 0..10 {
        wait(STEP);
        client.send("x");
    }
    assert_eq!(client.response().text(), "10");
}

/// Waits, by an event: a connection to a proxy that lets idle ones go after `length`.
fn wait(length: Duration) {
    let upstream = Upstream::answering(OK);
    proxy_with(&upstream, |timeouts| timeouts.keep_alive = length).connect().ended();
}

#[test]
fn an_answer_that_stalls_is_torn() {
    for response in [
        "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
        "HTTP/1.1 200 OK\r\n\r\nabc",
    ] {
        for get in [GET, "GET / HTTP/1.0\r\n\r\n"] {
            let upstream = Upstream::playing(move |talk: &mut Talk| {
                talk.request();
                talk.socket.send(response);
                talk.socket.ended();
            });
            let proxy = proxy_with(&upstream, |timeouts| timeouts.response_body = Some(SHORT));
            let mut client = proxy.connect();
            not_too_soon(|| {
                client.send(get);
                let mut message = Message::parse_head(&client.head().expect("an answer"));
                if message.header("transfer-encoding").is_some() {
                    client.chunked(&mut message).expect_err("the last chunk never comes");
                } else {
                    client.rest().expect_err("the end is not a clean one");
                }
            });
            upstream.ended();
        }
    }
}

#[test]
fn an_answer_that_keeps_moving_may_take_its_time() {
    let upstream = Upstream::playing(|talk| {
        talk.request();
        talk.socket.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n");
        for _ in 0..10 {
            wait(STEP);
            talk.socket.send("x");
        }
    });
    let proxy = proxy_with(&upstream, |timeouts| {
        timeouts.response_body = Some(AMPLE);
        timeouts.response_head = AMPLE;
        timeouts.keep_alive = AMPLE;
    });
    assert_eq!(proxy.ask(GET).text(), "xxxxxxxxxx");
}

#[test]
fn c30_a_client_that_does_not_read_is_let_go() {
    let upstream = Upstream::playing(|talk| {
        talk.request();
        talk.socket.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x1_0000));
        while talk.socket.try_send(&chunk).is_ok() {}
    });
    let proxy = proxy_with(&upstream, |timeouts| timeouts.write = SHORT);
    let mut client = proxy.connect();
    not_too_soon(|| {
        client.send(GET);
        upstream.ended();
    });
    client.ended();
}

#[test]
fn a_slow_reader_of_a_whole_answer_is_not_idle() {
    // For some of these lengths the response is over for the proxy, and not yet for the kernel.
    let lengths: Vec<usize> = (1..=20).map(|step| step * 300_000).collect();
    let upstream = Upstream::playing(|talk| {
        let request = talk.request().expect("a request");
        let length = request.target().trim_start_matches('/').parse().expect("a number");
        let body = "x".repeat(length);
        talk.socket.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{body}"));
    });
    let proxy = proxy_with(&upstream, |timeouts| timeouts.keep_alive = AMPLE);
    let mut clients: Vec<Socket> = lengths
        .iter()
        .map(|length| {
            let mut client = Socket::connect_narrow(proxy.address);
            client.send(format!("GET /{length} HTTP/1.1\r\nHost: h\r\n\r\n"));
            client
        })
        .collect();
    wait(AMPLE * 2);
    for (client, length) in clients.iter_mut().zip(lengths) {
        assert_eq!(client.response().body.len(), length);
    }
}

#[test]
fn an_upload_that_outlives_its_answer_may_take_its_time() {
    let upstream = Upstream::playing(|talk| {
        let mut request = talk.request_head().expect("a request");
        talk.socket.send(OK);
        talk.socket.request_body(&mut request);
        // The connection serves on.
        assert!(talk.request().is_some());
        talk.socket.send(OK);
    });
    let proxy = proxy_with(&upstream, |timeouts| {
        timeouts.request_head = SHORT;
        timeouts.response_head = SHORT;
        timeouts.request_body = AMPLE;
        timeouts.keep_alive = AMPLE;
    });
    let mut client = proxy.connect();
    client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 12\r\n\r\n");
    assert_eq!(client.response().status(), 200);
    for _ in 0..12 {
        wait(STEP);
        client.send("x");
    }
    client.send(GET);
    assert_eq!(client.response().status(), 200);
}

#[test]
fn an_upstream_that_responds_and_never_reads_holds_no_client_for_ever() {
    let (finish, finished) = std::sync::mpsc::channel::<()>();
    let finished = std::sync::Mutex::new(finished);
    let upstream = Upstream::playing(move |talk| {
        talk.request_head();
        talk.socket.send(OK);
        let _ = finished.lock().expect("no panic").recv();
    });
    let proxy = proxy_with(&upstream, |timeouts| timeouts.response_head = SHORT);
    let mut client = proxy.connect();
    client.send(format!("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: {}\r\n\r\n", 1 << 30));
    assert_eq!(client.response().status(), 200);
    let taken = client.send_until_stuck(&[b'x'; 1 << 16], 1 << 30, LONG);
    assert!(taken < 32 << 20, "{taken} bytes were taken for an upstream that reads none");
    client.ended();
    drop(finish);
}

#[test]
fn c30_a_slow_body_is_a_408_even_after_one_that_nobody_read() {
    // The end of the first one's body, which is read and dropped, is not the second one's.
    let upstream = Upstream::playing(|talk| talk.socket.ended());
    let path = PathMatch::Pattern(PathPattern::parse("/refused").expect("a pattern"));
    let requests = Match { path, ..Match::default() };
    for size in [1, 10_000, 100_000] {
        let proxy = proxy::before(upstream.address)
            .rule(conflict(requests.clone(), Schedule::Always))
            .with(|settings| settings.timeouts.request_body = SHORT)
            .start();
        let mut client = proxy.connect();
        let first = format!(
            "POST /refused HTTP/1.1\r\nHost: h\r\nContent-Length: {size}\r\n\r\n{}",
            "x".repeat(size)
        );
        not_too_soon(|| {
            client.send(format!("{first}POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nab"));
            assert_eq!(client.response().status(), 409, "{size} bytes");
            assert_eq!(client.response().status(), 408, "{size} bytes");
        });
    }
}
