//! R14, R15 and R16: what a retry does to what was applied already, or may have been.

use std::collections::BTreeMap;

use super::next_move::Move;
use super::{AMBIGUOUS, Class, Evidence, Judged, Marks, of};
use crate::judgement::grading::Link;
use crate::judgement::grading::tally::Tally;
use crate::judgement::grading::view::{Next, View};
use crate::words::{Attempt, Phase};

/// RFC 9110 §9.2.2: sent twice, these may happen twice.
fn is_unsafe_to_repeat(attempt: &Attempt) -> bool {
    matches!(&*attempt.method, "POST" | "PATCH")
}

/// R14: writes that the upstream accepted more than once.
#[derive(Clone, Debug, Default)]
pub struct Applied {
    judged: u64,
    twice: u64,
    /// Because the client was told 409 about what had been applied: a lie that only `phase = "after"` tells.
    misled: u64,
    pub evidence: Evidence,
}

impl Applied {
    pub fn see(&mut self, view: &View<'_>) {
        let tries = view.operation.tries.iter();
        let is_certain = |link| matches!(link, Link::First | Link::Marker | Link::Replay);
        // A key lets the upstream answer the second one from memory; a version makes it refuse it.
        let bare =
            |attempt: &Attempt| attempt.sent.idempotency_key.is_none() && attempt.sent.version.is_none();
        let applied: Vec<&Attempt> = tries
            .filter(|tried| is_certain(tried.link) && !view.is_ambiguous)
            .map(|tried| &*tried.attempt)
            .filter(|attempt| attempt.is_applied() && is_unsafe_to_repeat(attempt))
            .collect();
        let Some(first) = applied.first() else { return };
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
            return;
        }
        let misled = first.conflict.as_ref().is_some_and(|conflict| conflict.phase == Phase::After);
        if misled {
            self.misled += 1;
        } else {
            self.twice += 1;
        }
        self.evidence.offer(u64::from(!misled), view.operation.id);
    }

    /// As [`Applied::see`], of an operation of one attempt that met no trouble.
    pub fn see_plain(&mut self, attempt: &Attempt) {
        self.judged += u64::from(attempt.is_applied() && is_unsafe_to_repeat(attempt));
    }
}

pub(super) fn duplicates(tally: &Tally, _: &Class) -> Option<Judged> {
    let applied = &tally.applied;
    if applied.judged == 0 {
        return None;
    }
    let advice = "send an idempotency key, the same one in each try, so that the second one changes nothing";
    let judged = if applied.twice > 0 {
        Judged::fail(format!("{} applied more than once", of(applied.twice, applied.judged, "write")))
            .advice(advice)
    } else if applied.misled > 0 {
        let measured = format!(
            "{} applied again after a 409 that fracas sent although it was applied",
            of(applied.misled, applied.judged, "write")
        );
        Judged::warn(measured).advice(advice)
    } else {
        Judged::pass(format!(
            "{} applied once, or under one key",
            of(applied.judged, applied.judged, "write")
        ))
    };
    Some(judged.number((applied.twice + applied.misled) as f64, 0.0, "writes").shown_by(&applied.evidence))
}

/// R15: writes that were applied, and whose answer was lost.
#[derive(Clone, Debug, Default)]
pub struct Lost {
    right: u64,
    wrong: u64,
    unknown: u64,
    pub evidence: Evidence,
}

impl Lost {
    pub fn see(&mut self, view: &View<'_>) {
        let is_lost = |attempt: &Attempt| {
            attempt.is_write()
                && attempt.is_applied()
                && attempt.conflict.as_ref().is_some_and(|c| c.phase == Phase::Lost)
        };
        let ends = view.steps.iter().filter(|step| is_lost(&step.refused.attempt));
        for step in ends {
            match step.next {
                // What the client told its caller cannot be seen.
                Next::Stopped if view.operation.reads_after.is_empty() => self.unknown += 1,
                Next::Stopped => self.right += 1,
                Next::Tried(_) if view.is_ambiguous => self.unknown += 1,
                Next::Tried(_) | Next::Unknown => {}
            }
        }
        for retry in view.retries().filter(|retry| is_lost(retry.before())) {
            match Move::of(&retry) {
                Move::Right => self.right += 1,
                Move::Unknown => self.unknown += 1,
                Move::Wrong(_) => {
                    self.wrong += 1;
                    self.evidence.offer(0, view.operation.id);
                }
            }
        }
    }
}

pub(super) fn lost(tally: &Tally, _: &Class) -> Option<Judged> {
    let lost = &tally.lost;
    let known = lost.right + lost.wrong;
    if known + lost.unknown == 0 {
        return None;
    }
    let judged = if lost.wrong > 0 {
        Judged::fail(format!("{} sent again as a new write", of(lost.wrong, known, "lost answer")))
            .advice("send the same idempotency key again, or read whether the write was applied, before sending it anew")
    } else if known > 0 {
        Judged::pass(format!("{} looked up, or sent again safely", of(known, known, "lost answer")))
    } else {
        Judged::undetermined(
            format!("{} without another request", of(lost.unknown, lost.unknown, "lost answer")),
            "what the client told its caller is not on the wire: let its own test say whether it took the write for failed",
        )
    };
    Some(judged.number(lost.wrong as f64, 0.0, "writes").shown_by(&lost.evidence))
}

/// R16: POST and PATCH, tried again.
#[derive(Clone, Debug, Default)]
pub struct Unsafe {
    /// `bad`: in the dark about the first try, without a key, a precondition, or a read since.
    blind: Marks,
    /// After an answer that said that nothing was done.
    told: u64,
    ambiguous: u64,
    pub evidence: Evidence,
}

impl Unsafe {
    pub fn see(&mut self, view: &View<'_>) {
        let first = view.operation.tries.first();
        if view.is_ambiguous && first.is_some_and(|tried| is_unsafe_to_repeat(&tried.attempt)) {
            self.ambiguous += 1;
        }
        for retry in view.retries().filter(|retry| is_unsafe_to_repeat(retry.before()) && retry.is_replay()) {
            let sent = &retry.after().sent;
            // Whoever has looked knows what the first one did.
            let is_guarded = sent.idempotency_key.is_some() || sent.version.is_some() || retry.has_reread();
            let is_blind = !is_guarded && retry.is_in_the_dark();
            self.blind.add(Some(!is_blind), view.operation.id);
            if !is_guarded {
                self.told += u64::from(!is_blind);
                self.evidence.offer(u64::from(is_blind), view.operation.id);
            }
        }
    }
}

pub(super) fn unsafe_replays(tally: &Tally, _: &Class) -> Option<Judged> {
    let replays = &tally.unsafe_replays;
    let Marks { judged, bad, .. } = replays.blind;
    if judged == 0 {
        return (replays.ambiguous > 0)
            .then(|| Judged::undetermined("tries could not be told apart", AMBIGUOUS));
    }
    let advice = "send an idempotency key with POST and PATCH, or a precondition, or do not send them again";
    let judgement = if bad > 0 {
        Judged::fail(format!(
            "{} sent without knowing whether the first was applied",
            of(bad, judged, "replay")
        ))
        .advice(advice)
    } else if replays.told > 0 {
        // A 409 says that nothing was done; the same loop meets lost answers too.
        Judged::warn(format!("{} without a key or a precondition", of(replays.told, judged, "replay")))
            .advice(advice)
    } else {
        Judged::pass(format!("{} with a key or a precondition", of(judged, judged, "replay")))
    };
    Some(judgement.number(bad as f64, 0.0, "replays").shown_by(&replays.evidence))
}
