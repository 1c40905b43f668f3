//! Floods of frames that carry nothing: PING, SETTINGS, PRIORITY, WINDOW_UPDATE, and whatever has no
//! name. Each is cheap, and h2 answers or ignores it at once, so that nothing but their number is
//! wrong with them. What they may not do is keep a worker from its other clients.
//!
//! h2 itself bounds what is dear: resets, CONTINUATION, small DATA, header lists that grow.

use super::PREFACE;
use crate::clock::Clock;
use crate::words::Moment;

/// Watches the bytes that one client sends, frame by frame (RFC 9113 §4.1).
#[derive(Debug)]
pub struct Meter {
    /// Bytes that belong to no frame's head: of the preface, then of payloads.
    left: usize,
    head: [u8; HEAD],
    filled: usize,
    block: Block,
    idle_frames: u64,
    /// What idle frames may come with: frames that carry something, and our own writes.
    useful: u64,
    clock: Clock,
    since: Moment,
}

/// Bytes of a frame's head.
const HEAD: usize = 9;
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const CONTINUATION: u8 = 9;
const END_HEADERS: u8 = 4;

/// So many idle frames are nobody's business.
const FREE: u64 = 10_000;
/// A client that is sent a lot acknowledges a lot: nobody sends more than a few a frame.
const FOR_EACH_USEFUL: u64 = 64;
/// Whoever keeps a connection alive by PINGs sends fewer.
const EACH_SECOND: u64 = 16;

/// Whether a request's head is on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Block {
    None,
    /// Its last frame, whose payload is still to come.
    Ending,
    Open,
}

/// More idle frames than anybody needs.
#[derive(Debug, PartialEq, Eq)]
pub struct Flood;

impl Meter {
    /// For a client whose first bytes are the preface.
    pub fn new(clock: Clock) -> Meter {
        Meter {
            left: PREFACE.len(),
            head: [0; HEAD],
            filled: 0,
            block: Block::None,
            idle_frames: 0,
            useful: 0,
            clock,
            since: clock.now(),
        }
    }

    /// Something came from the client.
    pub fn see(&mut self, mut bytes: &[u8]) -> Result<(), Flood> {
        loop {
            let payload = self.left.min(bytes.len());
            self.left -= payload;
            bytes = bytes.get(payload..).unwrap_or_default();
            if self.left == 0 && self.block == Block::Ending {
                self.block = Block::None;
            }
            let Some((byte, rest)) = bytes.split_first() else { return Ok(()) };
            bytes = rest;
            if let Some(place) = self.head.get_mut(self.filled) {
                *place = *byte;
            }
            self.filled += 1;
            if self.filled == HEAD {
                self.filled = 0;
                self.begin_frame()?;
            }
        }
    }

    /// Something went to the client.
    pub fn wrote(&mut self) {
        self.useful += 1;
    }

    /// Whether a request's head has begun and not ended. Until it has, nothing else can come.
    pub fn is_in_head(&self) -> bool {
        self.block != Block::None
    }

    fn begin_frame(&mut self) -> Result<(), Flood> {
        let [high, middle, low, kind, flags, ..] = self.head;
        self.left = usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low);
        match kind {
            HEADERS | CONTINUATION => {
                self.useful += u64::from(kind == HEADERS);
                self.block = if flags & END_HEADERS != 0 { Block::Ending } else { Block::Open };
                Ok(())
            }
            DATA => {
                self.useful += 1;
                Ok(())
            }
            _ => self.count_idle(),
        }
    }

    fn count_idle(&mut self) -> Result<(), Flood> {
        self.idle_frames += 1;
        if self.idle_frames <= FREE + FOR_EACH_USEFUL * self.useful {
            return Ok(());
        }
        let seconds = self.clock.now().since(self.since).as_secs();
        let most = FREE + FOR_EACH_USEFUL * self.useful + EACH_SECOND * seconds;
        if self.idle_frames > most { Err(Flood) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: u8, flags: u8, payload: &[u8]) -> Vec<u8> {
        let length = u32::try_from(payload.len()).expect("short").to_be_bytes();
        [&length[1..], &[kind, flags, 0, 0, 0, 1], payload].concat()
    }

    fn meter() -> Meter {
        let mut meter = Meter::new(Clock::start());
        meter.see(PREFACE).expect("the preface");
        meter
    }

    #[test]
    fn a_head_is_on_its_way_from_its_first_frame_to_the_end_of_its_last() {
        let bytes = [
            frame(HEADERS, 0, b"abc"),
            frame(CONTINUATION, 0, b""),
            frame(CONTINUATION, END_HEADERS, b"de"),
            frame(DATA, 0, b"x"),
        ]
        .concat();
        // However it is cut: each byte alone, and all at once.
        let mut meter = meter();
        let seen: Vec<bool> = bytes
            .iter()
            .map(|byte| {
                meter.see(&[*byte]).expect("no flood");
                meter.is_in_head()
            })
            .collect();
        // 9 bytes of a head, then the block, whose last byte ends it.
        let expected: Vec<bool> =
            (1..=bytes.len()).map(|at| (HEAD..12 + HEAD + HEAD + 2).contains(&at)).collect();
        assert_eq!(seen, expected);
        meter.see(&bytes).expect("no flood");
        assert!(!meter.is_in_head());
    }

    #[test]
    fn idle_frames_are_counted_against_what_is_useful() {
        const PING: u8 = 6;
        let (ping, data) = (frame(PING, 0, &[0; 8]), frame(DATA, 0, b"x"));
        let mut alone = meter();
        let before = (0..).take_while(|_| alone.see(&ping).is_ok()).count();
        // The test may take longer than a second.
        assert!((10_000..11_000).contains(&before), "{before} were let through");

        let mut busy = meter();
        for _ in 0..100_000 {
            busy.see(&data).expect("data");
            busy.see(&ping).expect("a ping with data");
            busy.see(&ping).expect("a ping with data");
        }
        let mut reader = meter();
        for _ in 0..100_000 {
            reader.wrote();
            reader.see(&ping).expect("an acknowledgement of what was sent");
        }
    }
}
