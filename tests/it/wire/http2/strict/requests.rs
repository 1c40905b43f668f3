//! Requests, and how their fields are compressed (RFC 9113 §8; RFC 7541).

use super::super::super::super::support::frames::{
    CONTINUATION, DATA, END_HEADERS, END_STREAM, Frame, HEADERS, SETTINGS, block, pseudo, setting,
};
use super::{Answered, Ends, GoAway, Idle, InsteadOf, Open, Row, StreamReset, get_with, play};

/// A request of these fields and nothing else.
fn request(fields: &[(&str, &str)]) -> Vec<Frame> {
    vec![Frame::new(HEADERS, END_STREAM | END_HEADERS, 1, block(fields))]
}

/// The fields of every request, and this one.
fn get_and(name: &str, value: &str) -> Vec<Frame> {
    vec![get_with(0, &[], &block(&[(name, value)]))]
}

/// Some of a body, and fields after it.
fn data_and(flags: u8, fields: &[(&str, &str)]) -> Vec<Frame> {
    vec![data(0), Frame::new(HEADERS, flags, 1, block(fields))]
}

fn data(flags: u8) -> Frame {
    Frame::new(DATA, flags, 1, "data")
}

fn sized(length: &str, body: &[Frame]) -> Vec<Frame> {
    let head = [pseudo("POST", "/"), block(&[("content-length", length)])].concat();
    [&[Frame::new(HEADERS, END_HEADERS, 1, head)], body].concat()
}

const METHOD: (&str, &str) = (":method", "GET");
const SCHEME: (&str, &str) = (":scheme", "http");
const PATH: (&str, &str) = (":path", "/");
const AUTHORITY: (&str, &str) = (":authority", "h.test");
const CONNECT: (&str, &str) = (":method", "CONNECT");
const LAST: u8 = END_STREAM | END_HEADERS;
const REFUSED: Ends = StreamReset("PROTOCOL_ERROR");
const ENDED: Ends = InsteadOf(&REFUSED);

#[test]
fn c39_bodies_and_fields_that_are_malformed() {
    let rows: Vec<Row> = vec![
        ("8.1", "trailers", Open, data_and(LAST, &[("x", "y")]), Answered(200)),
        ("8.1", "trailers that do not end it", Open, data_and(END_HEADERS, &[("x", "y")]), REFUSED),
        // h2 leaves them out, as `play` sees.
        ("8.1", "pseudo-headers as trailers", Open, data_and(LAST, &[METHOD]), Answered(200)),
        ("8.1.1", "less than Content-Length", Idle, sized("5", &[data(END_STREAM)]), REFUSED),
        ("8.1.1", "more than Content-Length", Idle, sized("5", &[data(0), data(END_STREAM)]), REFUSED),
        ("8.1.1", "Content-Length, and no body", Idle, get_and("content-length", "5"), REFUSED),
        ("8.1.1", "a Content-Length of no number", Idle, get_and("content-length", "x"), REFUSED),
        ("8.2.1", "a name in upper case", Idle, get_and("X-Test", "y"), ENDED),
        ("8.2.1", "a name with a space", Idle, get_and("x test", "y"), ENDED),
        ("8.2.1", "a name with a colon", Idle, get_and("x:test", "y"), ENDED),
        ("8.2.1", "an empty name", Idle, get_and("", "y"), ENDED),
        ("8.2.1", "a line feed in a value", Idle, get_and("x", "y\nz: 1"), ENDED),
        ("8.2.1", "a NUL in a value", Idle, get_and("x", "y\0"), ENDED),
        ("8.2.1", "a value in spaces", Idle, get_and("x", " y "), Answered(400)),
        ("8.2.2", "Connection", Idle, get_and("connection", "keep-alive"), REFUSED),
        ("8.2.2", "Keep-Alive", Idle, get_and("keep-alive", "timeout=5"), REFUSED),
        ("8.2.2", "Proxy-Connection", Idle, get_and("proxy-connection", "close"), REFUSED),
        ("8.2.2", "Transfer-Encoding", Idle, get_and("transfer-encoding", "chunked"), REFUSED),
        ("8.2.2", "Upgrade", Idle, get_and("upgrade", "websocket"), REFUSED),
        ("8.2.2", "TE, and not trailers", Idle, get_and("te", "trailers, deflate"), REFUSED),
        ("8.2.2", "TE: trailers", Idle, get_and("te", "trailers"), Answered(200)),
    ];
    play(rows);
}

#[test]
fn c39_pseudo_headers() {
    let whole = |more: &[(&str, &str)]| request(&[&[METHOD, SCHEME, PATH, AUTHORITY], more].concat());
    let rows: Vec<Row> = vec![
        ("8.3", "an unknown one", Idle, request(&[METHOD, SCHEME, PATH, (":test", "x")]), ENDED),
        ("8.3", "an answer's", Idle, request(&[METHOD, SCHEME, PATH, (":status", "200")]), REFUSED),
        ("8.3", "one after others", Idle, request(&[METHOD, SCHEME, ("x", "y"), PATH]), REFUSED),
        ("8.3.1", "an empty path", Idle, request(&[METHOD, SCHEME, (":path", ""), AUTHORITY]), REFUSED),
        ("8.3.1", "no method", Idle, request(&[SCHEME, PATH, AUTHORITY]), REFUSED),
        ("8.3.1", "no scheme", Idle, request(&[METHOD, PATH, AUTHORITY]), REFUSED),
        ("8.3.1", "no path", Idle, request(&[METHOD, SCHEME, AUTHORITY]), REFUSED),
        ("8.3.1", "two methods", Idle, whole(&[METHOD]), REFUSED),
        ("8.3.1", "two schemes", Idle, whole(&[SCHEME]), REFUSED),
        ("8.3.1", "two paths", Idle, whole(&[PATH]), REFUSED),
        ("8.3.1", "two authorities", Idle, whole(&[AUTHORITY]), REFUSED),
        ("8.3.1", "no authority, and no Host", Idle, request(&[METHOD, SCHEME, PATH]), Answered(400)),
        ("8.5", "CONNECT with a path", Idle, request(&[CONNECT, SCHEME, PATH, AUTHORITY]), REFUSED),
        // No CONNECT is served, to any target.
        ("8.5", "CONNECT without an authority", Idle, request(&[CONNECT]), Answered(405)),
        // RFC 8441 §4: not offered.
        ("8.5", "CONNECT with a protocol", Idle, request(&[CONNECT, (":protocol", "x"), AUTHORITY]), REFUSED),
    ];
    play(rows);
}

#[test]
fn c39_blocks_that_do_not_decompress() {
    const ERROR: Ends = InsteadOf(&GoAway("COMPRESSION_ERROR"));
    // Huffman's code of `0` is 00000, that of EOS thirty ones; at most seven ones are padding.
    let text = |bytes: &[u8]| {
        let field = [&[0, 1, b'x', 0x80 | bytes.len() as u8][..], bytes].concat();
        vec![get_with(0, &[], &field)]
    };
    let field = |bytes: &[u8]| vec![get_with(0, &[], bytes)];
    let size = |bytes: &[u8]| get_with(0, bytes, &[]);
    let no_table = Frame::new(SETTINGS, 0, 0, setting(1, 0));
    let whole = pseudo("GET", "/");
    let torn = vec![
        Frame::new(HEADERS, END_STREAM, 1, &whole[..7]),
        Frame::new(CONTINUATION, END_HEADERS, 1, &whole[7..]),
    ];
    let endless = [0, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
    let rows: Vec<Row> = vec![
        ("HPACK 2.3.3", "a field of no table", Idle, field(&[0xff, 0]), ERROR),
        ("HPACK 2.3.3", "a name of no table", Idle, field(&[0x7f, 0, 1, b'y']), ERROR),
        ("HPACK 4.2", "a table's size at a block's end", Idle, field(&[0x20]), ERROR),
        ("HPACK 4.2", "a table's size at its start", Idle, vec![size(&[0x20])], Answered(200)),
        ("HPACK 5.1", "a number without an end", Idle, field(&endless), ERROR),
        ("HPACK 5.2", "a string with its padding", Idle, text(&[0b0000_0111]), Answered(200)),
        ("HPACK 5.2", "padding longer than 7 bits", Idle, text(&[0b0000_0111, 0xff]), ERROR),
        ("HPACK 5.2", "padding with zeros", Idle, text(&[0b0000_0000]), ERROR),
        ("HPACK 5.2", "an EOS within a string", Idle, text(&[0xff, 0xff, 0xff, 0xff]), ERROR),
        ("HPACK 5.2", "a string longer than its block", Idle, field(&[0, 5, b'x']), ERROR),
        ("HPACK 6.1", "a field of index 0", Idle, field(&[0x80]), ERROR),
        ("HPACK 6.3", "a table larger than offered", Idle, vec![size(&[0x3f, 0xe2, 0x1f])], ERROR),
        // The setting is about the other direction's table.
        ("HPACK 6.3", "as large as offered", Idle, vec![no_table, size(&[0x3f, 0xe1, 0x1f])], Answered(200)),
        ("HPACK 6.2", "a field in two frames", Idle, torn, Answered(200)),
    ];
    play(rows);
}
