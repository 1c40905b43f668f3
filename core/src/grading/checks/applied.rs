//! R14, R15 and R16: the effect of a retry on a write that was applied already, or may have been.

use std::collections::BTreeMap;

use super::Tally;
use super::next_move::Move;
use super::{
    AMBIGUOUS, CheckDefinition, CheckResult, Class, EvidenceSample, Marks, Measure, NeededTries, Operations,
    Products, id, of,
};
use crate::grading::view::{Next, View};
use crate::grading::{Link, ReadBetween, Sight};
use crate::model::{Attempt, Phase};

pub(super) const DUPLICATES: CheckDefinition = CheckDefinition {
    id: id(14),
    anchor: "r14-duplicates",
    why: "A write that is sent again after a lost answer may happen twice, unless a key or a version prevents it.",
    tries: NeededTries::Every,
    products: Products::Any,
    judge: duplicates,
};

pub(super) const LOST_RESPONSE: CheckDefinition = CheckDefinition {
    id: id(15),
    anchor: "r15-lost-answer",
    why: "A write whose answer was lost may have been applied; a read, a key or a version finds out.",
    tries: NeededTries::Every,
    products: Products::Any,
    judge: lost,
};

pub(super) const SAFE_METHODS: CheckDefinition = CheckDefinition {
    id: id(16),
    anchor: "r16-safe-methods",
    why: "A POST or PATCH that may have been applied must not be sent again, unless a key or a version makes that harmless.",
    tries: NeededTries::Every,
    products: Products::Any,
    judge: unsafe_replays,
};

/// RFC 9110 §9.2.2: sent twice, these may happen twice.
fn is_unsafe_to_repeat(attempt: &Attempt) -> bool {
    matches!(&*attempt.method, "POST" | "PATCH")
}

/// Whether one of these requests certainly read the resource.
fn has_looked(reads: &[ReadBetween]) -> bool {
    reads.iter().any(|read| read.sight == Sight::Certain)
}

/// R14: writes that the upstream accepted more than once.
#[derive(Clone, Debug, Default)]
pub struct AppliedWrites {
    judged: u64,
    twice: u64,
    /// Sent again after a try that may have been applied.
    unknown: u64,
    /// Which may be one write or several.
    ambiguous: u64,
    /// Because the client was told 409 about an applied write: a lie that only `phase = "after"` tells.
    misled: u64,
    pub evidence: EvidenceSample,
}

impl Measure for AppliedWrites {
    const OPERATIONS: Operations = Operations::All;

    fn see(&mut self, view: &View<'_>) {
        let tries = view.operation.tries.iter();
        if view.is_ambiguous {
            let writes = tries.filter(|tried| is_unsafe_to_repeat(&tried.attempt));
            let possible = writes.filter(|tried| may_be_applied(&tried.attempt)).count();
            self.ambiguous += u64::from(possible > 1);
            return;
        }
        let is_certain =
            |link| matches!(link, Link::First | Link::Marker | Link::Replay | Link::SpacedReplay);
        // A key lets the upstream replay its first response; a version makes it refuse the second write.
        let bare =
            |attempt: &Attempt| attempt.sent.idempotency_key.is_none() && attempt.sent.version.is_none();
        let writes: Vec<&Attempt> = tries
            .filter(|tried| is_certain(tried.link))
            .map(|tried| &*tried.attempt)
            .filter(|attempt| is_unsafe_to_repeat(attempt))
            .collect();
        let applied: Vec<&Attempt> = writes.iter().copied().filter(|write| write.is_applied()).collect();
        // Two of them that may both have been applied; a key or a version would have kept the second one out.
        let possible = writes.iter().filter(|write| bare(write) && may_be_applied(write)).count();
        let is_unknown = possible > 1 && possible > applied.len();
        if applied.is_empty() && !is_unknown {
            return;
        }
        self.judged += 1;
        let keys: std::collections::BTreeSet<_> =
            applied.iter().map(|attempt| attempt.sent.idempotency_key).collect();
        let mut same = BTreeMap::new();
        for attempt in applied.iter().filter(|attempt| bare(attempt) || keys.len() > 1) {
            if attempt.sent.body.is_some() || attempt.sent.bytes == 0 {
                *same.entry((&attempt.path, attempt.query, attempt.sent.body)).or_insert(0) += 1;
            }
        }
        if same.values().all(|count| *count < 2) {
            if is_unknown {
                self.unknown += 1;
                self.evidence.offer(0, view.operation.id);
            }
            return;
        }
        let misled = applied
            .first()
            .and_then(|first| first.conflict.as_ref())
            .is_some_and(|conflict| conflict.phase == Phase::After);
        if misled {
            self.misled += 1;
        } else {
            self.twice += 1;
        }
        self.evidence.offer(if misled { 1 } else { 2 }, view.operation.id);
    }

    /// Adds those of another class.
    fn merge(&mut self, other: &AppliedWrites) {
        self.judged += other.judged;
        self.twice += other.twice;
        self.misled += other.misled;
        self.unknown += other.unknown;
        self.evidence.add(&other.evidence);
    }

    /// As [`AppliedWrites::see`], of an operation of one attempt that met no trouble.
    fn see_plain(&mut self, attempt: &Attempt) {
        self.judged += u64::from(attempt.is_applied() && is_unsafe_to_repeat(attempt));
    }

    fn samples(&self) -> impl Iterator<Item = &EvidenceSample> {
        [&self.evidence].into_iter()
    }
}

/// Whether the upstream has applied it, or may have: it got it, and the outcome is not known. A
/// 503 says that nothing was done, as 4xx do; other errors of a server say nothing of the sort.
fn may_be_applied(attempt: &Attempt) -> bool {
    // Before the upstream had all of it.
    const NEVER_SENT: [&str; 8] = ["connect", "tls", "exhausted", "request", "host", "loop", "method", "dns"];
    let never_sent = attempt.got.error.as_deref().is_some_and(|word| NEVER_SENT.contains(&word));
    let is_kept_out = attempt.conflict.as_ref().is_some_and(|conflict| conflict.phase == Phase::Before);
    attempt.is_applied()
        || !never_sent
            && !is_kept_out
            && attempt.got.upstream.is_none_or(|status| status >= 500 && !matches!(status, 501 | 503 | 505))
}

pub(super) fn duplicates(tally: &Tally, _: &Class) -> Option<CheckResult> {
    let applied = &tally.applied;
    if applied.judged == 0 {
        return (applied.ambiguous > 0)
            .then(|| CheckResult::undetermined("tries could not be told apart", AMBIGUOUS));
    }
    let advice = "send an idempotency key, the same one in each try, so that the second one changes nothing";
    let judged = if applied.twice > 0 {
        CheckResult::fail(format!("{} applied more than once", of(applied.twice, applied.judged, "write")))
            .advice(advice)
    } else if applied.misled > 0 {
        let measured = format!(
            "{} applied again after a 409 that fracas sent although it was applied",
            of(applied.misled, applied.judged, "write")
        );
        CheckResult::warn(measured).advice(advice)
    } else if applied.unknown > 0 {
        let measured = format!(
            "{} sent again, and whether a try without an answer was applied too is not known",
            of(applied.unknown, applied.judged, "write")
        );
        CheckResult::undetermined(
            measured,
            "look at the upstream for what it applied; an idempotency key would make a second one harmless",
        )
    } else {
        CheckResult::pass(format!(
            "{} applied once, or under one key",
            of(applied.judged, applied.judged, "write")
        ))
    };
    Some(judged.number((applied.twice + applied.misled) as f64, 0.0, "writes").shown_by(&applied.evidence))
}

/// R15: writes that were applied, with their response lost.
#[derive(Clone, Debug, Default)]
pub struct LostResponses {
    right: u64,
    wrong: u64,
    /// Of which nothing more was heard.
    silent: u64,
    /// Sent again safely, and then refused: by the client's own first write, or by another client's.
    refused: u64,
    /// That could not be told.
    unknown: u64,
    pub evidence: EvidenceSample,
}

impl Measure for LostResponses {
    fn see(&mut self, view: &View<'_>) {
        let is_lost = |attempt: &Attempt| {
            attempt.is_write()
                && attempt.is_applied()
                && attempt.conflict.as_ref().is_some_and(|c| c.phase == Phase::Lost)
        };
        let ends = view.steps.iter().filter(|step| is_lost(&step.refused.attempt));
        for step in ends {
            match step.next {
                // The client's report to its caller cannot be seen.
                Next::Stopped if !has_looked(&view.operation.reads_after) => self.silent += 1,
                Next::Stopped => self.right += 1,
                Next::Tried(_) if view.is_ambiguous => self.unknown += 1,
                Next::Tried(_) | Next::Unknown => {}
            }
        }
        for retry in view.retries().filter(|retry| is_lost(retry.before())) {
            match Move::of(&retry) {
                Move::Right if !retry.has_reread() && ends_refused(view) => self.refused += 1,
                Move::Right => self.right += 1,
                Move::Unknown => self.unknown += 1,
                Move::Wrong(_) => {
                    self.wrong += 1;
                    self.evidence.offer(0, view.operation.id);
                }
            }
        }
    }

    fn samples(&self) -> impl Iterator<Item = &EvidenceSample> {
        [&self.evidence].into_iter()
    }
}

/// Whether the last that the client heard was that a version, or a key, no longer fits: its own first write
/// may have made it so, and only a read would say.
fn ends_refused(view: &View<'_>) -> bool {
    let last = view.operation.tries.last().map(|last| &last.attempt);
    let is_refused =
        last.is_some_and(|last| last.conflict.is_some() || matches!(last.got.outcome(), Some(409 | 412)));
    is_refused && !has_looked(&view.operation.reads_after)
}

pub(super) fn lost(tally: &Tally, _: &Class) -> Option<CheckResult> {
    let lost = &tally.lost;
    let known = lost.right + lost.wrong;
    let all = known + lost.silent + lost.refused + lost.unknown;
    if all == 0 {
        return None;
    }
    let judged = if lost.wrong > 0 {
        CheckResult::fail(format!("{} sent again as a new write", of(lost.wrong, all, "lost answer")))
            .advice("send the same idempotency key again, or read whether the write was applied, before sending it anew")
    } else if known > 0 {
        CheckResult::pass(format!("{} looked up, or sent again safely", of(known, all, "lost answer")))
    } else if lost.refused > 0 {
        CheckResult::undetermined(
            format!(
                "{} sent again and then refused, and not looked up",
                of(lost.refused, all, "lost answer")
            ),
            "the refusal may be of the client's own first write: a read after it would show that the client finds \
             out; or let its own test say whether it took the write for failed",
        )
    } else if lost.silent > 0 {
        CheckResult::undetermined(
            format!("{} without another request", of(lost.silent, all, "lost answer")),
            "what the client told its caller is not on the wire: let its own test say whether it took the write for failed",
        )
    } else {
        CheckResult::undetermined(format!("{} cannot be judged", of(all, all, "lost answer")), AMBIGUOUS)
    };
    Some(judged.number(lost.wrong as f64, 0.0, "writes").shown_by(&lost.evidence))
}

/// R16: POST and PATCH, tried again.
#[derive(Clone, Debug, Default)]
pub struct UnsafeRetries {
    /// `bad`: in the dark about the first try, without a key, a precondition, or a read since.
    blind: Marks,
    /// After a response that said that nothing was done.
    told: u64,
    ambiguous: u64,
    pub evidence: EvidenceSample,
}

impl Measure for UnsafeRetries {
    fn see(&mut self, view: &View<'_>) {
        let first = view.operation.tries.first();
        if view.is_ambiguous && first.is_some_and(|tried| is_unsafe_to_repeat(&tried.attempt)) {
            self.ambiguous += 1;
        }
        for retry in view.retries().filter(|retry| is_unsafe_to_repeat(retry.before()) && retry.is_replay()) {
            let sent = &retry.after().sent;
            // A client that has read the resource knows the outcome of the first one.
            let is_guarded = sent.idempotency_key.is_some() || sent.version.is_some() || retry.has_reread();
            let is_blind = !is_guarded && retry.is_in_the_dark();
            self.blind.add(Some(!is_blind), view.operation.id);
            if !is_guarded {
                self.told += u64::from(!is_blind);
                self.evidence.offer(u64::from(is_blind), view.operation.id);
            }
        }
    }

    fn samples(&self) -> impl Iterator<Item = &EvidenceSample> {
        [&self.evidence].into_iter()
    }
}

pub(super) fn unsafe_replays(tally: &Tally, _: &Class) -> Option<CheckResult> {
    let replays = &tally.unsafe_replays;
    let Marks { judged, bad, .. } = replays.blind;
    if judged == 0 {
        return (replays.ambiguous > 0)
            .then(|| CheckResult::undetermined("tries could not be told apart", AMBIGUOUS));
    }
    let advice = "send an idempotency key with POST and PATCH, or a precondition, or do not send them again";
    let judgement = if bad > 0 {
        CheckResult::fail(format!(
            "{} sent without knowing whether the first was applied",
            of(bad, judged, "replay")
        ))
        .advice(advice)
    } else if replays.told > 0 {
        // A 409 says that nothing was done; the same loop meets lost responses too.
        CheckResult::warn(format!("{} without a key or a precondition", of(replays.told, judged, "replay")))
            .advice(advice)
    } else {
        CheckResult::pass(format!("{} with a key or a precondition", of(judged, judged, "replay")))
    };
    Some(judgement.number(bad as f64, 0.0, "replays").shown_by(&replays.evidence))
}
