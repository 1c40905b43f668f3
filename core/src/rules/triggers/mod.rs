//! The triggers. Each is defined once, in its own file: its word in rules, its documentation, its keys, and the
//! texts about it in reports and explanations. Rules are read, and the reference and the schema are written, from
//! the tables here; `engine` has the behaviour.
//!
//! To add a trigger: its file, its lines in the tables here, and its behaviour where the engine no longer compiles.

pub(super) mod above;
mod counted;
mod duplicate;
pub(super) mod every;
mod expired;
pub(super) mod first;
mod key_in_use;
mod locked;
mod overlap;
pub(super) mod pattern;
pub(super) mod rate;
mod referenced;
mod release;
mod stale;
mod state;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::num::NonZeroU64;
use std::time::Duration;

use http::StatusCode;

pub use above::Rate;
use counted::schedules;
pub use pattern::Pattern;
pub use release::Selector;
pub use state::StateDefinition;
use state::{companions, states};

use super::keys::entry::{KeyEntry, Place};
use super::keys::value::{ValueType, listed};
use crate::model::Share;

/// Calls `$then!` with every counted trigger: the [`Schedule`] with its value, its file, and the method of the reader
/// that reads the value. The order is that of the reference.
macro_rules! with_schedules {
    ($then:ident) => {
        $then! {
            /// That share of each key's requests, drawn per (seed, rule, key, n).
            Rate(Share) = rate, share;
            /// The first this many of each key.
            First(NonZeroU64) = first, at_least_one;
            /// Each n-th of a key.
            Every(NonZeroU64) = every, at_least_one;
            /// By position in each key's sequence, repeating.
            Pattern(Pattern) = pattern, sequence;
            /// Those beyond a request rate of each key.
            Above(Rate) = above, rate;
        }
    };
}
pub(super) use with_schedules;
with_schedules!(schedules);

states! {
    /// The version that the request carries is not the newest seen.
    Stale {
        /// The status for a request that carries none; `None` lets it pass.
        missing: Option<StatusCode>,
    } = stale;
    /// Another matching request on the key is in flight.
    Overlap { hold: Duration } = overlap;
    /// The key was created before and not released since.
    Duplicate { release: Option<Selector> } = duplicate;
    /// A live resource refers to this one.
    Referenced { by: Selector, release: Option<Selector> } = referenced;
    /// The session is too old, or has served too many requests. At least one bound is given.
    Expired { max_age: Option<Duration>, max_requests: Option<NonZeroU64> } = expired;
    /// The idempotency key is still running, or is reused with another payload.
    KeyInUse {
        /// The status for another payload under the same key. Default 422.
        mismatch: StatusCode,
    } = key_in_use;
    /// Another client holds the lease on the key.
    Locked { lease: Duration, release: Option<Selector> } = locked;
}

/// Calls `$then!` with every key beside `on`: its value, its definition, and the method of the reader that reads it. The
/// order is that of the reference.
macro_rules! with_companions {
    ($then:ident) => {
        $then! {
            missing: StatusCode = stale::MISSING, status;
            hold: Duration = overlap::HOLD, duration;
            release: Selector = release::RELEASE, release;
            by: Selector = referenced::BY, selector;
            max_age: Duration = expired::MAX_AGE, duration;
            max_requests: NonZeroU64 = expired::MAX_REQUESTS, at_least_one;
            mismatch: StatusCode = key_in_use::MISMATCH, status;
            lease: Duration = locked::LEASE, duration;
        }
    };
}
pub(super) use with_companions;
with_companions!(companions);

/// `on`, whose values are the state triggers.
const ON: KeyEntry = counted::key(
    "on",
    ValueType::Choice(State::WORDS),
    "When the state learned from real traffic says so.",
    "on = \"duplicate\"",
);

/// The meaning of a key in whole sentences, with the triggers that it belongs to.
pub(super) fn meaning(key: &KeyEntry) -> Cow<'static, str> {
    match key.place {
        Place::Anywhere => key.meaning.into(),
        Place::BesideOn => {
            let words: Vec<String> =
                State::with_key(key.name).map(|state| format!("`\"{}\"`", state.word)).collect();
            let listed = listed(&words).replacen('`', "`on = ", 1);
            format!("With {listed}: {}", key.meaning).into()
        }
    }
}

/// Every trigger: its word, and the lines of a rule with it.
pub fn trigger_examples() -> impl Iterator<Item = (&'static str, &'static str)> {
    let counted = KEYS.iter().filter(|key| key.name != ON.name).map(|key| (key.name, key.example));
    counted.chain(State::ALL.iter().map(|state| (state.word, state.example)))
}
