//! Waits that clients are asked for, held against how long the conflict lasts.

use std::ops::Range;
use std::time::Duration;

use http::header;
use toml::de::DeTable;

use super::Reader;
use crate::rules::{Code, Diagnostic, Rule, WaitLength, units};

/// Reports `"remaining"` where the rule does not know when a conflict ends, and warns of a wait that is
/// longer than the whole conflict.
pub(super) fn check(reader: &mut Reader, rules: &[Rule], tables: &[(&DeTable, Range<usize>)]) {
    for (rule, (table, _)) in rules.iter().zip(tables) {
        let Some((wait, span)) = asked(rule, table) else { continue };
        match (wait, rule.longest_conflict()) {
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
                    "`Retry-After` asks for {}, but the conflict is over after {}",
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

/// How long a rule asks clients to wait, and where it says so: by `retry_after`, or by the header itself.
fn asked(rule: &Rule, table: &DeTable) -> Option<(WaitLength, Range<usize>)> {
    let reply = table.get("reply")?.get_ref().as_table()?;
    if let Some(asked) = rule.reply.retry_after {
        return Some((asked.length(), reply.get("retry_after")?.span()));
    }
    let (_, value) = rule.reply.headers.iter().find(|(name, _)| *name == header::RETRY_AFTER)?;
    let seconds = value.to_str().ok()?.trim().parse().ok()?;
    let headers = reply.get("headers")?.get_ref().as_table()?;
    let (_, value) = headers.iter().find(|(name, _)| name.get_ref().eq_ignore_ascii_case("retry-after"))?;
    Some((WaitLength::Fixed(Duration::from_secs(seconds)), value.span()))
}
