//! `on = "duplicate"`: creations of a resource that is there.

use super::State;
use super::release::RELEASE;
use super::state::{StateDefinition, per_path};
use crate::model::Kind;

pub(super) const TRIGGER: StateDefinition = StateDefinition {
    word: "duplicate",
    title: "its key was created before, and not released since",
    kind: Kind::Duplicate,
    learned_from: "a 2xx response to a matching request",
    ended_by: "a 2xx response to `release`",
    notes: "",
    example: "on = \"duplicate\"",
    per: per_path,
    keys: &[RELEASE],
    needs: None,
    state: |given| State::Duplicate { release: given.release },
    never_held: "nothing was created twice",
    conflicts: "once the upstream accepted such a request",
    lasts: |state| {
        Some(match state {
            State::Duplicate { release: None } => "for good",
            _ => "until a `release` is accepted",
        })
    },
};
