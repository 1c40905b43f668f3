//! The heads of frames, as they pass in either direction (RFC 9113 §4.1).

/// Finds each frame's head in bytes that come in pieces of any length.
#[derive(Debug)]
pub struct FrameHeads {
    /// Bytes to skip before the next frame's head: the preface, then payloads.
    left: usize,
    head: [u8; LENGTH],
    filled: usize,
}

/// A frame's head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameHead {
    pub kind: u8,
    pub flags: u8,
}

pub const DATA: u8 = 0;
pub const HEADERS: u8 = 1;
pub const SETTINGS: u8 = 4;
pub const CONTINUATION: u8 = 9;

/// Flags.
pub const ACK: u8 = 1;
pub const END_HEADERS: u8 = 4;

/// Bytes of a frame's head.
const LENGTH: usize = 9;

impl FrameHeads {
    /// For frames that come after so many other bytes.
    pub fn after(bytes: usize) -> FrameHeads {
        FrameHeads { left: bytes, head: [0; LENGTH], filled: 0 }
    }

    /// Whether there is more to come of the payload of the last frame.
    pub fn is_in_payload(&self) -> bool {
        self.left > 0
    }

    /// The next head that ends within `bytes`; advances `bytes` behind it.
    pub fn next(&mut self, bytes: &mut &[u8]) -> Option<FrameHead> {
        let payload = self.left.min(bytes.len());
        self.left -= payload;
        *bytes = bytes.get(payload..).unwrap_or_default();
        let missing = (LENGTH - self.filled).min(bytes.len());
        let (new, rest) = bytes.split_at_checked(missing)?;
        self.head.get_mut(self.filled..self.filled + missing)?.copy_from_slice(new);
        *bytes = rest;
        self.filled += missing;
        if self.filled < LENGTH {
            return None;
        }
        self.filled = 0;
        let [high, middle, low, kind, flags, ..] = self.head;
        self.left = usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low);
        Some(FrameHead { kind, flags })
    }
}
