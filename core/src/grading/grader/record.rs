//! The gaps of a record, and which words still hold of it: an unseen request may have been there, so that
//! no check passes by it, and no client is accused of a fault that only a whole record shows.

use super::super::checks::CheckResult;
use super::super::criteria::CriterionKind;
use super::super::{AroundReport, CheckId, Expectation, RuleReport, Verdict};

/// The report's facts on the record beside its operations; the grader cannot know them.
#[derive(Clone, Debug, Default)]
pub struct RecordExtent {
    pub attempts: u64,
    /// Attempts that the upstream did not respond to.
    pub unanswered: u64,
    /// Clients that got the upstream's name in responses.
    pub around: Vec<AroundReport>,
    pub missing: Missing,
    /// Operations that were put away for want of room.
    pub evicted: u64,
    /// Attempts that were looked at too late, as too many came at once.
    pub disordered: u64,
    pub rules: Vec<RuleReport>,
}

/// The parts that a record lacks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Missing {
    /// Attempts that were not recorded.
    pub dropped: u64,
    /// Lines that the journal's file could not take.
    pub lost_lines: u64,
    pub extent: Extent,
}

/// How complete a record is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Extent {
    #[default]
    Whole,
    /// All of it up to some moment, or up to when an operation was put away.
    CutOff,
    /// Something in the middle is not there.
    Holes,
}

/// Attempts that were not recorded, and nothing else.
impl From<u64> for Missing {
    fn from(dropped: u64) -> Missing {
        let extent = if dropped > 0 { Extent::Holes } else { Extent::Whole };
        Missing { dropped, lost_lines: 0, extent }
    }
}

impl RecordExtent {
    pub(super) fn extent(&self) -> Extent {
        let bounded = match (self.disordered, self.evicted) {
            (0, 0) => Extent::Whole,
            (0, _) => Extent::CutOff,
            _ => Extent::Holes,
        };
        self.missing.extent.max(bounded)
    }
}

const SETTLE: &str = "a record that lacks nothing would show it: what is missing is said above";

impl Extent {
    /// A check's word, as far as it holds.
    pub(super) fn holds(self, check: CheckId, judged: CheckResult) -> CheckResult {
        match self.limit(judged.verdict, is_seen(check)) {
            verdict if verdict == judged.verdict => judged,
            verdict => CheckResult { verdict, ..judged.advice(SETTLE) },
        }
    }

    /// The finding of an expectation, as far as it holds.
    pub(super) fn holds_of(self, want: CriterionKind, found: Expectation) -> Expectation {
        let is_seen = match want {
            CriterionKind::MaxTries(_)
            | CriterionKind::MinGap(_)
            | CriterionKind::Jitter
            | CriterionKind::RetryAfter
            | CriterionKind::SameKey
            | CriterionKind::NoRetry => true,
            CriterionKind::Backoff
            | CriterionKind::Refetch
            | CriterionKind::NewVersion
            | CriterionKind::Recovered(_)
            | CriterionKind::Amplification(_)
            | CriterionKind::Fired(_) => false,
            CriterionKind::Check(check) => is_seen(check),
        };
        Expectation { verdict: self.limit(found.verdict, is_seen), ..found }
    }

    /// `is_seen`: a fault of this kind is in the seen part, so that the rest does not matter.
    fn limit(self, verdict: Verdict, is_seen: bool) -> Verdict {
        match (self, verdict) {
            (Extent::CutOff | Extent::Holes, Verdict::Pass) => Verdict::Undetermined,
            (Extent::Holes, Verdict::Warn | Verdict::Fail) if !is_seen => Verdict::Undetermined,
            (_, verdict) => verdict,
        }
    }
}

/// Whether a check's fault is something that was done. Of the others it is something that was left out (a
/// read, a login, another write), or a relation of all there was, and the missing part may hold that.
fn is_seen(check: CheckId) -> bool {
    matches!(check.number(), 4 | 5 | 6 | 8 | 9 | 10 | 13 | 14)
}
