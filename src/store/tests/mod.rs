//! The contract of a store, operation by operation; its bounds; the state machines on top of it,
//! request by request; and all of them against models, in random order.

mod bounds;
mod contract;
mod every_trigger;
mod faults;
mod model;
mod model_of_versions;
mod playback;
mod references;
mod slow;
mod threads;
mod traces;
mod traces_in_flight;
mod traces_of_versions;

use super::*;
use crate::engine::{Effects, Held, StateScope, StateUpdate};
use crate::model::KeyHash;

const HOUR: Duration = Duration::from_secs(3600);

fn store(keys: usize, ttl: Duration) -> MemoryStore {
    MemoryStore::new(NonZeroUsize::new(keys).expect("at least one key"), ttl)
}

fn place(rule: u32, keyspace: Keyspace, key: u128) -> StateKey {
    StateKey::new(StateScope::new(&rule.to_string(), ""), keyspace, KeyHash(key))
}

/// Runs a command to its end.
fn obey(store: &MemoryStore, command: StateUpdate, now: Moment) {
    let mut effects = Effects::from(command);
    while let Some((key, op)) = effects.poll(now) {
        effects.reply(Ok(store.run(key, op, now)));
    }
}

/// The count of a key, without counting.
fn count_at(store: &MemoryStore, wanted: StateKey) -> u64 {
    let mut count = 0;
    store.each(&mut |key, entry| count += if key == wanted { entry.count() } else { 0 });
    count
}
