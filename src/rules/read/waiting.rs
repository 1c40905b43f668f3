//! Waits that clients are asked for, held against how long the conflict lasts.

use std::ops::Range;

use toml::de::DeTable;

use super::Reader;
use crate::rules::{Code, Diagnostic, Rule, WaitLength, units};

/// Reports `"remaining"` where the rule does not know when a conflict ends, and warns of a wait that is
/// longer than the whole conflict.
pub(super) fn check(reader: &mut Reader, rules: &[Rule], tables: &[(&DeTable, Range<usize>)]) {
    for (rule, (table, _)) in rules.iter().zip(tables) {
        let (Some(asked), Some(span)) = (rule.reply.retry_after, span(table)) else { continue };
        match (asked.length(), rule.longest_conflict()) {
            (WaitLength::Remaining, _) if !rule.knows_its_end() => reader.report(
                Diagnostic::error(Code::MissingKey, "\"remaining\" needs a conflict that ends by itself")
                    .at(span, "this rule does not know when its conflicts end")
                    .help(
                        "these say when: `clear` with a time, `above`, `during` with `for`, and `on = \"locked\"` \
                         with its `lease`;\nfor example `clear = \"3s\"`",
                    ),
            ),
            (WaitLength::Fixed(wait), Some(longest)) if wait > longest && rule.enabled => {
                let title = format!(
                    "`retry_after` asks for {}, but the conflict is over after {}",
                    units::in_words(wait),
                    units::in_words(longest)
                );
                reader.report(
                    Diagnostic::warning(Code::OutlastsConflict, title)
                        .at(span, "outlasts the conflict")
                        .help("`retry_after = \"remaining\"` says what remains of it, rounded up"),
                );
            }
            _ => {}
        }
    }
}

/// Where a rule says how long to wait.
fn span(rule: &DeTable) -> Option<Range<usize>> {
    Some(rule.get("reply")?.get_ref().as_table()?.get("retry_after")?.span())
}
