//! Puts attempts in order: they arrive as they end, and batches of several workers interleave.

use std::cmp::{Ordering, Reverse};
use std::collections::{BinaryHeap, VecDeque};
use std::sync::Arc;

use super::{HELD_ATTEMPTS, LATENESS, STRETCH};
use crate::model::Attempt;

/// The attempts whose turn has not come yet.
#[derive(Clone, Debug, Default)]
pub(super) struct ReorderBuffer {
    /// By far the most come in order. These do, from first to last: nothing has to be moved for them.
    row: VecDeque<Waiting>,
    /// Those that came after one whose turn is later.
    overtaken: BinaryHeap<Reverse<Waiting>>,
    /// The latest moment that the record has come to.
    latest: u64,
    /// The latest turn that came too early, as too many waited, and how many attempts came after one that
    /// they belong before.
    hurried: Option<AttemptOrder>,
    disordered: u64,
}

/// An attempt's place in the order, which does not depend on when it arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct AttemptOrder {
    /// When it began; for one that took longer than [`STRETCH`], so long before it ended: nothing waits
    /// for it longer than that. Never before the end of an attempt that it could follow.
    pub at: u64,
    end: u64,
    id: u64,
}

impl AttemptOrder {
    pub fn of(attempt: &Attempt) -> AttemptOrder {
        let at = attempt.start.max(attempt.end.saturating_sub(STRETCH));
        AttemptOrder { at, end: attempt.end, id: attempt.id }
    }
}

/// An attempt, ordered by its turn.
#[derive(Clone, Debug)]
struct Waiting {
    turn: AttemptOrder,
    attempt: Arc<Attempt>,
}

impl ReorderBuffer {
    pub fn push(&mut self, attempt: Arc<Attempt>) {
        self.pass(attempt.end);
        let waiting = Waiting { turn: AttemptOrder::of(&attempt), attempt };
        self.disordered += u64::from(self.hurried > Some(waiting.turn));
        if self.row.back().is_none_or(|last| *last <= waiting) {
            self.row.push_back(waiting);
        } else {
            self.overtaken.push(Reverse(waiting));
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

    /// All that comes before this has been taken, once [`ReorderBuffer::pop_due`] has nothing more.
    pub fn settled(&self) -> u64 {
        self.latest.saturating_sub(LATENESS + STRETCH)
    }

    /// The next attempt, once none can arrive any more whose turn is before its; or when too many wait.
    pub fn pop_due(&mut self) -> Option<(AttemptOrder, Arc<Attempt>)> {
        let overtaken = self.overtaken.peek().map(|Reverse(waiting)| waiting.turn.at);
        let first = self.row.front().map(|waiting| waiting.turn.at);
        let is_due = |at: Option<u64>| at.is_some_and(|at| at < self.settled());
        let is_full = self.row.len() + self.overtaken.len() > HELD_ATTEMPTS;
        if is_due(first) || is_due(overtaken) {
            return self.pop();
        }
        let hurried = if is_full { self.pop() } else { None };
        self.hurried = self.hurried.max(hurried.as_ref().map(|(turn, _)| *turn));
        hurried
    }

    /// How many attempts came after one that they belong before, as that had no room to wait.
    pub fn disordered(&self) -> u64 {
        self.disordered
    }

    /// The next attempt, even if an earlier one may still arrive.
    pub fn pop(&mut self) -> Option<(AttemptOrder, Arc<Attempt>)> {
        let is_overtaken = match (self.overtaken.peek(), self.row.front()) {
            (Some(Reverse(overtaken)), Some(first)) => overtaken < first,
            (overtaken, _) => overtaken.is_some(),
        };
        let Waiting { turn, attempt } =
            if is_overtaken { self.overtaken.pop()?.0 } else { self.row.pop_front()? };
        Some((turn, attempt))
    }
}

impl Ord for Waiting {
    fn cmp(&self, other: &Waiting) -> Ordering {
        self.turn.cmp(&other.turn)
    }
}

impl PartialOrd for Waiting {
    fn partial_cmp(&self, other: &Waiting) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Waiting {
    fn eq(&self, other: &Waiting) -> bool {
        self.turn == other.turn
    }
}

impl Eq for Waiting {}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempt(id: u64, start: u64, end: u64) -> Arc<Attempt> {
        Arc::new(Attempt { id, start, end, ..Attempt::default() })
    }

    fn ids(held: &mut ReorderBuffer) -> Vec<u64> {
        std::iter::from_fn(|| held.pop_due()).map(|(_, attempt)| attempt.id).collect()
    }

    #[test]
    fn attempts_come_by_their_start_once_nothing_earlier_can_arrive() {
        let mut held = ReorderBuffer::default();
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
        let mut held = ReorderBuffer::default();
        held.push(attempt(1, 30 * STRETCH, 30 * STRETCH));
        held.push(attempt(2, 0, 30 * STRETCH));
        held.push(attempt(3, 10 * STRETCH, 10 * STRETCH + 1));
        held.pass(60 * STRETCH);
        assert_eq!(ids(&mut held), [3, 2, 1]);
    }

    #[test]
    fn too_many_do_not_wait() {
        let mut held = ReorderBuffer::default();
        for id in 0..=HELD_ATTEMPTS as u64 {
            held.push(attempt(id, 0, 0));
        }
        assert_eq!(ids(&mut held), [0]);
        assert_eq!(held.disordered(), 0);
        // All of these wait, so that only the one that belongs before them is out of order.
        held.push(attempt(HELD_ATTEMPTS as u64 + 1, 1, 1));
        assert_eq!(held.disordered(), 0);
        let mut held = ReorderBuffer::default();
        (0..=HELD_ATTEMPTS as u64).for_each(|id| held.push(attempt(id, 5, 5)));
        assert_eq!(ids(&mut held), [0]);
        held.push(attempt(HELD_ATTEMPTS as u64 + 1, 4, 5));
        assert_eq!(held.disordered(), 1);
    }
}
