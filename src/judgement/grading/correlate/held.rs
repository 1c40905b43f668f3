//! Puts attempts in order: they arrive as they end, and batches of several workers interleave.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::{HELD_ATTEMPTS, LATENESS, STRETCH};
use crate::words::Attempt;

/// The attempts whose turn has not come yet.
#[derive(Clone, Debug, Default)]
pub(super) struct Held {
    /// By turn; the last number is where in `attempts`.
    turns: BinaryHeap<Reverse<(Turn, u32)>>,
    attempts: Vec<Option<Attempt>>,
    free: Vec<u32>,
    /// The latest moment that the record has come to.
    latest: u64,
}

/// An attempt's place in the order, which does not depend on when it arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Turn {
    /// When it began; for one that took longer than [`STRETCH`], so long before it ended: nothing waits
    /// for it longer than that. Never before the end of an attempt that it could follow.
    pub at: u64,
    end: u64,
    id: u64,
}

impl Turn {
    pub fn of(attempt: &Attempt) -> Turn {
        let at = attempt.start.max(attempt.end.saturating_sub(STRETCH));
        Turn { at, end: attempt.end, id: attempt.id }
    }
}

impl Held {
    pub fn push(&mut self, attempt: Attempt) {
        self.pass(attempt.end);
        let turn = Turn::of(&attempt);
        let at = match self.free.pop() {
            Some(at) => at,
            None => {
                self.attempts.push(None);
                u32::try_from(self.attempts.len() - 1).unwrap_or(u32::MAX)
            }
        };
        if let Some(place) = self.attempts.get_mut(at as usize) {
            *place = Some(attempt);
            self.turns.push(Reverse((turn, at)));
        }
    }

    /// Says that the record has come to `moment`.
    pub fn pass(&mut self, moment: u64) {
        self.latest = self.latest.max(moment);
    }

    /// The latest moment that the record has come to.
    pub fn latest(&self) -> u64 {
        self.latest
    }

    /// All that comes before this has been taken, once [`Held::pop_due`] has nothing more.
    pub fn settled(&self) -> u64 {
        self.latest.saturating_sub(LATENESS + STRETCH)
    }

    /// The next attempt, once none can arrive any more whose turn is before its; or when too many wait.
    pub fn pop_due(&mut self) -> Option<(Turn, Attempt)> {
        let Reverse((turn, _)) = self.turns.peek()?;
        let is_due = turn.at < self.settled() || self.turns.len() > HELD_ATTEMPTS;
        if is_due { self.pop() } else { None }
    }

    /// The next attempt, whoever may arrive.
    pub fn pop(&mut self) -> Option<(Turn, Attempt)> {
        let Reverse((turn, at)) = self.turns.pop()?;
        self.free.push(at);
        Some((turn, self.attempts.get_mut(at as usize)?.take()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempt(id: u64, start: u64, end: u64) -> Attempt {
        Attempt { id, start, end, ..Attempt::default() }
    }

    fn ids(held: &mut Held) -> Vec<u64> {
        std::iter::from_fn(|| held.pop_due()).map(|(_, attempt)| attempt.id).collect()
    }

    #[test]
    fn attempts_come_by_their_start_once_nothing_earlier_can_arrive() {
        let mut held = Held::default();
        for attempt in [attempt(1, 500, 600), attempt(2, 100, 700), attempt(3, 550, 650)] {
            held.push(attempt);
        }
        assert_eq!(ids(&mut held), [0; 0]);
        held.pass(550 + LATENESS + STRETCH);
        assert_eq!(ids(&mut held), [2, 1]);
        held.pass(551 + LATENESS + STRETCH);
        assert_eq!(ids(&mut held), [3]);
    }

    #[test]
    fn nothing_waits_for_a_long_attempt_and_what_follows_it_comes_after_it() {
        let mut held = Held::default();
        held.push(attempt(1, 30 * STRETCH, 30 * STRETCH));
        held.push(attempt(2, 0, 30 * STRETCH));
        held.push(attempt(3, 10 * STRETCH, 10 * STRETCH + 1));
        held.pass(60 * STRETCH);
        assert_eq!(ids(&mut held), [3, 2, 1]);
    }

    #[test]
    fn too_many_do_not_wait() {
        let mut held = Held::default();
        for id in 0..=HELD_ATTEMPTS as u64 {
            held.push(attempt(id, 0, 0));
        }
        assert_eq!(ids(&mut held), [0]);
    }
}
