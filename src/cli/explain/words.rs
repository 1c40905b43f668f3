//! What the rules said, as a table.

use std::fmt::Write as _;

use super::walk::{Outcome, Outcomes, SHOWN, Said, Walked};
use crate::cli::output::{counted, grouped};
use crate::cli::summary::{per_period, sequence};
use crate::judgement::{ActiveRule, RuleSet};
use crate::rules::Trigger;

/// With more rules than this, those that do not match are only counted.
const MOST_ROWS: usize = 50;

/// One row for each rule, and what it comes to.
pub fn table(rules: &RuleSet, walked: &Walked) -> String {
    let hides_others = walked.rules.len() > MOST_ROWS;
    let rows: Vec<(usize, &ActiveRule, &Said)> = rules
        .iter()
        .zip(&walked.rules)
        .enumerate()
        .map(|(at, (active, said))| (at + 1, active, said))
        .filter(|(_, _, said)| !hides_others || matches!(said, Said::Matches(_)))
        .collect();
    let places = rows.last().map_or(1, |(place, ..)| place.to_string().len()).max(2);
    let names = rows.iter().map(|(_, active, _)| active.rule.name.chars().count()).max().unwrap_or(0).max(4);

    let mut text = String::new();
    if !rows.is_empty() {
        let _ = writeln!(text, "{:places$} {:names$}  says", "", "rule");
    }
    for (place, active, said) in &rows {
        let _ = writeln!(text, "{place:places$} {:names$}  {}", active.rule.name, says(active, said));
    }
    let hidden = (walked.rules.len() - rows.len()) as u64;
    if hidden > 0 {
        let _ = writeln!(text, "{:places$} {} that do not match", "", counted(hidden, "more rule"));
    }
    let _ = writeln!(text, "{:>places$} {}", "→", conclusion(rules, walked));
    text
}

fn says(active: &ActiveRule, said: &Said) -> String {
    let outcomes = match said {
        Said::No(why) => return format!("no: {why}"),
        Said::Matches(outcomes) => outcomes,
    };
    if outcomes.passes + outcomes.conflicts == 0 {
        return "matches, but an earlier rule answers".to_owned();
    }
    let limit = active.rule.limit.map(|limit| format!(", at most {}", grouped(limit))).unwrap_or_default();
    format!("matches; {}{limit}: {}", trigger(active), outcomes.in_words())
}

impl Outcomes {
    /// `passes, CONFLICT (n = 1, 2)`, or how many of each when they are many.
    fn in_words(&self) -> String {
        if (self.passes + self.conflicts + self.unreached) as usize > SHOWN {
            let mut text = format!(
                "CONFLICT {} times, passes {}",
                grouped(self.conflicts.into()),
                grouped(self.passes.into())
            );
            if self.unreached > 0 {
                let _ = write!(text, ", not reached {}", grouped(self.unreached.into()));
            }
            return text;
        }
        let words = self.first.iter().map(|outcome| match outcome {
            Outcome::Passes { .. } => "passes",
            Outcome::Conflicts { .. } => "CONFLICT",
            Outcome::Unreached => "not reached",
        });
        let counts = self.first.iter().filter_map(|outcome| match outcome {
            Outcome::Passes { n } | Outcome::Conflicts { n } => Some(n.to_string()),
            Outcome::Unreached => None,
        });
        let (words, counts): (Vec<_>, Vec<_>) = (words.collect(), counts.collect());
        format!("{} (n = {})", words.join(", "), counts.join(", "))
    }
}

/// `first 1 per path`.
fn trigger(active: &ActiveRule) -> String {
    let rule = &active.rule;
    let trigger = match &rule.trigger {
        Trigger::Always => return "every time".to_owned(),
        Trigger::Rate(share) => format!("rate {}", share.get()),
        Trigger::First(first) => format!("first {first}"),
        Trigger::Every(every) => format!("every {every}"),
        Trigger::Pattern(pattern) => format!("pattern {}", sequence(pattern)),
        Trigger::Above(rate) => format!("above {}", per_period(rate)),
        Trigger::On(_) => "by state".to_owned(),
    };
    if rule.per.0.is_empty() { trigger } else { format!("{trigger} per {}", rule.per) }
}

/// `1st: upstream · 2nd: 409 by flaky-writes`.
fn conclusion(rules: &RuleSet, walked: &Walked) -> String {
    let answer =
        |active: &ActiveRule| format!("{} by {}", active.rule.reply.status.as_u16(), active.rule.name);
    if walked.times as usize <= SHOWN {
        let each = walked.first.iter().enumerate().map(|(at, answered)| {
            let answered = answered.and_then(|at| rules.iter().nth(at));
            let answer = answered.map_or_else(|| "upstream".to_owned(), answer);
            if walked.times == 1 { answer } else { format!("{}: {answer}", ordinal(at + 1)) }
        });
        return each.collect::<Vec<_>>().join(" · ");
    }
    let mut parts = vec![format!("{} to the upstream", grouped(walked.passed.into()))];
    for (active, said) in rules.iter().zip(&walked.rules) {
        if let Said::Matches(outcomes) = said
            && outcomes.conflicts > 0
        {
            parts.push(format!("{} × {}", grouped(outcomes.conflicts.into()), answer(active)));
        }
    }
    format!("of {} requests: {}", grouped(walked.times.into()), parts.join(" · "))
}

/// `1st`, `2nd`, `3rd`, up to [`SHOWN`].
fn ordinal(number: usize) -> String {
    let ending = match number {
        1 => "st",
        2 => "nd",
        3 => "rd",
        _ => "th",
    };
    format!("{number}{ending}")
}
