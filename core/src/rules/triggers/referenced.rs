//! `on = "referenced"`: requests about a resource that others refer to.

use super::State;
use super::release::{RELEASE, Selector};
use super::state::{NeededKeys, StateDefinition, as_long_as_it_conflicts, per_path};
use crate::matching::Match;
use crate::model::{Key, Kind};
use crate::rules::keys::entry::{Fallback, KeyEntry, companion};
use crate::rules::keys::requests::SELECTOR;
use crate::rules::keys::value::ValueType;

pub(super) const TRIGGER: StateDefinition = StateDefinition {
    word: "referenced",
    title: "a live resource refers to its key",
    kind: Kind::Referenced,
    learned_from: "a 2xx response to `by`",
    ended_by: "a 2xx response to `release`: by its own path, where that is its `per`, or else by the key that it names",
    notes: "",
    example: "on = \"referenced\"\nby = { method = \"POST\", path = \"/orders\", per = \"body:/item\" }",
    per: per_path,
    keys: &[BY, RELEASE],
    needs: Some(NeededKeys { one_of: &[BY], question: "referenced by what?" }),
    state: |given| {
        let none = Selector { requests: Match::default(), per: Key::RULE };
        State::Referenced { by: given.by.unwrap_or(none), release: given.release }
    },
    never_held: "nothing live referred to it",
    conflicts: "while something that `by` made refers to it",
    lasts: as_long_as_it_conflicts,
};

pub(super) const BY: KeyEntry = companion(
    "by",
    ValueType::Table(&SELECTOR),
    Fallback::Words("with `on = \"referenced\"` it must be given"),
    "the requests that make a resource refer to this one.",
    "on = \"referenced\"\nby = { method = \"POST\", path = \"/orders\", per = \"body:/item\" }",
);
