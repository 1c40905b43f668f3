//! The report: the one value that every format of a report is made from.

use schemars::JsonSchema;
use serde::Serialize;

use super::{ExitReport, RunReport};
use crate::model::CheckId;

/// A whole report. Serialised, it is the `json` format; its schema is published.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub struct Report {
    /// The version of this format.
    pub version: u32,
    /// The worst of all: of `expectations` where any are given, or else of the checks; no pass where nothing
    /// was tested.
    pub verdict: Verdict,
    /// Why nothing was tested, where no operation met a conflict; absent where one did. `verdict` is then
    /// `undetermined`, or `fail` where more was asked for: headlines for people show the former, and the demand
    /// as an expectation that is not met.
    pub untested: Option<String>,
    /// The exit code of `run`, and its cause; absent where no command has ended.
    pub exit: Option<ExitReport>,
    /// The facts of the run.
    pub run: RunReport,
    pub totals: Totals,
    /// One per class of clients, by its `User-Agent`, the worst first; those for which there is no place are
    /// one class, `(all others)`.
    pub clients: Vec<ClientReport>,
    /// Clients that saw the upstream's own origin in bodies, and may have gone there: requests sent to it directly are
    /// not in this report. At most [`AroundReport::MOST`], the last of which may be `(all others)`.
    pub around: Vec<AroundReport>,
    /// One per rule that a request matched, in file order, and a few of those that none did.
    pub rules: Vec<RuleReport>,
    /// The expectations of `[expect]`, with their findings.
    pub expectations: Vec<Expectation>,
    /// Evidence: the operations that findings name and the worst of the others, in bounded number.
    pub operations: Vec<OperationReport>,
}

/// Clients that may have left the proxy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct AroundReport {
    /// The first product of `User-Agent`, or `-` without one.
    pub agent: String,
    /// Responses with the upstream's origin in their bodies.
    pub responses: u64,
}

/// How good something is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Pass,
    /// There is too little to say.
    #[default]
    Undetermined,
    Warn,
    Fail,
}

/// Counts over the whole record.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Totals {
    pub attempts: u64,
    pub operations: u64,
    /// Operations that met an injected conflict.
    pub conflicted: u64,
    /// Operations that met a conflict of the upstream's own (409, 412, 423, 428, 449), and none that was injected.
    pub conflicted_upstream: u64,
    /// Of those: succeeded in the end.
    pub recovered: u64,
    /// Of those: gave up.
    pub gave_up: u64,
    /// Of those: still open at the end.
    pub unfinished: u64,
    /// Attempts that the upstream did not respond to: it could not be reached, or missed its deadline.
    pub unanswered: u64,
    /// Attempts that the journal could not keep; the report may be wrong about their operations.
    pub dropped: u64,
    /// Lines that the journal's file could not take. A report made from the file lacks them; one made as the
    /// run ends does not.
    pub lost_lines: u64,
    /// The record lacks something (lines, attempts, operations that were put away, or its end): there is no
    /// `pass` in this report.
    pub incomplete: bool,
    /// Operations evicted before their end was seen, as too many were open; later requests
    /// count as operations of their own, so that the report may be wrong about them.
    pub evicted: u64,
    /// Products beyond those that have an entry of their own in `clients`: they are judged together, as
    /// one class. At least so many, if it is 10,000.
    pub other_clients: u64,
    /// Rules that no request matched, beyond those in `rules`.
    pub other_rules: u64,
    /// From the first attempt to the last, in milliseconds.
    pub elapsed_ms: u64,
}

/// One class of clients.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ClientReport {
    /// The first product of `User-Agent`, or `-` without one.
    pub agent: String,
    /// Distinct clients of this class; at least so many, if it is [`ClientReport::MOST_CLIENTS`].
    pub clients: u64,
    pub operations: u64,
    pub conflicted: u64,
    /// Operations that met a conflict of the upstream's own, and none that was injected.
    pub conflicted_upstream: u64,
    pub recovered: u64,
    pub gave_up: u64,
    pub unfinished: u64,
    /// Attempts of operations that met a conflict.
    pub tries: u64,
    pub verdict: Verdict,
    /// How it waits between tries; absent when it never tried again.
    pub backoff: Option<Backoff>,
    /// Gaps between its tries, to be plotted: a sample, spread evenly over the observed ones, at most
    /// [`ClientReport::MOST_GAPS`] of them.
    pub gaps: Vec<Gap>,
    /// How its clients came back after they were refused together; absent when that never happened.
    pub herd: Option<Herd>,
    /// In the order of check ids, those that apply; per check one without a rule (all rules together),
    /// then one per rule.
    pub findings: Vec<Finding>,
}

impl ClientReport {
    /// The most gaps of one class that a report holds.
    pub const MOST_GAPS: usize = 500;
    /// Distinct clients of one class that are counted.
    pub const MOST_CLIENTS: usize = 10_000;
}

/// One wait between two tries of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Gap {
    /// Which retry came after it, from 1.
    pub retry: u64,
    /// In milliseconds.
    pub gap_ms: f64,
    /// The delay that the response before it asked for (`Retry-After`), in milliseconds.
    pub asked_ms: Option<u64>,
}

/// The largest crowd of clients that were refused within the same moment, and when each came back.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Herd {
    /// Clients in the crowd.
    pub clients: u64,
    /// The largest share of their first retries inside any one window, from 0 to 1.
    pub index: f64,
    /// The length of that window, in milliseconds.
    pub window_ms: f64,
    /// How wide a bar of `first_retries` is, in milliseconds.
    pub bar_ms: f64,
    /// How many first retries came in each bar, from the first of them on; at most
    /// [`Herd::MOST_BARS`], the last of which counts the later ones too.
    pub first_retries: Vec<u64>,
}

impl Herd {
    /// The most bars of a histogram.
    pub const MOST_BARS: usize = 60;
}

/// One check's word on one class of clients.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Finding {
    pub check: CheckId,
    /// The behaviour of a client that passes, in at most 40 characters: `waits as long as Retry-After says`.
    pub title: String,
    /// The check's section in docs/GRADING.md: `r2-refetch`. Never changes.
    pub anchor: &'static str,
    /// `None`: over all rules.
    pub rule: Option<String>,
    pub verdict: Verdict,
    /// The measured figures, in words: `11 of 18 replayed the stale version`.
    pub measured: String,
    /// The measure as a number, where it is one, in `unit`.
    pub value: Option<f64>,
    /// The limit of the measure, as a number in `unit`.
    pub limit: Option<f64>,
    /// `ms`, `tries`, `share`, `requests`, …
    pub unit: Option<String>,
    /// One sentence: the change to make (warn and fail), or the evidence that would settle it (undetermined).
    pub advice: Option<String>,
    /// Ids of operations that show it, the clearest first, in bounded number.
    pub operations: Vec<u64>,
}

/// How a class of clients waits between tries.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Backoff {
    pub shape: BackoffShape,
    pub jitter: Jitter,
    /// The first gap, in milliseconds.
    pub base_ms: f64,
    /// By which each gap is longer than the one before (exponential), or how many milliseconds
    /// (linear).
    pub factor: Option<f64>,
    /// Gaps grow no further than this, in milliseconds.
    pub cap_ms: Option<f64>,
    /// Operations that it was read from.
    pub operations: u64,
    /// For each retry (1st, 2nd, …): the mean gap in milliseconds, and how many there were.
    pub mean_gaps_ms: Vec<(f64, u64)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BackoffShape {
    Immediate,
    Fixed,
    Linear,
    Exponential,
    /// Growing, and too jittered to tell the shape from the observed gaps.
    Growing,
    Undetermined,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Jitter {
    None,
    Small,
    Medium,
    Full,
    Undetermined,
}

/// The counts of one rule.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct RuleReport {
    pub name: String,
    pub kind: String,
    /// The trigger, in words: `25 %`, `first 1`, `duplicate`.
    pub asked: String,
    /// The share that was asked, where it is one.
    pub asked_share: Option<f64>,
    pub matched: u64,
    pub fired: u64,
    /// Why it never fired: the part of its match that no request had, or the event that its trigger waits for.
    pub why_not: Option<String>,
}

/// One line of `[expect]`.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Expectation {
    /// `max_tries`, `R8` …
    pub name: String,
    /// The rule with this expectation in its own `expect`; `None` for the file's.
    pub rule: Option<String>,
    /// The demand: `5`, `true`, `0.99`, `fail`.
    pub asked: String,
    /// The finding, in words.
    pub found: String,
    pub verdict: Verdict,
    pub operations: Vec<u64>,
}

/// One operation, as evidence.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct OperationReport {
    pub id: u64,
    pub agent: String,
    /// Which client: the run's hash of it.
    pub client: String,
    pub method: String,
    pub path: String,
    pub outcome: super::OperationOutcome,
    /// How many tries there were; `tries` may have fewer of them, and has reads beside them.
    pub count: u64,
    /// When it began, in milliseconds since the proxy started.
    pub start_ms: f64,
    pub tries: Vec<TryReport>,
}

/// The origin of a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RefusedBy {
    /// A rule injected it.
    Rule,
    /// The upstream said so itself.
    Upstream,
    /// The proxy could not reach the upstream, or the client left.
    Proxy,
}

impl RefusedBy {
    /// The origin of the refusal that the attempt met, if it met one.
    pub fn of(attempt: &crate::model::Attempt) -> Option<RefusedBy> {
        if attempt.conflict.is_some() {
            return Some(RefusedBy::Rule);
        }
        match attempt.upstream_refusal() {
            Some(_) => Some(RefusedBy::Upstream),
            None if attempt.got.outcome().is_none_or(|status| status >= 400) => Some(RefusedBy::Proxy),
            None => None,
        }
    }
}

/// One attempt of an operation; reads of the resource in between stand here too.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct TryReport {
    pub attempt: u64,
    pub method: String,
    /// Why it is taken for a part of the operation; `None` for a read of the resource, which is no try.
    pub link: Option<super::Link>,
    /// Since the operation began, in milliseconds.
    pub at_ms: f64,
    pub took_ms: f64,
    /// `None`: it is not a retry, or it is concurrent.
    pub gap_ms: Option<f64>,
    /// The status that the client got; of a gRPC refusal, the matching HTTP status.
    pub status: Option<u16>,
    pub error: Option<String>,
    /// The origin of its refusal: a real conflict is the upstream's. Absent for a success.
    pub refused_by: Option<RefusedBy>,
    pub rule: Option<String>,
    pub kind: Option<String>,
    pub phase: Option<String>,
    /// The delay that the response asked for, in milliseconds.
    pub retry_after_ms: Option<u64>,
    /// The version it carried.
    pub version: Option<String>,
    /// A remark: `same version, not re-read`.
    pub note: Option<String>,
}
