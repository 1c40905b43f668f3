//! R11: how many requests an operation costs, beyond those that the conflicts themselves cause.

use std::collections::BTreeMap;

use super::Tally;
use super::{
    AMBIGUOUS, CheckDefinition, CheckResult, Class, EvidenceSample, Measure, NeededTries, Operations,
    Products, id,
};
use crate::grading::Verdict;
use crate::grading::view::{View, is_refused};
use crate::model::Attempt;

pub(super) const AMPLIFICATION: CheckDefinition = CheckDefinition {
    id: id(11),
    anchor: "r11-amplification",
    why: "The more requests a refused operation costs, the worse every overload becomes.",
    tries: NeededTries::First,
    products: Products::Any,
    judge,
};

/// A 20 % retry budget (Envoy, Finagle): no client needs more.
const BUDGET: f64 = 1.2;
const TOO_MANY: f64 = 3.0;
/// Tries that a polite client has: R9's limit.
const CAP: u64 = 5;
/// Fewer operations than this have no rate worth judging.
const LEAST_OPERATIONS: u64 = 10;
const PARTIAL: &str =
    "fewer products (`User-Agent`) in one run: some of this one's calls were counted with others'";
/// In µs.
const WINDOW: u64 = 10_000_000;
/// Windows kept, the newest: nearly three hours of them.
const MOST_WINDOWS: usize = 1_000;

/// Requests and operations, in all and by the ten seconds in which operations began.
#[derive(Clone, Debug, Default)]
pub struct Amplification {
    pub all: Load,
    /// Operations with tries that may be those of several: the cost of one of these is not known.
    pub ambiguous: u64,
    windows: BTreeMap<u64, Load>,
    /// The worst of those that are not kept any more.
    worst_gone: f64,
    pub evidence: EvidenceSample,
}

/// A number of operations and their cost.
#[derive(Clone, Copy, Debug, Default)]
pub struct Load {
    pub operations: u64,
    pub requests: u64,
    /// The requests that a client that stops after [`CAP`] tries would have sent under the same refusals. With a
    /// forced failure rate p it is (1 − pᶜ) ÷ (1 − p) per operation, on average.
    excused: u64,
}

impl Load {
    fn add(&mut self, requests: u64, excused: u64) {
        self.operations += 1;
        self.requests += requests;
        self.excused += excused;
    }

    fn merge(&mut self, other: Load) {
        self.operations += other.operations;
        self.requests += other.requests;
        self.excused += other.excused;
    }

    /// Requests per operation.
    pub fn raw(&self) -> f64 {
        self.requests as f64 / self.operations.max(1) as f64
    }

    fn beyond(&self) -> f64 {
        self.requests as f64 / self.excused.max(1) as f64
    }
}

impl Measure for Amplification {
    const OPERATIONS: Operations = Operations::All;

    fn see(&mut self, view: &View<'_>) {
        let operation = view.operation;
        if view.is_ambiguous {
            self.ambiguous += 1;
            return;
        }
        let kept = operation.tries.len() as u64;
        let refused = operation.tries.iter().filter(|tried| is_refused(&tried.attempt)).count() as u64;
        // Those that were not kept were followed by another try: they were refused.
        let refused = refused + operation.count.saturating_sub(kept);
        let (requests, excused) = (operation.count.max(1), 1 + refused.min(CAP - 1));
        let start = operation.tries.first().map_or(0, |first| first.attempt.start);
        self.add(start, requests, excused);
        if requests > excused {
            self.evidence.offer(requests, operation.id);
        }
    }

    /// As [`Amplification::see`], of an operation of one attempt that met no trouble.
    fn see_plain(&mut self, attempt: &Attempt) {
        self.add(attempt.start, 1, 1);
    }

    /// Adds those of another class.
    fn merge(&mut self, other: &Amplification) {
        self.all.merge(other.all);
        self.worst_gone = self.worst_gone.max(other.worst_gone);
        for (window, load) in &other.windows {
            self.windows.entry(*window).or_default().merge(*load);
            self.make_room();
        }
        self.evidence.add(&other.evidence);
    }

    fn samples(&self) -> impl Iterator<Item = &EvidenceSample> {
        [&self.evidence].into_iter()
    }
}

impl Amplification {
    fn add(&mut self, start: u64, requests: u64, excused: u64) {
        self.all.add(requests, excused);
        self.windows.entry(start / WINDOW).or_default().add(requests, excused);
        self.make_room();
    }

    fn make_room(&mut self) {
        if self.windows.len() > MOST_WINDOWS
            && let Some((_, gone)) = self.windows.pop_first()
            && gone.operations >= LEAST_OPERATIONS
        {
            self.worst_gone = self.worst_gone.max(gone.beyond());
        }
    }

    fn worst_window(&self) -> f64 {
        let judged = self.windows.values().filter(|load| load.operations >= LEAST_OPERATIONS);
        judged.map(Load::beyond).fold(self.worst_gone, f64::max)
    }
}

fn judge(tally: &Tally, class: &Class) -> Option<CheckResult> {
    let amplification = &tally.amplification;
    let load = amplification.all;
    if load.operations == 0 {
        return (amplification.ambiguous > 0)
            .then(|| CheckResult::undetermined("tries could not be told apart", AMBIGUOUS));
    }
    let worst = load.beyond().max(amplification.worst_window());
    let said = format!(
        "{:.2} requests per operation, at most {worst:.2} times as many as its conflicts call for",
        load.raw()
    );
    let advice = "spend a retry budget, say one retry for every five requests, over all operations together";
    let judged = if worst <= BUDGET {
        CheckResult::pass(said)
    } else if load.operations < LEAST_OPERATIONS {
        CheckResult::undetermined(said, "ten operations would show a rate")
    } else if worst <= TOO_MANY {
        CheckResult::warn(said).advice(advice)
    } else {
        CheckResult::fail(said).advice(advice)
    };
    let judged = judged.number(worst, BUDGET, "× excused").shown_by(&amplification.evidence);
    // Calls of it that cost one request each were counted elsewhere.
    let is_partial = class.is_partial && judged.verdict != Verdict::Pass;
    Some(if is_partial { judged.doubted(PARTIAL) } else { judged })
}
