//! Counted triggers: which of a key's requests conflict, by their numbers or their times.

use crate::rules::keys::entry::{Fallback, KeyEntry, entry};
use crate::rules::keys::value::ValueType;

/// A trigger with a key of its own, whose value is a `T`.
pub struct CountedDefinition<T: 'static> {
    /// Its word in rules, its value's type and its documentation.
    pub(in crate::rules) key: KeyEntry,
    /// The value as a rules file has it, shortened where it is long.
    pub(super) value: fn(&T) -> String,
    /// The trigger in tables and reports.
    pub(super) label: fn(&T) -> String,
    /// The share of requests that it asks for, where it is one.
    pub(super) share: fn(&T) -> Option<f64>,
    /// Why requests may have passed it so far; `None` where it begins with the first.
    pub(super) waits_for: fn(&T) -> Option<String>,
}

pub(super) const ANY_REQUEST: Fallback = Fallback::Words("every matching request");

/// The key of a counted trigger.
pub(super) const fn key(
    word: &'static str,
    value: ValueType,
    meaning: &'static str,
    example: &'static str,
) -> KeyEntry {
    entry(word, value, ANY_REQUEST, meaning, example)
}

macro_rules! schedules {
    ($($(#[$doc:meta])* $variant:ident($value:ty) = $file:ident, $read:ident;)*) => {
        /// The requests that conflict, by their numbers in a key's sequence.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Schedule {
            /// Every one.
            Always,
            $($(#[$doc])* $variant($value),)*
        }

        /// The keys that say which requests conflict, with `on` as the last.
        pub(super) static KEYS: &[KeyEntry] = &[$($file::TRIGGER.key,)* ON];

        impl Schedule {
            /// The trigger and its value as a rules file has them: `rate 0.25`.
            pub fn as_written(&self) -> String {
                match self {
                    Schedule::Always => "every time".to_owned(),
                    $(Schedule::$variant(value) => {
                        format!("{} {}", $file::TRIGGER.key.name, ($file::TRIGGER.value)(value))
                    })*
                }
            }

            /// The trigger in tables and reports: `25 %`, `first 1`.
            pub(super) fn label(&self) -> String {
                match self {
                    Schedule::Always => "all".to_owned(),
                    $(Schedule::$variant(value) => ($file::TRIGGER.label)(value),)*
                }
            }

            /// The share of requests that it asks for, where it is one.
            pub(super) fn share(&self) -> Option<f64> {
                match self {
                    Schedule::Always => Some(1.0),
                    $(Schedule::$variant(value) => ($file::TRIGGER.share)(value),)*
                }
            }

            /// Why requests may have passed it so far; `None` where it begins with the first.
            pub fn waits_for(&self) -> Option<String> {
                match self {
                    Schedule::Always => None,
                    $(Schedule::$variant(value) => ($file::TRIGGER.waits_for)(value),)*
                }
            }
        }
    };
}
pub(super) use schedules;
