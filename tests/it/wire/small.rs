//! Small duties of a proxy: `Max-Forwards`, lengths of bodies that are not sent, the proxy's own failures as a
//! page may read them, protocols other than WebSocket.

use std::net::TcpListener;
use std::time::Duration;

use super::super::support::proxy;
use super::super::support::upstream::Upstream;

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

#[test]
fn max_forwards_counts_hops_of_options_alone() {
    let upstream = Upstream::answering(OK);
    let proxy = proxy::before(upstream.address).start();
    for (method, said, status, seen) in [
        ("OPTIONS", "0", 204, None),
        ("OPTIONS", "1", 200, Some("0")),
        ("OPTIONS", "5", 200, Some("4")),
        ("OPTIONS", "18446744073709551615", 200, Some("18446744073709551614")),
        ("OPTIONS", "many", 200, Some("many")),
        ("GET", "0", 200, Some("0")),
    ] {
        upstream.forget();
        let response = proxy.ask(format!("{method} / HTTP/1.1\r\nHost: h\r\nMax-Forwards: {said}\r\n\r\n"));
        assert_eq!(response.status(), status, "{method} {said}");
        assert_eq!(response.header("allow").is_some(), status == 204, "{method} {said}");
        let requests = upstream.requests();
        assert_eq!(
            requests.first().and_then(|request| request.header("max-forwards")),
            seen,
            "{method} {said}"
        );
    }
}

#[test]
fn a_304_keeps_the_length_of_the_body_that_it_stands_for() {
    for (length, kept) in
        [("Content-Length: 9757\r\n", Some("9757")), ("", None), ("Content-Length: 0\r\n", Some("0"))]
    {
        let upstream =
            Upstream::answering(format!("HTTP/1.1 304 Not Modified\r\nETag: \"a\"\r\n{length}\r\n"));
        let proxy = proxy::before(upstream.address).start();
        let mut client = proxy.connect();
        // The connection goes on after it.
        for method in ["GET", "HEAD", "GET"] {
            client.send(format!("{method} / HTTP/1.1\r\nHost: h\r\nIf-None-Match: \"a\"\r\n\r\n"));
            let response = client.answer_to("HEAD");
            assert_eq!(
                (response.status(), response.header("content-length")),
                (304, kept),
                "{method} {length:?}"
            );
        }
        assert_eq!(upstream.requests().len(), 3);
        drop(client);
        let attempts = proxy.attempts();
        assert!(attempts.iter().all(|attempt| attempt.got.error.is_none()), "{attempts:?}");
    }
}

#[test]
fn a_page_may_read_the_proxys_own_failures() {
    let nobody =
        TcpListener::bind(("127.0.0.1", 0)).and_then(|listener| listener.local_addr()).expect("a port");
    for (cors, origin, allowed) in [
        (true, "Origin: http://app.test:3000\r\n", Some("http://app.test:3000")),
        (true, "", None),
        (false, "Origin: http://app.test:3000\r\n", None),
    ] {
        let proxy = proxy::before(nobody).with(|settings| settings.cors = cors).start();
        for (request, status) in [("GET /", 502), ("TRACE /", 405), ("GET http:/x", 400)] {
            let response = proxy.ask(format!("{request} HTTP/1.1\r\nHost: h\r\n{origin}\r\n"));
            if response.header("fracas").is_none() {
                continue; // hyper's own: there was no request.
            }
            assert_eq!(response.status(), status, "{request}");
            assert_eq!(response.header("access-control-allow-origin"), allowed, "{request} {origin}");
        }
    }
}

/// Switches protocols with a 101, and then records the bytes it gets.
fn switching(to: &'static str) -> Upstream {
    Upstream::playing(move |talk| {
        let Some(request) = talk.request() else { return };
        if request.header("upgrade").is_none() {
            return talk.socket.send(OK);
        }
        talk.socket
            .send(format!("HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: {to}\r\n\r\nhello"));
        while let Some(bytes) = talk.socket.at_most(4) {
            talk.socket.send(bytes);
        }
    })
}

#[test]
fn protocols_that_the_rules_file_allows_are_tunnelled() {
    for (allowed, asked, to, status) in [
        (&["websocket", "tcp"][..], "tcp", "tcp", 101),
        (&["websocket", "tcp"], "TCP", "tcp", 101),
        (&["SPDY/3.1"], "SPDY/3.1", "SPDY/3.1", 101),
        (&["websocket"], "tcp", "tcp", 200),
        (&[], "websocket", "websocket", 200),
        (&["tcp"], "tcp", "websocket", 502),
        (&["websocket", "tcp"], "tcp, websocket", "tcp", 200),
    ] {
        let upstream = switching(to);
        let proxy = proxy::before(upstream.address)
            .with(|settings| settings.upgrades = allowed.iter().map(|name| (*name).into()).collect())
            .start();
        let mut client = proxy.connect();
        client.send(format!(
            "POST /attach HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: {asked}\r\n\r\n"
        ));
        let head = client.head().expect("a head");
        assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{allowed:?} {asked}: {head}");
        if status == 101 {
            assert!(head.to_lowercase().contains(&format!("upgrade: {}", to.to_lowercase())), "{head}");
            assert_eq!(client.exactly(5), b"hello");
            client.send("ping");
            assert_eq!(client.exactly(4), b"ping");
        }
    }
}

#[test]
fn a_tunnel_through_which_nothing_passes_ends() {
    let upstream = switching("websocket");
    let proxy = proxy::before(upstream.address)
        .with(|settings| settings.timeouts.tunnel = Duration::from_millis(300))
        .start();
    let mut client = proxy.connect();
    client.send("GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
    assert!(client.head().is_some_and(|head| head.starts_with("HTTP/1.1 101 ")));
    assert_eq!(client.exactly(5), b"hello");
    client.ended();
    upstream.ended();
}

#[test]
fn an_idle_tunnel_gives_its_place_to_a_new_client() {
    let upstream = switching("websocket");
    let proxy = proxy::before(upstream.address)
        .with(|settings| {
            settings.limits.connections = Some(std::num::NonZeroUsize::MIN);
            // A tunnel is idle when silent for a tenth of it.
            settings.timeouts.tunnel = Duration::from_millis(10);
        })
        .start();
    let mut tunnel = proxy.connect();
    tunnel.send("GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
    assert!(tunnel.head().is_some_and(|head| head.starts_with("HTTP/1.1 101 ")));
    let mut newcomer = proxy.connect();
    newcomer.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_eq!(newcomer.response().status(), 200);
    assert_eq!(tunnel.exactly(5), b"hello");
    tunnel.ended();
}

#[test]
fn a_stream_of_events_may_be_quiet_for_as_long_as_it_likes() {
    let (quiet, over) = std::sync::mpsc::channel::<()>();
    let over = std::sync::Mutex::new(over);
    let upstream = Upstream::playing(move |talk| {
        talk.request();
        talk.socket
            .send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n");
        let _ = over.lock().expect("no panic").recv();
        talk.socket.send("9\r\ndata: 1\n\n\r\n0\r\n\r\n");
    });
    let proxy =
        proxy::before(upstream.address).with(|settings| settings.timeouts.response_body = None).start();
    let mut client = proxy.connect();
    client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    let head = client.head().expect("a head");
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    quiet.send(()).expect("it waits");
    assert_eq!(client.exactly(14), b"9\r\ndata: 1\n\n\r\n");
}
