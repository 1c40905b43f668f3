//! Abuse: it ends, and clients beside it are served.

use super::super::super::support::frames::{
    CONTINUATION, DATA, END_HEADERS, END_STREAM, End, Frame, Frames, HEADERS, PING, PRIORITY, RST_STREAM,
    SETTINGS, WINDOW_UPDATE, get, literal, post, pseudo,
};
use super::super::super::support::proxy::{self, TestProxy};
use super::super::super::support::upstream::Upstream;

/// More than any of these may last.
const MOST: u32 = 20_000;

/// Sends the frames made for each number; returns the connection's end, which must come.
fn flood(proxy: &TestProxy, frames: impl Fn(u32) -> Vec<Frame>) -> End {
    let mut client = Frames::connect(proxy.address);
    let mut neighbour = Frames::connect(proxy.address);
    for first in (0..MOST).step_by(50) {
        let batch = (first..first + 50).flat_map(&frames).flat_map(|frame| frame.bytes());
        if client.socket.try_send(batch.collect::<Vec<u8>>()).is_err() {
            break;
        }
    }
    let end = client.end_of(u32::MAX);
    neighbour.send(&get(1));
    assert_eq!(neighbour.end_of(1), End::Answered, "a neighbour is served on");
    end
}

fn cancel(stream: u32) -> Frame {
    Frame::new(RST_STREAM, 0, stream, [0, 0, 0, 8])
}

#[test]
fn c40_each_flood_ends_its_own_connection() {
    let upstream = Upstream::answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    let proxy = proxy::before(upstream.address).start();
    let odd = |number: u32| 2 * number + 1;
    type Made = Box<dyn Fn(u32) -> Vec<Frame>>;
    let cases: Vec<(&str, Made, &[End])> = vec![
        (
            "rapid reset (CVE-2023-44487)",
            Box::new(move |number| vec![get(odd(number)), cancel(odd(number))]),
            &[End::GoAway("ENHANCE_YOUR_CALM")],
        ),
        (
            "MadeYouReset (CVE-2025-8671): a window that overflows",
            Box::new(move |number| {
                vec![
                    get(odd(number)),
                    Frame::new(WINDOW_UPDATE, 0, odd(number), 0x7fff_ffff_u32.to_be_bytes()),
                ]
            }),
            &[End::GoAway("ENHANCE_YOUR_CALM")],
        ),
        (
            "an empty window update, which is an error of the connection",
            Box::new(move |number| vec![get(odd(number)), Frame::new(WINDOW_UPDATE, 0, odd(number), [0; 4])]),
            &[End::GoAway("PROTOCOL_ERROR")],
        ),
        (
            "CONTINUATION without an end (CVE-2024-27316)",
            Box::new(|number| {
                if number == 0 {
                    vec![Frame::new(HEADERS, END_STREAM, 1, pseudo("GET", "/"))]
                } else {
                    vec![Frame::new(CONTINUATION, 0, 1, literal(b"x", b"y"))]
                }
            }),
            &[End::GoAway("ENHANCE_YOUR_CALM")],
        ),
        (
            "empty CONTINUATION",
            Box::new(|number| match number {
                0 => vec![Frame::new(HEADERS, END_STREAM, 1, pseudo("GET", "/"))],
                _ => vec![Frame::new(CONTINUATION, 0, 1, [])],
            }),
            &[End::GoAway("ENHANCE_YOUR_CALM")],
        ),
        (
            "empty DATA (CVE-2019-9518)",
            Box::new(|number| match number {
                0 => vec![post(1)],
                _ => vec![Frame::new(DATA, 0, 1, [])],
            }),
            &[End::GoAway("ENHANCE_YOUR_CALM")],
        ),
        (
            "an HPACK bomb: one long value, named over and over",
            Box::new(|number| {
                if number > 200 {
                    return Vec::new();
                }
                // The value goes into the table (§6.2.1), and one byte names it from then on.
                let long = vec![b'y'; 3_900];
                let mut block = pseudo("GET", "/");
                if number == 0 {
                    let mut field = literal(b"x", &long);
                    field[0] = 0x40;
                    block.extend(field);
                }
                block.extend(std::iter::repeat_n(0xbe, 16_000 - block.len().min(15_000)));
                vec![Frame::new(HEADERS, END_STREAM | END_HEADERS, 2 * number + 1, block)]
            }),
            &[End::GoAway("ENHANCE_YOUR_CALM")],
        ),
        ("PING (CVE-2019-9512)", Box::new(|_| vec![Frame::new(PING, 0, 0, [0; 8])]), &[End::Closed]),
        ("SETTINGS (CVE-2019-9515)", Box::new(|_| vec![Frame::new(SETTINGS, 0, 0, [])]), &[End::Closed]),
        (
            "PRIORITY (CVE-2019-9513)",
            Box::new(|_| vec![Frame::new(PRIORITY, 0, 1, [0, 0, 0, 0, 1])]),
            &[End::Closed],
        ),
        ("WINDOW_UPDATE", Box::new(|_| vec![Frame::new(WINDOW_UPDATE, 0, 0, [0, 0, 0, 1])]), &[End::Closed]),
        ("frames without a name", Box::new(|_| vec![Frame::new(0xfa, 0, 0, [])]), &[End::Closed]),
    ];
    for (what, frames, ends) in cases {
        let end = flood(&proxy, frames);
        assert!(ends.contains(&end), "{what}: {end:?}");
    }
}

#[test]
fn c40_more_streams_than_allowed_are_refused_and_the_others_answered() {
    let upstream = Upstream::playing(|talk| {
        talk.request();
        talk.socket.ended();
    });
    let proxy = proxy::before(upstream.address).start();
    let mut client = Frames::connect(proxy.address);
    for number in 0..=100 {
        client.send(&post(2 * number + 1));
    }
    assert_eq!(client.end_of(201), End::Reset("REFUSED_STREAM"));
    // A place that is given up is free again.
    client.send(&cancel(1));
    client.send(&post(203));
    client.send(&Frame::new(PING, 0, 0, [7; 8]));
    let pong = client.until(|frame| frame.kind == PING || frame.stream == 203);
    assert_eq!(pong.kind, PING, "{pong:?}");
}
