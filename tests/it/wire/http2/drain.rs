//! Draining over HTTP/2: streams in flight get their responses, and the client a GOAWAY.

use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use super::super::super::support::LONG;
use super::super::super::support::frames::{ACK, DATA, End, Frame, Frames, GOAWAY, PING, get};
use super::super::super::support::proxy;
use super::super::super::support::upstream::Upstream;

/// An upstream that reports each request, and responds on a signal.
fn gated() -> (Upstream, Receiver<()>, Sender<()>) {
    let (ask, asked) = channel();
    let (release, released) = channel::<()>();
    let released = Mutex::new(released);
    let upstream = Upstream::playing(move |talk| {
        while talk.request().is_some() {
            let _ = ask.send(());
            let _ = released.lock().expect("no panic").recv_timeout(LONG);
            if talk.socket.try_send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").is_err() {
                break;
            }
        }
    });
    (upstream, asked, release)
}

#[test]
fn c34_streams_in_flight_are_answered_and_the_client_told_to_go() {
    let (upstream, asked, release) = gated();
    let proxy = proxy::before(upstream.address).start();
    let mut client = Frames::connect(proxy.address);
    client.send(&get(1));
    asked.recv_timeout(LONG).expect("the request arrives");
    proxy.running().drain();
    assert_eq!(client.until(|frame| frame.kind == GOAWAY).code(), "NO_ERROR");
    // A request that was on its way when GOAWAY came is served too.
    client.send(&get(3));
    asked.recv_timeout(LONG).expect("the second one as well");
    let ping = client.until(|frame| frame.kind == PING);
    client.send(&Frame::new(PING, ACK, 0, ping.payload));
    let last = client.next().expect("a frame");
    assert_eq!((last.kind, last.code(), &last.payload[..4]), (GOAWAY, "NO_ERROR", &[0, 0, 0, 3][..]));
    for _ in 0..2 {
        release.send(()).expect("the upstream waits");
        assert_eq!(client.until(|frame| frame.kind == DATA).payload, b"ok");
    }
    assert_eq!(client.end_of(5), End::Closed);
    let summary = proxy.join();
    assert_eq!((summary.requests, summary.failures, summary.panics), (2, 0, 0));
}

#[test]
fn c34_a_stream_that_takes_too_long_is_cut_off() {
    let (upstream, asked, _release) = gated();
    let drain = Duration::from_millis(50);
    let proxy = proxy::before(upstream.address).with(|settings| settings.timeouts.drain = drain).start();
    let mut client = Frames::connect(proxy.address);
    client.send(&get(1));
    asked.recv_timeout(LONG).expect("the request arrives");
    proxy.running().drain();
    proxy.join();
    client.socket.ended();
}

#[test]
fn c34_an_idle_connection_goes_at_once() {
    let upstream = Upstream::echoing();
    let proxy = proxy::before(upstream.address).start();
    let mut client = Frames::connect(proxy.address);
    proxy.running().drain();
    client.until(|frame| frame.kind == GOAWAY);
    let ping = client.until(|frame| frame.kind == PING);
    client.send(&Frame::new(PING, ACK, 0, ping.payload));
    assert_eq!(client.end_of(1), End::GoAway("NO_ERROR"));
    assert_eq!(client.end_of(1), End::Closed);
    proxy.join();
}
