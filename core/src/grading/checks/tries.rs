//! R9 and R10: stopping after a few tries, and in time. The sums behind `max_tries`, `no_retry` and
//! `recovered` too.

use std::time::Duration;

use super::Tally;
use super::{
    AMBIGUOUS, CheckDefinition, CheckResult, Class, EvidenceSample, Extreme, Marks, Measure, NeededTries,
    Products, id, wait,
};
use crate::grading::view::{View, is_refused};
use crate::grading::{Operation, OperationOutcome};

pub(super) const TRIES: CheckDefinition = CheckDefinition {
    id: id(9),
    anchor: "r9-tries",
    why: "A conflict that outlasts a few tries needs another decision, not one more try.",
    tries: NeededTries::First,
    products: Products::Any,
    judge: cap,
};

pub(super) const GIVE_UP: CheckDefinition = CheckDefinition {
    id: id(10),
    anchor: "r10-give-up",
    why: "Whoever called waits too; a deadline over all tries gives them an answer.",
    tries: NeededTries::First,
    products: Products::Any,
    judge: give_up,
};

/// Tries that are enough for any client (SRE and AWS say three, gRPC takes more than five for five), and
/// those beyond which a client does not stop.
const FEW: u64 = 5;
const MANY: u64 = 10;
/// How long a client may go on before it gives up: google-api-core's deadline, the longest default that
/// was found.
const BUDGET: Duration = Duration::from_secs(120);

/// Operations that were refused, and how they went on.
#[derive(Clone, Debug, Default)]
pub struct Tries {
    /// The most tries of one operation.
    pub most: Extreme,
    pub operations: u64,
    stopped: u64,
    /// Still trying when the record ended: the most tries of one.
    open: Option<u64>,
    /// As that, where it may not be one call.
    ambiguous_open: bool,
    /// Still trying when the record ended, after more than [`MANY`] tries.
    endless_count: u64,
    pub endless: EvidenceSample,
    /// Still trying when the command was killed, after [`FEW`] tries or more: how many operations, the most
    /// tries of one, and how long these took (µs).
    killed_count: u64,
    killed_most: (u64, u64),
    killed: EvidenceSample,
    /// From the first request to the last response of those that gave up (µs), without what was waited because
    /// `Retry-After` asked for it.
    pub slowest: Extreme,
    /// That gave up, and of which not every wait was kept.
    unmeasured: u64,
    /// Tried again at all.
    pub retried: Marks,
    /// Met a conflict, ended, and did not succeed.
    pub gave_up: Marks,
    pub ambiguous: u64,
    /// The most tries that could be those of one of these.
    pub ambiguous_most: u64,
}

impl Measure for Tries {
    fn see(&mut self, view: &View<'_>) {
        let operation = view.operation;
        if operation.met_conflict() && view.has_ended() {
            // Where several calls look like one, the one that gave up may have gone on in another.
            let has_recovered = operation.outcome != OperationOutcome::GaveUp;
            self.gave_up.add((has_recovered || !view.is_ambiguous).then_some(has_recovered), operation.id);
        }
        if view.is_ambiguous {
            self.ambiguous += 1;
            self.ambiguous_open |= operation.outcome == OperationOutcome::Unfinished;
            self.ambiguous_most = self.ambiguous_most.max(operation.count);
            return;
        }
        self.operations += 1;
        self.most.most(operation.count, operation.id);
        let is_retried = view.retries().next().is_some();
        if is_retried || view.has_ended() {
            self.retried.add(Some(!is_retried), operation.id);
        }
        match operation.outcome {
            OperationOutcome::GaveUp => {
                self.stopped += 1;
                match own_time(operation) {
                    Some(own) => self.slowest.most(own, operation.id),
                    None => self.unmeasured += 1,
                }
            }
            OperationOutcome::Unfinished if is_retried => {
                self.open = self.open.max(Some(operation.count));
                if operation.count > MANY {
                    self.endless_count += 1;
                    self.endless.offer(operation.count, operation.id);
                }
                if view.killed_at.is_some_and(|at| operation.count >= FEW && is_at_it(operation, at)) {
                    self.killed_count += 1;
                    self.killed_most = self.killed_most.max((operation.count, elapsed(operation)));
                    self.killed.offer(operation.count, operation.id);
                }
            }
            OperationOutcome::Unfinished | OperationOutcome::Recovered | OperationOutcome::Untroubled => {}
        }
    }

    fn samples(&self) -> impl Iterator<Item = &EvidenceSample> {
        [
            &self.most.evidence,
            &self.endless,
            &self.killed,
            &self.slowest.evidence,
            &self.retried.evidence,
            &self.gave_up.evidence,
        ]
        .into_iter()
    }
}

impl Tries {
    /// Of operations with tries that can be told apart; the others may have been given up.
    fn none_gave_up(&self) -> &'static str {
        match self.ambiguous {
            0 => "no operation had to give up",
            _ => "none gave up that could be told apart",
        }
    }
}

/// From the first request to the last response (µs).
fn elapsed(operation: &Operation) -> u64 {
    let start = operation.tries.first().map_or(0, |first| first.attempt.start);
    let end = operation.tries.last().map_or(0, |last| last.attempt.end);
    end.saturating_sub(start)
}

/// As [`elapsed`], without what of its waits `Retry-After` asked for; `None` where not every try was kept.
fn own_time(operation: &Operation) -> Option<u64> {
    if operation.count > operation.tries.len() as u64 {
        return None;
    }
    let pairs = operation.tries.iter().zip(operation.tries.iter().skip(1));
    let obeyed = pairs.map(|(before, after)| {
        let waited = after.gap.map_or(0, |gap| u64::try_from(gap.as_micros()).unwrap_or(u64::MAX));
        waited.min(before.attempt.got.asked_micros())
    });
    Some(elapsed(operation).saturating_sub(obeyed.fold(0, u64::saturating_add)))
}

/// Whether it would have gone on after `at` (µs), as far as its waits show: the last try was refused, and the
/// next one was not long overdue.
fn is_at_it(operation: &Operation, at: u64) -> bool {
    let longest = operation.tries.iter().filter_map(|tried| tried.gap).max().unwrap_or_default();
    let longest = u64::try_from(longest.as_micros()).unwrap_or(u64::MAX);
    operation.tries.last().is_some_and(|last| {
        let idle = at.saturating_sub(last.attempt.end);
        is_refused(&last.attempt) && idle <= longest.saturating_add(longest / 2)
    })
}

const PERSISTENT: &str =
    "a conflict that does not end, `clear = \"never\"`, would show where the client stops";

/// R9.
pub(super) fn cap(tally: &Tally, _: &Class) -> Option<CheckResult> {
    let tries = &tally.tries;
    let Some(most) = tries.most.value() else {
        return (tries.ambiguous > 0)
            .then(|| CheckResult::undetermined("tries could not be told apart", AMBIGUOUS));
    };
    let said = format!("most: {most}");
    let advice = format!("stop after {FEW} tries, the first included, and tell the caller");
    let judged = match most {
        0..=FEW if tries.open >= Some(most) => CheckResult::undetermined(
            format!("{said}; still trying at the end"),
            "a record that goes on until the client stops would show it",
        ),
        0..=FEW if tries.ambiguous_most > FEW => {
            CheckResult::undetermined(format!("{said}; others could not be told apart"), AMBIGUOUS)
        }
        0..=FEW if tries.stopped > 0 => CheckResult::pass(said),
        0..=FEW => CheckResult::undetermined(format!("{said}; {}", tries.none_gave_up()), PERSISTENT),
        6..=MANY => CheckResult::warn(said).advice(advice),
        _ => CheckResult::fail(said).advice(advice),
    };
    Some(judged.number(most as f64, FEW as f64, "tries").shown_by(&tries.most.evidence))
}

/// R10.
pub(super) fn give_up(tally: &Tally, _: &Class) -> Option<CheckResult> {
    let tries = &tally.tries;
    if tries.endless_count > 0 {
        let said = format!("{} still tried at the end, after more than {MANY} tries", tries.endless_count);
        let advice = format!("give up after {} at the latest, and tell the caller", wait(BUDGET));
        return Some(CheckResult::fail(said).advice(advice).shown_by(&tries.endless));
    }
    if tries.killed_count > 0 {
        let (most, elapsed) = tries.killed_most;
        let others = match tries.killed_count {
            1 => String::new(),
            count => format!("{count} operations, the longest: "),
        };
        let elapsed = wait(Duration::from_micros(elapsed));
        let said = format!("still trying when the command was ended: {others}{most} tries over {elapsed}");
        let advice = format!("give up after {FEW} tries or after a time, and tell the caller");
        return Some(CheckResult::fail(said).advice(advice).shown_by(&tries.killed));
    }
    if tries.ambiguous_open && tries.open.is_none() && tries.slowest.value().is_none() {
        return Some(CheckResult::undetermined(
            "still trying at the end, in one call or in several",
            AMBIGUOUS,
        ));
    }
    if tries.slowest.value().is_none() && tries.open.is_some() {
        return Some(CheckResult::undetermined(
            "still trying at the end",
            "a record that goes on until the client stops would show it",
        ));
    }
    if tries.unmeasured > 0
        && tries.slowest.value().is_none_or(|slowest| Duration::from_micros(slowest) <= BUDGET)
    {
        let said = format!("{} gave up after more tries than are kept", tries.unmeasured);
        return Some(CheckResult::undetermined(said, "fewer tries per operation: R9 asks for that anyway"));
    }
    let Some(slowest) = tries.slowest.value().map(Duration::from_micros) else {
        return (tries.operations > 0).then(|| CheckResult::undetermined(tries.none_gave_up(), PERSISTENT));
    };
    let said = format!("gave up within {}, without the waits that Retry-After asked for", wait(slowest));
    let judged = if slowest <= BUDGET {
        CheckResult::pass(said)
    } else {
        CheckResult::warn(said)
            .advice(format!("give up after {} at the latest: a caller is waiting", wait(BUDGET)))
    };
    let judged = judged.number(slowest.as_secs_f64() * 1e3, BUDGET.as_secs_f64() * 1e3, "ms");
    Some(judged.shown_by(&tries.slowest.evidence))
}
