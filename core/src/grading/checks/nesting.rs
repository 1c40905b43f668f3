//! R12: one retry loop inside another shows as runs of equal length, split by long waits.

use std::time::Duration;

use super::Tally;
use super::{CheckDefinition, CheckResult, Class, EvidenceSample, Measure, NeededTries, Products, id, of};
use crate::grading::OperationOutcome;
use crate::grading::view::View;

pub(super) const NESTED_RETRIES: CheckDefinition = CheckDefinition {
    id: id(12),
    anchor: "r12-nested-retries",
    why: "Loops within loops multiply their tries; one layer should retry, and the others pass the failure on.",
    tries: NeededTries::Every,
    products: Products::Any,
    judge,
};

/// Two runs of two short gaps and the long one between them.
const LEAST_GAPS: usize = 5;
/// The wait of the outer loop ÷ the longest of the inner one, at least. A factor of two is growth.
const LONG: u32 = 4;
/// How far the gaps of two runs may differ, as a share: the same loop waits the same each time.
const ALIKE: f64 = 0.25;
/// Fewer operations may look so by chance.
const LEAST_OPERATIONS: u64 = 2;

/// Operations with enough gaps to show it.
#[derive(Clone, Debug, Default)]
pub struct Nesting {
    judged: u64,
    nested: u64,
    /// Stacked loops of the clearest one: inner tries and outer rounds.
    most: (u64, u64),
    /// Operations that were given up after fewer tries than two rounds need.
    short: u64,
    pub evidence: EvidenceSample,
}

impl Measure for Nesting {
    fn see(&mut self, view: &View<'_>) {
        let retries =
            view.retries().filter(|retry| retry.is_timed() && retry.before().got.retry_after.is_none());
        let gaps: Vec<Duration> = retries.map(|retry| retry.gap).collect();
        if gaps.len() < LEAST_GAPS {
            // With more tries than that there were gaps that say nothing.
            let is_short = view.operation.count <= LEAST_GAPS as u64 && !view.has_unclear_waits;
            self.short += u64::from(is_short && view.operation.outcome == OperationOutcome::GaveUp);
            return;
        }
        self.judged += 1;
        if let Some((inner, outer)) = rounds(&gaps) {
            self.nested += 1;
            self.most = self.most.max((inner, outer));
            self.evidence.offer(inner * outer, view.operation.id);
        }
    }

    fn samples(&self) -> impl Iterator<Item = &EvidenceSample> {
        [&self.evidence].into_iter()
    }
}

/// Tries of the inner loop and rounds of the outer one, if the gaps are those of two loops.
fn rounds(gaps: &[Duration]) -> Option<(u64, u64)> {
    (2..=(gaps.len() - 1) / 2).find_map(|run| {
        let (first, _) = gaps.split_at_checked(run)?;
        let longest = first.iter().max()?;
        let is_round = |round: &[Duration]| {
            // Every run but the last is followed by the outer loop's wait.
            let (inner, outer) = round.split_at(run.min(round.len()));
            let alike = inner.iter().zip(first).all(|(gap, model)| {
                let (gap, model) = (gap.as_secs_f64(), model.as_secs_f64());
                (gap - model).abs() <= ALIKE * model + 0.02
            });
            alike && outer.iter().all(|gap| *gap > *longest * LONG && *gap > Duration::from_millis(100))
        };
        let rounds = gaps.chunks(run + 1);
        let whole = (gaps.len() + 1) / (run + 1);
        (whole >= 2 && rounds.clone().all(is_round)).then_some((run as u64 + 1, whole as u64))
    })
}

fn judge(tally: &Tally, _: &Class) -> Option<CheckResult> {
    let nesting = &tally.nesting;
    let (inner, outer) = nesting.most;
    let said = format!(
        "{} in rounds of {inner} tries, {outer} times over",
        of(nesting.nested, nesting.judged, "operation")
    );
    let judged = match (nesting.nested, nesting.judged) {
        (0, 0) if nesting.short > 0 => CheckResult::pass("stops before a second round could begin"),
        (0, 0) => return None,
        (0, judged) => CheckResult::pass(format!("none in {}", of(judged, judged, "operation"))),
        (nested, judged) if nested >= LEAST_OPERATIONS && nested * 2 >= judged => CheckResult::fail(said)
            .advice(format!("retry in one place: {inner} tries inside of {outer} make {}", inner * outer)),
        _ => CheckResult::undetermined(
            said,
            "more operations that are refused as often would show whether this is chance",
        ),
    };
    Some(judged.number(nesting.nested as f64, 0.0, "operations").shown_by(&nesting.evidence))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_loops_show_in_the_gaps_and_one_does_not() {
        let rounds =
            |gaps: &[u64]| rounds(&gaps.iter().map(|ms| Duration::from_millis(*ms)).collect::<Vec<_>>());
        assert_eq!(rounds(&[100, 100, 5_000, 100, 100]), Some((3, 2)));
        assert_eq!(rounds(&[100, 200, 5_000, 105, 195, 5_100, 102, 210]), Some((3, 3)));
        assert_eq!(rounds(&[0, 0, 0, 2_000, 1, 0, 1]), Some((4, 2)));
        for single in [
            &[100, 200, 400, 800, 1_600][..],
            &[100; 8],
            &[100, 100, 5_000, 400, 100],
            &[0, 0, 5_000, 90, 90],
        ] {
            assert_eq!(rounds(single), None, "{single:?}");
        }
    }
}
