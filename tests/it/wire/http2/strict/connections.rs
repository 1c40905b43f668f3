//! How a connection begins (RFC 9113 §3.4), and how many streams it has at once (§5.1.2).

use super::super::super::super::support::frames::{
    ACK, END_HEADERS, END_STREAM, End, Frame, Frames, HEADERS, PREFACE, RST_STREAM, SETTINGS, get, pseudo,
};
use super::super::super::super::support::proxy;
use super::super::super::super::support::socket::Socket;
use super::{ping, upstream};

#[test]
fn c39_what_has_no_preface_is_not_http_2() {
    let upstream = upstream();
    let proxy = proxy::before(upstream.address).start();
    // From the first octet that differs it is HTTP/1.1, of no version or method that there is.
    for start in [
        "PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n",
        "PRI * HTTP/3.0\r\n\r\nSM\r\n\r\n",
        "INVALID CONNECTION PREFACE\r\n\r\n",
    ] {
        let mut socket = Socket::connect(proxy.address);
        socket.send(start);
        let response = socket.response();
        assert_eq!(response.status(), 400, "{start:?}");
        socket.ended();
    }
    assert_eq!(upstream.requests(), []);
}

#[test]
fn c39_what_does_not_begin_with_settings_is_ended() {
    let upstream = upstream();
    let proxy = proxy::before(upstream.address).start();
    for first in [get(1), ping(), Frame::new(SETTINGS, ACK, 0, [])] {
        let mut frames = Frames::over(Socket::connect(proxy.address));
        frames.socket.send([PREFACE, &first.bytes()].concat());
        assert_eq!(frames.end_of(1), End::Closed, "{first:?}");
    }
    assert_eq!(upstream.requests(), []);
}

#[test]
fn c39_streams_beyond_what_is_offered_are_refused() {
    let upstream = upstream();
    let proxy = proxy::before(upstream.address).start();
    let mut frames = Frames::over(Socket::connect(proxy.address));
    frames.socket.send(PREFACE);
    frames.send(&Frame::new(SETTINGS, 0, 0, []));
    let offered = frames.next().expect("settings");
    let most = offered.payload.chunks(6).find_map(|setting| match setting {
        [0, 3, value @ ..] => Some(u32::from_be_bytes(value.try_into().expect("four bytes"))),
        _ => None,
    });
    let most = most.expect("a limit");
    let hang = |stream| Frame::new(HEADERS, END_STREAM | END_HEADERS, stream, pseudo("GET", "/hang"));
    let bytes: Vec<u8> = (0..=most).flat_map(|number| hang(2 * number + 1).bytes()).collect();
    frames.socket.send(bytes);
    let refused = frames.until(|frame| frame.kind == RST_STREAM);
    assert_eq!((refused.stream, refused.code()), (2 * most + 1, "REFUSED_STREAM"));
    // A client that makes room is served.
    frames.send(&Frame::new(RST_STREAM, 0, 1, [0, 0, 0, 8]));
    let next = 2 * most + 3;
    frames.send(&get(next));
    frames.until(|frame| frame.stream == next && frame.kind == HEADERS);
}
