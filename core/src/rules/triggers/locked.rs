//! `on = "locked"`: requests while another client has the lock.

use std::time::Duration;

use super::State;
use super::release::RELEASE;
use super::state::{StateDefinition, as_long_as_it_conflicts, per_path};
use crate::model::Kind;
use crate::rules::keys::entry::{Fallback, KeyEntry, companion};
use crate::rules::keys::value::{ValueType, YEAR};

pub(super) const TRIGGER: StateDefinition = StateDefinition {
    word: "locked",
    title: "another client holds the lock of its key",
    kind: Kind::Lock,
    learned_from: "a 2xx response to a matching request: its client holds the lock",
    ended_by: "`lease` after it, or a 2xx response to `release`",
    notes: "",
    example: "on = \"locked\"",
    per: per_path,
    keys: &[LEASE, RELEASE],
    needs: None,
    state: |given| State::Locked {
        lease: given.lease.unwrap_or(Duration::from_secs(10)),
        release: given.release,
    },
    never_held: "nobody else held it",
    conflicts: "while another client holds it",
    lasts: as_long_as_it_conflicts,
};

pub(super) const LEASE: KeyEntry = companion(
    "lease",
    ValueType::Duration { least: Duration::from_millis(1), most: YEAR },
    Fallback::Is("\"10s\""),
    "how long a lock is held without a `release`.",
    "on = \"locked\"\nlease = \"30s\"",
);
