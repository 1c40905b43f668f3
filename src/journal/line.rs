//! What stands on a line of a journal file: a run's header, an attempt, or what its rules have done.

use serde::{Deserialize, Serialize};

use crate::judgement::grading::{Asked, RuleReport};
use crate::rules::{Config, Rule};
use crate::words::{Attempt, Kind};

/// One line.
#[derive(Clone, Debug, PartialEq)]
pub enum Line {
    /// A run begins.
    Header(Box<Header>),
    Attempt(Box<Attempt>),
    Tallies(Tallies),
}

/// The first line of a run: what somebody who grades it needs to know.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Header {
    /// The version of fracas that wrote it.
    pub fracas: String,
    /// The version of this format.
    pub journal: u32,
    /// When the run began, as RFC 3339 has it.
    pub started: String,
    pub seed: u64,
    /// What the rules file asks of clients.
    pub asked: Asked,
    /// In file order.
    pub rules: Vec<HeaderRule>,
}

/// One rule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HeaderRule {
    pub name: String,
    pub kind: Kind,
    /// What it asks for, in words.
    pub asked: String,
    /// The share that it asks for, where it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked_share: Option<f64>,
}

/// What the rules have done so far. The last such line of a run counts, rule by rule.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tallies {
    /// Rules whose counts have changed: position, requests matched, conflicts injected.
    pub tallies: Vec<(u32, u64, u64)>,
    /// Attempts that could not be kept.
    pub dropped: u64,
    /// On the last line of a run whose clients have ended before it: nothing more could come.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub clients_gone: bool,
}

impl Header {
    /// The version of the format that this writes, and the only one that it reads.
    pub const FORMAT: u32 = 1;

    /// When the run began: the moment 0 of its attempts.
    pub fn began(&self) -> jiff::Timestamp {
        self.started.parse().unwrap_or(jiff::Timestamp::UNIX_EPOCH)
    }

    /// What the rules that a request reached have done; `counts` has one pair per rule: requests matched,
    /// conflicts injected.
    pub fn rule_reports(&self, counts: &[(u64, u64)]) -> Vec<RuleReport> {
        let reached = self.rules.iter().zip(counts).filter(|(_, (matched, _))| *matched > 0);
        let report = |(rule, (matched, fired)): (&HeaderRule, &(u64, u64))| RuleReport {
            name: rule.name.clone(),
            kind: rule.kind.to_string(),
            asked: rule.asked.clone(),
            asked_share: rule.asked_share,
            matched: *matched,
            fired: *fired,
            why_not: None,
        };
        reached.map(report).collect()
    }

    /// The header of a run.
    pub fn new(config: &Config, started: String) -> Header {
        Header {
            fracas: env!("CARGO_PKG_VERSION").to_owned(),
            journal: Header::FORMAT,
            started,
            seed: config.settings.seed,
            asked: Asked::of(config),
            rules: config.rules.iter().map(HeaderRule::new).collect(),
        }
    }
}

impl HeaderRule {
    fn new(rule: &Rule) -> HeaderRule {
        HeaderRule {
            name: rule.name.to_string(),
            kind: rule.kind,
            asked: rule.trigger.asked(),
            asked_share: rule.trigger.asked_share(),
        }
    }
}

impl Line {
    /// Reads a line. An attempt is told by its first key, so that the many are read at once.
    pub fn parse(text: &[u8]) -> Option<Line> {
        if text.starts_with(b"{\"id\":") {
            serde_json::from_slice(text).ok().map(|attempt| Line::Attempt(Box::new(attempt)))
        } else if text.starts_with(b"{\"fracas\":") {
            serde_json::from_slice(text).ok().map(|header| Line::Header(Box::new(header)))
        } else {
            serde_json::from_slice(text).ok().map(Line::Tallies)
        }
    }
}
