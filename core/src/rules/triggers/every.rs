//! `every = 5`: one request in so many.

use std::num::NonZeroU64;

use super::counted::{self, CountedDefinition};
use crate::rules::keys::value::ValueType;

pub(in crate::rules) const TRIGGER: CountedDefinition<NonZeroU64> = CountedDefinition {
    key: counted::key(
        "every",
        ValueType::Integer { least: 1, most: u64::MAX },
        "For each this-many-th of a key.",
        "every = 5",
    ),
    value: NonZeroU64::to_string,
    label: |every| format!("every {every}"),
    share: |every| Some(1.0 / every.get() as f64),
    waits_for: |every| Some(format!("it conflicts at each {every}th of each key (`per`)")),
};
