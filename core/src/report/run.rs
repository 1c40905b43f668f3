//! The command that was run, the cause of its exit code, and why nothing was tested: words that every format shares.

use std::borrow::Cow;

use super::phrases::{counted, ends, mark, shown};
use crate::grading::{Report, RuleReport, RunReport, Verdict};

/// The verdict that the headline shows: an untested run is undetermined, despite any demand. That more
/// was asked for is an expectation that is not met, which makes the run a failure.
pub fn headline(report: &Report) -> Verdict {
    if report.untested.is_some() { Verdict::Undetermined } else { report.verdict }
}

/// The same as a word of four letters.
pub fn headline_mark(report: &Report) -> &'static str {
    mark(headline(report))
}

/// Clients that gave up every operation at its first conflict.
pub fn never_again(report: &Report) -> usize {
    let never = |client: &&crate::grading::ClientReport| {
        client.conflicted > 0 && client.tries <= client.conflicted && client.recovered == 0
    };
    report.clients.iter().filter(never).count()
}

/// A sentence that keeps a pass from saying more than was seen: that clients never tried again.
pub fn aside(report: &Report) -> Option<String> {
    let is_asked = report.expectations.iter().any(|expected| expected.name == "recovered");
    let gave_up: u64 = report.totals.gave_up;
    if report.verdict != Verdict::Pass || never_again(report) == 0 || gave_up == 0 || is_asked {
        return None;
    }
    let totals = &report.totals;
    let met = counted(totals.conflicted, "operation", "operations");
    let ends = ends(totals.recovered, totals.gave_up, totals.unfinished);
    Some(format!("{met} met a conflict{ends}; `[expect] recovered = 1` would make that a failure"))
}

/// Rules that did not fire, with why, where nothing was tested. Where no request came, none has a reason of its
/// own.
pub fn idle(report: &Report) -> Vec<(&RuleReport, Cow<'_, str>)> {
    let is_told = report.untested.is_some() && report.totals.attempts > 0;
    let why = |rule: &'_ RuleReport| rule.why_not.as_deref().map(|why| shown(why).into_owned());
    let rules = report.rules.iter().filter(|_| is_told);
    rules.filter_map(|rule| Some((rule, why(rule)?.into()))).collect()
}

/// `4 rules matched no request: a, b, c and 1 more; …`, where something was tested.
pub fn unmatched(report: &Report) -> Option<String> {
    /// Names on the line.
    const MOST: usize = 4;
    let names: Vec<&str> = report
        .rules
        .iter()
        .filter(|rule| rule.why_not.is_some() && rule.matched == 0)
        .map(|rule| &*rule.name)
        .collect();
    let all = names.len() as u64 + report.totals.other_rules;
    if report.untested.is_some() || names.is_empty() {
        return None;
    }
    let shown: Vec<_> = names.iter().take(MOST).map(|name| shown(name)).collect();
    let more = all.saturating_sub(shown.len() as u64);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let rules = counted(all, "rule", "rules");
    Some(format!(
        "{rules} matched no request: {}{more}; `--report json` says what came nearest",
        shown.join(", ")
    ))
}

/// Clients that may have left the proxy: `httpx/0.28 may have left the proxy: 3 of its responses …`.
pub fn around(report: &Report) -> Option<String> {
    /// Names in the sentence.
    const MOST: usize = 3;
    let responses: u64 = report.around.iter().map(|line| line.responses).sum();
    let names: Vec<_> = report.around.iter().take(MOST).map(|line| shown(&line.agent)).collect();
    let more = report.around.len().saturating_sub(names.len());
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    (responses > 0).then(|| {
        format!(
            "{}{more} may have left the proxy: {} held the upstream's own URL, and what is sent there is not seen; \
             `rewrite_bodies = true` in the rules file keeps clients inside",
            names.join(", "),
            counted(responses, "response", "responses"),
        )
    })
}

/// `the command exited with 3, and so does the run`.
pub fn exit(report: &Report) -> Option<Cow<'_, str>> {
    report.exit.as_ref().map(|exit| shown(&exit.because))
}

/// Facts of the run, in pairs of a name and a value; none where they are not known.
pub fn facts(run: &RunReport) -> Vec<(&'static str, String)> {
    if run.fracas.is_empty() {
        return Vec::new();
    }
    let text = |text: &str| shown(text).into_owned();
    let command = run.command.as_ref();
    let more = match run.more_rules_files.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let facts = [
        ("fracas", Some(text(&run.fracas))),
        ("started", Some(text(&run.started))),
        ("seed", Some(run.seed.to_string())),
        ("rules", Some(run.rules_file.as_deref().map_or("built in".to_owned(), text) + &more)),
        ("rules_sha256", run.rules_sha256.as_deref().map(text)),
        ("upstream", Some(text(&run.upstream))),
        ("command", command.map(|command| text(&command.line.join(" ")))),
        ("command_end", command.and_then(|command| command.end).map(|end| end.to_string())),
    ];
    facts.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}

/// The same on one line: `fracas 0.1.0, seed 1, rules rules.toml, upstream demo, command pytest -q`.
pub fn line(run: &RunReport) -> Option<String> {
    let is_short = |name: &str| !["started", "rules_sha256", "command_end"].contains(&name);
    let hash = run.rules_sha256.as_deref().and_then(|hash| hash.get(..12));
    let hash = hash.map(|hash| format!(" (sha256 {}…)", shown(hash))).unwrap_or_default();
    let mut parts = Vec::new();
    for (name, value) in facts(run).into_iter().filter(|(name, _)| is_short(name)) {
        let hash = if name == "rules" { &*hash } else { "" };
        parts.push(format!("{name} {value}{hash}"));
    }
    (!parts.is_empty()).then(|| parts.join(", "))
}
