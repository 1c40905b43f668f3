//! The lines of a journal file: a run's header, an attempt, or the counts of its rules.

use serde::{Deserialize, Serialize};

use crate::grading::{CommandEnd, CommandReport, Criteria, Demands, Report, RuleReport, RunReport};
use crate::model::{Attempt, Kind};
use crate::rules::{Config, Rule};

/// One line.
#[derive(Clone, Debug, PartialEq)]
pub enum JournalLine {
    /// A run begins.
    Header(Box<Header>),
    Attempt(Box<Attempt>),
    Tallies(RuleCounts),
    /// One that cannot be read: the last one of a process that was killed, or of a full disk.
    Torn,
}

/// The first line of a run: the facts that grading needs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Header {
    /// The version of fracas that wrote it.
    pub fracas: String,
    /// The version of this format.
    pub journal: u32,
    /// Tells this run from others in the same file. A header that is repeated goes on with its run.
    pub run: String,
    /// When the run began, as RFC 3339 has it.
    pub started: String,
    pub seed: u64,
    /// Origin of the rules and destination of the requests.
    #[serde(flatten)]
    pub origin: RunOrigin,
    /// The URL that clients have.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub proxy: String,
    /// Expectations of the rules file about clients.
    pub asked: Criteria,
    /// In file order.
    pub rules: Vec<HeaderRule>,
}

/// Origin of the rules, destination of the requests, and the command that fracas runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RunOrigin {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rules_file: Option<String>,
    /// Files beside it that rules come from.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub more_rules_files: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rules_sha256: Option<String>,
    pub upstream: String,
    /// The command line of `run`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub command: Vec<String>,
    pub demands: Demands,
}

impl RunOrigin {
    /// Every rules file.
    pub fn rules_files(&self) -> impl Iterator<Item = &str> {
        self.rules_file.iter().chain(&self.more_rules_files).map(String::as_str)
    }
}

/// One rule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HeaderRule {
    pub name: String,
    pub kind: Kind,
    /// The rule's trigger in words.
    pub asked: String,
    /// The share of requests that the trigger asks for, if it is a share.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked_share: Option<f64>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub disabled: bool,
}

/// Counts of the rules so far. The last such line of a run counts, rule by rule.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleCounts {
    /// Rules whose counts have changed: position, requests matched, conflicts injected.
    pub tallies: Vec<(u32, u64, u64)>,
    /// Number of attempts that came faster than the journal could take them; the file lacks them.
    pub dropped: u64,
    /// Shortly before the end of a run: facts about the whole run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ending: Option<Ending>,
    /// Number of lines so far that could not be written: a full disk, or a pipe without a reader.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub lost: u64,
    /// The end mark: the last line of a run that was recorded to its end. A run without one is incomplete.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ended: bool,
    /// On the last line of a run whose clients have ended before it: nothing more could come.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub clients_gone: bool,
}

/// Facts known only when a run ends.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Ending {
    /// Reasons why rules did not fire, by position; a few rules only.
    pub idle: Vec<(u32, String)>,
    /// How the command ended.
    pub command: Option<CommandEnd>,
    /// When it did, in microseconds since the run began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command_ended: Option<u64>,
}

impl Ending {
    /// When the command was killed, if it was.
    pub fn killed_at(&self) -> Option<u64> {
        self.command_ended.filter(|_| self.command.is_some_and(|end| end.is_killed()))
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl Header {
    /// The version of the format that this writes, and the only one that it reads.
    pub const FORMAT: u32 = 2;

    /// When the run began: the moment 0 of its attempts.
    pub fn began(&self) -> jiff::Timestamp {
        self.started.parse().unwrap_or(jiff::Timestamp::UNIX_EPOCH)
    }

    /// Adds the facts about the whole run to a report; `counts` as in [`Header::rule_reports`].
    pub fn conclude(&self, report: &mut Report, counts: &[(u64, u64)], ending: &Ending) {
        let enabled = || self.rules.iter().zip(counts).filter(|(rule, _)| !rule.disabled);
        let idle: Vec<&str> =
            enabled().filter(|(_, (_, fired))| *fired == 0).map(|(rule, _)| rule.name.as_str()).collect();
        let command = (!self.origin.command.is_empty())
            .then(|| CommandReport { line: self.origin.command.clone(), end: ending.command });
        let run = RunReport {
            fracas: self.fracas.clone(),
            started: self.started.clone(),
            seed: self.seed,
            rules_file: self.origin.rules_file.clone(),
            more_rules_files: self.origin.more_rules_files.clone(),
            rules_sha256: self.origin.rules_sha256.clone(),
            proxy: self.proxy.clone(),
            upstream: self.origin.upstream.clone(),
            command,
        };
        let unmatched = counts.iter().filter(|(matched, _)| *matched == 0).count();
        let listed = report.rules.iter().filter(|rule| rule.matched == 0).count();
        report.totals.other_rules = unmatched.saturating_sub(listed) as u64;
        report.conclude(run, self.origin.demands, &idle, enabled().count());
    }

    /// Reports on the rules that matched a request, or that `ending` names; `counts` has one pair per
    /// rule: requests matched, conflicts injected.
    pub fn rule_reports(&self, counts: &[(u64, u64)], ending: &Ending) -> Vec<RuleReport> {
        let why_not = |at: u32| ending.idle.iter().find(|(rule, _)| *rule == at).map(|(_, why)| why.clone());
        let rules = (0..).zip(self.rules.iter().zip(counts));
        let told = rules.filter(|(at, (_, (matched, _)))| *matched > 0 || why_not(*at).is_some());
        let report = |(at, (rule, (matched, fired))): (u32, (&HeaderRule, &(u64, u64)))| RuleReport {
            name: rule.name.clone(),
            kind: rule.kind.to_string(),
            asked: rule.asked.clone(),
            asked_share: rule.asked_share,
            matched: *matched,
            fired: *fired,
            why_not: why_not(at),
        };
        told.map(report).collect()
    }

    /// The header of a run, which has no id yet.
    pub fn new(config: &Config, started: String) -> Header {
        Header {
            fracas: env!("CARGO_PKG_VERSION").to_owned(),
            journal: Header::FORMAT,
            run: String::new(),
            started,
            seed: config.settings.seed,
            origin: RunOrigin::default(),
            proxy: String::new(),
            asked: Criteria::of(config),
            rules: config.rules.iter().map(HeaderRule::new).collect(),
        }
    }
}

impl HeaderRule {
    fn new(rule: &Rule) -> HeaderRule {
        HeaderRule {
            name: rule.name.to_string(),
            kind: rule.kind,
            asked: rule.trigger.label(),
            asked_share: rule.trigger.asked_share(),
            disabled: !rule.enabled,
        }
    }
}

impl JournalLine {
    /// Parses a line. Recognises attempts, the most frequent, by their first key, to parse them only once.
    pub fn parse(text: &[u8]) -> Option<JournalLine> {
        if text.starts_with(b"{\"id\":") {
            serde_json::from_slice(text).ok().map(|attempt| JournalLine::Attempt(Box::new(attempt)))
        } else if text.starts_with(b"{\"fracas\":") {
            serde_json::from_slice(text).ok().map(|header| JournalLine::Header(Box::new(header)))
        } else {
            serde_json::from_slice(text).ok().map(JournalLine::Tallies)
        }
    }
}
