//! The run that a report is about: its command, its demands beside `[expect]`, and the cause of its exit
//! code.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Expectation, Report, Totals, Verdict};

/// The facts of the run: a run can be repeated with them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct RunReport {
    /// The version of fracas.
    pub fracas: String,
    /// When it began, as RFC 3339 has it.
    pub started: String,
    pub seed: u64,
    /// The rules file as it was named; absent for built-in rules.
    pub rules_file: Option<String>,
    /// Files beside it that rules come from, those that others include as well.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub more_rules_files: Vec<String>,
    /// Of the file's bytes, in hexadecimal digits; of several files, of their hashes, a line each.
    pub rules_sha256: Option<String>,
    /// The URL that clients had.
    pub proxy: String,
    /// Where requests went: a URL, or `demo`.
    pub upstream: String,
    /// The command behind the proxy; absent under `serve`.
    pub command: Option<CommandReport>,
}

/// A command and its end.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CommandReport {
    /// The command and its arguments.
    pub line: Vec<String>,
    /// Absent while it runs, and where the record ends before it did.
    pub end: Option<CommandEnd>,
}

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CommandEnd {
    /// Its exit code; of one that a signal ended, 128 and the signal's number, as shells say it.
    pub code: u8,
    /// The signal that ended it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signal: Option<i32>,
}

impl CommandEnd {
    /// Whether it was made to end while it went on: by a signal, or as `timeout` (124, 137) and shells (137, 143)
    /// say it of what they ran. SIGINT is not among these: who pressed Ctrl-C may have seen enough.
    pub fn is_killed(&self) -> bool {
        const INTERRUPT: i32 = 2;
        self.signal.is_some_and(|signal| signal != INTERRUPT)
            || self.signal.is_none() && matches!(self.code, 124 | 137 | 143)
    }
}

/// `exited with 3`, `was ended by signal 15 (143)`.
impl fmt::Display for CommandEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.signal {
            Some(signal) => write!(f, "was ended by signal {signal} ({})", self.code),
            None => write!(f, "exited with {}", self.code),
        }
    }
}

/// The demands on a run from the command line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Demands {
    /// So many operations must meet a conflict.
    pub min_operations: u64,
    /// Every rule that is enabled must fire.
    pub require_fired: bool,
}

/// The exit code of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ExitReport {
    pub code: u8,
    /// The cause of the code, in a sentence.
    pub because: String,
}

/// Why nothing was tested where no request came through.
pub(super) const UNANSWERED: &str = "the upstream answered no request";
/// The most rules that a sentence names.
const MOST_NAMES: usize = 5;

impl Report {
    /// Adds the facts that only the run knows: its command, its demands, and so its exit code. `idle` are
    /// the names of enabled rules that did not fire.
    pub fn conclude(&mut self, run: RunReport, demands: Demands, idle: &[&str], rules: usize) {
        let Totals { conflicted, conflicted_upstream: own, .. } = self.totals;
        // Without a rule, the upstream's own conflicts are all that there was to meet.
        let met = if rules == 0 { conflicted.saturating_add(own) } else { conflicted };
        if met < demands.min_operations {
            let operations = if met == 1 { "operation" } else { "operations" };
            let own = match own {
                0 => String::new(),
                _ if rules == 0 => " of the upstream's own".to_owned(),
                own => format!(" of a rule's; {own} met one of the upstream's own"),
            };
            self.demand(
                Demands::MIN_OPERATIONS,
                demands.min_operations.to_string(),
                format!("{met} {operations} met a conflict{own}"),
            );
        }
        if demands.require_fired && (!idle.is_empty() || rules == 0) {
            let names = idle.iter().take(MOST_NAMES).copied().collect::<Vec<_>>().join(", ");
            let more = idle.len().saturating_sub(MOST_NAMES);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            let found = match rules {
                0 => "there is no rule".to_owned(),
                _ => format!("{} of {rules} did not fire: {names}{more}", idle.len()),
            };
            self.demand(Demands::REQUIRE_FIRED, "every rule".to_owned(), found);
        }
        if let (Some(why), true, 0) = (&mut self.untested, run.command.is_some(), self.totals.attempts) {
            why.push_str(", is the command's base URL $FRACAS_URL?");
        }
        if let Some(why) = self.untested.as_mut().filter(|why| *why == UNANSWERED)
            && !run.upstream.is_empty()
        {
            why.push_str(&format!(", is {} the right one, and up?", run.upstream));
        }
        let end = run.command.as_ref().and_then(|command| command.end);
        self.exit = end.map(|end| self.exit(end));
        self.run = run;
    }

    /// An unmet demand of the command line, as an expectation like those of `[expect]`.
    fn demand(&mut self, name: &str, asked: String, found: String) {
        let (name, operations) = (name.to_owned(), Vec::new());
        self.expectations.push(Expectation {
            name,
            rule: None,
            asked,
            found,
            verdict: Verdict::Fail,
            operations,
        });
        self.verdict = Verdict::Fail;
    }

    fn exit(&self, end: CommandEnd) -> ExitReport {
        if end.code != 0 {
            return ExitReport { code: end.code, because: format!("the command {end}, and so does the run") };
        }
        if self.verdict != Verdict::Fail {
            return ExitReport { code: 0, because: format!("the command {end}, and so does the run") };
        }
        let unmet: Vec<&Expectation> =
            self.expectations.iter().filter(|expected| expected.verdict == Verdict::Fail).collect();
        let why = match unmet.first() {
            Some(first) if first.name.starts_with("--") && first.name == Demands::REQUIRE_FIRED => {
                "`--require-fired` asks every rule to fire".to_owned()
            }
            Some(first) if first.name.starts_with("--") => format!("`{}` is {}", first.name, first.asked),
            Some(first) => format!("`[expect]` asks for {} = {}", first.name, first.asked),
            None => "a client fell short".to_owned(),
        };
        ExitReport { code: 1, because: format!("the command {end}; exit 1, because {why}") }
    }
}

impl Demands {
    const MIN_OPERATIONS: &str = "--min-operations";
    const REQUIRE_FIRED: &str = "--require-fired";
}

#[cfg(test)]
mod tests {
    use super::*;

    fn concluded(verdict: Verdict, conflicted: u64, code: u8, demands: Demands, idle: &[&str]) -> Report {
        let totals = Totals { conflicted, ..Totals::default() };
        let mut report = Report { verdict, totals, ..Report::default() };
        let end = Some(CommandEnd { code, signal: None });
        let command = Some(CommandReport { line: vec!["true".to_owned()], end });
        report.conclude(RunReport { command, ..RunReport::default() }, demands, idle, 7);
        report
    }

    #[test]
    fn whoever_decides_the_exit_code_is_named() {
        let one = Demands { min_operations: 1, require_fired: false };
        let fired = Demands { min_operations: 0, require_fired: true };
        let none = Demands::default();
        for (verdict, conflicted, code, demands, idle, exit, because) in [
            (Verdict::Pass, 1, 0, one, &[][..], 0, "the command exited with 0, and so does the run"),
            (Verdict::Pass, 1, 3, one, &[], 3, "the command exited with 3, and so does the run"),
            (Verdict::Fail, 1, 3, one, &[], 3, "the command exited with 3, and so does the run"),
            (
                Verdict::Fail,
                1,
                0,
                one,
                &[],
                1,
                "the command exited with 0; exit 1, because a client fell short",
            ),
            (Verdict::Undetermined, 0, 0, none, &["a"], 0, "the command exited with 0, and so does the run"),
            (
                Verdict::Undetermined,
                0,
                0,
                one,
                &[],
                1,
                "the command exited with 0; exit 1, because `--min-operations` is 1",
            ),
            (
                Verdict::Pass,
                4,
                0,
                fired,
                &["a"],
                1,
                "the command exited with 0; exit 1, because `--require-fired` asks every rule to fire",
            ),
        ] {
            let report = concluded(verdict, conflicted, code, demands, idle);
            let expected = Some(ExitReport { code: exit, because: because.to_owned() });
            assert_eq!(report.exit, expected, "{verdict:?} {conflicted} {code}");
            assert_eq!(report.verdict == Verdict::Fail, exit == 1 || verdict == Verdict::Fail);
        }
    }

    #[test]
    fn the_upstreams_own_conflicts_are_enough_only_where_there_is_no_rule() {
        for (rules, own, asked, found) in [
            (0, 3, 3, None),
            (0, 3, 4, Some("3 operations met a conflict of the upstream's own")),
            (0, 0, 1, Some("0 operations met a conflict")),
            (1, 3, 1, Some("0 operations met a conflict of a rule's; 3 met one of the upstream's own")),
        ] {
            let totals = Totals { conflicted_upstream: own, ..Totals::default() };
            let mut report = Report { totals, ..Report::default() };
            let demands = Demands { min_operations: asked, require_fired: false };
            report.conclude(RunReport::default(), demands, &[], rules);
            let said = report.expectations.first().map(|expected| &*expected.found);
            assert_eq!(said, found, "{rules} rules, {own}, {asked}");
        }
    }

    #[test]
    fn rules_that_did_not_fire_are_named_up_to_a_number() {
        let demands = Demands { min_operations: 0, require_fired: true };
        let report = concluded(Verdict::Pass, 1, 0, demands, &["a", "b", "c", "d", "e", "f", "g"]);
        assert_eq!(report.expectations[0].found, "7 of 7 did not fire: a, b, c, d, e and 2 more");
    }

    #[test]
    fn a_command_is_killed_by_a_signal_but_by_that_of_a_key() {
        for (code, signal, expected) in [
            (143, Some(15), true),
            (137, Some(9), true),
            (124, None, true),
            (137, None, true),
            (143, None, true),
            (130, Some(2), false),
            (130, None, false),
            (1, None, false),
            (0, None, false),
        ] {
            assert_eq!(CommandEnd { code, signal }.is_killed(), expected, "{code} {signal:?}");
        }
    }

    #[test]
    fn a_signal_is_told_apart_from_a_code() {
        assert_eq!(CommandEnd { code: 143, signal: Some(15) }.to_string(), "was ended by signal 15 (143)");
        assert_eq!(CommandEnd { code: 143, signal: None }.to_string(), "exited with 143");
    }
}
