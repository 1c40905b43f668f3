//! Keys of `[expect]`, at the top level and in a rule.

use std::time::Duration;

use super::Fallback::Words;
use super::{Group, KeyEntry, Section, ValueType, entry};
use crate::model::with_checks;

pub(in crate::rules) static EXPECT: Section = Section {
    name: "`expect`",
    heading: "`[expect]`",
    frame: "[expect]\n",
    about: "The demands on clients; a key that is not given asks nothing. A rule may have its own `expect`, \
            which is laid over that of the top level.",
    groups: &[
        Group { say: "how clients wait and stop", entries: &WAITING },
        Group { say: "what clients do next", entries: &NEXT_MOVES },
        Group { say: "how it ends", entries: &ENDS },
        Group { say: "what a failed check means", entries: CHECKS },
    ],
};

static WAITING: [KeyEntry; 5] = [
    entry(
        "max_tries",
        ValueType::Integer { least: 1, most: 1_000_000 },
        Words("not asked"),
        "An operation is tried at most this often, the first try included.",
        "max_tries = 5",
    ),
    entry(
        "min_gap",
        ValueType::Duration { least: Duration::from_millis(1), most: Duration::from_secs(60 * 60) },
        Words("not asked"),
        "A try follows the one before it after this long at the earliest.",
        "min_gap = \"100ms\"",
    ),
    entry("backoff", ValueType::Boolean, Words("not asked"), "Gaps between tries grow.", "backoff = true"),
    entry(
        "jitter",
        ValueType::Boolean,
        Words("not asked"),
        "Gaps between tries vary by chance.",
        "jitter = true",
    ),
    entry(
        "retry_after",
        ValueType::Boolean,
        Words("not asked"),
        "No try comes before `Retry-After` allows it.",
        "retry_after = true",
    ),
];

static NEXT_MOVES: [KeyEntry; 4] = [
    entry(
        "refetch",
        ValueType::Boolean,
        Words("not asked"),
        "After a version conflict the client reads the resource before it writes again.",
        "refetch = true",
    ),
    entry(
        "new_version",
        ValueType::Boolean,
        Words("not asked"),
        "After a version conflict the next write carries another version than the refused one.",
        "new_version = true",
    ),
    entry(
        "same_key",
        ValueType::Boolean,
        Words("not asked"),
        "All tries of an operation carry one idempotency key.",
        "same_key = true",
    ),
    entry(
        "no_retry",
        ValueType::Boolean,
        Words("not asked"),
        "A refused operation is not tried again.",
        "no_retry = true",
    ),
];

static ENDS: [KeyEntry; 3] = [
    entry(
        "recovered",
        ValueType::Share,
        Words("not asked"),
        "At least this share of the operations that met a conflict succeed in the end.",
        "recovered = 0.99",
    ),
    entry(
        "amplification",
        ValueType::Number { least: 1 },
        Words("not asked"),
        "At most this many requests per operation, on average over all operations.",
        "amplification = 1.2",
    ),
    entry(
        "fired",
        ValueType::Integer { least: 1, most: 1_000_000_000 },
        Words("not asked"),
        "At least this many conflicts are injected: in a rule's own `expect` by that rule, at the top level by all \
         rules together. `fracas run --require-fired` asks for one of each rule.",
        "fired = 1",
    ),
];

macro_rules! entries {
    ($($number:literal $title:literal;)*) => {
        /// Checks that may be switched off, made a warning or made a failure.
        static CHECKS: &[KeyEntry] = &[$(entry(
            concat!("R", $number),
            ValueType::Choice(&["off", "warn", "fail"]),
            Words("as the check finds"),
            concat!("The client ", $title, "."),
            concat!("R", $number, " = \"fail\""),
        )),*];
    };
}

with_checks!(entries);
