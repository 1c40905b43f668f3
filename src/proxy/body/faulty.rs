//! A response's body with the faults of a rule: sent slowly, stalled, or cut.
//!
//! It holds one piece of the upstream's body at most, and asks for no more while it waits, so that back-pressure
//! reaches the upstream.

use std::num::NonZeroU64;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::time::Sleep;

use super::super::downstream::deadlines::{Deadlines, Wait};
use super::response::{ResponseError, UpstreamBody};
use crate::clock::Clock;
use crate::model::Moment;
use crate::rules::PassFaults;

/// Pieces of a slow body: so many a second, or one byte each.
const PIECES: u64 = 20;
/// Before the connection of a cut body ends, what was sent has to leave: hyper drops what it has not written.
const FLUSH: Duration = Duration::from_millis(5);

/// The upstream's body, with faults.
pub struct Faulty<B = UpstreamBody> {
    inner: B,
    /// The rest of the upstream's last piece.
    held: Option<Bytes>,
    /// Bytes sent.
    sent: u64,
    pacer: Option<Pacer>,
    stall: Option<(u64, Duration)>,
    cut: Option<Cut>,
    pause: Option<Pin<Box<Sleep>>>,
    clock: Clock,
}

struct Pacer {
    per_second: NonZeroU64,
    /// When the next piece may go.
    due: Moment,
    /// Bytes that may go now.
    granted: u64,
}

struct Cut {
    at: u64,
    /// The client's deadlines tell whether it reads.
    vitals: Arc<Deadlines>,
    is_flushed: bool,
}

impl<B: Body<Data = Bytes, Error = ResponseError> + Unpin> Faulty<B> {
    pub fn new(inner: B, faults: &PassFaults, vitals: &Arc<Deadlines>, clock: Clock) -> Faulty<B> {
        let pacer = faults.rate.map(|per_second| Pacer { per_second, due: clock.now(), granted: 0 });
        let stall = (faults.stalls_at(), faults.stall);
        Faulty {
            inner,
            held: None,
            sent: 0,
            pacer,
            stall: Some(stall).filter(|(_, length)| !length.is_zero()),
            cut: faults.cut.map(|at| Cut { at, vitals: Arc::clone(vitals), is_flushed: false }),
            pause: None,
            clock,
        }
    }

    /// Whether it waits of its own accord, and not for the upstream.
    pub fn is_paused(&self) -> bool {
        self.pause.is_some()
    }

    pub fn is_over(&self) -> bool {
        self.held.is_none() && self.inner.is_end_stream()
    }

    /// The length of the upstream's body: one that is cut falls short of it.
    pub fn size_hint(&self) -> SizeHint {
        let held = self.held.as_ref().map_or(0, Bytes::len) as u64;
        let mut hint = self.inner.size_hint();
        if let Some(upper) = hint.upper() {
            hint.set_upper(upper.saturating_add(held));
        }
        hint.set_lower(hint.lower().saturating_add(held));
        hint
    }

    pub fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, ResponseError>>> {
        loop {
            if let Some(pause) = &mut self.pause {
                ready!(pause.as_mut().poll(cx));
                self.pause = None;
            }
            let Some(held) = &mut self.held else {
                match ready!(Pin::new(&mut self.inner).poll_frame(cx)).transpose()? {
                    None => return Poll::Ready(None),
                    Some(frame) => match frame.into_data() {
                        Ok(data) => self.held = Some(data).filter(|data| !data.is_empty()),
                        Err(trailers) => return Poll::Ready(Some(Ok(trailers))),
                    },
                }
                continue;
            };
            let mut room = u64::MAX;
            if let Some((at, length)) = self.stall {
                if self.sent >= at {
                    self.stall = None;
                    self.pause = Some(Box::pin(tokio::time::sleep(length)));
                    continue;
                }
                room = room.min(at - self.sent);
            }
            if let Some(cut) = &mut self.cut {
                if self.sent >= cut.at {
                    if cut.is_flushed && !cut.vitals.is_waiting(Wait::Write) {
                        return Poll::Ready(Some(Err(ResponseError::Cut)));
                    }
                    cut.is_flushed = true;
                    self.pause = Some(Box::pin(tokio::time::sleep(FLUSH)));
                    continue;
                }
                room = room.min(cut.at - self.sent);
            }
            let length = room.min(held.len() as u64);
            let length = match &mut self.pacer {
                None => length,
                Some(pacer) if pacer.granted > 0 => pacer.take(length),
                Some(pacer) => {
                    let due = pacer.grant(length, self.clock.now());
                    self.pause = Some(Box::pin(tokio::time::sleep_until(self.clock.instant(due))));
                    continue;
                }
            };
            let piece = held.split_to(usize::try_from(length).unwrap_or(usize::MAX).min(held.len()));
            if held.is_empty() {
                self.held = None;
            }
            self.sent += piece.len() as u64;
            return Poll::Ready(Some(Ok(Frame::data(piece))));
        }
    }
}

impl Pacer {
    /// Grants up to `length` bytes, and returns when they may go. A client that reads slowly saves nothing up.
    fn grant(&mut self, length: u64, now: Moment) -> Moment {
        let rate = self.per_second.get();
        self.granted = length.min((rate / PIECES).max(1));
        let takes =
            Duration::from_nanos((u128::from(self.granted) * 1_000_000_000 / u128::from(rate)) as u64);
        // A timer rings up to a millisecond late: that is made up for.
        let earliest = Moment(now.0.saturating_sub(2_000_000));
        self.due = self.due.max(earliest) + takes;
        self.due
    }

    fn take(&mut self, length: u64) -> u64 {
        let taken = self.granted.min(length);
        self.granted = 0;
        taken
    }
}

#[cfg(test)]
mod tests;
