//! Upstreams that fail: the client's error responses, to the byte.

use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use super::super::support::proxy;
use super::super::support::upstream::{Talk, Upstream};
use super::super::support::{GONE, LONG};

const GET: &str = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";

/// An address with no listener.
fn nobody() -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    listener.local_addr().expect("an address")
}

#[test]
fn c35_a_refused_connection_is_a_502_and_says_so() {
    let proxy = proxy::before(nobody()).start();
    let mut client = proxy.connect();
    // The connection to the client survives.
    for _ in 0..2 {
        client.send(GET);
        let response = client.response();
        assert_eq!(
            response.lines_without(&["date"]),
            [
                "HTTP/1.1 502 Bad Gateway",
                "cache-control: no-store",
                "content-length: 115",
                "content-type: application/problem+json",
                "fracas: error=connect",
            ]
        );
        assert_eq!(
            response.text(),
            r#"{"detail":"the upstream refused the connection: is it up?","status":502,"title":"Bad Gateway","type":"about:blank"}"#
        );
    }
    assert_eq!(proxy.running().summary().failures, 2);
}

#[test]
fn a_name_without_an_address_has_its_own_word() {
    // No resolver knows it (RFC 6761 §6.4); some take their time to say so.
    let proxy = proxy::before(nobody()).at("nowhere.invalid").start();
    let response = proxy.ask(GET);
    assert_eq!(response.header("fracas"), Some("error=resolve"));
    let (status, says) = (response.status(), response.text());
    assert!(
        matches!(status, 502 | 504) && says.contains("the upstream's name did not resolve in time")
            || says.contains("the upstream's name does not resolve: "),
        "{response}"
    );
}

#[test]
fn c35_a_connection_that_ends_without_an_answer_is_a_502() {
    type End = fn(&mut Talk);
    let ends: [(&str, End); 4] = [
        ("closed after the request", |talk| drop(talk.request())),
        ("closed in the head", |talk| {
            talk.request();
            talk.socket.send("HTTP/1.1 200 OK\r\nContent-Le");
        }),
        ("closed at once", |_| {}),
        ("closed after a 100", |talk| {
            talk.request();
            talk.socket.send("HTTP/1.1 100 Continue\r\n\r\n");
        }),
    ];
    for (name, end) in ends {
        let upstream = Upstream::playing(end);
        let proxy = proxy::before(upstream.address).start();
        let response = proxy.ask(GET);
        assert_eq!((response.status(), response.header("fracas")), (502, Some("error=reset")), "{name}");
    }
}

#[test]
fn c35_a_reset_is_a_502() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    let address = listener.local_addr().expect("an address");
    super::super::support::upstream::start("resetting", move || {
        for stream in listener.incoming().flatten() {
            let mut socket = super::super::support::socket::Socket::new(stream);
            if socket.head().is_some() {
                socket.reset();
            }
        }
    });
    let proxy = proxy::before(address).start();
    for request in [GET, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx"] {
        let response = proxy.ask(request);
        assert_eq!((response.status(), response.header("fracas")), (502, Some("error=reset")));
    }
}

#[test]
fn c35_an_upstream_that_does_not_answer_in_time_is_a_504() {
    let upstream = Upstream::playing(|talk| {
        talk.request();
        // Until the proxy hangs up.
        talk.socket.ended();
    });
    let patience = Duration::from_millis(50);
    let proxy =
        proxy::before(upstream.address).with(|settings| settings.timeouts.response_head = patience).start();
    let mut client = proxy.connect();
    for request in [GET, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx"] {
        client.send(request);
        let response = client.response();
        assert_eq!((response.status(), response.header("fracas")), (504, Some("error=timeout")));
        assert!(response.text().contains("did not begin its answer in time"), "{response}");
        upstream.ended();
    }
    assert_eq!(upstream.requests().len(), 2);
}

#[test]
fn c35_an_upstream_that_has_the_body_and_does_not_answer_is_a_504() {
    let (heard, hears) = std::sync::mpsc::channel();
    let upstream = Upstream::playing(move |talk| {
        let mut request = talk.request_head().expect("a request");
        heard.send(()).expect("the test waits");
        talk.socket.request_body(&mut request);
        talk.socket.ended();
    });
    let patience = Duration::from_millis(50);
    let proxy =
        proxy::before(upstream.address).with(|settings| settings.timeouts.response_head = patience).start();
    let mut client = proxy.connect();
    client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n");
    hears.recv_timeout(LONG).expect("the head arrives");
    client.send("hello");
    assert_eq!(client.response().status(), 504);
    upstream.ended();
}

#[test]
fn an_upstream_that_cannot_be_connected_to_in_time_is_a_504() {
    // A full backlog: the kernel leaves further connections unanswered.
    let listener =
        socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).expect("a socket");
    listener.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).expect("a free port");
    listener.listen(0).expect("a listener");
    let address = listener.local_addr().expect("an address").as_socket().expect("an IP address");
    let fillers: Vec<_> = (0..8)
        .map_while(|_| std::net::TcpStream::connect_timeout(&address, Duration::from_millis(200)).ok())
        .collect();
    assert!(fillers.len() < 8, "the backlog is full");

    let patience = Duration::from_millis(50);
    let proxy = proxy::before(address).with(|settings| settings.timeouts.connect = patience).start();
    let response = proxy.ask(GET);
    assert_eq!((response.status(), response.header("fracas")), (504, Some("error=timeout")));
}

#[test]
fn c22_a_client_that_leaves_ends_the_call_upstream() {
    for request in [GET, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello"] {
        for with_reset in [false, true] {
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
            if with_reset {
                client.reset();
            } else {
                drop(client);
            }
            upstream.ended_within(GONE);
        }
    }
}

#[test]
fn c22_a_client_that_leaves_in_the_middle_of_an_answer_ends_it_upstream() {
    let upstream = Upstream::playing(|talk| {
        talk.request();
        talk.socket.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x1_0000));
        while talk.socket.try_send(&chunk).is_ok() {}
    });
    let proxy = proxy::before(upstream.address).start();
    let mut client = proxy.connect();
    client.send(GET);
    client.head();
    client.exactly(100_000);
    drop(client);
    upstream.ended_within(GONE);
}

#[test]
fn c22_a_client_that_leaves_in_the_middle_of_its_request_does_not_complete_it_upstream() {
    for head in ["Content-Length: 10\r\n\r\nabc", "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"] {
        let upstream = Upstream::playing(|talk| {
            talk.request_head();
            let rest = talk.socket.rest().unwrap_or_default();
            assert!(!rest.ends_with(b"0\r\n\r\n"), "it looks whole");
        });
        let proxy = proxy::before(upstream.address).start();
        let mut client = proxy.connect();
        client.send(format!("POST / HTTP/1.1\r\nHost: h\r\n{head}"));
        client.finish();
        client.ended();
        upstream.ended();
        assert_eq!(upstream.requests().len(), 1);
    }
}

#[test]
fn c26_an_idle_connection_that_the_upstream_closed_costs_nobody_an_answer() {
    let upstream = Upstream::playing(|talk| {
        if talk.request().is_some() {
            talk.socket.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        }
    });
    let proxy = proxy::before(upstream.address).start();
    let mut client = proxy.connect();
    for request in
        [GET, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx"].into_iter().cycle().take(20)
    {
        client.send(request);
        assert_eq!(client.response().status(), 200);
        // The script closed the connection before it says that it ended.
        upstream.ended();
    }
    assert_eq!(upstream.requests().len(), 20, "no request was sent twice");
}

#[test]
fn c26_when_the_upstream_closes_just_as_a_request_comes_it_is_sent_once_or_not_at_all() {
    let upstream = Upstream::playing(|talk| {
        if talk.request().is_some() {
            talk.socket.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        }
    });
    let proxy = proxy::before(upstream.address).start();
    let mut client = proxy.connect();
    let statuses: Vec<u16> = (0..500)
        .map(|number| {
            client.send(format!("POST /{number} HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx"));
            client.response().status()
        })
        .collect();
    let mut seen: Vec<String> =
        upstream.requests().iter().map(|request| request.target().to_owned()).collect();
    let answered = statuses.iter().filter(|status| **status == 200).count();
    assert_eq!(seen.len(), answered, "whoever was told of a failure was never heard");
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), answered, "nobody was heard twice");
    assert!(statuses.iter().all(|status| [200, 502].contains(status)), "{statuses:?}");
}
