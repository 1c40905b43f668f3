//! Streams that break on the way up and on the way down, and the signals to the other side.

use std::sync::Mutex;
use std::sync::mpsc::channel;

use h2::Reason;
use http::Response;

use super::super::super::support::http2_upstream::Http2Upstream;
use super::super::super::support::message::Message;
use super::super::super::support::proxy;
use super::super::super::support::upstream::{Talk, Upstream};
use super::super::super::support::{GONE, LONG};
use super::{GET, raw};

#[test]
fn c24_a_torn_answer_over_http2_is_torn_for_the_client_whatever_the_reason() {
    let reasons = [
        Reason::NO_ERROR,
        Reason::CANCEL,
        Reason::INTERNAL_ERROR,
        Reason::REFUSED_STREAM,
        Reason::PROTOCOL_ERROR,
    ];
    for reason in reasons {
        for length in [None, Some("10")] {
            let upstream = Http2Upstream::playing(100, move |mut asked| async move {
                let head = length
                    .iter()
                    .fold(Response::builder(), |head, length| head.header("content-length", *length));
                let mut to = asked.head(head, false);
                to.send_data("abc".into(), false).expect("it listens");
                // Only bytes that have left are surely seen before the reset.
                tokio::task::yield_now().await;
                to.send_reset(reason);
            });
            let proxy = proxy::before(upstream.address).over_http2().start();
            let mut client = proxy.connect();
            client.send(GET);
            let Some(head) = client.head() else { continue };
            let mut message = Message::parse_head(&head);
            if message.status() == 502 {
                continue;
            }
            if length.is_none() {
                client.chunked(&mut message).expect_err("the last chunk never comes");
            } else {
                let rest = client.rest();
                assert!(rest.is_err() || rest.is_ok_and(|rest| rest.len() < 10), "{reason:?}");
            }
        }
    }
}

#[test]
fn a_stream_that_is_reset_before_its_answer_is_a_502_and_its_neighbours_are_served() {
    let upstream = Http2Upstream::playing(100, |mut asked| async move {
        match asked.request.uri().path() {
            "/reset" => asked.response.send_reset(Reason::INTERNAL_ERROR),
            _ => asked.response(Response::builder().header("x-number", asked.connection), "ok"),
        }
    });
    let proxy = proxy::before(upstream.address).over_http2().start();
    for _ in 0..3 {
        let response = proxy.ask("GET /reset HTTP/1.1\r\nHost: h\r\n\r\n");
        assert_eq!((response.status(), response.header("fracas")), (502, Some("error=reset")));
        assert_eq!(proxy.ask(GET).header("x-number"), Some("0"));
    }
    assert_eq!(upstream.heads().len(), 6);
}

#[test]
fn c22_a_client_that_leaves_cancels_its_stream() {
    let (heard, reasons) = channel();
    let heard = Mutex::new(heard);
    let (ask, asked_for) = channel();
    let ask = Mutex::new(ask);
    let upstream = Http2Upstream::playing(100, move |mut asked| {
        let (heard, ask) = (heard.lock().expect("no panic").clone(), ask.lock().expect("no panic").clone());
        async move {
            let path = asked.request.uri().path().to_owned();
            let mut to = None;
            if path == "/answering" {
                let mut begun = asked.head(Response::builder(), false);
                begun.send_data("abc".into(), false).expect("it listens");
                to = Some(begun);
            }
            ask.send(()).expect("the test waits");
            let reason = match &mut to {
                None => asked.reset().await,
                Some(to) => std::future::poll_fn(|cx| to.poll_reset(cx)).await.expect("a reset"),
            };
            heard.send((path, reason)).expect("the test waits");
        }
    });
    let proxy = proxy::before(upstream.address).over_http2().start();
    let half = "POST /half HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc";
    for (path, request) in [
        ("/waiting", "GET /waiting HTTP/1.1\r\nHost: h\r\n\r\n"),
        ("/answering", "GET /answering HTTP/1.1\r\nHost: h\r\n\r\n"),
        ("/half", half),
    ] {
        let mut client = proxy.connect();
        client.send(request);
        asked_for.recv_timeout(LONG).expect("it arrives");
        if path == "/answering" {
            client.head().expect("an answer");
        }
        drop(client);
        let (reset, reason) =
            reasons.recv_timeout(GONE).unwrap_or_else(|_| panic!("the upstream hears of {path} in time"));
        assert_eq!((&*reset, reason), (path, Reason::CANCEL));
    }
}

#[test]
fn a_few_interim_answers_pass_and_a_flood_of_them_ends_the_stream_and_the_use_of_its_connection() {
    // `:status` is the static table's entry 8, its value a literal (RFC 7541 §6.2.2).
    const EARLY_HINTS: &[u8] = b"\x08\x03103";
    let upstream = Upstream::playing(|talk: &mut Talk| {
        if raw::greet(talk, 100).is_none() {
            return;
        }
        while let Some((stream, _)) = raw::next(talk, raw::HEADERS) {
            let count = if talk.number == 0 { 10_000 } else { 20 };
            for _ in 0..count {
                raw::send(talk, raw::HEADERS, 4, stream, EARLY_HINTS);
            }
            raw::response(talk, stream, "ok");
        }
    });
    let proxy = proxy::before(upstream.address).over_http2().start();
    let flooded = proxy.ask(GET);
    assert_eq!(flooded.status(), 502);
    assert!(flooded.text().contains("interim answers (1xx) came before it"), "{}", flooded.text());
    let next = proxy.ask(GET);
    assert_eq!((next.status(), next.text().as_str()), (200, "ok"));
}
