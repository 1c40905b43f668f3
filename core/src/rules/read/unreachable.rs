//! Rules that never fire because an earlier one takes all their requests.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::ops::Range;

use toml::de::{DeTable, DeValue};

use super::Reader;
use crate::model::KeyPart;
use crate::rules::{Code, Diagnostic, Rule, Schedule, Trigger};

const MATCH_KEYS: [&str; 12] = [
    "method",
    "path",
    "path_regex",
    "host",
    "header",
    "query",
    "cookie",
    "body",
    "form",
    "text",
    "client",
    "not",
];

/// Warns of each rule that comes after one that refuses every request of the same match, or of any.
/// Those at the positions of `unsound` have mistakes, and are left out.
pub(super) fn warn(
    reader: &mut Reader,
    rules: &[Rule],
    tables: &[(&DeTable, Range<usize>)],
    unsound: &HashSet<usize>,
) {
    let mut greedy: HashMap<String, &Rule> = HashMap::new();
    for (at, (rule, (table, _))) in rules.iter().zip(tables).enumerate() {
        if !rule.enabled || unsound.contains(&at) {
            continue;
        }
        let asked = signature(table);
        // A rule for any request leaves OPTIONS and CONNECT alone unless they are named.
        let is_plain_method = !asked.contains("OPTIONS") && !asked.contains("CONNECT");
        let earlier = greedy.get(&asked).or_else(|| greedy.get("").filter(|_| is_plain_method));
        if let Some(earlier) = earlier {
            let title = format!("the rule \"{}\" is never reached", rule.name);
            let label = format!("\"{}\" answers all of these requests first", earlier.name);
            reader.report(
                Diagnostic::warning(Code::NeverReached, title)
                    .at(rule.span.clone(), label)
                    .also(earlier.span.clone(), "without a key that says which requests conflict, all do"),
            );
        } else if is_greedy(rule) {
            greedy.insert(asked, rule);
        }
    }
}

/// Whether a rule refuses each request that it matches, from first to last.
fn is_greedy(rule: &Rule) -> bool {
    let has_key = |part: &KeyPart| matches!(part, KeyPart::Path | KeyPart::Client);
    rule.trigger == Trigger::from(Schedule::Always)
        && rule.read.is_none()
        && rule.during.is_none()
        && rule.limit.is_none()
        // Its replies may pass.
        && rule.replies.is_none()
        && rule.upstream_response.is_none()
        && rule.per.0.iter().all(has_key)
}

/// The conditions of a table on requests: equal texts ask the same. Empty asks nothing.
fn signature(table: &DeTable) -> String {
    let mut text = String::new();
    for name in MATCH_KEYS {
        if let Some(value) = table.get(name)
            && !(name == "path" && value.get_ref().as_str() == Some("/**"))
        {
            let _ = write!(text, "{name}=");
            write_value(&mut text, value.get_ref());
        }
    }
    text
}

fn write_value(text: &mut String, value: &DeValue) {
    let _ = match value {
        DeValue::String(value) => write!(text, "{value:?},"),
        DeValue::Integer(value) => write!(text, "{value},"),
        DeValue::Float(value) => write!(text, "{value},"),
        DeValue::Boolean(value) => write!(text, "{value},"),
        DeValue::Datetime(value) => write!(text, "{value},"),
        DeValue::Array(items) => {
            text.push('[');
            items.iter().for_each(|item| write_value(text, item.get_ref()));
            write!(text, "],")
        }
        DeValue::Table(table) => {
            text.push('{');
            for (key, value) in table {
                let _ = write!(text, "{:?}=", key.get_ref());
                write_value(text, value.get_ref());
            }
            write!(text, "}},")
        }
    };
}
