//! R17: no hammering after a conflict that no retry can mend.

use super::Tally;
use super::next_move::is_hopeless;
use super::{CheckDefinition, CheckResult, Class, EvidenceSample, Measure, NeededTries, Products, id, of};
use crate::grading::view::View;
use crate::model::Kind;

pub(super) const TERMINAL: CheckDefinition = CheckDefinition {
    id: id(17),
    anchor: "r17-terminal",
    why: "What is taken stays taken; the same request again gets the same answer.",
    tries: NeededTries::Every,
    products: Products::Any,
    judge,
};

/// Operations that met a duplicate, or a resource that is still referred to.
#[derive(Clone, Debug, Default)]
pub struct Terminal {
    judged: u64,
    hammering: u64,
    most: u64,
    pub evidence: EvidenceSample,
}

impl Measure for Terminal {
    fn see(&mut self, view: &View<'_>) {
        let is_terminal = |kind| matches!(kind, Some(Kind::Duplicate | Kind::Referenced));
        let kind = |attempt: &crate::model::Attempt| attempt.conflict.as_ref().map(|conflict| conflict.kind);
        if view.is_ambiguous || !view.steps.iter().any(|step| is_terminal(kind(&step.refused.attempt))) {
            return;
        }
        self.judged += 1;
        let hopeless = view.retries().filter(|retry| match retry.kind() {
            Some(Kind::Duplicate) => retry.is_replay(),
            Some(Kind::Referenced) => is_hopeless(retry),
            _ => false,
        });
        let count = hopeless.count() as u64;
        if count > 0 {
            self.hammering += 1;
            self.most = self.most.max(count);
            self.evidence.offer(count, view.operation.id);
        }
    }

    fn samples(&self) -> impl Iterator<Item = &EvidenceSample> {
        [&self.evidence].into_iter()
    }
}

fn judge(tally: &Tally, _: &Class) -> Option<CheckResult> {
    let terminal = &tally.terminal;
    if terminal.judged == 0 {
        return None;
    }
    let said = format!(
        "{} tried again, up to {} times",
        of(terminal.hammering, terminal.judged, "operation"),
        terminal.most
    );
    let advice = "take `duplicate` and `referenced` for final: only another request can change the answer";
    let judged = match terminal.most {
        0 => CheckResult::pass(format!(
            "{} without a try that could not succeed",
            of(terminal.judged, terminal.judged, "operation")
        )),
        1 => CheckResult::warn(said).advice(advice),
        _ => CheckResult::fail(said).advice(advice),
    };
    Some(judged.number(terminal.most as f64, 0.0, "tries").shown_by(&terminal.evidence))
}
