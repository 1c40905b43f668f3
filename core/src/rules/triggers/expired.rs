//! `on = "expired"`: requests of a session that is over.

use std::time::Duration;

use super::State;
use super::state::{NeededKeys, StateDefinition, as_long_as_it_conflicts};
use crate::model::{Key, KeyPart, Kind};
use crate::rules::keys::entry::{Fallback, KeyEntry, companion};
use crate::rules::keys::value::{ValueType, YEAR};

pub(super) const TRIGGER: StateDefinition = StateDefinition {
    word: "expired",
    title: "its session is older than `max_age`, or has served `max_requests`",
    kind: Kind::Session,
    learned_from: "the first request with the credential, and each one after it",
    ended_by: "nothing: a new credential begins anew",
    notes: "",
    example: "on = \"expired\"\nmax_age = \"15m\"",
    // A session is a client's.
    per: || Key(vec![KeyPart::Client]),
    keys: &[MAX_AGE, MAX_REQUESTS],
    needs: Some(NeededKeys { one_of: &[MAX_AGE, MAX_REQUESTS], question: "expired after what?" }),
    state: |given| State::Expired { max_age: given.max_age, max_requests: given.max_requests },
    never_held: "no session came to its end",
    conflicts: "once the session is over, until there is a new one",
    lasts: as_long_as_it_conflicts,
};

pub(super) const MAX_AGE: KeyEntry = companion(
    "max_age",
    ValueType::Duration { least: Duration::from_millis(1), most: YEAR },
    Fallback::Words("no bound"),
    "how old a session gets.",
    "on = \"expired\"\nmax_age = \"15m\"",
);

pub(super) const MAX_REQUESTS: KeyEntry = companion(
    "max_requests",
    ValueType::Integer { least: 1, most: u64::MAX },
    Fallback::Words("no bound"),
    "how many requests a session serves.",
    "on = \"expired\"\nmax_requests = 100",
);
