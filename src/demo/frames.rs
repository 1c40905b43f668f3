//! WebSocket frames (RFC 6455 §5) and the rules of a conversation, without the socket.

use bytes::Bytes;

/// The longest payload of a frame, in bytes.
pub(super) const MAX_PAYLOAD: u64 = 1024 * 1024;

/// Why a connection is closed (§7.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Close {
    GoingAway = 1001,
    ProtocolError = 1002,
    NotText = 1007,
    TooBig = 1009,
}

/// What a frame carries (§5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opcode {
    Continuation = 0,
    Text = 1,
    Binary = 2,
    Close = 8,
    Ping = 9,
    Pong = 10,
}

/// The first two bytes of a client's frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Start {
    pub last: bool,
    pub opcode: Opcode,
    /// The length, or 126 or 127 when 2 or 8 more bytes tell it.
    pub length: u8,
}

/// A client's frame, unmasked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Frame {
    pub last: bool,
    pub opcode: Opcode,
    pub payload: Bytes,
}

/// What is open between the frames of a message.
#[derive(Default)]
pub(super) struct Conversation {
    /// The kind of the message whose last fragment is still to come.
    open: Option<Opcode>,
    /// The start of a character that the last fragment of a text broke off in: at most three bytes.
    rest: Vec<u8>,
}

impl Opcode {
    fn is_control(self) -> bool {
        matches!(self, Opcode::Close | Opcode::Ping | Opcode::Pong)
    }

    fn read(bits: u8) -> Option<Opcode> {
        use Opcode::{Binary, Close, Continuation, Ping, Pong, Text};
        [Continuation, Text, Binary, Close, Ping, Pong].into_iter().find(|opcode| *opcode as u8 == bits)
    }
}

impl Start {
    /// Reads the first two bytes of a frame: no extension bits, masked, control frames short.
    pub fn read([first, second]: [u8; 2]) -> Result<Start, Close> {
        let last = first & 0x80 != 0;
        let (masked, length) = (second & 0x80 != 0, second & 0x7f);
        let opcode = Opcode::read(first & 0x0f).ok_or(Close::ProtocolError)?;
        let control_fits = !opcode.is_control() || (last && length <= 125);
        if first & 0x70 != 0 || !masked || !control_fits {
            return Err(Close::ProtocolError);
        }
        Ok(Start { last, opcode, length })
    }

    /// The length of the payload, given the `extended` length where there is one.
    pub fn payload_length(self, extended: u64) -> Result<u64, Close> {
        let (length, shortest) = match self.length {
            126 => (extended, 126),
            127 => (extended, 1 << 16),
            length => (length.into(), 0),
        };
        match length {
            // §5.2: the length takes as few bytes as it can.
            _ if length < shortest => Err(Close::ProtocolError),
            _ if length > MAX_PAYLOAD => Err(Close::TooBig),
            _ => Ok(length),
        }
    }
}

impl Conversation {
    /// The frame to answer a frame with: data comes back as it came, fragment by fragment, a ping
    /// as a pong, a close as a close; a pong wants no answer.
    pub fn answer(&mut self, frame: Frame) -> Result<Option<Frame>, Close> {
        match frame.opcode {
            Opcode::Pong => return Ok(None),
            Opcode::Ping => return Ok(Some(Frame { opcode: Opcode::Pong, ..frame })),
            Opcode::Close => check_close(&frame.payload)?,
            Opcode::Text | Opcode::Binary if self.open.is_some() => return Err(Close::ProtocolError),
            Opcode::Text | Opcode::Binary => self.open = Some(frame.opcode),
            Opcode::Continuation => {}
        }
        if frame.opcode != Opcode::Close {
            let kind = self.open.ok_or(Close::ProtocolError)?;
            if kind == Opcode::Text {
                self.check_text(&frame)?;
            }
            if frame.last {
                self.open = None;
            }
        }
        Ok(Some(frame))
    }

    /// A text is UTF-8 (§8.1), though a fragment may end within a character.
    fn check_text(&mut self, frame: &Frame) -> Result<(), Close> {
        let mut text = std::mem::take(&mut self.rest);
        text.extend_from_slice(&frame.payload);
        match std::str::from_utf8(&text) {
            Ok(_) => Ok(()),
            Err(error) if error.error_len().is_none() && !frame.last => {
                self.rest = text.split_off(error.valid_up_to());
                Ok(())
            }
            Err(_) => Err(Close::NotText),
        }
    }
}

/// A close frame says nothing, or a code that a client may send and a text (§5.5.1, §7.4).
fn check_close(payload: &[u8]) -> Result<(), Close> {
    let Some((code, reason)) = payload.split_first_chunk() else {
        return if payload.is_empty() { Ok(()) } else { Err(Close::ProtocolError) };
    };
    match u16::from_be_bytes(*code) {
        1000..=1003 | 1007..=1014 | 3000..=4999 => {}
        _ => return Err(Close::ProtocolError),
    }
    std::str::from_utf8(reason).map(drop).map_err(|_| Close::NotText)
}

/// Takes the client's mask off, or puts it on (§5.3).
pub(super) fn unmask(payload: &mut [u8], mask: [u8; 4]) {
    for (byte, mask) in payload.iter_mut().zip(mask.into_iter().cycle()) {
        *byte ^= mask;
    }
}

/// The bytes before the payload of a server's frame, which is not masked.
pub(super) fn head(frame: &Frame) -> Vec<u8> {
    let mut head = vec![u8::from(frame.last) << 7 | frame.opcode as u8];
    match frame.payload.len() {
        length @ 0..=125 => head.push(length as u8),
        length @ 126..=0xffff => {
            head.push(126);
            head.extend((length as u16).to_be_bytes());
        }
        length => {
            head.push(127);
            head.extend((length as u64).to_be_bytes());
        }
    }
    head
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_start_of_a_frame_is_checked() {
        let start = |last, opcode, length| Ok(Start { last, opcode, length });
        let cases = [
            ([0x81, 0x85], start(true, Opcode::Text, 5)),
            ([0x02, 0xfe], start(false, Opcode::Binary, 126)),
            ([0x80, 0x80], start(true, Opcode::Continuation, 0)),
            ([0x89, 0xfd], start(true, Opcode::Ping, 125)),
            ([0x81, 0x05], Err(Close::ProtocolError)), // not masked
            ([0xc1, 0x85], Err(Close::ProtocolError)), // an extension's bit
            ([0x83, 0x85], Err(Close::ProtocolError)), // no such opcode
            ([0x09, 0x85], Err(Close::ProtocolError)), // a fragment of a ping
            ([0x89, 0xfe], Err(Close::ProtocolError)), // a ping of more than 125 bytes
        ];
        for (bytes, expected) in cases {
            assert_eq!(Start::read(bytes), expected, "{bytes:02x?}");
        }
    }

    #[test]
    fn a_length_is_bounded_and_as_short_as_can_be() {
        let cases = [
            (5, 0, Ok(5)),
            (126, 126, Ok(126)),
            (126, 125, Err(Close::ProtocolError)),
            (127, 65_536, Ok(65_536)),
            (127, 65_535, Err(Close::ProtocolError)),
            (127, MAX_PAYLOAD, Ok(MAX_PAYLOAD)),
            (127, MAX_PAYLOAD + 1, Err(Close::TooBig)),
            (127, u64::MAX, Err(Close::TooBig)),
        ];
        for (length, extended, expected) in cases {
            let start = Start { last: true, opcode: Opcode::Binary, length };
            assert_eq!(start.payload_length(extended), expected, "{length} {extended}");
        }
    }

    #[test]
    fn a_conversation_echoes_until_its_rules_are_broken() {
        use Opcode::{Binary, Close as Closing, Continuation, Ping, Pong, Text};
        type Sent = (bool, Opcode, &'static [u8]);
        type Case<'c> = (&'c [Sent], Result<Option<Opcode>, Close>);
        let cases: &[Case] = &[
            (&[(true, Text, "é".as_bytes())], Ok(Some(Text))),
            (&[(true, Binary, &[0xff])], Ok(Some(Binary))),
            (&[(true, Ping, b"x")], Ok(Some(Pong))),
            (&[(true, Pong, b"x")], Ok(None)),
            (
                &[(false, Text, &[0xc3]), (true, Ping, b""), (true, Continuation, &[0xa9])],
                Ok(Some(Continuation)),
            ),
            (&[(false, Text, &[0xc3]), (true, Continuation, b"")], Err(Close::NotText)),
            (&[(true, Text, &[0xff])], Err(Close::NotText)),
            (&[(false, Binary, b""), (true, Text, b"")], Err(Close::ProtocolError)),
            (&[(true, Continuation, b"")], Err(Close::ProtocolError)),
            (&[(true, Text, b""), (true, Continuation, b"")], Err(Close::ProtocolError)),
            (&[(true, Closing, b"")], Ok(Some(Closing))),
            (&[(true, Closing, &[0x03, 0xe8, b'o', b'k'])], Ok(Some(Closing))),
            (&[(true, Closing, &[0x03])], Err(Close::ProtocolError)),
            (&[(true, Closing, &[0x03, 0xed])], Err(Close::ProtocolError)), // 1005 is never sent
            (&[(true, Closing, &[0x03, 0xe8, 0xff])], Err(Close::NotText)),
        ];
        for (sent, expected) in cases {
            let mut conversation = Conversation::default();
            let mut result = Ok(None);
            for &(last, opcode, payload) in *sent {
                result = conversation.answer(Frame { last, opcode, payload: Bytes::from_static(payload) });
            }
            assert_eq!(result.map(|frame| frame.map(|frame| frame.opcode)), *expected, "{sent:?}");
        }
    }

    #[test]
    fn a_head_tells_the_length_in_as_few_bytes_as_it_can() {
        for (length, expected) in [
            (0, vec![0x82, 0]),
            (125, vec![0x82, 125]),
            (126, vec![0x82, 126, 0, 126]),
            (65_535, vec![0x82, 126, 0xff, 0xff]),
            (65_536, vec![0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0]),
        ] {
            let frame = Frame { last: true, opcode: Opcode::Binary, payload: vec![0; length].into() };
            assert_eq!(head(&frame), expected, "{length}");
        }
    }
}
