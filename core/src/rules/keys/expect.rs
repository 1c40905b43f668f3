//! Keys of `[expect]`, at the top level and in a rule.

use std::time::Duration;

use super::Fallback::Words;
use super::{Entry, Group, Section, Value, entry};

pub(in crate::rules) static EXPECT: Section = Section {
    name: "`expect`",
    heading: "`[expect]`",
    frame: "[expect]\n",
    about: "What clients must live up to; whatever is not given is not asked. A rule may have its own `expect`, \
            which is laid over that of the top level.",
    groups: &[
        Group { say: "how clients wait and stop", entries: &WAITING },
        Group { say: "what clients do next", entries: &NEXT_MOVES },
        Group { say: "how it ends", entries: &ENDS },
        Group { say: "what a failed check means", entries: &CHECKS },
    ],
};

static WAITING: [Entry; 5] = [
    entry(
        "max_tries",
        Value::Integer { least: 1, most: 1_000_000 },
        Words("not asked"),
        "An operation is tried at most this often, the first try included.",
        "max_tries = 5",
    ),
    entry(
        "min_gap",
        Value::Duration { least: Duration::from_millis(1), most: Duration::from_secs(60 * 60) },
        Words("not asked"),
        "A try follows the one before it after this long at the earliest.",
        "min_gap = \"100ms\"",
    ),
    entry("backoff", Value::Boolean, Words("not asked"), "Gaps between tries grow.", "backoff = true"),
    entry(
        "jitter",
        Value::Boolean,
        Words("not asked"),
        "Gaps between tries vary by chance.",
        "jitter = true",
    ),
    entry(
        "retry_after",
        Value::Boolean,
        Words("not asked"),
        "No try comes before `Retry-After` allows it.",
        "retry_after = true",
    ),
];

static NEXT_MOVES: [Entry; 4] = [
    entry(
        "refetch",
        Value::Boolean,
        Words("not asked"),
        "After a version conflict the client reads the resource before it writes again.",
        "refetch = true",
    ),
    entry(
        "new_version",
        Value::Boolean,
        Words("not asked"),
        "After a version conflict the next write carries another version than the refused one.",
        "new_version = true",
    ),
    entry(
        "same_key",
        Value::Boolean,
        Words("not asked"),
        "All tries of an operation carry one idempotency key.",
        "same_key = true",
    ),
    entry(
        "no_retry",
        Value::Boolean,
        Words("not asked"),
        "A refused operation is not tried again.",
        "no_retry = true",
    ),
];

static ENDS: [Entry; 3] = [
    entry(
        "recovered",
        Value::Share,
        Words("not asked"),
        "At least this share of the operations that met a conflict succeed in the end.",
        "recovered = 0.99",
    ),
    entry(
        "amplification",
        Value::Number { least: 1 },
        Words("not asked"),
        "At most this many requests per operation, on average over all operations.",
        "amplification = 1.2",
    ),
    entry(
        "fired",
        Value::Integer { least: 1, most: 1_000_000_000 },
        Words("not asked"),
        "At least this many conflicts are injected: in a rule's own `expect` by that rule, at the top level by all \
         rules together. `fracas run --require-fired` asks for one of each rule.",
        "fired = 1",
    ),
];

/// A check that may be switched off, made a warning or made a failure.
const fn check(name: &'static str, meaning: &'static str, example: &'static str) -> Entry {
    entry(name, Value::Choice(&["off", "warn", "fail"]), Words("as the check finds"), meaning, example)
}

static CHECKS: [Entry; 17] = [
    check("R1", "The next move after a conflict is one that its kind allows.", "R1 = \"fail\""),
    check("R2", "Reads again before it writes again.", "R2 = \"fail\""),
    check("R3", "The next write carries the newest version.", "R3 = \"fail\""),
    check("R4", "One idempotency key per operation, one body per key.", "R4 = \"warn\""),
    check("R5", "Waits as long as `Retry-After` says.", "R5 = \"fail\""),
    check("R6", "Does not retry at once again and again.", "R6 = \"warn\""),
    check("R7", "Gaps between tries grow.", "R7 = \"warn\""),
    check("R8", "Gaps between tries vary by chance.", "R8 = \"off\""),
    check("R9", "Stops after a few tries.", "R9 = \"fail\""),
    check("R10", "Gives up within its time.", "R10 = \"warn\""),
    check("R11", "Sends few requests per operation.", "R11 = \"warn\""),
    check("R12", "Does not nest one retry loop in another.", "R12 = \"warn\""),
    check("R13", "Clients do not come back as one herd.", "R13 = \"off\""),
    check("R14", "No write is applied twice.", "R14 = \"fail\""),
    check("R15", "Finds out what became of a write whose answer was lost.", "R15 = \"fail\""),
    check("R16", "Replays POST and PATCH only with a key or a precondition.", "R16 = \"warn\""),
    check("R17", "Stops after a conflict that no retry can mend.", "R17 = \"fail\""),
];
