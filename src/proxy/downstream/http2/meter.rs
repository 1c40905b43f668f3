//! Violations that h2 tolerates and that end a connection here: a beginning without SETTINGS, and floods of
//! idle frames: PING, SETTINGS, PRIORITY, WINDOW_UPDATE and unknown ones. h2 handles each of these at once
//! and cheaply, so only their number is wrong: a flood would keep a worker from its other clients.
//!
//! h2 itself bounds expensive floods: resets, CONTINUATION, small DATA, header lists that grow.

use super::heads::{ACK, CONTINUATION, DATA, END_HEADERS, FrameHead, FrameHeads, HEADERS, SETTINGS};
use crate::clock::Clock;
use crate::model::Moment;

/// The preface of an HTTP/2 client (RFC 9113 §3.4).
pub const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Watches the bytes that one client sends and is sent, frame by frame.
#[derive(Debug)]
pub struct Meter {
    incoming: FrameHeads,
    outgoing: FrameHeads,
    /// Whether the outgoing frame carries content.
    is_carrying: bool,
    has_settings: bool,
    block: Block,
    idle_frames: u64,
    /// Frames with content, in either direction: each allows some idle ones.
    useful: u64,
    clock: Clock,
    since: Moment,
}

/// Idle frames that are always allowed.
const FREE: u64 = 10_000;
/// A client that is sent a lot acknowledges a lot, with only a few frames for each.
const FOR_EACH_USEFUL: u64 = 64;
/// Keep-alive PINGs are rarer.
const EACH_SECOND: u64 = 16;

/// Whether a request's head is on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Block {
    None,
    /// Its last frame, with its payload still to come.
    Ending,
    Open,
}

/// Why a connection is ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Violation {
    /// The preface is followed by something else, so that this may be no HTTP/2 at all (RFC 9113 §3.4).
    NoSettings,
    /// More idle frames than any client needs.
    Flood,
}

impl Meter {
    /// Meter of a client that has sent the preface.
    pub fn new(clock: Clock) -> Meter {
        Meter {
            incoming: FrameHeads::after(PREFACE.len()),
            outgoing: FrameHeads::after(0),
            is_carrying: false,
            has_settings: false,
            block: Block::None,
            idle_frames: 0,
            useful: 0,
            clock,
            since: clock.now(),
        }
    }

    /// Meters bytes from the client.
    pub fn see(&mut self, mut bytes: &[u8]) -> Result<(), Violation> {
        loop {
            let head = self.incoming.next(&mut bytes);
            if self.block == Block::Ending && (head.is_some() || !self.incoming.is_in_payload()) {
                self.block = Block::None;
            }
            let Some(head) = head else { return Ok(()) };
            self.begin_frame(head)?;
        }
    }

    /// Meters bytes to the client; returns whether any belong to a frame with content.
    pub fn wrote(&mut self, mut bytes: &[u8]) -> bool {
        let mut carries = self.is_carrying && self.outgoing.is_in_payload();
        while let Some(head) = self.outgoing.next(&mut bytes) {
            self.is_carrying = matches!(head.kind, DATA | HEADERS | CONTINUATION);
            self.useful += u64::from(self.is_carrying);
            carries |= self.is_carrying;
        }
        carries
    }

    /// Whether a request's head has begun and not ended. Until it has, nothing else can come.
    pub fn is_in_head(&self) -> bool {
        self.block != Block::None
    }

    fn begin_frame(&mut self, head: FrameHead) -> Result<(), Violation> {
        if !std::mem::replace(&mut self.has_settings, true)
            && (head.kind != SETTINGS || head.flags & ACK != 0)
        {
            return Err(Violation::NoSettings);
        }
        match head.kind {
            HEADERS | CONTINUATION => {
                self.useful += u64::from(head.kind == HEADERS);
                self.block = if head.flags & END_HEADERS != 0 { Block::Ending } else { Block::Open };
                Ok(())
            }
            DATA => {
                self.useful += 1;
                Ok(())
            }
            _ => self.count_idle(),
        }
    }

    fn count_idle(&mut self) -> Result<(), Violation> {
        self.idle_frames += 1;
        if self.idle_frames <= FREE + FOR_EACH_USEFUL * self.useful {
            return Ok(());
        }
        let seconds = self.clock.now().since(self.since).as_secs();
        let most = FREE + FOR_EACH_USEFUL * self.useful + EACH_SECOND * seconds;
        if self.idle_frames > most { Err(Violation::Flood) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: usize = 9;
    const PING: u8 = 6;

    fn frame(kind: u8, flags: u8, payload: &[u8]) -> Vec<u8> {
        let length = u32::try_from(payload.len()).expect("short").to_be_bytes();
        [&length[1..], &[kind, flags, 0, 0, 0, 1], payload].concat()
    }

    fn meter() -> Meter {
        let mut meter = Meter::new(Clock::start());
        meter.see(PREFACE).expect("the preface");
        meter.see(&frame(SETTINGS, 0, b"")).expect("settings");
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
        // Cut in any way: each byte alone, and all at once.
        let mut meter = meter();
        let seen: Vec<bool> = bytes
            .iter()
            .map(|byte| {
                meter.see(&[*byte]).expect("no flood");
                meter.is_in_head()
            })
            .collect();
        // 9 bytes of a head, then the block: its last byte ends it.
        let expected: Vec<bool> =
            (1..=bytes.len()).map(|at| (HEAD..12 + HEAD + HEAD + 2).contains(&at)).collect();
        assert_eq!(seen, expected);
        meter.see(&bytes).expect("no flood");
        assert!(!meter.is_in_head());
    }

    #[test]
    fn idle_frames_are_counted_against_what_is_useful() {
        let (ping, data) = (frame(PING, 0, &[0; 8]), frame(DATA, 0, b"x"));
        let mut alone = meter();
        let before = (0..).take_while(|_| alone.see(&ping).is_ok()).count();
        // The test may take longer than a second.
        assert!((9_999..11_000).contains(&before), "{before} were let through");

        let mut busy = meter();
        for _ in 0..100_000 {
            busy.see(&data).expect("data");
            busy.see(&ping).expect("a ping with data");
            busy.see(&ping).expect("a ping with data");
        }
        let mut reader = meter();
        for _ in 0..100_000 {
            assert!(reader.wrote(&data));
            reader.see(&ping).expect("an acknowledgement of what was sent");
        }
    }

    #[test]
    fn settings_come_first() {
        let first = |bytes: &[u8]| Meter::new(Clock::start()).see(&[&PREFACE[..], bytes].concat());
        assert_eq!(first(&frame(SETTINGS, 0, &[0; 6])), Ok(()));
        assert_eq!(first(&frame(SETTINGS, 0, b"")[..8]), Ok(()), "so far");
        for other in [frame(SETTINGS, ACK, b""), frame(PING, 0, &[0; 8]), frame(HEADERS, 5, b"x")] {
            assert_eq!(first(&other), Err(Violation::NoSettings), "{other:?}");
        }
    }

    #[test]
    fn what_goes_out_carries_something_or_not_however_it_is_cut() {
        let mut meter = meter();
        let bytes = [frame(PING, ACK, &[0; 8]), frame(DATA, 0, b"abc"), frame(PING, ACK, &[0; 8])].concat();
        let carries: Vec<bool> = bytes.iter().map(|byte| meter.wrote(&[*byte])).collect();
        // From the last byte of the DATA's head to the last of its payload.
        let expected: Vec<bool> =
            (1..=bytes.len()).map(|at| (17 + HEAD..=17 + HEAD + 3).contains(&at)).collect();
        assert_eq!(carries, expected);
        assert!(meter.wrote(&bytes));
    }
}
