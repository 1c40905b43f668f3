//! Differences between HTTP/1.1 and HTTP/2, translated.

use bytes::Bytes;
use fracas::rules::HostHeader;
use http::{HeaderMap, Method, Response, StatusCode};

use super::super::super::support::http2_upstream::{Http2Upstream, read};
use super::super::super::support::message::without_pseudonym;
use super::super::super::support::proxy;
use super::GET;

#[test]
fn a_head_is_said_as_http2_says_it() {
    let upstream = Http2Upstream::echoing();
    let own = upstream.address;
    let connection_headers = "Connection: keep-alive, X-Hop\r\nKeep-Alive: timeout=9\r\nX-Hop: 1\r\n\
                              TE: trailers\r\nUpgrade: h2c\r\nProxy-Connection: keep-alive\r\n";
    for (host, authority) in [(HostHeader::Upstream, own.to_string()), (HostHeader::Client, "h:81".into())] {
        let proxy =
            proxy::before(own).over_http2().below("/base").with(|settings| settings.host = host).start();
        let head = "GET /a%20b?c=d HTTP/1.1\r\nHost: h:81\r\nCookie: a=1; b=2\r\nX-Case: Kept\r\n";
        assert_eq!(proxy.ask(format!("{head}{connection_headers}\r\n")).status(), 200);
        let seen = upstream.heads().pop().expect("a request");
        assert_eq!(seen.uri().to_string(), format!("http://{authority}/base/a%20b?c=d"));
        let mut lines: Vec<String> = seen
            .headers()
            .iter()
            .map(|(name, value)| format!("{name}: {}", without_pseudonym(value.to_str().expect("text"))))
            .collect();
        lines.sort();
        assert_eq!(
            lines,
            [
                "cookie: a=1; b=2",
                "te: trailers",
                "via: 1.1 fracas",
                "x-case: Kept",
                "x-forwarded-for: 127.0.0.1",
                "x-forwarded-host: h:81",
                "x-forwarded-proto: http",
            ]
        );
    }
}

#[test]
fn c15_bodies_and_trailers_go_both_ways() {
    let upstream = Http2Upstream::playing(100, |mut asked| async move {
        let (body, trailers) = read(asked.request.body_mut()).await;
        let head = Response::builder().header("trailer", "x-sum");
        let mut to = asked.head(head, false);
        to.send_data(body, trailers.is_none()).expect("it listens");
        if let Some(trailers) = trailers {
            to.send_trailers(trailers).expect("it listens");
        }
    });
    let proxy = proxy::before(upstream.address).over_http2().start();
    let mut client = proxy.connect();
    let chunked = "POST / HTTP/1.1\r\nHost: h\r\nTE: trailers\r\nConnection: te\r\nTrailer: x-sum\r\n\
                   Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\nX-Sum: 5\r\n\r\n";
    let sized = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nabcde";
    for (request, length, trailers) in [(chunked, None, 1), (sized, Some("5"), 0)] {
        client.send(request);
        let response = client.response();
        assert_eq!((response.text(), response.trailers.len()), ("abcde".to_owned(), trailers));
        assert_eq!(response.header("via"), Some("2.0 fracas"));
        let seen = upstream.heads().pop().expect("a request");
        assert_eq!(seen.headers().get("content-length").map(|value| value.to_str().expect("text")), length);
    }
}

#[test]
fn a_large_body_goes_both_ways_whole() {
    let upstream = Http2Upstream::echoing();
    let proxy = proxy::before(upstream.address).over_http2().start();
    let body: Vec<u8> = (0..5_000_000u32).map(|number| (number % 251) as u8).collect();
    let mut client = proxy.connect();
    client.send(format!("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: {}\r\n\r\n", body.len()));
    client.send(&body);
    assert!(client.response().body == body, "it arrives as it went");
}

#[test]
fn c14_answers_without_a_body_stay_without() {
    let upstream = Http2Upstream::playing(100, |mut asked| async move {
        let (status, length) = match asked.request.uri().path() {
            "/204" => (204, None),
            "/304" => (304, Some("5")),
            "/empty" => (200, Some("0")),
            "/bare" => (200, None),
            _ => (200, Some("5")),
        };
        let head = Response::builder().status(status);
        let head = length.iter().fold(head, |head, length| head.header("content-length", *length));
        let body = if asked.request.method() == Method::GET && asked.request.uri().path() == "/" {
            "abcde"
        } else {
            ""
        };
        asked.response(head, body);
    });
    let proxy = proxy::before(upstream.address).over_http2().start();
    for (method, target, status, length, body) in [
        ("GET", "/", 200, Some("5"), "abcde"),
        ("HEAD", "/", 200, Some("5"), ""),
        ("GET", "/204", 204, None, ""),
        // As from an upstream that speaks HTTP/1.1, hyper leaves the length out.
        ("GET", "/304", 304, None, ""),
        ("GET", "/empty", 200, Some("0"), ""),
        ("GET", "/bare", 200, Some("0"), ""),
    ] {
        let mut client = proxy.connect();
        for _ in 0..2 {
            client.send(format!("{method} {target} HTTP/1.1\r\nHost: h\r\n\r\n"));
            let response = client.answer_to(method);
            assert_eq!((response.status(), &*response.text()), (status, body), "{method} {target}");
            assert_eq!(response.header("content-length"), length, "{method} {target}");
        }
    }
}

#[test]
fn an_answer_of_trailers_alone_passes() {
    // As gRPC refuses: one HEADERS frame with the status, which ends the stream.
    let upstream = Http2Upstream::playing(100, |mut asked| async move {
        let head = Response::builder().header("content-type", "application/grpc").header("grpc-status", "10");
        asked.response(head, "");
    });
    let proxy = proxy::before(upstream.address).over_http2().start();
    let response = proxy.ask(GET);
    assert_eq!((response.header("grpc-status"), response.text()), (Some("10"), String::new()));
}

#[test]
fn c20_the_upstreams_100_is_the_clients_over_http2() {
    let upstream = Http2Upstream::playing(100, |mut asked| async move {
        assert_eq!(asked.request.headers()["expect"], "100-continue");
        let interim = Response::builder().status(StatusCode::CONTINUE).body(()).expect("a head");
        asked.response.send_informational(interim).expect("it listens");
        let (body, _) = read(asked.request.body_mut()).await;
        let mut to = asked.head(Response::builder(), false);
        to.send_data(body, true).expect("it listens");
    });
    let proxy = proxy::before(upstream.address).over_http2().start();
    let mut client = proxy.connect();
    client.send("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
    assert_eq!(client.head().as_deref(), Some("HTTP/1.1 100 Continue\r\n\r\n"));
    client.send("hello");
    assert_eq!(client.response().text(), "hello");
}

#[test]
fn c20_a_no_over_http2_is_heard_without_a_100_and_ends_only_its_stream() {
    let upstream = Http2Upstream::playing(100, |mut asked| async move {
        if asked.request.method() == Method::GET {
            return asked.response(Response::builder().header("x-number", asked.connection), "ok");
        }
        let mut to = asked.head(Response::builder().status(417), false);
        to.send_data("no".into(), true).expect("it listens");
        assert!(
            asked.request.body_mut().data().await.is_none_or(|data| data.is_err()),
            "the body never comes"
        );
    });
    let proxy = proxy::before(upstream.address).over_http2().start();
    let mut client = proxy.connect();
    client.send("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
    let response = client.response();
    assert_eq!(
        (response.status(), &*response.text(), response.header("connection")),
        (417, "no", Some("close"))
    );
    assert_eq!(proxy.ask(GET).header("x-number"), Some("0"));
}

#[test]
fn c29_early_hints_are_no_answer() {
    let upstream = Http2Upstream::playing(100, |mut asked| async move {
        let hints = Response::builder().status(103).body(()).expect("a head");
        asked.response.send_informational(hints).expect("it listens");
        asked.response(Response::builder(), "ok");
    });
    let proxy = proxy::before(upstream.address).over_http2().start();
    assert_eq!((proxy.ask(GET).status(), &*proxy.ask(GET).text()), (200, "ok"));
}

#[test]
fn an_answer_may_come_while_the_request_still_goes_over_http2() {
    let upstream = Http2Upstream::playing(100, |mut asked| async move {
        let mut to = asked.head(Response::builder(), false);
        to.send_data(Bytes::from_static(b"early"), false).expect("it listens");
        let (body, _) = read(asked.request.body_mut()).await;
        to.send_data(body, false).expect("it listens");
        to.send_trailers(HeaderMap::new()).expect("it listens");
    });
    let proxy = proxy::before(upstream.address).over_http2().start();
    let mut client = proxy.connect();
    client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\n");
    let head = client.head().expect("an answer");
    let mut response = super::super::super::support::message::Message::parse_head(&head);
    client.send("late");
    client.chunked(&mut response).expect("a whole body");
    assert_eq!(response.text(), "earlylate");
}
