//! HTTP/2 on both sides.

use bytes::Bytes;
use h2::Reason;
use http::{HeaderMap, Request, Response};

use super::super::super::support::http2::{Client, exchange};
use super::super::super::support::http2_upstream::{Http2Upstream, read};
use super::super::super::support::message::without_pseudonym;
use super::super::super::support::proxy;
use super::super::super::support::{GONE, LONG};

fn post(address: std::net::SocketAddr) -> http::request::Builder {
    Request::builder().method("POST").uri(format!("http://{address}/a")).header("te", "trailers")
}

#[test]
fn trailers_pass_both_ways() {
    let upstream = Http2Upstream::playing(100, |mut asked| async move {
        let (body, trailers) = read(asked.request.body_mut()).await;
        let mut to = asked.head(Response::builder(), false);
        to.send_data(body, false).expect("it listens");
        to.send_trailers(trailers.unwrap_or_default()).expect("it listens");
    });
    let proxy = proxy::before(upstream.address).over_http2().start();
    let client = Client::connect(proxy.address);
    let request = post(proxy.address).body(()).expect("a request");
    let trailers = HeaderMap::from_iter([("x-sum".parse().expect("a name"), "5".parse().expect("a value"))]);
    let pieces = vec![Bytes::from_static(b"abc"), Bytes::from_static(b"de")];
    let asked = exchange(client.sender.clone(), request, pieces, Some(trailers.clone()));
    let response = client
        .runtime
        .block_on(async { tokio::time::timeout(LONG, asked).await.expect("in time").expect("an answer") });
    assert_eq!((response.text(), response.trailers.as_ref()), ("abcde", Some(&trailers)));
    assert_eq!(response.header("via").map(without_pseudonym).as_deref(), Some("2.0 fracas"));
    let seen = upstream.heads().pop().expect("a request");
    assert_eq!(
        seen.headers().get("via").and_then(|via| via.to_str().ok()).map(without_pseudonym).as_deref(),
        Some("2.0 fracas")
    );
    assert_eq!(seen.uri().authority().map(ToString::to_string), Some(upstream.address.to_string()));
}

#[test]
fn a_grpc_answer_of_trailers_alone_stays_one_frame() {
    let upstream = Http2Upstream::playing(100, |mut asked| async move {
        let head = Response::builder().header("content-type", "application/grpc").header("grpc-status", "10");
        asked.response(head, "");
    });
    let proxy = proxy::before(upstream.address).over_http2().start();
    let mut client = Client::connect(proxy.address);
    let response = client.ask(post(proxy.address), "x").expect("an answer");
    assert_eq!((response.header("grpc-status"), response.text()), (Some("10"), ""));
    assert_eq!((response.header("content-length"), response.trailers.as_ref()), (None, None));
}

#[test]
fn c24_an_answer_torn_without_an_error_is_still_torn() {
    let upstream = Http2Upstream::playing(100, |mut asked| async move {
        let mut to = asked.head(Response::builder(), false);
        to.send_data("abc".into(), false).expect("it listens");
        to.send_reset(Reason::NO_ERROR);
    });
    let proxy = proxy::before(upstream.address).over_http2().start();
    let mut client = Client::connect(proxy.address);
    // Its head may or may not have been sent before the reset; a whole response it is not.
    match client.ask(post(proxy.address), "x") {
        Ok(response) => assert_eq!(response.status, 502),
        Err(error) => assert_ne!(error.reason(), Some(Reason::NO_ERROR)),
    }
}

#[test]
fn c22_a_stream_that_its_client_cancels_is_cancelled_upstream() {
    let (heard, reasons) = std::sync::mpsc::channel();
    let heard = std::sync::Mutex::new(heard);
    let (ask, asked_for) = std::sync::mpsc::channel();
    let ask = std::sync::Mutex::new(ask);
    let upstream = Http2Upstream::playing(100, move |mut asked| {
        let (heard, ask) = (heard.lock().expect("no panic").clone(), ask.lock().expect("no panic").clone());
        async move {
            ask.send(()).expect("the test waits");
            heard.send(asked.reset().await).expect("the test waits");
        }
    });
    let proxy = proxy::before(upstream.address).over_http2().start();
    let client = Client::connect(proxy.address);
    client.runtime.block_on(async {
        let request = post(proxy.address).body(()).expect("a request");
        let sender = client.sender.clone();
        let asking = exchange(sender, request, vec![Bytes::from_static(b"x")], None);
        let arrived = tokio::task::spawn_blocking(move || asked_for.recv_timeout(LONG).expect("it arrives"));
        tokio::select! {
            _ = asking => panic!("there is no answer"),
            arrived = arrived => arrived.expect("no panic"),
        }
        let reason = tokio::task::spawn_blocking(move || reasons.recv_timeout(GONE));
        assert_eq!(reason.await.expect("no panic"), Ok(Reason::CANCEL));
    });
}
