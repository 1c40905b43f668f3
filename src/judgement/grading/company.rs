//! What else a client asked for lately: whether it removed something, or logged in, between two tries.

use std::collections::{HashMap, VecDeque};

use super::view::{Elsewhere, is_refused};
use super::{Operation, Outcome};
use crate::words::Fingerprint;

/// The latest operations of the clients seen lately.
#[derive(Clone, Debug, Default)]
pub(super) struct Company {
    /// At most [`MOST_CLIENTS`]; when there are more, these grow old, and the older are forgotten.
    young: HashMap<Fingerprint, Latest>,
    old: HashMap<Fingerprint, Latest>,
}

const MOST_CLIENTS: usize = 2_000;
const MOST_OPERATIONS: usize = 32;

/// The latest operations of one client.
#[derive(Clone, Debug, Default)]
struct Latest(VecDeque<Spell>);

/// When an operation ran (µs), and whether it changed something.
#[derive(Clone, Copy, Debug)]
struct Spell {
    start: u64,
    end: u64,
    wrote: bool,
}

impl Company {
    pub fn note(&mut self, operation: &Operation) {
        let (Some(first), Some(last)) = (operation.tries.first(), operation.tries.last()) else { return };
        let succeeded = matches!(operation.outcome, Outcome::Untroubled | Outcome::Recovered);
        let wrote = last.attempt.is_write() && succeeded && !is_refused(&last.attempt);
        if !self.young.contains_key(&operation.client) && self.young.len() >= MOST_CLIENTS {
            self.old = std::mem::take(&mut self.young);
        }
        let old = &mut self.old;
        let latest = self
            .young
            .entry(operation.client)
            .or_insert_with(|| old.remove(&operation.client).unwrap_or_default());
        latest.0.push_back(Spell { start: first.attempt.start, end: last.attempt.end, wrote });
        if latest.0.len() > MOST_OPERATIONS {
            latest.0.pop_front();
        }
    }

    /// What the client did within a stretch of time (µs).
    pub fn between(&self, client: Fingerprint, from: u64, to: u64) -> Elsewhere {
        let Some(latest) = self.young.get(&client).or_else(|| self.old.get(&client)) else {
            return Elsewhere::default();
        };
        let within = latest.0.iter().filter(|spell| spell.start >= from && spell.start < to);
        within.fold(Elsewhere::default(), |seen, spell| Elsewhere {
            wrote: seen.wrote || spell.wrote && spell.end <= to,
            asked: true,
        })
    }
}
