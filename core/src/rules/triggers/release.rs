//! `release` and `by`: requests that end or make an entry of state.

use crate::matching::Match;
use crate::model::Key;
use crate::rules::keys::entry::{Fallback, KeyEntry, companion};
use crate::rules::keys::requests::SELECTOR;
use crate::rules::keys::value::ValueType;

/// Requests that end or make an entry of state, and the key they carry.
#[derive(Clone, Debug, PartialEq)]
pub struct Selector {
    pub requests: Match,
    pub per: Key,
}

pub(super) const RELEASE: KeyEntry = companion(
    "release",
    ValueType::Table(&SELECTOR),
    Fallback::Words("none"),
    "the requests that end an entry.",
    "on = \"duplicate\"\nrelease = { method = \"DELETE\", path = \"/users/{name}\", per = \"param:name\" }",
);
