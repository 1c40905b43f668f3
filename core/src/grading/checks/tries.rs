//! R9 and R10: stopping after a few tries, and in time. The sums behind `max_tries`, `no_retry` and
//! `recovered` too.

use std::time::Duration;

use super::Tally;
use super::{
    AMBIGUOUS, CheckDefinition, CheckResult, Class, EvidenceSample, Extreme, Marks, Measure, NeededTries,
    Products, id, wait,
};
use crate::grading::correlate::may_be_retried;
use crate::grading::view::{Kill, View, is_refused};
use crate::grading::{Link, Operation, OperationOutcome, Try};

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
/// A command whose client gave up may need so long (µs) to end by itself: one that was killed sooner after a
/// refusal may have made its last try.
const TO_END: u64 = 100_000;
/// A shorter time (µs) between tries without a marker may be that between several callers.
const OWN_WAIT: u64 = 400_000;

/// Operations that were refused, and how they went on.
#[derive(Clone, Debug, Default)]
pub struct Tries {
    /// The most tries of one operation.
    pub most: Extreme,
    pub operations: u64,
    stopped: u64,
    /// Gave up with a response after which no client tries again.
    ended_finally: u64,
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
    /// As those, where the last try may have been the last one anyway.
    perhaps_killed: EvidenceSample,
    perhaps_killed_most: Option<u64>,
    /// Still trying when the record ended: from the first request to the last response (µs), as `slowest`.
    slowest_open: Extreme,
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
            // A final response stops any client.
            OperationOutcome::GaveUp
                if !operation.tries.last().is_some_and(|last| may_be_retried(&last.attempt)) =>
            {
                self.ended_finally += 1;
            }
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
                if let Some(own) = own_time(operation) {
                    self.slowest_open.most(own, operation.id);
                }
                match view.killed.filter(|_| operation.count >= FEW).map(|killed| at_kill(view, killed)) {
                    Some(AtKill::Waiting) => {
                        self.killed_count += 1;
                        self.killed_most = self.killed_most.max((operation.count, elapsed(operation)));
                        self.killed.offer(operation.count, operation.id);
                    }
                    Some(AtKill::Unclear) => {
                        self.perhaps_killed_most = self.perhaps_killed_most.max(Some(operation.count));
                        self.perhaps_killed.offer(operation.count, operation.id);
                    }
                    Some(AtKill::Elsewhere) | None => {}
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
            &self.perhaps_killed,
            &self.slowest_open.evidence,
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
        match (self.ended_finally, self.ambiguous) {
            (0, 0) => "no operation had to give up",
            (1.., _) => "none gave up but with a final response",
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
    let obeyed =
        pairs.map(|(before, after)| after.waited().unwrap_or(0).min(before.attempt.got.asked_micros()));
    Some(elapsed(operation).saturating_sub(obeyed.fold(0, u64::saturating_add)))
}

/// The state of an open operation when the command was killed.
enum AtKill {
    /// In a wait between two tries, or in another one after [`FEW`]: a client that had given up would have let
    /// the command end.
    Waiting,
    /// Refused a moment before, or by waits that are too short to be certain: it may have given up.
    Unclear,
    /// Its last try had succeeded, or its next one was long overdue, or the client was at something else.
    Elsewhere,
}

/// As far as the waits of the operation show.
fn at_kill(view: &View<'_>, killed: Kill) -> AtKill {
    let mut waits: Vec<u64> = view.operation.tries.iter().filter_map(Try::waited).collect();
    waits.sort_unstable();
    // The longest may have been an accident.
    let usual = waits.iter().rev().nth(1).copied().unwrap_or_default();
    // Callers that try once, one soon after the other, do not wait for a next try.
    let is_marked = view.operation.tries.iter().skip(1).all(|tried| tried.link == Link::Marker);
    let are_waits = is_marked || waits.first().is_some_and(|shortest| *shortest >= OWN_WAIT);
    let Some(last) = view.operation.tries.last().filter(|last| is_refused(&last.attempt)) else {
        return AtKill::Elsewhere;
    };
    let idle = killed.at.saturating_sub(last.attempt.end);
    let is_under_way = last.attempt.end >= killed.at && last.attempt.got.status.is_none();
    let reads = view.operation.reads_after.iter().map(|read| read.start);
    let latest = reads.fold(last.attempt.start, u64::max);
    if killed.latest_request > latest || idle > usual.saturating_add(usual / 2) {
        AtKill::Elsewhere
    } else if are_waits && (idle >= TO_END || is_under_way && view.operation.count > FEW) {
        AtKill::Waiting
    } else {
        AtKill::Unclear
    }
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

fn give_up_in_time() -> String {
    format!("give up after {} at the latest: a caller is waiting", wait(BUDGET))
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
    let slowest = tries.slowest.value().map(Duration::from_micros);
    let slowest_open = tries.slowest_open.value().map(Duration::from_micros);
    if let Some(open) =
        slowest_open.filter(|open| *open > BUDGET && slowest.is_none_or(|slowest| slowest < *open))
    {
        let said = format!("still trying after {}, without the waits that Retry-After asked for", wait(open));
        let judged = CheckResult::warn(said).advice(give_up_in_time());
        return Some(judged.shown_by(&tries.slowest_open.evidence));
    }
    if let Some(most) = tries.perhaps_killed_most.filter(|_| slowest.is_none_or(|slowest| slowest <= BUDGET))
    {
        let said = format!("the command was ended after try {most}, which may have been the last one");
        let judged =
            CheckResult::undetermined(said, "more time for the command would show whether another follows");
        return Some(judged.shown_by(&tries.perhaps_killed));
    }
    if tries.ambiguous_open && tries.open.is_none() && slowest.is_none() {
        return Some(CheckResult::undetermined(
            "still trying at the end, in one call or in several",
            AMBIGUOUS,
        ));
    }
    if slowest.is_none() && tries.open.is_some() {
        return Some(CheckResult::undetermined(
            "still trying at the end",
            "a record that goes on until the client stops would show it",
        ));
    }
    if tries.unmeasured > 0 && slowest.is_none_or(|slowest| slowest <= BUDGET) {
        let said = format!("{} gave up after more tries than are kept", tries.unmeasured);
        return Some(CheckResult::undetermined(said, "fewer tries per operation: R9 asks for that anyway"));
    }
    let Some(slowest) = slowest else {
        return (tries.operations > 0).then(|| CheckResult::undetermined(tries.none_gave_up(), PERSISTENT));
    };
    let said = format!("gave up within {}, without the waits that Retry-After asked for", wait(slowest));
    let judged = if slowest <= BUDGET {
        CheckResult::pass(said)
    } else {
        CheckResult::warn(said).advice(give_up_in_time())
    };
    let judged = judged.number(slowest.as_secs_f64() * 1e3, BUDGET.as_secs_f64() * 1e3, "ms");
    Some(judged.shown_by(&tries.slowest.evidence))
}
