//! The rules' outcomes, as a table.

use std::fmt::Write as _;

use textwrap::{Options, WordSplitter};

use super::walk::{Outcomes, SHOWN, Said, WalkOutcome, Walked};
use crate::cli::output::{counted, grouped};
use crate::engine::{ActiveRule, RuleSet};
use crate::model::Phase;
use crate::report::table::lines;
use crate::rules::{Clear, PassFaults, Trigger};

/// With more rules than this, unmatched ones are only counted.
const MOST_ROWS: usize = 50;

/// One row for each rule, and its outcome, in lines of at most `width` columns.
pub fn table(rules: &RuleSet, walked: &Walked, width: usize) -> String {
    let hides_others = walked.rules.len() > MOST_ROWS;
    let shown: Vec<(usize, &ActiveRule, &Said)> = rules
        .iter()
        .zip(&walked.rules)
        .enumerate()
        .map(|(at, (active, said))| (at + 1, active, said))
        .filter(|(_, _, said)| !hides_others || matches!(said, Said::Matches(_)))
        .collect();
    let places = shown.last().map_or(1, |(place, ..)| place.to_string().len()).max(2);
    let mut rows = vec![vec![format!("{:places$} rule", ""), "says".to_owned()]];
    rows.extend(shown.iter().map(|(place, active, said)| {
        vec![format!("{place:places$} {}", active.rule.name), says(active, said)]
    }));
    let mut text = String::new();
    if !shown.is_empty() {
        for line in lines(&rows, &[], width) {
            let _ = writeln!(text, "{line}");
        }
    }
    let hidden = (walked.rules.len() - shown.len()) as u64;
    if hidden > 0 {
        let _ = writeln!(text, "{:places$} {} that do not match", "", counted(hidden, "more rule"));
    }
    let (head, blank) = (format!("{:>places$} ", "→"), " ".repeat(places + 1));
    let options = Options::new(width).word_splitter(WordSplitter::NoHyphenation);
    let options = options.initial_indent(&head).subsequent_indent(&blank);
    let _ = writeln!(text, "{}", textwrap::fill(&conclusion(rules, walked), options));
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
    let limit =
        active.rule.limit.map(|limit| format!(", at most {}", grouped(limit.get()))).unwrap_or_default();
    let until = until(active, outcomes).map(|until| format!("; {until}")).unwrap_or_default();
    let version = match outcomes.has_version {
        Some(false) => format!("; the request has no version in {}", active.rule.version_sent_in()),
        _ => String::new(),
    };
    let learns = match outcomes.has_version {
        Some(_) if active.rule.version_at().is_some() => {
            format!("; learns versions from {}", active.rule.version_shown_in())
        }
        _ => String::new(),
    };
    let trigger = trigger(active, &outcomes.key);
    format!(
        "matches; {trigger}{limit}: {}{until}{version}{learns}",
        outcomes.in_words(active.rule.pass.as_deref())
    )
}

impl Outcomes {
    /// `passes, CONFLICT (n = 1, 2)`, or how many of each when they are many.
    fn in_words(&self, faults: Option<&PassFaults>) -> String {
        let fires = if faults.is_some() { "FAULT" } else { "CONFLICT" };
        if (self.passes + self.conflicts + self.unreached) as usize > SHOWN {
            let mut text = format!(
                "{fires} {} times, passes {}",
                grouped(self.conflicts.into()),
                grouped(self.passes.into())
            );
            if self.unreached > 0 {
                let _ = write!(text, ", not reached {}", grouped(self.unreached.into()));
            }
            return text;
        }
        let words = self.first.iter().map(|outcome| match outcome {
            WalkOutcome::Passes { .. } | WalkOutcome::Unlike => "passes",
            WalkOutcome::Conflicts { .. } => "CONFLICT",
            WalkOutcome::PassesWithFaults { .. } => "FAULT",
            WalkOutcome::StillOpen { .. } => "CONFLICT (still open)",
            WalkOutcome::Replays { .. } => "the stored answer",
            WalkOutcome::Unreached => "not reached",
        });
        let counts = self.first.iter().filter_map(|outcome| match outcome {
            WalkOutcome::Passes { n }
            | WalkOutcome::Conflicts { n, .. }
            | WalkOutcome::PassesWithFaults { n }
            | WalkOutcome::Replays { n } => Some(n.to_string()),
            WalkOutcome::StillOpen { .. } | WalkOutcome::Unlike | WalkOutcome::Unreached => None,
        });
        let (words, counts): (Vec<_>, Vec<_>) = (words.collect(), counts.collect());
        let words = words.join(", ");
        if counts.is_empty() { words } else { format!("{words} (n = {})", counts.join(", ")) }
    }
}

/// `first 1 per path (/items/7)`.
fn trigger(active: &ActiveRule, key: &str) -> String {
    let rule = &active.rule;
    let trigger = match &rule.trigger {
        Trigger::Counted(counted) => counted.schedule.as_written(),
        Trigger::On(state) => state.as_str().to_owned(),
    };
    let phase = match rule.phase() {
        Phase::Before => "",
        Phase::After => ", after the upstream accepted it",
        Phase::Lost => ", after the upstream accepted it, without an answer",
    };
    let response = match &rule.upstream_response {
        Some(_) => {
            ", where its response is like `upstream_response` (here it is a 2xx without header and body)"
        }
        None => "",
    };
    let replies = match &rule.replies {
        Some(replies) if replies.are_drawn() => {
            format!(", one of {} replies by weight", replies.choices().len())
        }
        Some(replies) => format!(", {} replies in turn", replies.choices().len()),
        None => String::new(),
    };
    let per = if rule.per.0.is_empty() { String::new() } else { format!(" per {} ({key})", rule.per) };
    format!("{trigger}{per}{phase}{response}{replies}")
}

/// The event that ends the rule's conflict, or begins one.
fn until(active: &ActiveRule, outcomes: &Outcomes) -> Option<String> {
    let rule = &active.rule;
    if let Trigger::On(state) = &rule.trigger {
        let definition = state.definition();
        let lasts = (definition.lasts)(state).filter(|_| outcomes.conflicts > 0);
        return Some(lasts.map_or_else(|| format!("conflicts {}", definition.conflicts), str::to_owned));
    }
    if outcomes.conflicts == 0 {
        return None;
    }
    Some(match rule.clear()? {
        Clear::Refetch => "until this client reads the resource again".to_owned(),
        Clear::NewVersion => "until this client sends a newer version".to_owned(),
        Clear::After(length) => format!("for {} s", length.as_secs_f64()),
        Clear::Tries(tries) => format!("until {tries} tries were refused"),
        Clear::Never => "for good".to_owned(),
    })
}

/// `1st: upstream · 2nd: 409 by flaky-writes`.
fn conclusion(rules: &RuleSet, walked: &Walked) -> String {
    let response = |active: &ActiveRule, choice| match (&active.rule.pass, active.rule.withholds(choice)) {
        (Some(faults), _) => format!("upstream, {faults}, by {}", active.rule.name),
        (None, true) => format!("no answer, by {}", active.rule.name),
        (None, false) => {
            format!("{} by {}", active.rule.response_at(choice).status.as_u16(), active.rule.name)
        }
    };
    if walked.times as usize <= SHOWN {
        let each = walked.first.iter().enumerate().map(|(at, answered)| {
            let answered = answered.and_then(|(at, outcome)| Some((rules.iter().nth(at)?, outcome)));
            let response = match answered {
                None => "upstream".to_owned(),
                Some((active, WalkOutcome::Replays { .. })) => {
                    format!("the stored answer, by {}", active.rule.name)
                }
                Some((
                    active,
                    WalkOutcome::Conflicts { choice, .. } | WalkOutcome::StillOpen { choice, .. },
                )) => response(active, choice),
                Some((active, _)) => response(active, None),
            };
            if walked.times == 1 { response } else { format!("{}: {response}", ordinal(at + 1)) }
        });
        return each.collect::<Vec<_>>().join(" · ");
    }
    let mut parts = vec![format!("{} to the upstream", grouped(walked.passed.into()))];
    for (active, said) in rules.iter().zip(&walked.rules) {
        if let Said::Matches(outcomes) = said
            && outcomes.conflicts > 0
        {
            if outcomes.by_reply.is_empty() {
                let conflicts = grouped(outcomes.conflicts.into());
                parts.push(format!("{conflicts} × {}", response(active, None)));
            }
            let taken = outcomes.by_reply.iter().enumerate().filter(|(_, times)| **times > 0);
            parts.extend(taken.map(|(choice, times)| {
                format!("{} × {}", grouped((*times).into()), response(active, Some(choice)))
            }));
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
