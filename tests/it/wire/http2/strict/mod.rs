//! Clients that break the protocol, case by case: those of h2spec 2.6, as data. A row gives the section, the
//! frames, the state of stream 1 in which they come, and the required end. Where h2 reads a section in
//! another way than h2spec, the row says so.

mod connections;
mod frames;
mod requests;
mod windows;

use super::super::super::support::frames::{
    END_HEADERS, END_STREAM, Frame, Frames, GOAWAY, HEADERS, PING, RST_STREAM, WINDOW_UPDATE, get, post,
    pseudo,
};
use super::super::super::support::proxy::{self, TestProxy};
use super::super::super::support::strict;
use super::super::super::support::upstream::{Talk, Upstream};

/// A frame's flags that only these tests use (RFC 9113 §6.1, §6.2).
const PADDED: u8 = 0x8;
const PRIORITIZED: u8 = 0x20;
/// A kind of frame that clients must not send (§6.6).
const PUSH_PROMISE: u8 = 5;

/// The client's earlier actions on stream 1 (§5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Given {
    Idle,
    /// The head of a POST has gone.
    Open,
    /// A GET has gone that is not answered.
    HalfClosed,
    /// The same, and the client has reset it.
    Reset,
    /// A GET was answered.
    Closed,
}
use Given::{Closed, HalfClosed, Idle, Open, Reset};

/// How it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ends {
    /// An error of the connection: GOAWAY with this code, and then the connection closes (§5.4.1).
    GoAway(&'static str),
    /// An error of stream 1 alone: RST_STREAM with this code, and others are served (§5.4.2).
    StreamReset(&'static str),
    /// Stream 1 is answered with this status, and others are served.
    Answered(u16),
    /// As if nothing had come: others are served.
    Ignored,
    /// GOAWAY with `PROTOCOL_ERROR`, where the section asks for this. h2 has no finer word for frames that it
    /// cannot make sense of; an error of a stream may be one of its connection (§5.4.1). So the connection
    /// ends, as it may, and the client's error does no harm: only the code is coarse.
    InsteadOf(&'static Ends),
}
use Ends::{Answered, GoAway, Ignored, InsteadOf, StreamReset};

/// Section, name, state before, frames, end.
type Row = (&'static str, &'static str, Given, Vec<Frame>, Ends);

/// The stream that shows whether others are served.
const OTHER: u32 = 101;

/// An upstream that responds, but for `/hang`.
fn upstream() -> Upstream {
    Upstream::playing(|talk: &mut Talk| {
        while let Some(request) = talk.whole_request() {
            let is_over = request.target() == "/hang"
                || talk.socket.try_send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").is_err();
            if is_over && talk.whole_request().is_none() {
                break;
            }
        }
    })
}

/// Plays every row, and lists all with another end. Malformed requests must not reach the upstream.
fn play(rows: Vec<Row>) {
    let upstream = upstream();
    let proxy = proxy::before(upstream.address).start();
    let wrong: Vec<String> = rows
        .into_iter()
        .filter_map(|(section, what, given, frames, ends)| {
            let seen = end(&proxy, given, &frames, ends);
            let is_right = match ends {
                InsteadOf(_) => seen == Some(GoAway("PROTOCOL_ERROR")),
                _ => seen == Some(ends),
            };
            (!is_right).then(|| format!("{section}: {what}: {ends:?} expected, {seen:?} seen"))
        })
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    upstream.requests().iter().for_each(strict::check);
}

/// The end of stream 1 or of the connection; `None` if that closes without a word. `expected` selects the
/// event to wait for.
fn end(proxy: &TestProxy, given: Given, frames: &[Frame], expected: Ends) -> Option<Ends> {
    let mut client = given_in(proxy, given);
    let bytes: Vec<u8> = frames.iter().chain([&get(OTHER)]).flat_map(Frame::bytes).collect();
    // A connection that has ended may not take all of it.
    let _ = client.socket.try_send(bytes);
    let mut subject = Ignored;
    let mut is_other_served = false;
    while !is_other_served || (matches!(expected, Answered(_) | StreamReset(_)) && subject == Ignored) {
        let frame = client.next()?;
        let is_last = frame.flags & END_STREAM != 0;
        match (frame.kind, frame.stream) {
            (GOAWAY, _) => {
                let code = frame.code();
                while client.next().is_some() {}
                return Some(GoAway(code));
            }
            (RST_STREAM, 1) => subject = StreamReset(frame.code()),
            (HEADERS, 1) => subject = Answered(frame.status()),
            (RST_STREAM, OTHER) => panic!("another stream is reset: {}", frame.code()),
            (_, OTHER) => is_other_served |= is_last,
            _ => {}
        }
    }
    Some(subject)
}

/// A connection on which stream 1 is in this state.
fn given_in(proxy: &TestProxy, given: Given) -> Frames {
    let mut client = Frames::connect(proxy.address);
    match given {
        Idle => {}
        Open => client.send(&post(1)),
        HalfClosed | Reset => {
            client.send(&Frame::new(HEADERS, END_STREAM | END_HEADERS, 1, pseudo("GET", "/hang")));
        }
        Closed => {
            client.send(&get(1));
            client.until(|frame| frame.stream == 1 && frame.flags & END_STREAM != 0);
        }
    }
    if given == Reset {
        client.send(&Frame::new(RST_STREAM, 0, 1, [0, 0, 0, 8]));
    }
    client
}

/// A GET's HEADERS, with flags beside the usual, and bytes before and after its block.
fn get_with(flags: u8, before: &[u8], after: &[u8]) -> Frame {
    let block = [before, &pseudo("GET", "/"), after].concat();
    Frame::new(HEADERS, END_STREAM | END_HEADERS | flags, 1, block)
}

fn window_update(stream: u32, increment: u32) -> Frame {
    Frame::new(WINDOW_UPDATE, 0, stream, increment.to_be_bytes())
}

fn ping() -> Frame {
    Frame::new(PING, 0, 0, *b"fracas-1")
}
