//! What is remembered of operations that are over: only hashes, and only the latest of them.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;

use siphasher::sip::SipHasher13;

use super::evidence::Clue;
use crate::words::{Conflict, Fingerprint};

/// The latest clues, with something about each. Two generations: when the young one is full, it becomes
/// the old one, which is forgotten. So at least [`Memory::GENERATION`] are remembered, and at most twice
/// as many.
#[derive(Clone, Debug)]
pub(super) struct Memory<T> {
    young: Map<T>,
    old: Map<T>,
}

/// Clues are hashes under the run's key: no secret of its own is needed here.
type Map<T> = HashMap<Clue, T, BuildHasherDefault<SipHasher13>>;

impl<T: Copy> Memory<T> {
    pub const GENERATION: usize = 32_768;

    pub fn get(&self, clue: Clue) -> Option<T> {
        self.young.get(&clue).or_else(|| self.old.get(&clue)).copied()
    }

    pub fn set(&mut self, clue: Clue, value: T) {
        if self.young.len() == Self::GENERATION && !self.young.contains_key(&clue) {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(clue, value);
    }
}

impl<T> Default for Memory<T> {
    fn default() -> Self {
        Memory { young: Map::default(), old: Map::default() }
    }
}

/// The keys under which a rule refused one client at one path: only a rule whose keys are finer than
/// that can say that two different bodies are about one thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keys {
    One(Fingerprint),
    Several,
}

impl Memory<Keys> {
    pub fn note(&mut self, lane: Clue, conflict: &Conflict) {
        let keys = match self.get(lane) {
            None => Keys::One(conflict.key),
            Some(Keys::One(key)) if key == conflict.key => return,
            Some(_) => Keys::Several,
        };
        self.set(lane, keys);
    }

    pub fn tells_apart(&self, lane: Clue) -> bool {
        self.get(lane) == Some(Keys::Several)
    }
}
