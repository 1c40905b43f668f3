//! The report as workflow commands of GitHub Actions, which become annotations of the job: an error for
//! each cause of the report's failure, a warning for the rest.
//!
//! GitHub shows ten errors and ten warnings of a step; the worst come first here. Escapes are those of the
//! runner (actions/toolkit, `packages/core/src/command.ts`): without them a client's text could be a command.

use std::fmt::Write as _;

use super::phrases::{self, shown};
use super::run;
use crate::grading::{Report, Verdict};
use crate::model::sanitize;

/// Annotations that are written; GitHub shows fewer.
const MOST: usize = 50;

/// Characters of a line: measure and advice stand in one.
const LONGEST_LINE: usize = 1_000;

/// The report as lines that the runner reads.
pub fn render(report: &Report) -> String {
    let mut errors = Vec::new();
    let mut warnings = Vec::new();
    for expected in &report.expectations {
        let of = expected.rule.as_deref().map(|rule| format!(" of {rule}")).unwrap_or_default();
        let title = format!("{} = {}{of}", expected.name, expected.asked);
        match expected.verdict {
            Verdict::Fail => errors.push((title, expected.found.clone())),
            Verdict::Warn => warnings.push((title, expected.found.clone())),
            Verdict::Pass | Verdict::Undetermined => {}
        }
    }
    for client in &report.clients {
        for finding in phrases::overall(client) {
            let title = format!("{} {}", finding.check, finding.title);
            let advice = finding.advice.as_deref().map(|advice| format!("\n{advice}")).unwrap_or_default();
            let text = format!("{}: {}{advice}", client.agent, finding.measured);
            match finding.verdict {
                // Where `[expect]` is met, it is no failure of the run.
                Verdict::Fail if report.verdict == Verdict::Fail => errors.push((title, text)),
                Verdict::Fail | Verdict::Warn => warnings.push((title, text)),
                Verdict::Pass | Verdict::Undetermined => {}
            }
        }
    }
    if let Some(around) = run::around(report) {
        warnings.push(("fracas".to_owned(), around));
    }
    if report.untested.is_some() {
        let mut text = phrases::headline(report);
        for (rule, why) in run::idle(report) {
            let _ = write!(text, "\n{}: {why}", shown(&rule.name));
        }
        warnings.push(("fracas".to_owned(), text));
    }
    let mut lines = String::new();
    for (kind, found) in [("error", errors), ("warning", warnings)] {
        for (title, text) in found.iter().take(MOST) {
            let _ = writeln!(lines, "::{kind} title={}::{}", property(title), data(text));
        }
    }
    let mut last = format!("{}  {}", run::headline_mark(report), phrases::headline(report));
    let _ = write!(last, "\n{}", phrases::totals(&report.totals));
    if let Some(aside) = run::aside(report) {
        let _ = write!(last, "\n{aside}");
    }
    if let Some(exit) = run::exit(report) {
        let _ = write!(last, "\n{exit}");
    }
    if let Some(line) = run::line(&report.run) {
        let _ = write!(last, "\n{line}");
    }
    let _ = writeln!(lines, "::notice title=fracas::{}", data(&last));
    lines
}

/// The message after `::`.
fn data(text: &str) -> String {
    // Line breaks stay: only the text within a line is untrusted.
    let lines: Vec<_> = text.split('\n').map(|line| sanitize(line, LONGEST_LINE)).collect();
    lines.join("\n").replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The value of a property such as `title`.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_ends_a_command_or_begins_another() {
        for (text, value, title) in [
            ("100 %", "100 %25", "100 %25"),
            ("a::b, c", "a::b, c", "a%3A%3Ab%2C c"),
            ("one\n::error::two", "one%0A::error::two", "one%0A%3A%3Aerror%3A%3Atwo"),
            ("%0A::error::x", "%250A::error::x", "%250A%3A%3Aerror%3A%3Ax"),
        ] {
            assert_eq!((data(text).as_str(), property(text).as_str()), (value, title));
        }
        assert!(!data("a\r\n::stop-commands::x").contains(['\r', '\n']));
    }
}
