//! The number of connections, the requests on each, and those sent again.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use fracas::rules::Settings;
use h2::Reason;
use http::{Method, Response};

use super::super::super::support::http2_upstream::{Http2Upstream, read};
use super::super::super::support::proxy::{self, TestProxy};
use super::super::super::support::socket::Socket;
use super::super::super::support::upstream::{Upstream, start};
use super::{GET, raw};

const POST: &str = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello";
const REFUSED_STREAM: u32 = 7;

fn before(upstream: std::net::SocketAddr) -> TestProxy {
    proxy::before(upstream).over_http2().start()
}

#[test]
fn one_connection_carries_many_requests_and_never_more_than_it_allows() {
    for (streams, clients) in [(100, 40), (3, 40), (1, 20)] {
        let busy: Arc<Mutex<HashMap<usize, (u32, u32)>>> = Arc::default();
        let counts = Arc::clone(&busy);
        let upstream = Http2Upstream::playing(streams, move |mut asked| {
            let counts = Arc::clone(&counts);
            async move {
                let count = |by: i32| {
                    let mut counts = counts.lock().expect("no panic");
                    let (now, most) = counts.entry(asked.connection).or_default();
                    *now = now.saturating_add_signed(by);
                    *most = (*most).max(*now);
                };
                count(1);
                for _ in 0..100 {
                    tokio::task::yield_now().await;
                }
                count(-1);
                asked.response(Response::builder(), "ok");
            }
        });
        let proxy = before(upstream.address);
        let address = proxy.address;
        let clients: Vec<_> = (0..clients)
            .map(|_| {
                start("client", move || {
                    let mut client = Socket::connect(address);
                    for _ in 0..5 {
                        client.send(GET);
                        assert_eq!(client.response().text(), "ok");
                    }
                })
            })
            .collect();
        let all = clients.len();
        clients.into_iter().for_each(|client| client.join().expect("everybody is answered"));
        let busy = busy.lock().expect("no panic");
        assert!(busy.values().all(|(_, most)| *most <= streams), "{busy:?}");
        // h2 itself refuses a stream too many: then there would be more requests than were asked.
        assert_eq!(upstream.heads().len(), all * 5);
        if streams == 100 {
            assert_eq!(busy.len(), 1, "one connection is enough");
        }
    }
}

#[test]
fn a_refused_stream_is_sent_again_with_its_body_and_counted() {
    let upstream = Http2Upstream::playing(100, |mut asked| async move {
        if asked.request.headers().get("x-try").is_none() && asked.connection == 0 {
            static REFUSED: Mutex<u32> = Mutex::new(0);
            let mut refused = REFUSED.lock().expect("no panic");
            *refused += 1;
            if *refused % 2 == 1 {
                return asked.response.send_reset(Reason::REFUSED_STREAM);
            }
        }
        let (body, _) = read(asked.request.body_mut()).await;
        let mut to = asked.head(Response::builder(), false);
        to.send_data(body, true).expect("it listens");
    });
    let proxy = before(upstream.address);
    for (request, body) in [(GET, ""), (POST, "hello")] {
        let response = proxy.ask(request);
        assert_eq!((response.status(), &*response.text()), (200, body));
    }
    assert_eq!((upstream.heads().len(), proxy.running().summary().replays), (4, 2));
}

#[test]
fn a_stream_that_is_always_refused_is_tried_a_few_times() {
    let upstream = Http2Upstream::playing(100, |mut asked| async move {
        asked.response.send_reset(Reason::REFUSED_STREAM);
    });
    let proxy = before(upstream.address);
    assert_eq!((proxy.ask(POST).status(), upstream.heads().len()), (502, 4));
    assert_eq!(proxy.running().summary().replays, 3, "the first time is not once more");
}

#[test]
fn a_body_too_long_to_keep_is_not_sent_again() {
    let upstream = Http2Upstream::playing(100, |mut asked| async move {
        let mut read = 0;
        while read < 100_000 {
            let Some(Ok(data)) = asked.request.body_mut().data().await else { return };
            read += data.len();
            let _ = asked.request.body_mut().flow_control().release_capacity(data.len());
        }
        asked.response.send_reset(Reason::REFUSED_STREAM);
    });
    let proxy = before(upstream.address);
    let mut client = proxy.connect();
    client
        .send(format!("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 200000\r\n\r\n{}", "x".repeat(200_000)));
    assert_eq!((client.response().status(), upstream.heads().len()), (502, 1));
}

#[test]
fn a_stream_above_the_last_of_a_goaway_is_sent_again_on_another_connection() {
    // With any code: streams above the last one were not processed (RFC 9113 §6.8).
    for code in [0, 2, 11] {
        let upstream = Upstream::playing(move |talk| {
            if raw::greet(talk, 100).is_none() {
                return;
            }
            while let Some((stream, _)) = raw::next(talk, raw::HEADERS) {
                if talk.number == 0 && stream > 1 {
                    raw::go_away(talk, 1, code);
                } else {
                    raw::response(talk, stream, &talk.number.to_string());
                }
            }
        });
        let proxy = before(upstream.address);
        for (request, number) in [(GET, "0"), (POST, "1"), (GET, "1")] {
            assert_eq!(proxy.ask(request).text(), number, "{code}");
        }
        assert_eq!(proxy.running().summary().replays, 1);
    }
}

#[test]
fn a_stream_below_the_last_of_a_goaway_is_answered_and_nothing_else_goes_there() {
    let upstream = Upstream::playing(|talk| {
        if raw::greet(talk, 100).is_none() {
            return;
        }
        while let Some((stream, _)) = raw::next(talk, raw::HEADERS) {
            raw::go_away(talk, stream, 0);
            raw::response(talk, stream, &talk.number.to_string());
        }
    });
    let proxy = before(upstream.address);
    for number in ["0", "1", "2"] {
        assert_eq!(proxy.ask(POST).text(), number);
        upstream.ended();
    }
    assert_eq!(proxy.running().summary().replays, 0);
}

#[test]
fn c26_a_stale_connection_loses_no_get_and_doubles_no_post() {
    let upstream = Upstream::playing(|talk| {
        if raw::greet(talk, 100).is_none() {
            return;
        }
        // Responds to one request, and closes on the next.
        let Some((stream, _)) = raw::next(talk, raw::HEADERS) else { return };
        raw::response(talk, stream, "ok");
        raw::next(talk, raw::HEADERS);
    });
    for replay in [true, false] {
        let proxy = proxy::before(upstream.address)
            .over_http2()
            .with(|settings: &mut Settings| settings.replay = replay)
            .start();
        assert_eq!(proxy.ask(GET).status(), 200);
        assert_eq!(proxy.ask(GET).status(), if replay { 200 } else { 502 });
        // After the replay the next connection has served one request, too.
        let statuses = [proxy.ask(POST).status(), proxy.ask(POST).status()];
        assert!(statuses.contains(&502), "{statuses:?}");
        assert_eq!(proxy.running().summary().replays, u64::from(replay));
    }
}

#[test]
fn a_refused_stream_of_a_broken_off_answer_is_not_sent_again() {
    let upstream = Upstream::playing(|talk| {
        if raw::greet(talk, 100).is_none() {
            return;
        }
        while let Some((stream, _)) = raw::next(talk, raw::HEADERS) {
            raw::send(talk, raw::HEADERS, 4, stream, &[0x88]);
            raw::send(talk, raw::DATA, 0, stream, b"abc");
            raw::reset(talk, stream, REFUSED_STREAM);
        }
    });
    let proxy = before(upstream.address);
    let mut client = proxy.connect();
    client.send(GET);
    client.ended();
    assert_eq!(proxy.running().summary().replays, 0);
}

#[test]
fn idle_connections_are_closed_with_a_goodbye() {
    let upstream = Http2Upstream::playing(100, |mut asked| async move {
        assert_eq!(asked.request.method(), Method::GET);
        asked.response(Response::builder(), "ok");
    });
    let proxy = before(upstream.address);
    assert_eq!(proxy.ask(GET).status(), 200);
    proxy.running().drain();
    assert_eq!(upstream.ended(), 0);
}

#[test]
fn an_upstream_that_hangs_up_before_it_says_what_it_allows_is_asked_once() {
    let upstream = Upstream::playing(|_| {});
    let proxy = before(upstream.address);
    let response = proxy.ask(GET);
    assert_eq!((response.status(), response.header("fracas")), (502, Some("error=reset")));
    assert_eq!(upstream.ended(), 0);
    assert_eq!(proxy.ask(GET).status(), 502);
    assert_eq!(upstream.ended(), 1);
}
