//! R5: no try comes before `Retry-After` allows it.

use std::time::Duration;

use super::Tally;
use super::{
    AMBIGUOUS, CheckDefinition, CheckResult, Class, EvidenceSample, Measure, NeededTries, Products, id, of,
    wait,
};
use crate::grading::view::{Retry, View};
use crate::model::AskedWait;

pub(super) const RETRY_AFTER: CheckDefinition = CheckDefinition {
    id: id(5),
    anchor: "r5-retry-after",
    why: "The server says when it is ready; to come back earlier costs both sides a request and wins nothing.",
    tries: NeededTries::Every,
    products: Products::Any,
    judge,
};

/// Timers round down, and a client's clock starts a little before the last byte of the response.
const SLACK: Duration = Duration::from_millis(20);
/// An HTTP-date is only good to a second.
const DATE_SLACK: Duration = Duration::from_millis(1_020);

/// Retries after a response with `Retry-After`.
#[derive(Clone, Debug, Default)]
pub struct Waits {
    pub judged: u64,
    pub early: u64,
    /// Early for a date by no more than half of the wait, as a client with another clock may be.
    by_the_clock: u64,
    /// Of the earliest retry: by how much, its gap, and the requested delay, in ms.
    earliest: Option<(u64, u64, u64)>,
    /// The largest gap ÷ asked, in per mille.
    latest: u64,
    ambiguous: u64,
    pub evidence: EvidenceSample,
}

impl Measure for Waits {
    fn see(&mut self, view: &View<'_>) {
        if view.has_unclear_waits {
            let asked = view.steps.iter().filter(|step| step.refused.attempt.got.retry_after.is_some());
            self.ambiguous += asked.count() as u64;
        }
        for retry in view.retries().filter(Retry::is_timed) {
            let (asked, slack, is_date) = match retry.before().got.retry_after {
                Some(AskedWait::Seconds(asked)) => (Duration::from_millis(asked), SLACK, false),
                Some(AskedWait::Date(asked)) => (Duration::from_millis(asked), DATE_SLACK, true),
                None => continue,
            };
            self.judged += 1;
            if retry.gap + slack < asked {
                if is_date && retry.gap * 2 >= asked {
                    self.by_the_clock += 1;
                } else {
                    self.early += 1;
                }
                let (gap, asked) = (retry.gap.as_millis() as u64, asked.as_millis() as u64);
                let short = asked - gap;
                self.earliest = self.earliest.max(Some((short, gap, asked)));
                self.evidence.offer(short, view.operation.id);
            } else if !asked.is_zero() {
                let ratio = retry.gap.as_micros().saturating_mul(1_000) / asked.as_micros();
                self.latest = self.latest.max(u64::try_from(ratio).unwrap_or(u64::MAX));
            }
        }
    }

    fn samples(&self) -> impl Iterator<Item = &EvidenceSample> {
        [&self.evidence].into_iter()
    }
}

impl Waits {
    /// Those that came before they were allowed to, clocks that differ left out.
    pub fn said(&self) -> String {
        if self.judged == 0 {
            return "no retry after a Retry-After".to_owned();
        }
        if self.early + self.by_the_clock == 0 {
            return format!("{} waited", of(self.judged, self.judged, "retry"));
        }
        format!("{} came early", of(self.early + self.by_the_clock, self.judged, "retry"))
    }
}

/// Late is polite: it is told, and never held against the client.
fn judge(tally: &Tally, _: &Class) -> Option<CheckResult> {
    let waits = &tally.retry_after;
    if waits.judged == 0 {
        return (waits.ambiguous > 0).then(|| {
            CheckResult::undetermined(
                format!("{} cannot be judged", of(waits.ambiguous, waits.ambiguous, "retry")),
                AMBIGUOUS,
            )
        });
    }
    let Some((_, gap, asked)) = waits.earliest else {
        let late = if waits.latest > 2_000 {
            format!(", up to {:.1} times as long", waits.latest as f64 / 1e3)
        } else {
            String::new()
        };
        return Some(CheckResult::pass(format!(
            "{}, never early{late}",
            of(waits.judged, waits.judged, "retry")
        )));
    };
    let example = format!(
        "retried after {} although Retry-After said {}",
        wait(Duration::from_millis(gap)),
        wait(Duration::from_millis(asked))
    );
    let judged = if waits.early > 0 {
        CheckResult::fail(waits.said()).advice(format!("{example}: wait at least that long"))
    } else {
        CheckResult::warn(waits.said()).advice(format!(
            "{example}, as a date: add a second to a date, and see whether both clocks agree"
        ))
    };
    Some(judged.number(gap as f64, asked as f64, "ms").shown_by(&waits.evidence))
}
