//! Keyed state in this process's memory.
//!
//! A bounded map of [`Entry`] that does not interpret entries. Every operation is atomic, takes constant time, and
//! concerns one [`StateKey`]. Two bounds apply: beyond `limits.keys` the least recently used key is evicted, and after
//! `limits.key_ttl` without a request a key starts afresh. A lease that still runs outlives that time.

mod shard;

use std::future::Pending;
use std::hash::{BuildHasher, RandomState};
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use self::shard::Shard;
use crate::engine::{Entry, Keyspace, Op, Reply, StateKey, Store, StoreError, Update};
use crate::model::Moment;

/// A store in this process's memory, shared by all workers.
///
/// About 90 bytes a key, and 240 for one with a version of 34 characters: the million keys of the
/// default limit stay under 256 MiB (`benches/state.rs` measures it). Versions longer than 128 bytes
/// are not kept. Kept responses come on top, [`RESPONSES`] of them at the most.
#[derive(Debug)]
pub struct MemoryStore {
    shards: Box<[Mutex<Shard>]>,
    /// Seeds the hash: clients choose parts of keys, and must not choose their shard or slot.
    placement: RandomState,
    /// Whether the eviction of keys was logged.
    has_warned: AtomicBool,
}

/// Maximum number of responses kept for replay; older ones are evicted, their keys are not.
pub const RESPONSES: usize = 1_024;

impl MemoryStore {
    /// Up to this number of keys share one lock, which makes the eviction order exact.
    const ONE_SHARD: usize = 1 << 16;
    /// Above that they are spread, and so is the limit: with a million keys, a shard is full when
    /// about 98 % of the limit is reached.
    const SHARDS: usize = 16;

    /// A store of at most `keys`, each evicted `ttl` after its last use.
    pub fn new(keys: NonZeroUsize, ttl: Duration) -> MemoryStore {
        let count = if keys.get() <= MemoryStore::ONE_SHARD { 1 } else { MemoryStore::SHARDS };
        let limit = keys.get().div_ceil(count);
        let placement = RandomState::new();
        let shard = || Shard::new(limit, RESPONSES / count, ttl, placement.clone());
        MemoryStore {
            shards: (0..count).map(|_| Mutex::new(shard())).collect(),
            placement,
            has_warned: AtomicBool::new(false),
        }
    }

    /// Runs one operation at `now`.
    pub fn run(&self, key: StateKey, op: Op, now: Moment) -> Reply {
        let (hash, mut shard) = self.shard(key);
        let reply = shard.run(hash, key, op, now);
        self.settle(shard, now);
        reply
    }

    /// Keys held now.
    pub fn keys(&self) -> usize {
        self.locked().map(|shard| shard.len()).sum()
    }

    /// Keys of one keyspace held now; looks at every key.
    pub fn keys_of(&self, keyspace: Keyspace) -> usize {
        let mut keys = 0;
        self.each(&mut |key, _| keys += usize::from(key.keyspace() == keyspace));
        keys
    }

    /// Calls `each` with every entry.
    pub fn each(&self, each: &mut dyn FnMut(StateKey, &Entry)) {
        self.locked().for_each(|shard| shard.each(each));
    }

    /// Keys evicted so far because the store was full.
    pub fn evicted(&self) -> u64 {
        self.locked().map(|shard| shard.evicted()).sum()
    }

    /// Runs the operation that an evicted entry owes to another key.
    fn settle(&self, mut shard: MutexGuard<'_, Shard>, now: Moment) {
        let owed = shard.take_owed();
        let is_evicting = shard.evicted() > 0;
        // That key may be in the same shard, or in another.
        drop(shard);
        if is_evicting && !self.has_warned.load(Relaxed) && !self.has_warned.swap(true, Relaxed) {
            tracing::warn!(
                "the state has no room for another key and forgets the oldest, whose counts begin again; \
                 raise limits.keys"
            );
        }
        if let Some((key, op)) = owed {
            let (hash, mut shard) = self.shard(key);
            shard.run(hash, key, op, now);
        }
    }

    fn shard(&self, key: StateKey) -> (u64, MutexGuard<'_, Shard>) {
        let hash = self.placement.hash_one(key);
        // Other bits than those that the shard's table uses.
        let at = (hash >> 32) as usize % self.shards.len();
        #[expect(clippy::indexing_slicing, reason = "a remainder of the length")]
        (hash, lock(&self.shards[at]))
    }

    fn locked(&self) -> impl Iterator<Item = MutexGuard<'_, Shard>> {
        self.shards.iter().map(lock)
    }
}

impl Store for MemoryStore {
    /// Never constructed: every reply is immediate.
    type Later = Pending<Result<Reply, StoreError>>;

    fn update(&self, key: StateKey, op: Op, now: Moment) -> Update<Self::Later> {
        Update::Ready(Ok(self.run(key, op, now)))
    }
}

/// Ignores poisoning: a panic elsewhere leaves the counters valid.
fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
