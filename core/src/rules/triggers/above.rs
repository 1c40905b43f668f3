//! `above = "20/s"`: requests that come too fast.

use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;

use super::counted::{self, CountedDefinition};
use crate::rules::keys::value::ValueType;

pub(in crate::rules) const TRIGGER: CountedDefinition<Rate> = CountedDefinition {
    key: counted::key(
        "above",
        ValueType::Rate,
        "Beyond that rate of a key's requests, per second (`/s`), minute (`/m`) or hour (`/h`).",
        "above = \"20/s\"",
    ),
    value: Rate::to_string,
    label: |rate| format!("above {rate}"),
    share: |_| None,
    waits_for: |rate| Some(format!("none came faster than {rate} of each key (`per`)")),
};

/// `"20/s"`: requests per period, both above zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    pub requests: NonZeroU32,
    /// A second, a minute or an hour.
    pub period: Duration,
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MINUTE: Duration = Duration::from_secs(60);
        let period = match self.period {
            period if period < MINUTE => "s",
            MINUTE => "m",
            _ => "h",
        };
        write!(f, "{}/{period}", self.requests)
    }
}
