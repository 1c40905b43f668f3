//! Floor 3: where keyed state lives.
//!
//! Every operation is atomic, takes constant time, and is about one rule and one key. What is kept
//! is bounded twice: by `limits.keys`, beyond which the key that was asked about longest ago is
//! forgotten, and by `limits.key_ttl`, after which a key that nobody asked about starts afresh.

mod shard;

use std::hash::{BuildHasher, RandomState};
use std::num::NonZeroUsize;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use self::shard::{Entry, Shard};
use crate::judgement::{Answer, Ask};
use crate::words::{KeyHash, Moment};

/// A rule's place in its set, as far as the store is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Slot(pub u32);

/// Keyed state in this process's memory, shared by all workers.
///
/// About 130 bytes a key: the million keys of the default limit stay under 160 MiB.
#[derive(Debug)]
pub struct Store {
    shards: Box<[Mutex<Shard>]>,
    /// Keys are partly chosen by clients: where they land must not be.
    placement: RandomState,
}

impl Store {
    /// Keys share one lock up to this many, which makes the eviction order exact.
    const ONE_SHARD: usize = 1 << 16;
    /// Above that they are spread, and so is the limit: with a million keys, a shard is full when
    /// about 98 % of the limit is reached.
    const SHARDS: usize = 16;

    /// A store of at most `keys`, each forgotten `ttl` after it was last asked about.
    pub fn new(keys: NonZeroUsize, ttl: Duration) -> Store {
        let count = if keys.get() <= Store::ONE_SHARD { 1 } else { Store::SHARDS };
        let limit = keys.get().div_ceil(count);
        let shards = (0..count).map(|_| Mutex::new(Shard::new(limit, ttl))).collect();
        Store { shards, placement: RandomState::new() }
    }

    /// Runs one operation at `now`.
    pub fn run(&self, slot: Slot, key: KeyHash, ask: Ask, now: Moment) -> Answer {
        let mut shard = self.shard(slot, key);
        let entry = shard.entry((slot, key), now);
        entry.count = entry.count.saturating_add(1);
        match ask {
            Ask::Count => Answer::Counted { n: entry.count },
            Ask::Window(rate) => Answer::Windowed {
                n: entry.count,
                within: take_token(entry, rate.requests.get(), rate.period, now),
            },
        }
    }

    /// What the key's count stands at, without counting; for `explain` and summaries.
    pub fn count(&self, slot: Slot, key: KeyHash) -> u64 {
        self.shard(slot, key).peek((slot, key)).map_or(0, |entry| entry.count)
    }

    /// Keys held now.
    pub fn keys(&self) -> usize {
        self.locked().map(|shard| shard.len()).sum()
    }

    /// Keys forgotten so far because the store was full.
    pub fn evicted(&self) -> u64 {
        self.locked().map(|shard| shard.evicted()).sum()
    }

    fn shard(&self, slot: Slot, key: KeyHash) -> MutexGuard<'_, Shard> {
        let at = match self.shards.len() {
            1 => 0,
            shards => self.placement.hash_one((slot, key)) as usize % shards,
        };
        #[expect(clippy::indexing_slicing, reason = "a remainder of the length")]
        lock(&self.shards[at])
    }

    fn locked(&self) -> impl Iterator<Item = MutexGuard<'_, Shard>> {
        self.shards.iter().map(lock)
    }
}

/// A panic elsewhere leaves counters as they were: no reason to stop counting.
fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Generic cell rate algorithm (ITU-T I.371): one number a key, the moment at which the bucket will
/// be full again. A request fits if, with its own cost added, that is at most a period away.
fn take_token(entry: &mut Entry, requests: u32, period: Duration, now: Moment) -> bool {
    let full_at = entry.moment.max(now) + period / requests;
    let within = full_at.since(now) <= period;
    if within {
        entry.moment = full_at;
    }
    within
}

#[cfg(test)]
mod tests;
