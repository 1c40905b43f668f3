//! Reused upstream connections that prove to be closed: which requests are sent once more, and which never
//! are.

use std::time::Duration;

use fracas::rules::Settings;

use super::super::support::is_full;
use super::super::support::proxy::{self, TestProxy};
use super::super::support::upstream::{Talk, Upstream};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
const GET: &str = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";

/// Responds to the first request of each connection, and then plays `then`.
fn answering_once(then: impl Fn(&mut Talk) + Send + Sync + 'static) -> Upstream {
    Upstream::playing(move |talk| {
        if talk.request().is_some() && talk.socket.try_send(OK).is_ok() {
            then(talk);
        }
    })
}

fn before(upstream: &Upstream) -> TestProxy {
    proxy::before(upstream.address).start()
}

#[test]
fn c26_reuse_races_lose_no_get_and_double_no_post_10000_times_when_full() {
    let upstream = answering_once(|talk| match talk.number % 3 {
        // As late as it can be: the request has been read.
        0 => drop(talk.request()),
        // Right after the response, while the connection becomes idle.
        1 => {}
        // Somewhere between.
        _ => {
            for _ in 0..talk.number * 7919 % 200 {
                std::thread::yield_now();
            }
        }
    });
    let proxy = before(&upstream);
    let trials = if is_full() { 10_000 } else { 500 };
    let mut client = proxy.connect();
    let mut lost_posts = 0;
    for trial in 0..trials {
        client.send(format!("GET /{trial} HTTP/1.1\r\nHost: h\r\n\r\n"));
        assert_eq!(client.response().status(), 200, "GET no. {trial}");
        client.send(format!("POST /{trial} HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx"));
        let response = client.response();
        if response.status() == 502 {
            assert_eq!(response.header("fracas"), Some("error=reset"));
            lost_posts += 1;
        } else {
            assert_eq!(response.status(), 200, "POST no. {trial}");
        }
    }
    let mut posts = vec![0; trials];
    let mut gets = 0;
    for request in upstream.requests() {
        match request.method() {
            "POST" => posts[request.target()[1..].parse::<usize>().expect("a number")] += 1,
            _ => gets += 1,
        }
    }
    assert!(posts.iter().all(|times| *times <= 1), "a POST was sent twice");
    assert!(lost_posts > 0, "the worst moment was never met");
    let replays = usize::try_from(proxy.running().summary().replays).expect("few");
    assert!(replays > 0 && gets <= trials + replays, "{gets} GETs arrived, {replays} of them replays");
}

#[test]
fn c26_only_what_is_safe_bodyless_and_unanswered_goes_once_more() {
    for (request, then, sends) in [
        (GET, "", 2),
        ("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n", "", 2),
        ("OPTIONS / HTTP/1.1\r\nHost: h\r\n\r\n", "", 2),
        ("DELETE / HTTP/1.1\r\nHost: h\r\n\r\n", "", 1),
        ("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n", "", 1),
        ("GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx", "", 1),
        ("GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "", 1),
        (GET, "HTTP/1.1 2", 1),
        (GET, "HTTP/1.1 103 Early Hints\r\n\r\n", 1),
    ] {
        let upstream = Upstream::playing(move |talk| {
            talk.request();
            talk.socket.send(OK);
            if talk.number == 0 {
                talk.request();
                talk.socket.send(then);
            }
        });
        let proxy = before(&upstream);
        assert_eq!(proxy.ask(GET).status(), 200);
        let response = proxy.ask(request);
        let all = upstream.requests();
        assert_eq!(all.len() - 1, sends, "{request:?} {then:?}");
        assert_eq!(response.status(), if sends == 2 { 200 } else { 502 }, "{request:?} {then:?}");
        assert_eq!(proxy.running().summary().replays, sends as u64 - 1);
        if let [_, first, second] = &all[..] {
            assert_eq!(first, second, "the same request went again");
        }
    }
}

#[test]
fn c26_once_more_is_once() {
    let upstream = Upstream::playing(|talk| {
        talk.request();
        if talk.number == 0 {
            talk.socket.send(OK);
            talk.request();
        }
    });
    let proxy = before(&upstream);
    assert_eq!(proxy.ask(GET).status(), 200);
    assert_eq!((proxy.ask(GET).status(), upstream.requests().len()), (502, 3));
    // On a connection that never answered there is no second time at all.
    assert_eq!((proxy.ask(GET).status(), upstream.requests().len()), (502, 4));
}

#[test]
fn replays_can_be_turned_off() {
    let upstream = answering_once(|talk| drop(talk.request()));
    let without = |settings: &mut Settings| settings.replay = false;
    let proxy = proxy::before(upstream.address).with(without).start();
    assert_eq!(proxy.ask(GET).status(), 200);
    let response = proxy.ask(GET);
    assert_eq!((response.status(), response.header("fracas")), (502, Some("error=reset")));
    assert_eq!((upstream.requests().len(), proxy.running().summary().replays), (2, 0));
}

#[test]
fn a_body_that_looks_like_a_request_is_never_sent_as_one() {
    // The upstream responds early, and closes on the rest of the body.
    let upstream = Upstream::playing(|talk| {
        talk.request();
        talk.socket.send(OK);
        talk.request_head();
        talk.socket.send(OK);
        talk.socket.exactly(GET.len());
    });
    let proxy = before(&upstream);
    assert_eq!(proxy.ask(GET).status(), 200);
    let mut client = proxy.connect();
    client.send(format!("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: {}\r\n\r\n", GET.len() + 1));
    assert_eq!(client.response().status(), 200);
    client.send(GET);
    upstream.ended();
    client.send("x");
    assert_eq!(proxy.ask(GET).status(), 200);
    let seen: Vec<String> = upstream.requests().iter().map(|seen| seen.method().to_owned()).collect();
    assert_eq!(seen, ["GET", "PUT", "GET"]);
}

#[test]
fn a_replay_that_finds_nobody_says_so() {
    // The listener is gone when the connection turns out to be stale.
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    let address = listener.local_addr().expect("an address");
    let upstream = super::super::support::upstream::start("once", move || {
        let (stream, _) = listener.accept().expect("a connection");
        drop(listener);
        let mut socket = super::super::support::socket::Socket::new(stream);
        socket.request().expect("a request");
        socket.send(OK);
        socket.request().expect("a request");
    });
    let proxy = proxy::before(address).start();
    assert_eq!(proxy.ask(GET).status(), 200);
    let response = proxy.ask(GET);
    assert_eq!((response.status(), response.header("fracas")), (502, Some("error=connect")));
    upstream.join().expect("no panic");
}

#[test]
fn a_connection_is_given_up_before_the_upstream_closes_it() {
    let numbered = |keep_alive: &'static str| {
        Upstream::playing(move |talk| {
            while talk.request().is_some() {
                let number = talk.number;
                talk.socket.send(format!(
                    "HTTP/1.1 200 OK\r\n{keep_alive}X-Number: {number}\r\nContent-Length: 0\r\n\r\n"
                ));
            }
        })
    };
    for (announced, number) in
        [("", "0"), ("Keep-Alive: timeout=60\r\n", "0"), ("Keep-Alive: timeout=1\r\n", "1")]
    {
        let upstream = numbered(announced);
        let proxy = before(&upstream);
        assert_eq!(proxy.ask(GET).header("x-number"), Some("0"));
        // Waits, by an event: a proxy that lets idle clients go after more than half a second.
        let waits = |settings: &mut Settings| settings.timeouts.keep_alive = Duration::from_millis(600);
        proxy::before(upstream.address).with(waits).start().connect().ended();
        assert_eq!(proxy.ask(GET).header("x-number"), Some(number), "{announced}");
    }
}
