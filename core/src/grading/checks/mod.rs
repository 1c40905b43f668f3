//! The checks, R1 to R17. A check is one file, or a part of one: its [`CheckDefinition`] describes it, and its [`Measure`]
//! sums its evidence. docs/GRADING.md explains each under its anchor.
//!
//! To add a check: its title in `model/check_id.rs`, its file, its lines under `mod` and `checks!` here, and its section
//! in docs/GRADING.md.

pub(super) mod amplification;
pub(super) mod applied;
mod bounds;
mod evidence;
pub(super) mod herd;
pub(super) mod keys;
pub(super) mod nesting;
pub(super) mod next_move;
pub(super) mod retry_after;
mod tally;
pub(super) mod terminal;
pub(super) mod tries;
pub(super) mod version;
pub(super) mod waiting;
mod words;

pub(super) use evidence::{EvidenceSample, Extreme, Marks};
use tally::checks;
pub(super) use words::{of, wait};

use super::view::View;
use super::{CheckId, Verdict};
use crate::model::Attempt;
use crate::rules::ReplyStyle;

checks! {
    next_move: next_moves NextMoves => NEXT_MOVE;
    version: versions RewriteVersions => REFETCH, NEWEST;
    keys: keys IdempotencyKeys => KEY_STABILITY;
    retry_after: retry_after Waits => RETRY_AFTER;
    waiting: waiting Waiting => IMMEDIATE_RETRIES, GROWTH, JITTER;
    tries: tries Tries => TRIES, GIVE_UP;
    amplification: amplification Amplification => AMPLIFICATION;
    nesting: nesting Nesting => NESTED_RETRIES;
    herd: crowd Crowd => HERD;
    applied: applied AppliedWrites, lost LostResponses, unsafe_replays UnsafeRetries => DUPLICATES, LOST_RESPONSE, SAFE_METHODS;
    terminal: terminal Terminal => TERMINAL;
}

/// One check: its description and how it judges.
pub struct CheckDefinition {
    pub id: CheckId,
    /// Its section in docs/GRADING.md; never changes.
    pub anchor: &'static str,
    /// The demand and its reason, in one sentence without figures.
    pub why: &'static str,
    tries: NeededTries,
    products: Products,
    judge: fn(&Tally, &Class) -> Option<CheckResult>,
}

/// Which tries of an operation a check needs before it may pass: the first ones are always kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum NeededTries {
    First,
    Every,
}

/// The operations that a check may sum up, by product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Products {
    Any,
    /// Waits of several products, put together, follow no law.
    One,
}

/// A bounded sum over operations that one or more checks judge. The order of operations does not matter.
trait Measure {
    const OPERATIONS: Operations = Operations::Refused;

    /// Adds an operation.
    fn see(&mut self, view: &View<'_>);

    /// Adds an operation of one attempt that met no trouble.
    fn see_plain(&mut self, _: &Attempt) {}

    /// Adds the sum of a class without operations in trouble.
    fn merge(&mut self, _: &Self) {}

    /// The operations that a finding could name.
    fn samples(&self) -> impl Iterator<Item = &EvidenceSample>;
}

/// Which operations a measure sums up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operations {
    /// Those that were refused.
    Refused,
    All,
}

/// Facts about a class of clients beside its operations.
#[derive(Clone, Debug, Default)]
pub(super) struct Class {
    /// Distinct clients.
    pub clients: u64,
    /// It is all products for which there was no place of their own.
    pub is_mixed: bool,
    /// Some operations of this product, which met no trouble, are counted elsewhere.
    pub is_partial: bool,
    /// The reply style that its product can read, where that is known.
    pub speaks: Option<ReplyStyle>,
    /// The reply style of the rule in question, where it is one rule.
    pub answered: Option<ReplyStyle>,
    /// Where the rules in question say that requests have their versions.
    pub version_places: Vec<Box<str>>,
    /// Whether each of them says which requests read.
    pub names_reads: bool,
}

/// A check's word, before the file grades it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct CheckResult {
    pub verdict: Verdict,
    pub measured: String,
    pub number: Option<MeasuredValue>,
    pub advice: Option<String>,
    pub operations: Vec<u64>,
}

/// A measure as a number, and its limit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct MeasuredValue {
    pub value: f64,
    pub limit: f64,
    pub unit: &'static str,
}

/// R`number`; a number beyond the last does not compile.
#[expect(clippy::panic, reason = "only while compiling")]
const fn id(number: u8) -> CheckId {
    match CheckId::new(number) {
        Some(id) => id,
        None => panic!("no such check"),
    }
}

impl CheckDefinition {
    /// The check of an id, if there is one.
    pub fn of(id: CheckId) -> Option<&'static CheckDefinition> {
        CHECKS.iter().find(|check| check.id == id)
    }

    /// The check's word on a tally; `None` where there was nothing for it to look at.
    pub(super) fn judge(&self, tally: &Tally, class: &Class) -> Option<CheckResult> {
        (self.judge)(tally, class).map(|judged| bounds::hold(self, judged, tally, class))
    }
}

impl CheckResult {
    pub fn new(verdict: Verdict, measured: impl Into<String>) -> CheckResult {
        CheckResult { verdict, measured: measured.into(), number: None, advice: None, operations: Vec::new() }
    }

    pub fn pass(measured: impl Into<String>) -> CheckResult {
        CheckResult::new(Verdict::Pass, measured)
    }

    pub fn warn(measured: impl Into<String>) -> CheckResult {
        CheckResult::new(Verdict::Warn, measured)
    }

    pub fn fail(measured: impl Into<String>) -> CheckResult {
        CheckResult::new(Verdict::Fail, measured)
    }

    /// `settle`: the evidence that would settle it.
    pub fn undetermined(measured: impl Into<String>, settle: impl Into<String>) -> CheckResult {
        CheckResult::new(Verdict::Undetermined, measured).advice(settle)
    }

    pub fn number(mut self, value: f64, limit: f64, unit: &'static str) -> CheckResult {
        self.number = Some(MeasuredValue { value, limit, unit });
        self
    }

    pub fn advice(mut self, advice: impl Into<String>) -> CheckResult {
        self.advice = Some(advice.into());
        self
    }

    /// Undetermined after all, with the evidence that would settle it.
    pub fn doubted(self, doubt: &str) -> CheckResult {
        CheckResult { verdict: Verdict::Undetermined, ..self.advice(doubt) }
    }

    pub fn shown_by(mut self, evidence: &EvidenceSample) -> CheckResult {
        self.operations = evidence.ids().collect();
        self
    }
}

/// Settles whether other requests to the same path read the resource.
pub(super) const WHICH_READ: &str =
    "say which requests read, in the rule: `read = { method = \"POST\", body = { … } }`";

/// Settles an ambiguous record.
pub(super) const AMBIGUOUS: &str = "give each call a body or an idempotency key of its own, so that its tries can be \
                                    told from those of others";
