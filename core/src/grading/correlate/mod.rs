//! From attempts to operations: which requests were tries of one logical call.
//!
//! Attempts go in roughly as they ended, operations come out when they are over. In between an attempt
//! is `held` until no earlier one can arrive; then the `meaning` of its response and its `evidence` `find`
//! the operation in the `table` that it continues, or it begins one. docs/GRADING.md has the rules in words,
//! their limits, and how often they are right.
//!
//! The same attempts give the same operations, in whatever pieces and order they come, as long as none
//! comes more than [`LATENESS`] after one that ended later, and no bound is reached. One that comes later
//! than that is taken as it comes.

mod evidence;
mod find;
mod held;
mod meaning;
mod open;
mod past_writes;
mod reading;
mod spacing;
mod strands;
mod table;
#[cfg(test)]
mod tests;
mod trail;

use std::sync::Arc;

use self::evidence::Clues;
use self::find::{Past, find};
use self::held::{AttemptOrder, ReorderBuffer};
use self::meaning::Meaning;
use self::table::OpenOperations;
use super::{Link, Operation, OperationOutcome, Try};
use crate::model::Attempt;

const SECOND: u64 = 1_000_000;
/// Another try is expected for so long after a response, in microseconds, at least: it may be longer by
/// the gaps seen and by the wait that `Retry-After` asked for. A later one begins an operation.
const SHORTEST_WINDOW: u64 = 30 * SECOND;
/// And at most: an upstream may ask to wait until tomorrow.
const LONGEST_WINDOW: u64 = 3_600 * SECOND;
/// So much later than one that ended after it an attempt may come, in microseconds.
const LATENESS: u64 = SECOND / 4;
/// An attempt that took longer than this counts as begun this long before its end, in microseconds.
const STRETCH: u64 = SECOND;
/// Attempts that wait for their turn; beyond it the first one does not wait any longer.
const HELD_ATTEMPTS: usize = 65_536;
/// Operations that may go on.
const OPEN_OPERATIONS: usize = 65_536;
pub(super) const OPEN_OPERATIONS_OF_A_CLIENT: usize = 1_024;
/// Tries kept of an operation: the first half of these, and as many of the last.
const KEPT_TRIES: usize = 64;
/// Tries kept of all operations that may go on.
const KEPT_TRIES_OVERALL: usize = 131_072;
/// Reads kept before each try, the last ones.
const READS: usize = 8;
/// Different markers by which an operation is found, the first ones.
const MARKERS: usize = 8;

/// Operations of one place that are compared with one attempt, the oldest first. Those beyond are ambiguous.
const CANDIDATES: usize = 64;

/// Groups attempts into operations. A clone of it goes on by itself: its [`Correlator::finish`] says how
/// things stand.
#[derive(Clone, Debug, Default)]
pub struct Correlator {
    held: ReorderBuffer,
    table: OpenOperations,
    past: Past,
}

/// The losses of a record to bounds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Cost {
    /// Operations that were put away, unfinished.
    pub evicted: u64,
    /// Attempts that were taken before others that began earlier.
    pub disordered: u64,
}

/// A finished operation.
#[derive(Clone, Debug)]
pub(super) enum Ended {
    /// An operation by itself that met no trouble: by far the most, which cost no more than this.
    Plain(Arc<Attempt>),
    Operation(Operation),
    /// An operation that seems to be over; whether it is one call shows later. For live views.
    Told(Operation),
    /// One that was told before.
    Late(Operation),
}

impl Correlator {
    pub fn new() -> Correlator {
        Correlator::default()
    }

    /// Takes the next attempt, and gives back the operations that are over. They come later than their
    /// last attempt, as something earlier may still arrive; those that a client gave up, when their
    /// window has passed.
    pub fn add(&mut self, attempt: impl Into<Arc<Attempt>>) -> Vec<Operation> {
        let mut ended = Vec::new();
        self.add_to(attempt.into(), &mut ended);
        ended.into_iter().filter_map(Ended::into_operation).collect()
    }

    /// As [`Correlator::add`].
    pub(super) fn add_to(&mut self, attempt: Arc<Attempt>, ended: &mut Vec<Ended>) {
        self.held.push(attempt);
        self.go_on(ended);
    }

    /// Says that the record has come to `now`, in microseconds on its own clock, although nothing was
    /// sent: attempts that ended a while ago are taken, and operations end.
    pub fn pass(&mut self, now: u64) -> Vec<Operation> {
        let mut ended = Vec::new();
        self.pass_to(now, &mut ended);
        ended.into_iter().filter_map(Ended::into_operation).collect()
    }

    /// As [`Correlator::pass`].
    pub(super) fn pass_to(&mut self, now: u64, ended: &mut Vec<Ended>) {
        self.held.pass(now);
        self.go_on(ended);
        self.table.close_until(self.held.settled(), ended);
    }

    /// The rest, at the end of the record. An operation whose window has not passed is unfinished.
    pub fn finish(self) -> Vec<Operation> {
        let mut ended = Vec::new();
        self.finish_to(&mut ended);
        ended.into_iter().filter_map(Ended::into_operation).collect()
    }

    /// As [`Correlator::finish`]; returns the losses to bounds in all, as taking the attempts that still wait
    /// may evict operations.
    pub(super) fn finish_to(mut self, ended: &mut Vec<Ended>) -> Cost {
        while let Some((turn, attempt)) = self.held.pop() {
            self.take(turn, attempt, ended);
        }
        let cost = Cost { evicted: self.table.evicted(), disordered: self.held.disordered() };
        self.table.close_all(self.held.latest(), ended);
        cost
    }

    /// Operations that were put away, unfinished, because too many could go on.
    pub fn evicted(&self) -> u64 {
        self.table.evicted()
    }

    fn go_on(&mut self, ended: &mut Vec<Ended>) {
        while let Some((turn, attempt)) = self.held.pop_due() {
            self.take(turn, attempt, ended);
        }
    }

    fn take(&mut self, turn: AttemptOrder, attempt: Arc<Attempt>, ended: &mut Vec<Ended>) {
        self.table.close_until(turn.at, ended);
        let resource = Clues::resource_of(&attempt);
        self.table.note_caller(&attempt, resource);
        let meaning = Meaning::of(&attempt);
        let is_known = self.table.knows(attempt.client);
        if !is_known && !meaning.is_retryable() && !is_marked(&attempt) {
            // By far the most: nothing came before, and nothing follows.
            if attempt.is_write() {
                self.past.note(&attempt, meaning, &Clues::of(&attempt, resource));
            }
            return ended.push(match meaning {
                Meaning::Success if attempt.conflict.is_none() => Ended::Plain(attempt),
                _ => Ended::Operation(alone(attempt, meaning)),
            });
        }
        let evidence = Clues::of(&attempt, resource);
        let found = if is_known { find(&attempt, &evidence, &self.table, &self.past) } else { None };
        if is_known {
            self.table.read(&attempt, &evidence, found.map(|(number, _)| number));
        }
        self.past.note(&attempt, meaning, &evidence);
        match found {
            Some((number, link)) => self.table.go_on(number, link, attempt, meaning, evidence, ended),
            None => self.table.begin(attempt, meaning, evidence, ended),
        }
    }
}

impl Ended {
    fn into_operation(self) -> Option<Operation> {
        match self {
            Ended::Plain(attempt) => Some(alone(attempt, Meaning::Success)),
            Ended::Operation(operation) | Ended::Late(operation) => Some(operation),
            Ended::Told(_) => None,
        }
    }
}

/// An attempt that nothing came before and nothing can follow.
fn alone(attempt: Arc<Attempt>, meaning: Meaning) -> Operation {
    Operation {
        id: attempt.id,
        client: attempt.client,
        tries: vec![Try { attempt, link: Link::First, gap: None, reads: Vec::new() }],
        count: 1,
        reads_after: Vec::new(),
        outcome: if meaning == Meaning::Success {
            OperationOutcome::Untroubled
        } else {
            OperationOutcome::GaveUp
        },
    }
}

/// Whether a client may try again after the response, as [`Meaning`] has it.
pub(super) fn may_be_retried(attempt: &Attempt) -> bool {
    Meaning::of(attempt).is_retryable()
}

fn is_marked(attempt: &Attempt) -> bool {
    attempt.sent.operation.is_some() || attempt.sent.idempotency_key.is_some()
}
