//! `on = "overlap"`: requests while another one is in flight.

use std::time::Duration;

use super::State;
use super::state::{StateDefinition, as_long_as_it_conflicts, per_path};
use crate::model::Kind;
use crate::rules::keys::entry::{Fallback, KeyEntry, companion};
use crate::rules::keys::value::ValueType;

pub(super) const TRIGGER: StateDefinition = StateDefinition {
    word: "overlap",
    title: "another matching request of its key is in flight",
    kind: Kind::Overlap,
    learned_from: "a matching request that goes to the upstream",
    ended_by: "its response's head, `hold` later; or its client leaves",
    notes: "",
    example: "on = \"overlap\"",
    per: per_path,
    keys: &[HOLD],
    needs: None,
    state: |given| State::Overlap { hold: given.hold.unwrap_or_default() },
    never_held: "no two requests of one key were in flight together",
    conflicts: "while another such request is in flight",
    lasts: as_long_as_it_conflicts,
};

pub(super) const HOLD: KeyEntry = companion(
    "hold",
    ValueType::Duration { least: Duration::ZERO, most: Duration::from_secs(60 * 60) },
    Fallback::Is("\"0s\""),
    "keeps the first of two requests in flight this much longer, at most an hour.",
    "on = \"overlap\"\nhold = \"300ms\"",
);
