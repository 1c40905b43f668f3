//! A client's other recent requests: whether it removed something, or logged in, between two tries.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasherDefault, Hasher};

use super::view::{Elsewhere, is_refused};
use super::{Operation, OperationOutcome};
use crate::model::{Attempt, Fingerprint};

/// The latest operations of the clients seen lately.
#[derive(Clone, Debug, Default)]
pub(super) struct RecentActivity {
    /// At most [`MOST_CLIENTS`]; when there are more, these grow old, and the older are forgotten.
    young: Map,
    old: Map,
    /// Requests that began up to here (µs) may be of a client that is forgotten.
    forgotten: Option<u64>,
}

type Map = HashMap<Fingerprint, Latest, BuildHasherDefault<AsItIs>>;

/// Fingerprints are hashes already. In a journal that was made up they may all fall together, but there are
/// never more than [`MOST_CLIENTS`].
#[derive(Clone, Debug, Default)]
struct AsItIs(u64);

impl Hasher for AsItIs {
    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.0 = self.0.rotate_left(8) ^ u64::from(*byte));
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

const MOST_CLIENTS: usize = 2_000;
const MOST_OPERATIONS: usize = 32;

/// The latest operations of one client.
#[derive(Clone, Debug, Default)]
struct Latest {
    spells: VecDeque<Spell>,
    /// The latest start of those that there was no room for any more.
    forgotten: Option<u64>,
}

/// When an operation ran (µs), and whether it changed something.
#[derive(Clone, Copy, Debug)]
struct Spell {
    start: u64,
    end: u64,
    wrote: bool,
}

impl RecentActivity {
    pub fn note(&mut self, operation: &Operation) {
        let (Some(first), Some(last)) = (operation.tries.first(), operation.tries.last()) else { return };
        let succeeded =
            matches!(operation.outcome, OperationOutcome::Untroubled | OperationOutcome::Recovered);
        let wrote = last.attempt.is_write() && succeeded && !is_refused(&last.attempt);
        let spell = Spell { start: first.attempt.start, end: last.attempt.end, wrote };
        self.add(operation.client, spell);
    }

    /// As [`RecentActivity::note`], of an operation of one attempt that met no trouble.
    pub fn note_plain(&mut self, attempt: &Attempt) {
        let spell = Spell { start: attempt.start, end: attempt.end, wrote: attempt.is_write() };
        self.add(attempt.client, spell);
    }

    fn add(&mut self, client: Fingerprint, spell: Spell) {
        if let Some(latest) = self.young.get_mut(&client) {
            return latest.add(spell);
        }
        if self.young.len() >= MOST_CLIENTS {
            let gone = std::mem::replace(&mut self.old, std::mem::take(&mut self.young));
            let latest = gone.values().filter_map(Latest::last_start).max();
            self.forgotten = self.forgotten.max(latest);
        }
        let forgotten = self.forgotten;
        let mut latest =
            self.old.remove(&client).unwrap_or_else(|| Latest { spells: VecDeque::new(), forgotten });
        latest.add(spell);
        self.young.insert(client, latest);
    }

    /// The client's activity within a stretch of time (µs).
    pub fn between(&self, client: Fingerprint, from: u64, to: u64) -> Elsewhere {
        let Some(latest) = self.young.get(&client).or_else(|| self.old.get(&client)) else {
            let is_forgotten = self.forgotten.is_some_and(|until| until >= from);
            return Elsewhere { is_forgotten, ..Elsewhere::default() };
        };
        let is_forgotten = latest.forgotten.is_some_and(|until| until >= from);
        let within = latest.spells.iter().filter(|spell| spell.start >= from && spell.start < to);
        let nothing = Elsewhere { is_forgotten, ..Elsewhere::default() };
        within.fold(nothing, |seen, spell| Elsewhere {
            wrote: seen.wrote || spell.wrote && spell.end <= to,
            asked: true,
            is_forgotten,
        })
    }
}

impl Latest {
    fn add(&mut self, spell: Spell) {
        if self.spells.len() == MOST_OPERATIONS {
            let gone = self.spells.pop_front().map(|gone| gone.start);
            self.forgotten = self.forgotten.max(gone);
        }
        self.spells.push_back(spell);
    }

    fn last_start(&self) -> Option<u64> {
        self.spells.iter().map(|spell| spell.start).max().max(self.forgotten)
    }
}
