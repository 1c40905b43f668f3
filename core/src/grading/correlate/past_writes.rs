//! A memory of finished operations: only hashes, with detail for the latest of them alone.

use std::collections::HashMap;
use std::hash::{Hash as _, Hasher as _};

use foldhash::fast::FixedState;
use siphasher::sip::SipHasher13;

use super::evidence::Clue;
use crate::model::{Fingerprint, InjectedConflict};

/// The latest clues, with something about each. Two generations: when the young one is full, it becomes
/// the old one. So at least the last [`ClueCache::GENERATION`] are remembered, and at most twice as
/// many; of those before them it is only remembered that they were there.
#[derive(Clone, Debug)]
pub(super) struct ClueCache<T> {
    young: Map<T>,
    old: Map<T>,
    faded: Faded,
}

/// Clues are hashes under the run's key: no secret of its own is needed here.
type Map<T> = HashMap<Clue, T, FixedState>;

impl<T: Copy> ClueCache<T> {
    pub const GENERATION: usize = 32_768;

    pub fn get(&self, clue: Clue) -> Option<T> {
        self.young.get(&clue).or_else(|| self.old.get(&clue)).copied()
    }

    /// Whether it was ever set. Of those that faded some are taken for others, never the other way round.
    pub fn has_known(&self, clue: Clue) -> bool {
        self.get(clue).is_some() || self.faded.may_hold(clue)
    }

    /// Whether something was known about it, as far as can be told.
    pub fn has_forgotten(&self, clue: Clue) -> bool {
        self.get(clue).is_none() && self.faded.may_hold(clue)
    }

    pub fn set(&mut self, clue: Clue, value: T) {
        if self.young.len() == Self::GENERATION && !self.young.contains_key(&clue) {
            let gone = std::mem::replace(&mut self.old, std::mem::take(&mut self.young));
            self.faded.add_all(gone.into_keys());
        }
        self.young.insert(clue, value);
    }
}

impl<T> Default for ClueCache<T> {
    fn default() -> Self {
        ClueCache { young: Map::default(), old: Map::default(), faded: Faded::default() }
    }
}

/// A Bloom filter: a set with false positives and no false negatives.
#[derive(Clone, Debug, Default)]
struct Faded {
    /// Empty until something fades.
    bits: Vec<u64>,
    count: usize,
}

impl Faded {
    /// 1 MiB.
    const BITS: u64 = 1 << 23;
    /// Bits of each clue. With eight bits for a clue and four of them set, one in forty is taken for another.
    const PROBES: u64 = 4;
    /// Beyond these it says yes to everything, so that forgotten writes accuse no client.
    const MOST: usize = 1 << 20;

    fn add_all(&mut self, clues: impl Iterator<Item = Clue>) {
        for clue in clues {
            if self.bits.is_empty() {
                self.bits = vec![0; (Self::BITS / 64) as usize];
            }
            self.count += 1;
            for (word, bit) in Self::places(clue) {
                if let Some(word) = self.bits.get_mut(word) {
                    *word |= bit;
                }
            }
        }
    }

    fn may_hold(&self, clue: Clue) -> bool {
        let is_set = |(word, bit): (usize, u64)| self.bits.get(word).is_some_and(|word| word & bit != 0);
        // Nothing fades in most runs.
        self.count > 0 && (self.count > Self::MOST || Self::places(clue).all(is_set))
    }

    /// Of two halves of one hash (Kirsch and Mitzenmacher, 2006). Numbers that are clues are no hashes.
    fn places(clue: Clue) -> impl Iterator<Item = (usize, u64)> {
        let mut hasher = SipHasher13::new();
        clue.hash(&mut hasher);
        let hash = hasher.finish();
        let step = (hash >> 32) | 1;
        (0..Self::PROBES).map(move |nth| {
            let at = hash.wrapping_add(nth.wrapping_mul(step)) % Self::BITS;
            ((at / 64) as usize, 1 << (at % 64))
        })
    }
}

/// The keys under which a rule refused one client at one path: only a rule whose keys are finer than
/// that can say that two different bodies are about one thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RefusedKeys {
    One(Fingerprint),
    Several,
}

impl ClueCache<RefusedKeys> {
    pub fn note(&mut self, lane: Clue, conflict: &InjectedConflict) {
        let keys = match self.get(lane) {
            None => RefusedKeys::One(conflict.key),
            Some(RefusedKeys::One(key)) if key == conflict.key => return,
            Some(_) => RefusedKeys::Several,
        };
        self.set(lane, keys);
    }

    pub fn tells_apart(&self, lane: Clue) -> bool {
        self.get(lane) == Some(RefusedKeys::Several)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_forgotten_is_still_known_to_have_been_there() {
        let all = 4 * ClueCache::<u64>::GENERATION as u64;
        let mut memory = ClueCache::default();
        (0..all).for_each(|number| memory.set(Clue::number(number), number));
        let remembered = (0..all).filter(|number| memory.get(Clue::number(*number)).is_some()).count();
        assert_eq!(remembered, 2 * ClueCache::<u64>::GENERATION);
        assert!((0..all).all(|number| memory.has_known(Clue::number(number))));
        let mistaken = (all..2 * all).filter(|number| memory.has_known(Clue::number(*number))).count() as u64;
        assert!(mistaken < all / 1_000, "{mistaken} of {all}");
    }

    #[test]
    fn one_that_is_full_knows_of_nothing_that_it_was_not_there() {
        let mut faded = Faded::default();
        assert!(!faded.may_hold(Clue::number(1)));
        faded.add_all((0..=Faded::MOST as u64).map(|number| Clue::number(2 * number)));
        assert!((0..100).all(|number| faded.may_hold(Clue::number(2 * number + 1))));
    }
}
