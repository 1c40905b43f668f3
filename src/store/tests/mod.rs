//! The contract of a store, operation by operation; what bounds it; the state machines on top of it,
//! request by request; and all of them against models of their own, in random order.

mod bounds;
mod contract;
mod model;
mod model_of_versions;
mod playback;
mod references;
mod threads;
mod traces;
mod traces_in_flight;
mod traces_of_versions;

use super::*;
use crate::model::KeyHash;

const HOUR: Duration = Duration::from_secs(3600);

fn store(keys: usize, ttl: Duration) -> Store {
    Store::new(NonZeroUsize::new(keys).expect("at least one key"), ttl)
}

fn place(rule: u32, table: Table, key: u128) -> Place {
    Place { rule, table, key: KeyHash(key) }
}
