//! A stream that exceeds a deadline ends, and its neighbours do not.

use std::time::Duration;

use fracas::clock::Clock;
use fracas::rules::Timeouts;

use super::super::super::support::frames::{
    ACK, DATA, END_HEADERS, END_STREAM, End, Frame, Frames, GOAWAY, HEADERS, INITIAL_WINDOW_SIZE, PING,
    PREFACE, RST_STREAM, WINDOW_UPDATE, get, post, pseudo, setting,
};
use super::super::super::support::proxy::{self, TestProxy};
use super::super::super::support::socket::Socket;
use super::super::super::support::upstream::Upstream;

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
/// Timeouts that are meant to expire.
const SHORT: Duration = Duration::from_millis(60);

/// An upstream that responds to `/`, never to `/hang`, and never ends its response to `/half`; `/big` is more
/// than any window.
fn upstream() -> Upstream {
    Upstream::playing(|talk| {
        while let Some(request) = talk.request_head() {
            match request.target() {
                "/half" => {
                    talk.socket.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
                    talk.socket.ended();
                    return;
                }
                "/hang" => {
                    talk.socket.ended();
                    return;
                }
                "/big" => {
                    let body = "x".repeat(1 << 20);
                    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
                    if talk.socket.try_send(head + &body).is_err() {
                        return;
                    }
                }
                "/six" => talk.socket.send("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabcdef"),
                _ => talk.socket.send(OK),
            }
        }
    })
}

fn proxy_with(upstream: &Upstream, change: impl FnOnce(&mut Timeouts)) -> TestProxy {
    proxy::before(upstream.address).with(|settings| change(&mut settings.timeouts)).start()
}

fn get_of(stream: u32, path: &str) -> Frame {
    Frame::new(HEADERS, END_STREAM | END_HEADERS, stream, pseudo("GET", path))
}

/// The result of `work`, which must have taken at least [`SHORT`].
fn not_too_soon<T>(work: impl FnOnce() -> T) -> T {
    let clock = Clock::start();
    let done = work();
    assert!(clock.now().0 >= SHORT.as_nanos() as u64, "it was cut off too soon");
    done
}

/// That the connection still serves.
fn serves_on(client: &mut Frames, stream: u32) {
    client.send(&get(stream));
    assert_eq!(client.end_of(stream), End::Answered);
}

#[test]
fn c30_a_slow_body_is_a_408_and_its_neighbour_goes_on() {
    let upstream = upstream();
    let proxy = proxy_with(&upstream, |timeouts| timeouts.request_body = SHORT);
    let mut client = Frames::connect(proxy.address);
    // One that the upstream reads, and one without a response.
    client.send(&get_of(1, "/hang"));
    not_too_soon(|| {
        client.send(&Frame::new(HEADERS, END_HEADERS, 3, pseudo("POST", "/hang")));
        client.send(&Frame::new(DATA, 0, 3, "abc"));
        let head = client.until(|frame| frame.kind == HEADERS && frame.stream == 3);
        assert_eq!(head.status(), 408);
    });
    serves_on(&mut client, 5);
    client.send(&Frame::new(RST_STREAM, 0, 1, [0, 0, 0, 8]));
}

#[test]
fn an_upstream_that_says_nothing_is_a_504_and_the_neighbour_goes_on() {
    let upstream = upstream();
    let proxy = proxy_with(&upstream, |timeouts| timeouts.response_head = SHORT);
    let mut client = Frames::connect(proxy.address);
    not_too_soon(|| {
        client.send(&get_of(1, "/hang"));
        let head = client.until(|frame| frame.kind == HEADERS && frame.stream == 1);
        assert_eq!(head.status(), 504);
    });
    serves_on(&mut client, 3);
}

#[test]
fn an_answer_that_stops_resets_its_stream_alone() {
    let upstream = upstream();
    let proxy = proxy_with(&upstream, |timeouts| timeouts.response_body = Some(SHORT));
    let mut client = Frames::connect(proxy.address);
    not_too_soon(|| {
        client.send(&get_of(1, "/half"));
        assert!(matches!(client.end_of(1), End::Reset(_)));
    });
    serves_on(&mut client, 3);
}

#[test]
fn c30_a_stream_without_a_window_is_reset_alone() {
    let upstream = upstream();
    let proxy = proxy_with(&upstream, |timeouts| timeouts.write = SHORT);
    let mut client = Frames::connect_with(proxy.address, &setting(INITIAL_WINDOW_SIZE, 0));
    for (stream, path) in [(1, "/"), (3, "/big")] {
        not_too_soon(|| {
            client.send(&get_of(stream, path));
            assert!(matches!(client.end_of(stream), End::Reset(_)));
        });
    }
    client.send(&get_of(5, "/"));
    client.until(|frame| frame.kind == HEADERS && frame.stream == 5);
    client.send(&Frame::new(WINDOW_UPDATE, 0, 5, [0, 0, 0, 9]));
    assert_eq!(client.end_of(5), End::Answered);
}

#[test]
fn a_client_that_reads_slowly_is_waited_for() {
    let upstream = upstream();
    let proxy = proxy_with(&upstream, |timeouts| timeouts.write = Duration::from_secs(1));
    let mut client = Frames::connect_with(proxy.address, &setting(INITIAL_WINDOW_SIZE, 0));
    client.send(&get_of(1, "/big"));
    let mut left: i64 = 1 << 20;
    // Each grant lets a little through, after less than the timeout; all of them take longer.
    for turn in 0.. {
        client.send(&Frame::new(WINDOW_UPDATE, 0, 1, u32::to_be_bytes(64 * 1024)));
        client.send(&Frame::new(WINDOW_UPDATE, 0, 0, u32::to_be_bytes(64 * 1024)));
        let mut granted = 64 * 1024;
        while granted > 0 && left > 0 {
            let data = client.until(|frame| frame.kind == DATA);
            granted -= data.payload.len() as i64;
            left -= data.payload.len() as i64;
        }
        if left == 0 {
            break;
        }
        assert!(turn < 100);
        wait(Duration::from_millis(110));
    }
    serves_on_with_window(&mut client, 3);
}

fn serves_on_with_window(client: &mut Frames, stream: u32) {
    client.send(&get(stream));
    client.send(&Frame::new(WINDOW_UPDATE, 0, stream, [0, 0, 0, 9]));
    assert_eq!(client.end_of(stream), End::Answered);
}

/// Waits, by an event: a connection to a proxy that lets idle ones go after `length`.
pub fn wait(length: Duration) {
    let upstream = Upstream::answering(OK);
    proxy_with(&upstream, |timeouts| timeouts.keep_alive = length).connect().ended();
}

#[test]
fn an_idle_connection_is_told_to_go_after_keep_alive() {
    let upstream = upstream();
    let proxy = proxy_with(&upstream, |timeouts| timeouts.keep_alive = SHORT);
    for asks in [false, true] {
        let mut client = not_too_soon(|| {
            let mut client = Frames::connect(proxy.address);
            if asks {
                serves_on(&mut client, 1);
            }
            assert_eq!(client.until(|frame| frame.kind == GOAWAY).code(), "NO_ERROR");
            client
        });
        let ping = client.until(|frame| frame.kind == PING);
        client.send(&Frame::new(PING, ACK, 0, ping.payload));
        assert_eq!(client.end_of(99), End::GoAway("NO_ERROR"));
        assert_eq!(client.end_of(99), End::Closed);
    }
}

#[test]
fn a_client_that_only_sends_pings_is_told_to_go_after_keep_alive() {
    let upstream = upstream();
    let proxy = proxy_with(&upstream, |timeouts| timeouts.keep_alive = SHORT);
    for asks in [false, true] {
        not_too_soon(|| {
            let mut client = Frames::connect(proxy.address);
            if asks {
                serves_on(&mut client, 1);
            }
            // Each PING as soon as the last is answered: the connection is never silent.
            let goodbye = loop {
                client.send(&Frame::new(PING, 0, 0, *b"fracas-1"));
                let frame = client.next().expect("a word before the end");
                if frame.kind == GOAWAY {
                    break frame;
                }
            };
            assert_eq!(goodbye.code(), "NO_ERROR");
        });
    }
}

#[test]
fn a_client_that_sends_pings_and_requests_is_served_on() {
    let upstream = upstream();
    let proxy = proxy_with(&upstream, |timeouts| timeouts.keep_alive = SHORT * 20);
    let mut client = Frames::connect(proxy.address);
    for turn in 0..5 {
        client.send(&Frame::new(PING, 0, 0, *b"fracas-1"));
        serves_on(&mut client, 2 * turn + 1);
        wait(SHORT * 5);
    }
}

#[test]
fn a_connection_with_a_stream_is_not_idle() {
    let upstream = upstream();
    let proxy = proxy_with(&upstream, |timeouts| {
        timeouts.keep_alive = SHORT;
        timeouts.response_head = SHORT * 10;
    });
    let mut client = Frames::connect(proxy.address);
    client.send(&get_of(1, "/hang"));
    let head = client.until(|frame| frame.kind == HEADERS && frame.stream == 1);
    assert_eq!(head.status(), 504);
}

#[test]
fn an_answer_that_a_client_never_lets_through_does_not_hold_its_connection() {
    let upstream = upstream();
    let proxy = proxy_with(&upstream, |timeouts| timeouts.keep_alive = SHORT);
    // One byte of two: for hyper the response has gone.
    let mut client = Frames::connect_with(proxy.address, &setting(INITIAL_WINDOW_SIZE, 1));
    not_too_soon(|| {
        client.send(&get(1));
        assert_eq!(client.end_of(1), End::GoAway("NO_ERROR"));
        // It does not acknowledge the PING either.
        client.socket.ended();
    });
}

#[test]
fn an_answer_that_a_client_lets_through_a_byte_at_a_time_keeps_its_connection() {
    let upstream = upstream();
    let proxy = proxy_with(&upstream, |timeouts| timeouts.keep_alive = Duration::from_secs(1));
    let mut client = Frames::connect_with(proxy.address, &setting(INITIAL_WINDOW_SIZE, 1));
    client.send(&get_of(1, "/six"));
    // For hyper the response has gone with the first of them; the last comes after more than `keep_alive`.
    for _ in 1..6 {
        client.until(|frame| frame.kind == DATA && !frame.payload.is_empty());
        wait(Duration::from_millis(250));
        client.send(&Frame::new(WINDOW_UPDATE, 0, 1, [0, 0, 0, 1]));
    }
    assert_eq!(client.end_of(1), End::Answered);
}

#[test]
fn c30_a_head_that_never_ends_ends_its_connection() {
    let upstream = upstream();
    let proxy = proxy_with(&upstream, |timeouts| timeouts.request_head = SHORT);
    let whole = get(3).bytes();
    for cut in [whole[..5].to_vec(), whole[..20].to_vec(), Frame::new(HEADERS, 0, 3, []).bytes()] {
        let mut client = Frames::connect(proxy.address);
        serves_on(&mut client, 1);
        if cut.len() > 5 {
            not_too_soon(|| {
                client.socket.send(&cut);
                client.socket.ended();
            });
        } else {
            // Of no frame yet.
            client.socket.send(&cut);
            client.socket.send(&whole[5..]);
            assert_eq!(client.end_of(3), End::Answered);
        }
    }
    // The preface is part of the first head.
    let mut socket = Socket::connect(proxy.address);
    not_too_soon(|| {
        socket.send(&PREFACE[..10]);
        socket.ended();
    });
}

#[test]
fn a_refused_upload_that_stops_is_reset_and_its_neighbour_goes_on() {
    let upstream = upstream();
    let proxy = proxy::before(upstream.address).rules("[[rule]]\nmethod = \"POST\"\n").start();
    let mut client = Frames::connect(proxy.address);
    client.send(&post(1));
    assert_eq!(client.end_of(1), End::Answered);
    serves_on(&mut client, 3);
    // The rest of the upload is read, within bounds.
    let reset = client.until(|frame| frame.kind == RST_STREAM && frame.stream == 1);
    assert_eq!(reset.code(), "NO_ERROR");
}
