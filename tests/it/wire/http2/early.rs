//! Responses that come before the request's body is over, over HTTP/2: all of them have to arrive, and no
//! write may fail.

use std::net::SocketAddr;
use std::num::NonZeroUsize;

use bytes::Bytes;
use fracas::matching::Match;
use fracas::rules::Schedule;
use http::Request;

use super::super::super::support::frames::{
    DATA, END_STREAM, Frame, Frames, HEADERS, RST_STREAM, WINDOW_UPDATE, post,
};
use super::super::super::support::http2::{Client, exchange};
use super::super::super::support::is_full;
use super::super::super::support::proxy::{self, TestProxy, conflict};
use super::super::super::support::upstream::{Upstream, start};

/// Big enough that no socket and no window holds it.
const BODY: usize = 100 << 20;
/// Maximum payload of a frame, in bytes.
const PIECE: usize = 16 * 1024;

fn refusing(upstream: &Upstream) -> TestProxy {
    proxy::before(upstream.address)
        .rule(conflict(Match::default(), Schedule::Always))
        .with(|settings| settings.workers = NonZeroUsize::new(2))
        .start()
}

fn tries() -> usize {
    // All of it takes minutes.
    if is_full() { 1_000 } else { 20 }
}

/// Four clients post at a time.
fn all_post(post: fn(SocketAddr)) {
    let upstream = Upstream::echoing();
    let proxy = refusing(&upstream);
    let address = proxy.address;
    let posters: Vec<_> = (0..4)
        .map(|poster| start("poster", move || (poster..tries()).step_by(4).for_each(|_| post(address))))
        .collect();
    posters.into_iter().for_each(|poster| poster.join().expect("everybody hears it"));
    assert_eq!(upstream.requests(), []);
}

#[test]
fn c18_an_async_client_hears_its_409_and_no_write_fails_1000_times_when_full() {
    all_post(|address| {
        let client = Client::connect(address);
        let pieces = vec![Bytes::from(vec![b'x'; 1 << 20]); BODY >> 20];
        let request = Request::post("http://h.test/big").body(()).expect("a request");
        let exchange = exchange(client.sender.clone(), request, pieces, None);
        assert_eq!(client.runtime.block_on(exchange).expect("no failed write").status.as_u16(), 409);
    });
}

#[test]
fn c18_a_blocking_client_hears_its_409_after_its_last_write_1000_times_when_full() {
    all_post(|address| assert_eq!(write_all_then_read(address), 409));
}

/// Writes a whole request as its windows let it through, and only then reads its response.
fn write_all_then_read(address: SocketAddr) -> u16 {
    let mut client = Frames::connect(address);
    client.send(&post(1));
    let (mut stream, mut connection) = (client.stream_window, client.connection_window);
    let mut head = None;
    let mut left = BODY;
    let piece = vec![b'x'; PIECE];
    while left > 0 {
        let length = PIECE.min(left).min(stream).min(connection);
        if length == 0 {
            let frame = client.next().expect("the connection stays");
            match frame.kind {
                WINDOW_UPDATE => {
                    let more = u32::from_be_bytes(frame.payload[..4].try_into().expect("four bytes"));
                    let window = if frame.stream == 0 { &mut connection } else { &mut stream };
                    *window += more as usize;
                }
                HEADERS => head = Some(frame),
                RST_STREAM => panic!("a write fails: {}", frame.code()),
                _ => {}
            }
            continue;
        }
        left -= length;
        (stream, connection) = (stream - length, connection - length);
        client.send(&Frame::new(DATA, if left == 0 { END_STREAM } else { 0 }, 1, &piece[..length]));
    }
    let head = head.unwrap_or_else(|| client.until(|frame| frame.kind == HEADERS));
    head.status()
}
