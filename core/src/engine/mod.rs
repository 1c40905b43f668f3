//! Judging requests. Pure: time, chance and state are arguments.
//!
//! [`Session`] decides one request, [`Effects`] settles it when it ends, [`Entry`] is the state of one
//! key, and a [`Store`] keeps entries. A driver passes operations from the first two to a store, and the replies back.

mod active_rule;
mod clear;
mod counters;
mod decision;
mod effects;
mod entry;
mod fault;
mod missed;
mod observers;
mod operation;
mod ruleset;
mod session;
mod state;
mod store;
mod trigger;
mod version_sights;

pub use active_rule::{ActiveRule, Concern, Unconcerned};
pub use clear::validator;
pub use counters::RuleCounters;
pub use decision::{Conflict, Decision, Judged, Notice, Replay, RuleOutcome, Step};
pub use effects::Effects;
pub use entry::{DecodeError, Entry, Packed, VersionEntry};
pub use fault::PassingFault;
pub use missed::Came;
pub use observers::Readings;
pub use operation::{Held, Keyspace, KnownVersion, Learnt, Op, Reply, StateKey, StateScope, StoredResponse};
pub use ruleset::RuleSet;
pub use session::{Session, UpstreamResponse};
pub use state::{Exchange, Judgement, LEASE, Observation, Outcome, StateUpdate, Versions, http_date, scalar};
pub use store::{Store, StoreError, Update};
pub use version_sights::VersionSights;
