//! Frames and their sizes, states of streams, and each kind of frame (RFC 9113 §4–§7).

use super::super::super::super::support::frames::{
    ACK, CONTINUATION, DATA, END_HEADERS, END_STREAM, Frame, GOAWAY, HEADERS, PING, PRIORITY, RST_STREAM,
    SETTINGS, get, pseudo, setting,
};
use super::{
    Answered, Closed, Ends, GoAway, HalfClosed, Idle, Ignored, InsteadOf, Open, PADDED, PRIORITIZED,
    PUSH_PROMISE, Reset, Row, StreamReset, get_with, ping, play, window_update,
};

/// Maximum payload of a frame unless a setting says more (§6.5.2).
const MOST: usize = 1 << 14;
/// Maximum size of a window (§6.9.1).
const WINDOW: u32 = (1 << 31) - 1;

const HEADER_TABLE_SIZE: u16 = 1;
const ENABLE_PUSH: u16 = 2;
const INITIAL_WINDOW_SIZE: u16 = 4;
const MAX_FRAME_SIZE: u16 = 5;

fn data(stream: u32) -> Frame {
    Frame::new(DATA, END_STREAM, stream, "data")
}

fn headers(flags: u8, stream: u32) -> Frame {
    Frame::new(HEADERS, flags, stream, pseudo("GET", "/"))
}

fn continuation(flags: u8, stream: u32) -> Frame {
    Frame::new(CONTINUATION, flags, stream, [])
}

fn priority(stream: u32, on: u32) -> Frame {
    Frame::new(PRIORITY, 0, stream, [&on.to_be_bytes()[..], &[15]].concat())
}

fn reset(stream: u32, code: u32) -> Frame {
    Frame::new(RST_STREAM, 0, stream, code.to_be_bytes())
}

fn settings(name: u16, value: u32) -> Vec<Frame> {
    vec![Frame::new(SETTINGS, 0, 0, setting(name, value))]
}

fn unknown(stream: u32) -> Frame {
    Frame::new(0xfa, 0xff, stream, "nobody knows")
}

#[test]
fn c39_frames_and_their_sizes() {
    const TOO_LONG: Ends = GoAway("FRAME_SIZE_ERROR");
    const ERROR: Ends = GoAway("PROTOCOL_ERROR");
    let long = |kind, flags, length| vec![Frame::new(kind, flags, 1, vec![b'x'; length])];
    let rows: Vec<Row> = vec![
        ("4.1", "a frame of an unknown kind", Idle, vec![unknown(0)], Ignored),
        ("4.1", "flags without a meaning", Idle, vec![Frame::new(PING, 0xfe, 0, [0; 8])], Ignored),
        ("4.1", "the reserved bit", Idle, vec![Frame::new(PING, 0, 1 << 31, [0; 8])], Ignored),
        ("4.2", "DATA as long as may be", Open, long(DATA, END_STREAM, MOST), Answered(200)),
        ("4.2", "DATA that is longer", Open, long(DATA, 0, MOST + 1), TOO_LONG),
        ("4.2", "HEADERS that are longer", Idle, long(HEADERS, END_HEADERS, MOST + 1), TOO_LONG),
        (
            "4.3",
            "a torn block",
            Idle,
            vec![get_with(0, &[], &[0x40])],
            InsteadOf(&GoAway("COMPRESSION_ERROR")),
        ),
        ("4.3", "PRIORITY within a block", Idle, vec![headers(0, 1), priority(1, 0)], ERROR),
        ("4.3", "another stream's HEADERS within it", Idle, vec![headers(0, 1), get(3)], ERROR),
        ("5.4.1", "it closes after its GOAWAY", Idle, vec![Frame::new(PING, 0, 1, [0; 8])], ERROR),
        ("5.5", "an unknown kind on a stream", Open, vec![unknown(1), data(1)], Answered(200)),
        ("5.5", "an unknown kind within a block", Idle, vec![headers(0, 1), unknown(1)], ERROR),
    ];
    play(rows);
}

#[test]
fn c39_states_of_streams() {
    const ERROR: Ends = GoAway("PROTOCOL_ERROR");
    const CLOSED: Ends = StreamReset("STREAM_CLOSED");
    const ITSELF: Ends = StreamReset("PROTOCOL_ERROR");
    const GONE: Ends = GoAway("STREAM_CLOSED");
    let rest = || vec![continuation(END_HEADERS, 1)];
    let on_itself = || vec![get_with(PRIORITIZED, &[0, 0, 0, 1, 15], &[])];
    let late = || vec![window_update(1, 9), reset(1, 8)];
    let rows: Vec<Row> = vec![
        ("5.1", "idle: DATA", Idle, vec![data(1)], ERROR),
        ("5.1", "idle: RST_STREAM", Idle, vec![reset(1, 8)], ERROR),
        ("5.1", "idle: WINDOW_UPDATE", Idle, vec![window_update(1, 9)], ERROR),
        ("5.1", "idle: CONTINUATION", Idle, rest(), ERROR),
        ("5.1", "idle: PRIORITY", Idle, vec![priority(1, 0)], Ignored),
        ("5.1", "half-closed: DATA", HalfClosed, vec![data(1)], InsteadOf(&CLOSED)),
        ("5.1", "half-closed: HEADERS", HalfClosed, vec![get(1)], InsteadOf(&CLOSED)),
        ("5.1", "half-closed: CONTINUATION", HalfClosed, rest(), ERROR),
        ("5.1", "half-closed: WINDOW_UPDATE", HalfClosed, vec![window_update(1, 9)], Ignored),
        ("5.1", "half-closed: PRIORITY", HalfClosed, vec![priority(1, 0)], Ignored),
        ("5.1", "reset: DATA", Reset, vec![data(1)], CLOSED),
        ("5.1", "reset: HEADERS", Reset, vec![get(1)], InsteadOf(&GONE)),
        ("5.1", "reset: CONTINUATION", Reset, rest(), ERROR),
        ("5.1", "reset: PRIORITY", Reset, vec![priority(1, 0)], Ignored),
        // The section asks for an error of the connection; an end of the stream alone does no harm.
        ("5.1", "closed: DATA", Closed, vec![data(1)], CLOSED),
        ("5.1", "closed: HEADERS", Closed, vec![get(1)], InsteadOf(&GONE)),
        ("5.1", "closed: CONTINUATION", Closed, rest(), ERROR),
        ("5.1", "closed: WINDOW_UPDATE, RST_STREAM", Closed, late(), Ignored),
        ("5.1.1", "a stream of an even number", Idle, vec![get(2)], ERROR),
        ("5.1.1", "a lower number than the last", Idle, vec![get(5), get(3)], ERROR),
        // RFC 7540's: RFC 9113 has done with priorities, and leaves it open.
        ("5.3.1", "HEADERS that depend on themselves", Idle, on_itself(), ITSELF),
        ("5.3.1", "PRIORITY that depends on itself", Idle, vec![priority(1, 1)], ITSELF),
    ];
    play(rows);
}

#[test]
fn c39_data_and_headers() {
    const ERROR: Ends = GoAway("PROTOCOL_ERROR");
    let padded = |flags, text: &[u8]| vec![Frame::new(DATA, flags | PADDED, 1, text)];
    let (open, last) = (headers(END_STREAM, 1), continuation(END_HEADERS, 1));
    let pieces = |between: &[Frame]| [std::slice::from_ref(&open), between].concat();
    let rows: Vec<Row> = vec![
        ("6.1", "DATA of the connection", Open, vec![data(0)], ERROR),
        ("6.1", "DATA with padding", Open, padded(END_STREAM, b"\x02data\0\0"), Answered(200)),
        ("6.1", "DATA shorter than its padding", Open, padded(0, b"\x06data"), ERROR),
        ("6.1", "DATA without its padding's length", Open, padded(0, b""), ERROR),
        ("6.2", "HEADERS with padding", Idle, vec![get_with(PADDED, &[2], &[0, 0])], Answered(200)),
        ("6.2", "HEADERS with a priority", Idle, vec![get_with(PRIORITIZED, &[0; 5], &[])], Answered(200)),
        ("6.2", "HEADERS of the connection", Idle, vec![headers(END_HEADERS, 0)], ERROR),
        ("6.2", "HEADERS shorter than their padding", Idle, vec![get_with(PADDED, &[0xff], &[])], ERROR),
        ("6.2", "DATA within a block", Idle, pieces(&[data(1)]), ERROR),
        ("6.10", "a block in pieces", Idle, pieces(&[continuation(0, 1), last.clone()]), Answered(200)),
        ("6.10", "PING among them", Idle, pieces(&[continuation(0, 1), ping()]), ERROR),
        ("6.10", "one of the connection", Idle, pieces(&[continuation(END_HEADERS, 0)]), ERROR),
        ("6.10", "one of another stream", Idle, pieces(&[continuation(END_HEADERS, 3)]), ERROR),
        ("6.10", "one after HEADERS that ended", Idle, vec![headers(END_HEADERS, 1), last.clone()], ERROR),
        ("6.10", "one after the last", Idle, pieces(&[last.clone(), last.clone()]), ERROR),
        ("6.10", "one after DATA", Open, vec![Frame::new(DATA, 0, 1, "x"), last.clone()], ERROR),
    ];
    play(rows);
}

#[test]
fn c39_the_other_kinds() {
    const ERROR: Ends = GoAway("PROTOCOL_ERROR");
    const LENGTH: Ends = InsteadOf(&GoAway("FRAME_SIZE_ERROR"));
    const NONE: Ends = StreamReset("PROTOCOL_ERROR");
    const FLOW: Ends = GoAway("FLOW_CONTROL_ERROR");
    let of = |kind, flags, stream, length| vec![Frame::new(kind, flags, stream, vec![0; length])];
    let twice = |stream| vec![window_update(stream, WINDOW), window_update(stream, WINDOW)];
    let promise = [&[0, 0, 0, 2][..], &pseudo("GET", "/")].concat();
    let promise = vec![Frame::new(PUSH_PROMISE, END_HEADERS, 1, promise)];
    let beyond = [vec![window_update(1, WINDOW - 65_535)], settings(INITIAL_WINDOW_SIZE, WINDOW)].concat();
    let farewell = vec![Frame::new(GOAWAY, 0, 0, [0, 0, 0, 0, 0, 0, 0, 0xff])];
    let rows: Vec<Row> = vec![
        ("6.3", "PRIORITY of the connection", Idle, vec![priority(0, 1)], ERROR),
        (
            "6.3",
            "PRIORITY of 4 octets",
            Idle,
            of(PRIORITY, 0, 1, 4),
            InsteadOf(&StreamReset("FRAME_SIZE_ERROR")),
        ),
        ("6.4", "RST_STREAM of the connection", Idle, vec![reset(0, 8)], ERROR),
        ("6.4", "RST_STREAM of 3 octets", Open, of(RST_STREAM, 0, 1, 3), LENGTH),
        ("6.5", "an acknowledgement with a setting", Idle, of(SETTINGS, ACK, 0, 6), LENGTH),
        ("6.5", "SETTINGS of a stream", Idle, of(SETTINGS, 0, 1, 0), ERROR),
        ("6.5", "SETTINGS of 3 octets", Idle, of(SETTINGS, 0, 0, 3), LENGTH),
        ("6.5.2", "ENABLE_PUSH of 2", Idle, settings(ENABLE_PUSH, 2), ERROR),
        ("6.5.2", "a window of 2^31", Idle, settings(INITIAL_WINDOW_SIZE, WINDOW + 1), InsteadOf(&FLOW)),
        ("6.5.2", "frames of 2^14 - 1", Idle, settings(MAX_FRAME_SIZE, (1 << 14) - 1), ERROR),
        ("6.5.2", "frames of 2^24", Idle, settings(MAX_FRAME_SIZE, 1 << 24), ERROR),
        ("6.5.2", "an unknown setting", Idle, settings(0xff, 1), Ignored),
        ("6.5.2", "no room in the table", Idle, settings(HEADER_TABLE_SIZE, 0), Ignored),
        ("6.6, 8.4", "PUSH_PROMISE from a client", Open, promise, ERROR),
        ("6.7", "an acknowledgement of no PING", Idle, vec![Frame::new(PING, ACK, 0, [7; 8])], Ignored),
        ("6.7", "PING of a stream", Idle, of(PING, 0, 1, 8), ERROR),
        ("6.7", "PING of 9 octets", Idle, of(PING, 0, 0, 9), LENGTH),
        ("6.8", "GOAWAY of a stream", Idle, of(GOAWAY, 0, 1, 8), ERROR),
        ("6.9", "WINDOW_UPDATE of none, connection", Idle, vec![window_update(0, 0)], ERROR),
        ("6.9", "WINDOW_UPDATE of none, stream", Open, vec![window_update(1, 0)], InsteadOf(&NONE)),
        ("6.9", "WINDOW_UPDATE of 3 octets", Idle, of(8, 0, 0, 3), LENGTH),
        ("6.9.1", "a window over 2^31 - 1, connection", Idle, twice(0), FLOW),
        ("6.9.1", "a window over 2^31 - 1, stream", Open, twice(1), StreamReset("FLOW_CONTROL_ERROR")),
        ("6.9.2", "a setting that takes one over it", Open, beyond, FLOW),
        ("7", "RST_STREAM with an unknown code", Open, vec![reset(1, 0xff)], Ignored),
        ("7", "GOAWAY with an unknown code", HalfClosed, farewell, Ignored),
    ];
    play(rows);
}
