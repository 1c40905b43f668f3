//! `first = 2`: a number of requests from the first on.

use std::num::NonZeroU64;

use super::counted::{self, CountedDefinition};
use crate::rules::keys::value::ValueType;

pub(in crate::rules) const TRIGGER: CountedDefinition<NonZeroU64> = CountedDefinition {
    key: counted::key(
        "first",
        ValueType::Integer { least: 1, most: u64::MAX },
        "For the first this many of each key.",
        "first = 2",
    ),
    value: NonZeroU64::to_string,
    label: |first| format!("first {first}"),
    share: |_| None,
    waits_for: |_| None,
};
