//! An upstream that sends frames by hand, for those that a well-behaved one never sends (RFC 9113 §4, §6).

use super::super::super::support::upstream::Talk;

pub const DATA: u8 = 0;
pub const HEADERS: u8 = 1;
pub const RST_STREAM: u8 = 3;
pub const SETTINGS: u8 = 4;
pub const PING: u8 = 6;
pub const GOAWAY: u8 = 7;

const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

/// The upstream's preface: as many streams at once as it allows.
pub fn greet(talk: &mut Talk, streams: u32) -> Option<()> {
    const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    assert_eq!(talk.socket.try_exactly(PREFACE.len()).ok()?, PREFACE);
    let settings = [&[0, 3], &streams.to_be_bytes()[..]].concat();
    send(talk, SETTINGS, 0, 0, &settings);
    Some(())
}

/// Sends one frame.
pub fn send(talk: &mut Talk, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
    let length = u32::try_from(payload.len()).expect("a length").to_be_bytes();
    let frame = [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat();
    let _ = talk.socket.try_send(frame);
}

/// The stream and the payload of the next frame of a kind; settings and pings are acknowledged.
pub fn next(talk: &mut Talk, wanted: u8) -> Option<(u32, Vec<u8>)> {
    loop {
        let head = talk.socket.try_exactly(9).ok()?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
        let payload = talk.socket.try_exactly(length).ok()?;
        let (kind, flags) = (head[3], head[4]);
        let stream = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
        match kind {
            SETTINGS | PING if flags == 0 => {
                let echoed = if kind == PING { &payload[..] } else { &[] };
                send(talk, kind, 1, 0, echoed);
            }
            _ if kind == wanted => return Some((stream, payload)),
            _ => {}
        }
    }
}

/// Responds with 200 and a body: `:status` is the static table's entry 8 (RFC 7541 appendix A).
pub fn response(talk: &mut Talk, stream: u32, body: &str) {
    send(talk, HEADERS, END_HEADERS, stream, &[0x88]);
    send(talk, DATA, END_STREAM, stream, body.as_bytes());
}

/// Goes away; `last` is the last stream that was processed.
pub fn go_away(talk: &mut Talk, last: u32, code: u32) {
    send(talk, GOAWAY, 0, 0, &[last.to_be_bytes(), code.to_be_bytes()].concat());
}

/// Resets a stream.
pub fn reset(talk: &mut Talk, stream: u32, code: u32) {
    send(talk, RST_STREAM, 0, stream, &code.to_be_bytes());
}
