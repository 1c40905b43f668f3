//! Upstreams that speak HTTP/2 and keep a request waiting.

use std::time::Duration;

use h2::Reason;
use http::Response;

use super::super::super::support::http2_upstream::{Asked, Http2Upstream};
use super::super::super::support::message::Message;
use super::super::super::support::proxy;
use super::super::super::support::upstream::Upstream;
use super::{GET, raw};

/// Timeouts that are meant to expire.
const SHORT: Duration = Duration::from_millis(60);

#[test]
fn an_upstream_that_accepts_and_says_nothing_of_streams_is_a_504() {
    let upstream = Upstream::playing(|talk| talk.socket.ended());
    let proxy = proxy::before(upstream.address)
        .over_http2()
        .with(|settings| settings.timeouts.connect = SHORT)
        .start();
    let response = proxy.ask(GET);
    assert_eq!((response.status(), response.header("fracas")), (504, Some("error=timeout")));
}

#[test]
fn a_connection_that_never_said_anything_is_not_waited_for_again() {
    let upstream = Upstream::playing(|talk| {
        if talk.number == 0 {
            return talk.socket.ended();
        }
        if raw::greet(talk, 100).is_some()
            && let Some((stream, _)) = raw::next(talk, raw::HEADERS)
        {
            raw::response(talk, stream, "ok");
        }
    });
    let proxy = proxy::before(upstream.address)
        .over_http2()
        .with(|settings| settings.timeouts.connect = Duration::from_millis(500))
        .start();
    assert_eq!([proxy.ask(GET).status(), proxy.ask(GET).status()], [504, 200]);
}

#[test]
fn an_upstream_that_allows_no_stream_is_a_503() {
    let upstream = Http2Upstream::playing(0, |_| async {});
    let proxy = proxy::before(upstream.address)
        .over_http2()
        // Time enough for it to say so.
        .with(|settings| settings.timeouts.connect = Duration::from_millis(500))
        .start();
    let response = proxy.ask(GET);
    assert_eq!((response.status(), response.header("fracas")), (503, Some("error=exhausted")));
    assert_eq!(response.header("content-type"), Some("application/problem+json"));
}

/// Responds to `/`, and treats others as `script` says.
fn but_for_root<F: Future<Output = ()> + 'static>(
    script: impl Fn(Asked) -> F + Send + Sync + Copy + 'static,
) -> Http2Upstream {
    Http2Upstream::playing(100, move |mut asked| async move {
        match asked.request.uri().path() {
            "/" => asked.response(Response::builder().header("x-number", asked.connection), "ok"),
            _ => script(asked).await,
        }
    })
}

#[test]
fn an_answer_that_does_not_begin_is_a_504_and_its_stream_is_cancelled() {
    let upstream = but_for_root(|mut asked| async move {
        assert_eq!(asked.reset().await, Reason::CANCEL);
    });
    let proxy = proxy::before(upstream.address)
        .over_http2()
        .with(|settings| settings.timeouts.response_head = SHORT)
        .start();
    assert_eq!(proxy.ask(GET).header("x-number"), Some("0"));
    let large =
        format!("POST /stuck HTTP/1.1\r\nHost: h\r\nContent-Length: 200000\r\n\r\n{}", "x".repeat(200_000));
    for request in ["GET /slow HTTP/1.1\r\nHost: h\r\n\r\n", &large] {
        let response = proxy.ask(request);
        assert_eq!((response.status(), response.header("fracas")), (504, Some("error=timeout")));
    }
    // Whether that connection is alive is unknown: the next request does not bet on it.
    assert_ne!(proxy.ask(GET).header("x-number"), Some("0"));
}

#[test]
fn a_slow_stream_does_not_end_its_neighbours() {
    let upstream = but_for_root(|mut asked| async move {
        asked.reset().await;
    });
    let proxy = proxy::before(upstream.address)
        .over_http2()
        .with(|settings| settings.timeouts.response_head = Duration::from_millis(500))
        .start();
    let mut slow = proxy.connect();
    slow.send("GET /slow HTTP/1.1\r\nHost: h\r\n\r\n");
    while upstream.heads().is_empty() {
        std::thread::yield_now();
    }
    for _ in 0..20 {
        assert_eq!(proxy.ask(GET).header("x-number"), Some("0"));
    }
    assert_eq!(slow.response().status(), 504);
    // Its neighbours' responses have shown that the connection lives.
    assert_eq!(proxy.ask(GET).status(), 200);
}

#[test]
fn an_answer_that_stalls_on_its_stream_is_torn() {
    for get in ["GET /stall HTTP/1.1\r\nHost: h\r\n\r\n", "GET /stall HTTP/1.0\r\n\r\n"] {
        let upstream = but_for_root(|mut asked| async move {
            let mut to = asked.head(Response::builder(), false);
            to.send_data("abc".into(), false).expect("it listens");
            let reason = std::future::poll_fn(|cx| to.poll_reset(cx)).await.expect("a reset");
            assert_eq!(reason, Reason::CANCEL);
        });
        let proxy = proxy::before(upstream.address)
            .over_http2()
            .with(|settings| settings.timeouts.response_body = Some(SHORT))
            .start();
        let mut client = proxy.connect();
        client.send(get);
        let mut message = Message::parse_head(&client.head().expect("an answer"));
        if message.header("transfer-encoding").is_some() {
            client.chunked(&mut message).expect_err("the last chunk never comes");
        } else {
            client.rest().expect_err("the end is not a clean one");
        }
        drop(client);
        assert_eq!(proxy.ask(GET).status(), 200);
    }
}
