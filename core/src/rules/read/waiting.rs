//! Waits that clients are asked for, held against how long the conflict lasts.

use std::ops::Range;
use std::time::Duration;

use http::header;
use toml::de::DeTable;

use super::Reader;
use crate::rules::{Code, Diagnostic, ReplySettings, Rule, WaitLength, units};

/// Reports `"remaining"` where the rule does not know when a conflict ends, and warns of a wait that is
/// longer than the whole conflict.
pub(super) fn check(reader: &mut Reader, rules: &[Rule], tables: &[(&DeTable, Range<usize>)]) {
    let rules = rules.iter().zip(tables).map(|(rule, (table, _))| (rule, asked(rule, table)));
    for (rule, (wait, span)) in
        rules.flat_map(|(rule, asked)| asked.into_iter().map(move |each| (rule, each)))
    {
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

/// How long each reply of a rule asks clients to wait, and where it says so: by `retry_after`, or by the header itself.
fn asked(rule: &Rule, table: &DeTable) -> Vec<(WaitLength, Range<usize>)> {
    let alone = table.get("reply").and_then(|reply| reply.get_ref().as_table());
    let several = table.get("replies").and_then(|replies| replies.get_ref().as_array());
    let Some(replies) = &rule.replies else {
        return alone.and_then(|table| asked_by(&rule.reply, table)).into_iter().collect();
    };
    let tables = several.into_iter().flatten().map(|item| item.get_ref().as_table());
    let pairs = replies.choices().iter().zip(tables);
    pairs.filter_map(|(choice, table)| asked_by(choice.settings()?, table?)).collect()
}

fn asked_by(reply: &ReplySettings, table: &DeTable) -> Option<(WaitLength, Range<usize>)> {
    if let Some(asked) = reply.retry_after {
        return Some((asked.length(), table.get("retry_after")?.span()));
    }
    let (_, value) = reply.headers.iter().find(|(name, _)| *name == header::RETRY_AFTER)?;
    let seconds = value.to_str().ok()?.trim().parse().ok()?;
    let headers = table.get("headers")?.get_ref().as_table()?;
    let (_, value) = headers.iter().find(|(name, _)| name.get_ref().eq_ignore_ascii_case("retry-after"))?;
    Some((WaitLength::Fixed(Duration::from_secs(seconds)), value.span()))
}
