//! Unread uploads, and responses that a client does not let through: the other streams go on (RFC 9113 §5.2).

use std::future::poll_fn;
use std::sync::Mutex;
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use bytes::Bytes;
use fracas::rules::Settings;
use http::{Request, Response};

use super::super::super::support::LONG;
use super::super::super::support::frames::{
    ACK, DATA, END_HEADERS, END_STREAM, End, Frame, Frames, HEADERS, INITIAL_WINDOW_SIZE, SETTINGS, pseudo,
    setting,
};
use super::super::super::support::http2::{Client, exchange};
use super::super::super::support::http2_upstream::Http2Upstream;
use super::super::super::support::proxy::{self, TestProxy};
use super::super::super::support::upstream::Upstream;
use super::timeouts::wait;

#[test]
fn uploads_that_nobody_reads_do_not_hold_up_their_neighbours() {
    let upstream = Upstream::echoing();
    for stalled in [4, 12, 99] {
        // The rule responds in a minute; until then the body is unread.
        let rule = "[[rule]]\npath = \"/unread\"\nreply = { delay = \"60s\" }\n";
        let proxy = proxy::before(upstream.address).rules(rule).start();
        let mut client = Client::connect(proxy.address);
        let piece = Bytes::from(vec![b'x'; 1 << 20]);
        let uploads: Vec<_> = (0..stalled)
            .map(|_| {
                let request = Request::post("http://h/unread").body(()).expect("a request");
                let (response, mut to) =
                    client.sender.send_request(request, false).expect("room for a stream");
                to.send_data(piece.clone(), false).expect("it listens");
                (response, to)
            })
            .collect();
        let request = Request::post("http://h/read").body(()).expect("a request");
        let exchange = exchange(client.sender.clone(), request, vec![piece.clone()], None);
        let response = client.runtime.block_on(async { tokio::time::timeout(LONG, exchange).await });
        let response =
            response.unwrap_or_else(|_| panic!("beside {stalled} nothing moves")).expect("an answer");
        assert!(response.body == piece, "beside {stalled}");
        drop(uploads);
    }
}

/// An upstream that sends the rest of its response to `/late` on a signal, and responds to others at once.
fn upstream_that_waits() -> (Upstream, Sender<()>) {
    let (go, may_go) = channel();
    let may_go = Mutex::new(may_go);
    let upstream = Upstream::playing(move |talk| {
        while let Some(request) = talk.request_head() {
            if request.target() != "/late" {
                talk.socket.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
                continue;
            }
            talk.socket.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfirst");
            let _ = may_go.lock().expect("no panic").recv();
            if talk.socket.try_send("other").is_err() {
                return;
            }
        }
    });
    (upstream, go)
}

/// A client that has the first half of a response, and then takes the window of its streams back.
fn shrunk(proxy: &TestProxy) -> Frames {
    let late = Frame::new(HEADERS, END_STREAM | END_HEADERS, 1, pseudo("GET", "/late"));
    let mut client = Frames::connect(proxy.address);
    client.send(&late);
    client.until(|frame| frame.kind == DATA && frame.stream == 1);
    client.send(&Frame::new(SETTINGS, 0, 0, setting(INITIAL_WINDOW_SIZE, 0)));
    client.until(|frame| frame.kind == SETTINGS && frame.flags == ACK);
    client
}

#[test]
fn a_client_that_takes_its_window_back_is_ended_in_time_and_the_upstream_is_not_late() {
    let (upstream, go) = upstream_that_waits();
    let short = Duration::from_millis(60);
    let proxy = proxy::before(upstream.address).with(|settings| settings.timeouts.write = short).start();
    let mut client = shrunk(&proxy);
    go.send(()).expect("the upstream waits");
    assert!(matches!(client.end_of(1), End::Reset(_)), "before the upstream could be late");
    assert_eq!(proxy.ask("GET / HTTP/1.1\r\nHost: h\r\n\r\n").status(), 200, "others go on");
    drop(client);
    let attempts = proxy.attempts();
    let late = attempts.iter().find(|attempt| attempt.path == "/late").expect("an attempt");
    assert_ne!(late.got.error.as_deref(), Some("timeout"), "the upstream is not to blame");
}

#[test]
fn a_client_that_takes_its_window_back_for_a_while_gets_its_answer() {
    let (upstream, go) = upstream_that_waits();
    let patience = Duration::from_secs(1);
    let change = |settings: &mut Settings| settings.timeouts.response_body = Some(patience);
    let proxy = proxy::before(upstream.address).with(change).start();
    let mut client = shrunk(&proxy);
    go.send(()).expect("the upstream waits");
    wait(patience + patience / 2);
    client.send(&Frame::new(SETTINGS, 0, 0, setting(INITIAL_WINDOW_SIZE, 65_535)));
    assert_eq!(client.end_of(1), End::Answered, "the upstream was never late");
}

#[test]
fn a_stream_without_a_window_costs_its_neighbours_at_an_http2_upstream_nothing() {
    const PIECE: usize = 16 * 1024;
    let upstream = Http2Upstream::playing(100, |mut asked| async move {
        if asked.request.uri().path() == "/" {
            return asked.response(Response::builder(), "ok");
        }
        let mut to = asked.head(Response::builder(), false);
        loop {
            to.reserve_capacity(PIECE);
            let Some(Ok(room)) = poll_fn(|cx| to.poll_capacity(cx)).await else { return };
            if to.send_data(Bytes::from(vec![b'x'; room]), false).is_err() {
                return;
            }
        }
    });
    let short = Duration::from_millis(60);
    let proxy = proxy::before(upstream.address).with(|it| it.timeouts.write = short).over_http2().start();
    let mut client = shrunk(&proxy);
    assert_eq!(proxy.ask("GET / HTTP/1.1\r\nHost: h\r\n\r\n").status(), 200, "others go on");
    assert!(matches!(client.end_of(1), End::Reset(_)), "before the upstream could be late");
    drop(client);
    let attempts = proxy.attempts();
    let late = attempts.iter().find(|attempt| attempt.path == "/late").expect("an attempt");
    assert_ne!(late.got.error.as_deref(), Some("timeout"), "the upstream is not to blame");
}
