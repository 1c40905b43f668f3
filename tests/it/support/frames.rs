//! HTTP/2 by hand: frames as they are sent and as they arrive (RFC 9113 §4, §6).

use std::net::SocketAddr;

use super::socket::Socket;

pub const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

pub const DATA: u8 = 0;
pub const HEADERS: u8 = 1;
pub const PRIORITY: u8 = 2;
pub const RST_STREAM: u8 = 3;
pub const SETTINGS: u8 = 4;
pub const PING: u8 = 6;
pub const GOAWAY: u8 = 7;
pub const WINDOW_UPDATE: u8 = 8;
pub const CONTINUATION: u8 = 9;
/// SETTINGS_INITIAL_WINDOW_SIZE (RFC 9113 §6.5.2).
pub const INITIAL_WINDOW_SIZE: u16 = 4;

pub const ACK: u8 = 1;
pub const END_STREAM: u8 = 1;
pub const END_HEADERS: u8 = 4;

/// One frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    pub kind: u8,
    pub flags: u8,
    pub stream: u32,
    pub payload: Vec<u8>,
}

impl Frame {
    pub fn new(kind: u8, flags: u8, stream: u32, payload: impl Into<Vec<u8>>) -> Frame {
        Frame { kind, flags, stream, payload: payload.into() }
    }

    /// As it stands on the wire.
    pub fn bytes(&self) -> Vec<u8> {
        let length = u32::try_from(self.payload.len()).expect("a length").to_be_bytes();
        [&length[1..], &[self.kind, self.flags], &self.stream.to_be_bytes(), &self.payload].concat()
    }

    /// The error code of a RST_STREAM or a GOAWAY, by name (RFC 9113 §7).
    pub fn code(&self) -> &'static str {
        let at = if self.kind == GOAWAY { 4 } else { 0 };
        let code = u32::from_be_bytes(self.payload[at..at + 4].try_into().expect("four bytes"));
        [
            "NO_ERROR",
            "PROTOCOL_ERROR",
            "INTERNAL_ERROR",
            "FLOW_CONTROL_ERROR",
            "SETTINGS_TIMEOUT",
            "STREAM_CLOSED",
            "FRAME_SIZE_ERROR",
            "REFUSED_STREAM",
            "CANCEL",
            "COMPRESSION_ERROR",
            "CONNECT_ERROR",
            "ENHANCE_YOUR_CALM",
        ][code as usize]
    }
}

impl Frame {
    /// The status that begins a response's block, as an encoder writes one that it has not written yet
    /// (RFC 7541 §6.1, §6.2.1, and appendix B for the digits).
    pub fn status(&self) -> u16 {
        match self.payload[..] {
            [0x48, 0x83, first, second, third, ..] => {
                let bits = u32::from_be_bytes([0, first, second, third]) << 8;
                let mut left = bits;
                let mut status = 0;
                for _ in 0..3 {
                    let long = left >> 26;
                    let (digit, length) = if long < 6 { (left >> 27, 5) } else { (long - 22, 6) };
                    status = status * 10 + digit;
                    left <<= length;
                }
                u16::try_from(status).expect("three digits")
            }
            // The table's own (appendix A).
            [field @ 0x88..=0x8e, ..] => [200, 204, 206, 304, 400, 404, 500][usize::from(field - 0x88)],
            // The size of the encoder's table goes first (§6.3).
            [0x20, ..] => Frame { payload: self.payload[1..].to_vec(), ..self.clone() }.status(),
            _ => panic!("a status in another spelling: {self:?}"),
        }
    }
}

/// A header block: literals without indexing, each name and value as it is (RFC 7541 §6.2.2).
pub fn block(fields: &[(&str, &str)]) -> Vec<u8> {
    fields.iter().flat_map(|(name, value)| literal(name.as_bytes(), value.as_bytes())).collect()
}

/// One field of a block.
pub fn literal(name: &[u8], value: &[u8]) -> Vec<u8> {
    [&[0][..], &length(name.len()), name, &length(value.len()), value].concat()
}

/// An integer with a prefix of 7 bits (RFC 7541 §5.1).
fn length(length: usize) -> Vec<u8> {
    let Some(mut rest) = length.checked_sub(127) else { return vec![length as u8] };
    let mut bytes = vec![127];
    while rest >= 128 {
        bytes.push((rest % 128 + 128) as u8);
        rest /= 128;
    }
    bytes.push(rest as u8);
    bytes
}

/// The pseudo-header fields of every request.
pub fn pseudo(method: &str, path: &str) -> Vec<u8> {
    block(&[(":method", method), (":scheme", "http"), (":path", path), (":authority", "h.test")])
}

/// A whole request without a body.
pub fn get(stream: u32) -> Frame {
    Frame::new(HEADERS, END_STREAM | END_HEADERS, stream, pseudo("GET", "/"))
}

/// The head of a request that has a body.
pub fn post(stream: u32) -> Frame {
    Frame::new(HEADERS, END_HEADERS, stream, pseudo("POST", "/"))
}

/// One setting.
pub fn setting(name: u16, value: u32) -> Vec<u8> {
    [&name.to_be_bytes()[..], &value.to_be_bytes()].concat()
}

/// A connection on which frames are sent.
pub struct Frames {
    pub socket: Socket,
    /// Initial window of a stream, in bytes.
    pub stream_window: usize,
    /// Total window of the connection so far, in bytes.
    pub connection_window: usize,
}

/// How it went for one stream, or for the connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// A whole response came.
    Answered,
    Reset(&'static str),
    GoAway(&'static str),
    /// The connection ended without a word.
    Closed,
}

impl Frames {
    /// On a connection without any earlier frame.
    pub fn over(socket: Socket) -> Frames {
        Frames { socket, stream_window: 65_535, connection_window: 65_535 }
    }

    /// Connects, and exchanges settings.
    pub fn connect(address: SocketAddr) -> Frames {
        Frames::connect_with(address, &[])
    }

    /// As [`Frames::connect`], with these settings.
    pub fn connect_with(address: SocketAddr, settings: &[u8]) -> Frames {
        let mut frames = Frames::over(Socket::connect(address));
        frames.socket.send(PREFACE);
        frames.send(&Frame::new(SETTINGS, 0, 0, settings));
        let theirs = frames.next().expect("settings");
        assert_eq!((theirs.kind, theirs.flags), (SETTINGS, 0));
        // SETTINGS_INITIAL_WINDOW_SIZE (RFC 9113 §6.5.2).
        let window = theirs.payload.chunks_exact(6).find_map(|setting| setting.strip_prefix(&[0, 4]));
        if let Some(window) = window {
            frames.stream_window = u32::from_be_bytes(window.try_into().expect("four bytes")) as usize;
        }
        frames.send(&Frame::new(SETTINGS, ACK, 0, []));
        let mut more = 0;
        frames.until(|frame| {
            if frame.kind == WINDOW_UPDATE && frame.stream == 0 {
                more += u32::from_be_bytes(frame.payload[..4].try_into().expect("four bytes")) as usize;
            }
            frame.kind == SETTINGS && frame.flags == ACK
        });
        frames.connection_window += more;
        frames
    }

    pub fn send(&mut self, frame: &Frame) {
        self.socket.send(frame.bytes());
    }

    /// The next frame; `None` when the connection ends.
    pub fn next(&mut self) -> Option<Frame> {
        let head = self.socket.at_most(9)?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let stream = u32::from_be_bytes(head[5..9].try_into().expect("four bytes"));
        let payload = self.socket.at_most(length as usize)?;
        Some(Frame { kind: head[3], flags: head[4], stream, payload })
    }

    /// The first frame that is looked for; others are dropped. Panics when none comes.
    pub fn until(&mut self, mut is_it: impl FnMut(&Frame) -> bool) -> Frame {
        loop {
            match self.next() {
                Some(frame) if is_it(&frame) => return frame,
                Some(frame) => assert_ne!(frame.kind, GOAWAY, "{frame:?}: {}", frame.code()),
                None => panic!("the connection ended"),
            }
        }
    }

    /// How a stream, or the connection with it, ends.
    pub fn end_of(&mut self, stream: u32) -> End {
        loop {
            match self.next() {
                None => return End::Closed,
                Some(frame) if frame.kind == GOAWAY => return End::GoAway(frame.code()),
                Some(frame) if frame.stream != stream => {}
                Some(frame) if frame.kind == RST_STREAM => return End::Reset(frame.code()),
                Some(frame) if matches!(frame.kind, DATA | HEADERS) && frame.flags & END_STREAM != 0 => {
                    return End::Answered;
                }
                Some(_) => {}
            }
        }
    }
}
