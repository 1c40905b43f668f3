//! Times that are longer than the lifetime of the state they are about.

use std::ops::Range;
use std::time::Duration;

use toml::de::DeTable;

use super::Reader;
use crate::rules::{Clear, Code, Diagnostic, Rule, State, Trigger, units};

/// Warns of each `max_age` and each time in `clear` that is longer than `key_ttl`: a state key
/// without requests for so long starts afresh. A `lease` is kept to its end.
pub(super) fn warn(
    reader: &mut Reader,
    key_ttl: Duration,
    rules: &[Rule],
    tables: &[(&DeTable, Range<usize>)],
) {
    for (rule, (table, _)) in rules.iter().zip(tables).filter(|(rule, _)| rule.enabled) {
        let max_age = match &rule.trigger {
            Trigger::On(state) => match &**state {
                State::Expired { max_age, .. } => *max_age,
                _ => None,
            },
            Trigger::Counted(_) => None,
        };
        let clear = match rule.clear() {
            Some(Clear::After(time)) => Some(time),
            _ => None,
        };
        for (name, time) in [("max_age", max_age), ("clear", clear)] {
            let Some(time) = time.filter(|time| *time > key_ttl) else { continue };
            let Some(span) = table.get(name).map(toml::Spanned::span) else { continue };
            let title = format!(
                "`{name}` is {}, but what is not asked about for {} is forgotten",
                units::in_words(time),
                units::in_words(key_ttl)
            );
            reader.report(
                Diagnostic::warning(Code::OutlivesState, title)
                    .at(span, "longer than `limits.key_ttl`")
                    .help("raise `key_ttl` under `[limits]`, or shorten this"),
            );
        }
    }
}
