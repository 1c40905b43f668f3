//! Floor 3: where keyed state lives.
//!
//! Every operation is atomic, takes constant time, and is about one [`Place`]. What is kept is
//! bounded twice: by `limits.keys`, beyond which the key that was asked about longest ago is
//! forgotten, and by `limits.key_ttl`, after which a key that nobody asked about starts afresh. A
//! lease that still runs outlives that time.

mod entry;
mod shard;

use std::hash::{BuildHasher, RandomState};
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use self::shard::Shard;
use crate::engine::{Answer, Ask, Held, Place, Table, Tell, Told};
use crate::model::Moment;
use crate::rules::Clear;

/// Keyed state in this process's memory, shared by all workers.
///
/// About 90 bytes a key, and 240 for one with a version of 34 characters: the million keys of the
/// default limit stay under 256 MiB (`benches/state.rs` measures it). Versions longer than 128 bytes
/// are not kept. Kept answers come on top, [`ANSWERS`] of them at the most.
#[derive(Debug)]
pub struct Store {
    shards: Box<[Mutex<Shard>]>,
    /// Keys are partly chosen by clients: where they land must not be.
    placement: RandomState,
    /// Whether it was said that keys are forgotten for want of room.
    has_warned: AtomicBool,
}

/// How many answers are kept to be given again; older ones are forgotten, their keys are not.
pub const ANSWERS: usize = 1_024;

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
        let placement = RandomState::new();
        let shard = || Shard::new(limit, ANSWERS / count, ttl, placement.clone());
        Store {
            shards: (0..count).map(|_| Mutex::new(shard())).collect(),
            placement,
            has_warned: AtomicBool::new(false),
        }
    }

    /// Runs one operation at `now`.
    pub fn run(&self, place: Place, ask: Ask, now: Moment) -> Answer {
        let (hash, mut shard) = self.shard(place);
        let answer = shard.ask(hash, place, ask, now);
        self.settle(shard, now);
        answer
    }

    /// Tells an outcome at `now`.
    pub fn tell(&self, place: Place, tell: Tell, now: Moment) {
        let (hash, mut shard) = self.shard(place);
        shard.tell(hash, place, tell, now);
        self.settle(shard, now);
    }

    /// Tells what a lesson taught.
    pub fn learn(&self, told: Told, now: Moment) {
        let state = |referrer: Place, key| Place { table: Table::State, key, ..referrer };
        match told {
            Told::One(place, tell) => self.tell(place, tell, now),
            Told::Attach { referrer, to } => {
                // Counted before it is named: whoever takes the name off finds it counted.
                self.tell(state(referrer, to), Tell::Refer, now);
                if let Answer::Held(Some(Held { holder: previous, .. })) =
                    self.run(referrer, Ask::Replace(to), now)
                {
                    self.tell(state(referrer, previous), Tell::Unrefer, now);
                }
            }
            Told::Detach(referrer) => {
                if let Answer::Held(Some(Held { holder: key, .. })) = self.run(referrer, Ask::Take, now) {
                    self.tell(state(referrer, key), Tell::Unrefer, now);
                }
            }
        }
    }

    /// What the key's count stands at, without counting; for `explain` and summaries.
    pub fn count(&self, place: Place) -> u64 {
        let (hash, shard) = self.shard(place);
        shard.count(hash, place)
    }

    /// Keys held now.
    pub fn keys(&self) -> usize {
        self.locked().map(|shard| shard.len()).sum()
    }

    /// Keys of one table held now; looks at every key.
    pub fn keys_of(&self, table: Table) -> usize {
        self.locked().map(|shard| shard.keys_of(table)).sum()
    }

    /// Calls `each` with the rule of every conflict that is open at `now`, where `clear` is the rule's
    /// own; looks at every key.
    pub fn each_open(&self, now: Moment, clear: &dyn Fn(u32) -> Option<Clear>, each: &mut dyn FnMut(u32)) {
        self.locked().for_each(|shard| shard.each_open(now, clear, each));
    }

    /// Keys forgotten so far because the store was full.
    pub fn evicted(&self) -> u64 {
        self.locked().map(|shard| shard.evicted()).sum()
    }

    /// A referrer that was forgotten refers to nothing any more.
    fn settle(&self, mut shard: MutexGuard<'_, Shard>, now: Moment) {
        let orphan = shard.take_orphan();
        let is_evicting = shard.evicted() > 0;
        // What it referred to may be in the same shard, or in another.
        drop(shard);
        if is_evicting && !self.has_warned.load(Relaxed) && !self.has_warned.swap(true, Relaxed) {
            tracing::warn!(
                "the state has no room for another key and forgets the oldest, whose counts begin again; \
                 raise limits.keys"
            );
        }
        if let Some(orphan) = orphan {
            let (hash, mut shard) = self.shard(orphan);
            shard.tell(hash, orphan, Tell::Unrefer, now);
        }
    }

    fn shard(&self, place: Place) -> (u64, MutexGuard<'_, Shard>) {
        let hash = self.placement.hash_one(place);
        // Other bits than the shard's own table goes by.
        let at = (hash >> 32) as usize % self.shards.len();
        #[expect(clippy::indexing_slicing, reason = "a remainder of the length")]
        (hash, lock(&self.shards[at]))
    }

    fn locked(&self) -> impl Iterator<Item = MutexGuard<'_, Shard>> {
        self.shards.iter().map(lock)
    }
}

/// A panic elsewhere leaves counters as they were: no reason to stop counting.
fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
