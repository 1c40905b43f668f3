//! Numbers and verdicts in words, the same in every format.

use std::borrow::Cow;

use super::conflicts::{is_upstream_conflict, met};
use crate::grading::{
    Backoff, BackoffShape, ClientReport, Expectation, Finding, Jitter, OperationOutcome, OperationReport,
    Report, Totals, TryReport, Verdict,
};
use crate::model::sanitize;
use crate::rules::grouped;

/// The words that every report uses, for readers new to them.
pub const WORDS: &str = "An operation is one call that a client makes, with all its tries; a try is a \
    request that makes the call or repeats it, so what the client reads in between is a request and no try.";
/// Column heads of a table of rules.
pub const RULE_HEADS: [&str; 5] = ["rule", "matched", "fired", "should fire", "did fire"];
/// Column heads of a table of requests.
pub const TRY_HEADS: [&str; 7] = ["at", "waited", "Retry-After", "method", "answer", "version", ""];

/// Characters of a path, an agent, a version or a name that are shown.
const LONGEST: usize = 120;

/// Untrusted text, made fit to be shown.
pub fn shown(text: &str) -> Cow<'_, str> {
    sanitize(text, LONGEST)
}

/// `104 ms`, `1.58 s`, `3 min 20 s`: three digits say enough.
pub fn span(milliseconds: f64) -> String {
    let seconds = milliseconds / 1_000.0;
    match milliseconds {
        _ if !milliseconds.is_finite() => "–".to_owned(),
        ..0.05 => "0 ms".to_owned(),
        ..9.95 => format!("{milliseconds:.1} ms"),
        ..999.5 => format!("{milliseconds:.0} ms"),
        ..9_995.0 => format!("{seconds:.2} s"),
        ..99_950.0 => format!("{seconds:.1} s"),
        ..3_599_500.0 => {
            let seconds = seconds.round();
            format!("{:.0} min {:.0} s", (seconds / 60.0).floor(), seconds % 60.0)
        }
        _ => {
            let minutes = (seconds / 60.0).round();
            format!("{:.0} h {:.0} min", (minutes / 60.0).floor(), minutes % 60.0)
        }
    }
}

/// `25 %`, `25.3 %`.
pub fn percent(share: f64) -> String {
    format!("{} %", trimmed(share * 100.0))
}

/// With one decimal, unless it is 0.
pub fn trimmed(number: f64) -> String {
    if !number.is_finite() {
        return "–".to_owned();
    }
    let text = format!("{number:.1}");
    text.strip_suffix(".0").unwrap_or(&text).to_owned()
}

/// The share of its matching requests that a rule refused.
pub fn achieved(fired: u64, matched: u64) -> Option<f64> {
    (matched > 0).then(|| fired as f64 / matched as f64)
}

/// `1 try`, `1,204 tries`.
pub fn counted(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", grouped(number), if number == 1 { one } else { many })
}

/// The verdict as a word of four letters.
pub fn mark(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "PASS",
        Verdict::Warn => "WARN",
        Verdict::Fail => "FAIL",
        Verdict::Undetermined => "----",
    }
}

/// The verdict as a word.
pub fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "pass",
        Verdict::Warn => "warn",
        Verdict::Fail => "fail",
        Verdict::Undetermined => "undetermined",
    }
}

/// The whole in one sentence.
pub fn headline(report: &Report) -> String {
    let (expected, clients) = (&report.expectations, &report.clients);
    let mut unmet = expected.iter().filter(|expected| expected.verdict == Verdict::Fail);
    let short = clients.iter().filter(|client| client.verdict == Verdict::Fail).count();
    let expectations = counted(expected.len() as u64, "expectation", "expectations");
    let fell_short = format!("{short} of {} fell short", counted(clients.len() as u64, "client", "clients"));
    if let Some(why) = &report.untested {
        let stop = if why.ends_with('?') { "" } else { "." };
        return format!("Nothing was tested: {}{stop}", shown(why));
    }
    let never_again = super::run::never_again(report);
    match (report.verdict, report.totals.conflicted) {
        (Verdict::Fail, _) => match unmet.next() {
            None => format!("{fell_short}."),
            Some(first) => {
                let others = unmet.count() as u64;
                let others = match others {
                    0 => String::new(),
                    _ => format!(" ({} not met)", counted(others, "more expectation", "more expectations")),
                };
                format!("Not met: {}; {}{others}.", asked(first), shown(&first.found))
            }
        },
        (_, 0) if report.totals.conflicted_upstream == 0 => "No operation met a conflict.".to_owned(),
        // Checks that `[expect]` does not name decide nothing, and are told.
        (_, _) if short > 0 => format!("{expectations} met; {fell_short} of other checks."),
        (Verdict::Warn, _) => "Nothing failed, and something could be better.".to_owned(),
        (Verdict::Undetermined, _) => "There was too little to judge by.".to_owned(),
        (Verdict::Pass, _) if !expected.is_empty() => format!("{expectations} met."),
        (Verdict::Pass, _) if never_again == clients.len() => {
            "Nothing wrong was seen, but nobody tried again.".to_owned()
        }
        (Verdict::Pass, _) if never_again > 0 => {
            let all = counted(clients.len() as u64, "client", "clients");
            format!("Nothing wrong was seen, but {never_again} of {all} never tried again.")
        }
        // How those ended is not counted, and some may have ended at the first.
        (Verdict::Pass, 0) => {
            "Nothing wrong was seen at the upstream's own conflicts; no rule refused anything.".to_owned()
        }
        (Verdict::Pass, _) => "The clients took their conflicts well.".to_owned(),
    }
}

/// `max_tries = 5`, and of which rule where it is one's own.
pub fn asked(expected: &Expectation) -> String {
    let of = expected.rule.as_deref().map(|rule| format!("{}: ", shown(rule))).unwrap_or_default();
    format!("{of}{} = {}", shown(&expected.name), shown(&expected.asked))
}

/// `412 requests, 118 operations; 30 met a conflict: 27 recovered, 3 gave up; 12.4 s`.
pub fn totals(totals: &Totals) -> String {
    let requests = counted(totals.attempts, "request", "requests");
    let operations = counted(totals.operations, "operation", "operations");
    let met = met(&grouped(totals.conflicted), totals.conflicted, totals.conflicted_upstream);
    let ends = ends(totals.recovered, totals.gave_up, totals.unfinished);
    format!("{requests}, {operations}; {met}{ends}; {}", span(totals.elapsed_ms as f64))
}

/// `: 17 recovered, 1 gave up`; nothing without any.
pub fn ends(recovered: u64, gave_up: u64, unfinished: u64) -> String {
    let ends = [(recovered, "recovered"), (gave_up, "gave up"), (unfinished, "unfinished")];
    let ends: Vec<String> = ends
        .iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, end)| format!("{} {end}", grouped(*number)))
        .collect();
    if ends.is_empty() { String::new() } else { format!(": {}", ends.join(", ")) }
}

/// `18 operations of 3 clients met a conflict, 61 tries: 17 recovered, 1 gave up`.
pub fn course_of(client: &ClientReport) -> String {
    let least = if client.clients >= ClientReport::MOST_CLIENTS as u64 { "at least " } else { "" };
    let clients = format!("{least}{}", counted(client.clients, "client", "clients"));
    let subject = format!("{} of {clients}", counted(client.conflicted, "operation", "operations"));
    let met = met(&subject, client.conflicted, client.conflicted_upstream);
    let tries = counted(client.tries, "try", "tries");
    let ends = ends(client.recovered, client.gave_up, client.unfinished);
    if client.conflicted == 0 && client.conflicted_upstream > 0 {
        return met;
    }
    format!("{met}, {tries}{ends}")
}

/// The gaps and possible errors of the report.
pub fn caveats(report: &Report) -> Vec<String> {
    let totals = &report.totals;
    let mut caveats: Vec<String> = super::run::around(report).into_iter().collect();
    if totals.dropped > 0 {
        let dropped = counted(totals.dropped, "request was", "requests were");
        caveats.push(format!("{dropped} not kept: what they were part of is not known"));
    }
    if totals.lost_lines > 0 {
        let lost = counted(totals.lost_lines, "line", "lines");
        caveats.push(format!("the journal's file lacks {lost}"));
    }
    if totals.evicted > 0 {
        let evicted = counted(totals.evicted, "operation was", "operations were");
        caveats.push(format!(
            "{evicted} put away unfinished, as too many were open: how they ended is not known"
        ));
    }
    if totals.incomplete {
        caveats.push("the record is incomplete, so that nothing passes by it".to_owned());
    }
    if totals.other_clients > 0 {
        // As many products are counted as clients of one.
        let least = if totals.other_clients >= ClientReport::MOST_CLIENTS as u64 { "at least " } else { "" };
        let more = counted(totals.other_clients, "more product is", "more products are");
        caveats.push(format!("{least}{more} not told apart: judged together, as (all others)"));
    }
    caveats
}

/// `waits 104 ms, then ×2 each time up to 2 s; small jitter`.
pub fn backoff(backoff: &Backoff) -> String {
    let base = span(backoff.base_ms);
    let factor = backoff.factor.filter(|factor| factor.is_finite());
    let waits = match (backoff.shape, factor) {
        (BackoffShape::Immediate, _) => return "tries again at once".to_owned(),
        (BackoffShape::Undetermined, _) => {
            return "waits in a way that was not seen often enough to name".to_owned();
        }
        (BackoffShape::Fixed, _) => format!("waits {base} each time"),
        (BackoffShape::Linear, Some(step)) => format!("waits {base}, then {} longer each time", span(step)),
        (BackoffShape::Exponential, Some(factor)) => {
            format!("waits {base}, then {} times as long each time", trimmed(factor))
        }
        (BackoffShape::Linear | BackoffShape::Exponential | BackoffShape::Growing, _) => {
            format!("waits {base}, then longer each time")
        }
    };
    let cap = backoff.cap_ms.map(|cap| format!(", at most {}", span(cap))).unwrap_or_default();
    let jitter = match backoff.jitter {
        Jitter::None => "no jitter",
        Jitter::Small => "small jitter",
        Jitter::Medium => "medium jitter",
        Jitter::Full => "full jitter",
        Jitter::Undetermined => "jitter undetermined",
    };
    format!("{waits}{cap}; {jitter}")
}

/// A class of clients' findings over all rules: the worst first, and the undetermined last.
pub fn overall(client: &ClientReport) -> Vec<&Finding> {
    let mut findings: Vec<&Finding> =
        client.findings.iter().filter(|finding| finding.rule.is_none()).collect();
    findings.sort_by_key(|finding| (severity(finding.verdict), finding.check));
    findings
}

/// The complaints of single rules about the same check.
pub fn complaints<'a>(client: &'a ClientReport, of: &Finding) -> Vec<(&'a str, &'a Finding)> {
    let mut findings = by_rule(client, of);
    findings.retain(|(_, finding)| matches!(finding.verdict, Verdict::Fail | Verdict::Warn));
    findings
}

/// The findings of single rules for the same check. With one rule they would repeat the finding.
pub fn by_rule<'a>(client: &'a ClientReport, of: &Finding) -> Vec<(&'a str, &'a Finding)> {
    let of_check = client.findings.iter().filter(|finding| finding.check == of.check);
    let findings: Vec<(&str, &Finding)> =
        of_check.filter_map(|finding| Some((finding.rule.as_deref()?, finding))).collect();
    match *findings {
        [(_, only)] if (only.verdict, &only.measured) == (of.verdict, &of.measured) => Vec::new(),
        _ => findings,
    }
}

/// `50 of 4,000 operations are shown`, where some are not.
pub fn cut_off(shown: usize, all: usize, many: &str) -> Option<String> {
    (shown < all).then(|| format!("{} of {} {many} are shown", grouped(shown as u64), grouped(all as u64)))
}

/// The command that explains a check.
pub fn section(anchor: &str) -> String {
    let check = anchor.split('-').next().unwrap_or(anchor).to_uppercase();
    format!("fracas explain {check}")
}

fn severity(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Fail => 0,
        Verdict::Warn => 1,
        Verdict::Pass => 2,
        Verdict::Undetermined => 3,
    }
}

/// How an operation ended.
pub fn outcome(outcome: OperationOutcome) -> &'static str {
    match outcome {
        OperationOutcome::Untroubled => "untroubled",
        OperationOutcome::Recovered => "recovered",
        OperationOutcome::GaveUp => "gave up",
        OperationOutcome::Unfinished => "unfinished",
    }
}

/// `gave up after 3 tries in 305 ms`.
pub fn course(operation: &OperationReport) -> String {
    let joined = if operation.outcome == OperationOutcome::Unfinished { ":" } else { " after" };
    let tries = counted(operation.count, "try", "tries");
    format!("{}{joined} {tries} in {}", outcome(operation.outcome), span(length(operation)))
}

/// From its first request to its last response, in milliseconds, over the attempts that are kept.
pub fn length(operation: &OperationReport) -> f64 {
    let ends = operation.tries.iter().map(|tried| tried.at_ms + tried.took_ms);
    ends.filter(|end| end.is_finite()).fold(0.0, f64::max)
}

/// The meaning of an attempt to the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AttemptRole {
    /// It read the resource in between.
    Read,
    Succeeded,
    /// Neither a rule's doing nor a success.
    Failed,
    /// A rule refused it.
    Refused,
}

/// The meaning of an attempt to the client.
pub fn turn(tried: &TryReport) -> AttemptRole {
    let is_success = tried.error.is_none() && tried.status.is_some_and(|status| status < 400);
    match tried {
        _ if tried.rule.is_some() => AttemptRole::Refused,
        _ if !is_success => AttemptRole::Failed,
        _ if tried.link.is_none() => AttemptRole::Read,
        _ => AttemptRole::Succeeded,
    }
}

/// `409`, or why there is none: `lost`, `timeout`.
pub fn response(tried: &TryReport) -> Cow<'_, str> {
    match (tried.status, &tried.error, tried.phase.as_deref()) {
        (Some(status), ..) => status.to_string().into(),
        (None, _, Some("lost")) => "lost".into(),
        (None, Some(error), _) => sanitize(error, 12),
        (None, None, _) => "none".into(),
    }
}

/// A remark on an attempt, in few words.
pub fn remark(tried: &TryReport) -> String {
    let own = is_upstream_conflict(tried).then(|| "the upstream's own conflict".into());
    let whose = tried.rule.as_deref().map(shown).or(own);
    let rule = whose.map(|whose| match tried.kind.as_deref() {
        Some(kind) => format!("{whose} ({})", shown(kind)),
        None => whose.into_owned(),
    });
    let note = tried.note.as_deref().map(|note| shown(note).into_owned());
    [rule, note].into_iter().flatten().collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_have_three_digits_and_never_sixty_of_a_unit() {
        for (milliseconds, text) in [
            (0.0, "0 ms"),
            (0.04, "0 ms"),
            (2.34, "2.3 ms"),
            (9.96, "10 ms"),
            (104.4, "104 ms"),
            (999.6, "1.00 s"),
            (1_580.0, "1.58 s"),
            (9_996.0, "10.0 s"),
            (99_960.0, "1 min 40 s"),
            (119_600.0, "2 min 0 s"),
            (3_599_600.0, "1 h 0 min"),
            (86_400_000.0, "24 h 0 min"),
            (f64::NAN, "–"),
            (f64::INFINITY, "–"),
        ] {
            assert_eq!(span(milliseconds), text, "{milliseconds}");
        }
    }

    #[test]
    fn shares_drop_what_says_nothing() {
        for (share, text) in [(0.25, "25 %"), (0.2534, "25.3 %"), (0.0, "0 %"), (1.0, "100 %"), (0.1, "10 %")]
        {
            assert_eq!(percent(share), text);
        }
    }
}
