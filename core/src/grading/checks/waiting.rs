//! R6, R7 and R8: how clients wait when no response tells them how long.

use std::time::Duration;

use super::Tally;
use super::{
    AMBIGUOUS, CheckDefinition, CheckResult, Class, EvidenceSample, Extreme, Measure, NeededTries, Products,
    id, of, wait,
};
use crate::grading::backoff::{BackoffFit, Gaps, IMMEDIATE};
use crate::grading::view::{Retry, View};
use crate::grading::{Backoff, BackoffShape, Jitter, Verdict};

pub(super) const IMMEDIATE_RETRIES: CheckDefinition = CheckDefinition {
    id: id(6),
    anchor: "r6-immediate-retries",
    why: "Retries without a wait meet the same conflict, and load the server when it can least bear it.",
    tries: NeededTries::Every,
    products: Products::One,
    judge: immediate,
};

pub(super) const GROWTH: CheckDefinition = CheckDefinition {
    id: id(7),
    anchor: "r7-growth",
    why: "A wait that grows gives a conflict that lasts the time to pass, with few requests.",
    tries: NeededTries::First,
    products: Products::One,
    judge: growth,
};

pub(super) const JITTER: CheckDefinition = CheckDefinition {
    id: id(8),
    anchor: "r8-jitter",
    why: "Clients that all wait equally long meet again; a random part of the wait parts them.",
    tries: NeededTries::First,
    products: Products::One,
    judge: jitter,
};

/// Waits between tries, those that a `Retry-After` asked for left out.
#[derive(Clone, Debug, Default)]
pub struct Waiting {
    pub gaps: Gaps,
    /// Gaps from the second retry on. The first may be immediate: that is standard (urllib3, azure-core).
    later: u64,
    later_immediate: u64,
    /// Those with a try right after a new read, without a wait before or after it, as optimistic loops do.
    later_reread: u64,
    /// Gaps in all, and those in which the client asked for something else.
    all: u64,
    queued: u64,
    ambiguous: u64,
    /// The shortest gap, in µs, asked for or not.
    pub shortest: Extreme,
    pub immediate: EvidenceSample,
    pub any: EvidenceSample,
}

impl Measure for Waiting {
    fn see(&mut self, view: &View<'_>) {
        let id = view.operation.id;
        self.ambiguous += u64::from(view.has_unclear_waits);
        let mut gaps = Vec::new();
        for retry in view.retries().filter(Retry::is_timed) {
            self.shortest.least(u64::try_from(retry.gap.as_micros()).unwrap_or(u64::MAX), id);
            // What the response asked for is R5's. A connection that just ended may have been an idle one
            // that a pool found dead: it sends again at once, and is no retry policy.
            if retry.before().got.retry_after.is_some() || retry.before().got.status.is_none() {
                continue;
            }
            self.all += 1;
            self.queued += u64::from(retry.step.elsewhere.asked || retry.step.elsewhere.is_forgotten);
            gaps.push((retry.step.retry, retry.gap));
            if retry.step.retry > 1 {
                self.later += 1;
                // A read takes its time, and is no wait: only the client's wait beside it counts.
                if retry.idle() < IMMEDIATE {
                    if retry.has_reread() {
                        self.later_reread += 1;
                    } else {
                        self.later_immediate += 1;
                        self.immediate.offer(retry.step.retry as u64, id);
                    }
                }
            }
        }
        if !gaps.is_empty() {
            self.any.offer(gaps.len() as u64, id);
            self.gaps.add(gaps);
        }
    }

    fn samples(&self) -> impl Iterator<Item = &EvidenceSample> {
        [&self.immediate, &self.any, &self.shortest.evidence].into_iter()
    }
}

impl Waiting {
    /// Whether most retries after the first came at once, and enough of them to say so.
    fn is_storm(&self, immediate: u64) -> bool {
        immediate >= LEAST_IMMEDIATE && immediate * 2 > self.later
    }

    /// Whether the client reads and writes again without a wait. Of waits from 0 to 40 ms by chance half are
    /// below 20 ms: nearly all of them must be, and five of five are three times in a hundred.
    fn is_loop(&self) -> bool {
        self.later_reread >= LEAST_LOOPS && self.later_reread * 10 >= self.later * 9
    }

    /// Whether even gaps are those of a queue, in which retries wait behind other requests (Scrapy).
    fn may_be_a_queue(&self) -> bool {
        self.queued * 2 > self.all
    }
}

/// Fewer immediate retries than this are chance, or one resent request.
const LEAST_IMMEDIATE: u64 = 3;

/// Fewer loops than this may be short waits.
const LEAST_LOOPS: u64 = 5;

const LONGER: &str = "an operation that is refused more often, say under `clear = \"never\"`, would show it";

/// R6: pooled, and against the share that the fitted waits would show by chance: with full jitter two gaps of one
/// operation are below 20 ms about once in a hundred operations.
pub(super) fn immediate(tally: &Tally, _: &Class) -> Option<CheckResult> {
    let waiting = &tally.waiting;
    if waiting.all == 0 {
        return (waiting.ambiguous > 0)
            .then(|| CheckResult::undetermined("tries could not be told apart", AMBIGUOUS));
    }
    let said = |count| format!("{} at once", of(count, waiting.later, "later retry"));
    let advice = "wait before every retry but the first, and longer each time";
    let now = waiting.later_immediate;
    let chance = waiting.gaps.immediate_by_chance(2);
    // Three standard deviations of a Poisson count, and one more so that a lone one says nothing.
    let is_chance = now as f64 <= chance + 3.0 * (chance + 1.0).sqrt();
    let judged = if waiting.is_storm(now) || !is_chance {
        CheckResult::fail(said(now)).advice(advice)
    } else if waiting.is_loop() {
        CheckResult::warn(format!("{}, each after a new read", said(waiting.later_reread))).advice(
            "reading again is right; a short, varied wait before it keeps writers from colliding again",
        )
    } else if now * 2 > waiting.later {
        CheckResult::undetermined(said(now), LONGER)
    } else if now > 0 {
        CheckResult::pass(format!("{}, as waits of this length show by chance", said(now)))
    } else if waiting.later_reread > 0 {
        CheckResult::pass(format!("{}, each after a new read", said(waiting.later_reread)))
    } else {
        CheckResult::pass("at most one immediate retry per operation")
    };
    Some(judged.number(now as f64 / waiting.later.max(1) as f64, 0.5, "share").shown_by(&waiting.immediate))
}

/// R7: gaps that grow pass, fixed ones are a warning, none a failure.
pub fn growth(tally: &Tally, _: &Class) -> Option<CheckResult> {
    let waiting = &tally.waiting;
    let law = waiting.gaps.law()?;
    let told = law.told();
    let mean = wait(Duration::from_micros((law.mean_ms() * 1e3) as u64));
    let advice =
        "multiply the wait after every refusal, up to a cap: 1 s, 2 s, 4 s …, each times a random number";
    let ratio = law.growth.map(|growth| growth.value);
    let judged = match told.shape {
        BackoffShape::Immediate if waiting.is_storm(waiting.later_immediate) => {
            CheckResult::fail("retries follow at once, without a wait").advice(advice)
        }
        BackoffShape::Immediate if waiting.is_loop() => {
            CheckResult::warn("loops of read and write without a wait that grows").advice(advice)
        }
        BackoffShape::Immediate if law.retries() > 2 => {
            CheckResult::undetermined("waits too short to tell how they grow", LONGER)
        }
        BackoffShape::Immediate | BackoffShape::Undetermined => {
            CheckResult::undetermined("too few retries of one operation", LONGER)
        }
        BackoffShape::Fixed if waiting.may_be_a_queue() => CheckResult::undetermined(
            format!("even gaps of about {mean}, with other requests in between"),
            "a client that sends one request at a time would show whether it waits, or its queue does",
        ),
        BackoffShape::Fixed if !law.is_certainly_fixed() => {
            CheckResult::undetermined(format!("gaps of about {mean}, too uneven to tell"), LONGER)
        }
        BackoffShape::Fixed => CheckResult::warn(format!("fixed gaps of about {mean}")).advice(advice),
        BackoffShape::Linear | BackoffShape::Exponential | BackoffShape::Growing => {
            CheckResult::pass(described(&law))
        }
    };
    let judged = judged.shown_by(&waiting.any);
    Some(match ratio {
        Some(ratio) => judged.number(ratio, 1.2, "× per retry"),
        None => judged,
    })
}

/// How the class waits, as far as R7 and R8 say it: where they cannot tell, neither does this.
pub fn told(tally: &Tally, class: &Class) -> Option<Backoff> {
    let mut told = tally.waiting.gaps.law()?.told();
    let is_settled =
        |judged: Option<CheckResult>| judged.is_some_and(|word| word.verdict != Verdict::Undetermined);
    if !is_settled(growth(tally, class)) {
        told = Backoff { shape: BackoffShape::Undetermined, factor: None, cap_ms: None, ..told };
    }
    if !is_settled(jitter(tally, class)) {
        told.jitter = Jitter::Undetermined;
    }
    Some(told)
}

fn described(law: &BackoffFit) -> String {
    let told = law.told();
    let base = wait(Duration::from_micros((told.base_ms * 1e3) as u64));
    let cap = told.cap_ms.map(|cap| format!(", up to {}", wait(Duration::from_micros((cap * 1e3) as u64))));
    let cap = cap.unwrap_or_default();
    match (told.shape, told.factor) {
        (BackoffShape::Exponential, Some(factor)) => format!("exponential from {base}, × {factor:.1}{cap}"),
        (BackoffShape::Linear, Some(step)) => {
            format!(
                "linear from {base}, {} more each time{cap}",
                wait(Duration::from_micros((step.max(0.0) * 1e3) as u64))
            )
        }
        _ => format!("growing from {base}"),
    }
}

/// R8: near a limit it is undetermined, or one of both neighbours, but never a failure.
pub(super) fn jitter(tally: &Tally, class: &Class) -> Option<CheckResult> {
    let waiting = &tally.waiting;
    let law = waiting.gaps.law()?;
    if law.shape == BackoffShape::Immediate {
        return None;
    }
    let Some(variation) = law.variation else {
        return Some(CheckResult::undetermined(
            "too few waits to compare",
            "three operations that retry would show it",
        ));
    };
    let said = format!("± {:.0} % around the mean", variation.value * 100.0);
    let advice = "multiply each wait by a random number from 0 to 1 (full jitter), or from ½ to 1";
    let judged = if law.noise > TOO_NOISY {
        CheckResult::undetermined(said, "gaps of 50 ms and more would stand out of the noise of machines")
    } else if waiting.may_be_a_queue() && law.shape == BackoffShape::Fixed {
        CheckResult::undetermined(
            said,
            "a client that sends one request at a time would show whether it waits, or its queue does",
        )
    } else if law.is_certainly_unjittered() && class.clients >= 2 {
        CheckResult::fail(format!("none: {} clients would collide again", class.clients)).advice(advice)
    } else if law.jitter == Jitter::None {
        CheckResult::undetermined(
            said,
            if class.clients < 2 {
                "a second client would show whether both come back together"
            } else {
                LONGER
            },
        )
    } else if law.is_certainly_small() {
        CheckResult::warn(format!("small: {said}")).advice(advice)
    } else if law.jitter == Jitter::Small {
        CheckResult::undetermined(said, LONGER)
    } else {
        CheckResult::pass(said)
    };
    Some(judged.number(variation.value, law.noise, "variation").shown_by(&waiting.any))
}

/// Where noise alone could be taken for half of small jitter: gaps below 40 ms.
const TOO_NOISY: f64 = 0.075;
