//! R1: the move after a conflict is one that its kind allows. Stopping always is.

use super::Tally;
use super::{
    AMBIGUOUS, CheckDefinition, CheckResult, Class, EvidenceSample, Measure, NeededTries, Products,
    WHICH_READ, id, of,
};
use crate::grading::view::{Next, Retry, View, bare, is_one};
use crate::model::{Kind, Phase};

pub(super) const NEXT_MOVE: CheckDefinition = CheckDefinition {
    id: id(1),
    anchor: "r1-next-move",
    why: "Each kind of conflict has a right next move; the wrong one cannot succeed, or overwrites what somebody else wrote.",
    tries: NeededTries::Every,
    products: Products::Any,
    judge,
};

/// The moves of clients after conflicts that rules injected.
#[derive(Clone, Debug, Default)]
pub struct NextMoves {
    judged: u64,
    stopped: u64,
    /// Of those that stopped, without a second try.
    stopped_at_once: u64,
    unknown: u64,
    ambiguous: u64,
    /// Of the unknown: the client may have read by a request that nothing calls a reading.
    possibly_read: u64,
    /// How often each wrong move was made, in the order of [`WrongMove::ALL`].
    wrong: [u64; WrongMove::ALL.len()],
    pub evidence: EvidenceSample,
}

/// A move that cannot be right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WrongMove {
    StaleVersion,
    NotReread,
    NoVersion,
    AnyVersion,
    OtherKey,
    Duplicate,
    Referenced,
    Session,
    Recreated,
}

/// The judgement of a move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move {
    Right,
    Wrong(WrongMove),
    /// It depends on facts that cannot be seen.
    Unknown,
}

impl Measure for NextMoves {
    fn see(&mut self, view: &View<'_>) {
        for step in view.steps.iter().filter(|step| step.kind.is_some()) {
            match step.next {
                Next::Unknown => continue,
                _ if view.is_ambiguous => self.ambiguous += 1,
                Next::Stopped => {
                    self.judged += 1;
                    self.stopped += 1;
                    self.stopped_at_once += u64::from(view.operation.count == 1);
                }
                Next::Tried(_) => {}
            }
        }
        for retry in view.retries().filter(|retry| retry.kind().is_some()) {
            match Move::of(&retry) {
                Move::Right => self.judged += 1,
                Move::Unknown => {
                    self.unknown += 1;
                    self.possibly_read += u64::from(retry.step.may_have_read);
                }
                Move::Wrong(wrong) => {
                    self.judged += 1;
                    if let Some(count) = self.wrong.get_mut(wrong as usize) {
                        *count += 1;
                    }
                    self.evidence.offer(0, view.operation.id);
                }
            }
        }
    }

    fn samples(&self) -> impl Iterator<Item = &EvidenceSample> {
        [&self.evidence].into_iter()
    }
}

impl Move {
    pub fn of(retry: &Retry<'_>) -> Move {
        if retry.conflict().is_some_and(|conflict| conflict.phase == Phase::Lost) {
            return after_a_lost_answer(retry);
        }
        let Some(kind) = retry.kind() else { return Move::Unknown };
        match kind {
            Kind::Version => after_a_new_version(retry),
            // The key lets the server tell a retry from a second call.
            Kind::Overlap | Kind::Lock | Kind::Idempotency if has_other_key(retry) => {
                Move::Wrong(WrongMove::OtherKey)
            }
            Kind::Overlap | Kind::Lock | Kind::Idempotency | Kind::Transient | Kind::Blocked => Move::Right,
            Kind::Duplicate => match retry.is_same_body() {
                Some(true) if retry.is_same_request() => Move::Wrong(WrongMove::Duplicate),
                None => Move::Unknown,
                // Another name, or a read and then an update.
                Some(_) => Move::Right,
            },
            Kind::Referenced => after_a_reference(retry),
            Kind::Session => after_a_session(retry),
        }
    }
}

fn after_a_new_version(retry: &Retry<'_>) -> Move {
    let (before, after) = (retry.before(), retry.after());
    if !after.is_write() {
        return Move::Right;
    }
    match (&before.sent.version, &after.sent.version) {
        (_, Some(after)) if bare(after) == "*" => Move::Wrong(WrongMove::AnyVersion),
        // A version may be in a body that was too long to look at.
        (Some(_), None) if after.sent.body.is_none() && after.sent.bytes > 0 => Move::Unknown,
        (Some(_), None) if before.method == after.method => Move::Wrong(WrongMove::NoVersion),
        // An injected conflict need not have a new version behind it: then the client read the old one.
        (Some(before), Some(after)) if is_one(before, after) && !retry.has_reread() => {
            unless_read(retry, WrongMove::StaleVersion)
        }
        (Some(_), Some(_)) => Move::Right,
        _ if retry.has_reread() => Move::Right,
        (None, None) if retry.is_replay() => unless_read(retry, WrongMove::NotReread),
        // The state may have come from the refusal itself, or from elsewhere.
        _ => Move::Unknown,
    }
}

/// Wrong, unless the client may have read the resource by a request that nothing calls a reading.
fn unless_read(retry: &Retry<'_>, wrong: WrongMove) -> Move {
    if retry.step.may_have_read { Move::Unknown } else { Move::Wrong(wrong) }
}

/// Another key for the same body: a rewritten body is another request, and needs another key.
pub fn has_other_key(retry: &Retry<'_>) -> bool {
    let (before, after) = (&retry.before().sent, &retry.after().sent);
    before.idempotency_key.is_some() && before.idempotency_key != after.idempotency_key && retry.is_replay()
}

/// A replay in less than a second, in which the client removed nothing, cannot find the references gone.
pub fn is_hopeless(retry: &Retry<'_>) -> bool {
    retry.is_replay() && did_nothing_else(retry) && retry.gap.as_millis() < 1_000
}

fn after_a_reference(retry: &Retry<'_>) -> Move {
    if is_hopeless(retry) {
        return Move::Wrong(WrongMove::Referenced);
    }
    // Another client may be removing the references to it.
    let wrote = retry.step.elsewhere.wrote;
    if retry.is_replay() && !wrote { Move::Unknown } else { Move::Right }
}

/// Whether the client certainly wrote nothing else in the meantime.
fn did_nothing_else(retry: &Retry<'_>) -> bool {
    !retry.step.elsewhere.wrote && !retry.step.elsewhere.is_forgotten
}

fn after_a_session(retry: &Retry<'_>) -> Move {
    let (before, after) = (retry.before(), retry.after());
    match (before.sent.credential, after.sent.credential) {
        (Some(old), Some(new)) if old != new => Move::Right,
        // The session may be named in some other header, which the rule's key is made of.
        (Some(_), Some(_)) => match (&before.conflict, &after.conflict) {
            (Some(old), Some(new))
                if old.rule == new.rule && old.key == new.key && did_nothing_else(retry) =>
            {
                Move::Wrong(WrongMove::Session)
            }
            _ => Move::Unknown,
        },
        _ => Move::Unknown,
    }
}

fn after_a_lost_answer(retry: &Retry<'_>) -> Move {
    let (before, after) = (retry.before(), retry.after());
    if !matches!(&*before.method, "POST" | "PATCH") || !retry.is_same_request() {
        return Move::Right;
    }
    match (before.sent.idempotency_key, after.sent.idempotency_key) {
        (Some(before), Some(after)) if before == after => Move::Right,
        _ if after.sent.version.is_some() => Move::Right,
        _ if !retry.next.reads.is_empty() => Move::Unknown,
        _ if retry.is_replay() => Move::Wrong(WrongMove::Recreated),
        _ => Move::Unknown,
    }
}

impl WrongMove {
    const ALL: [WrongMove; 9] = [
        WrongMove::StaleVersion,
        WrongMove::NotReread,
        WrongMove::NoVersion,
        WrongMove::AnyVersion,
        WrongMove::OtherKey,
        WrongMove::Duplicate,
        WrongMove::Referenced,
        WrongMove::Session,
        WrongMove::Recreated,
    ];

    fn said(self) -> &'static str {
        match self {
            WrongMove::StaleVersion => "replayed the refused version without reading again",
            WrongMove::NotReread => "replayed a version conflict without reading again",
            WrongMove::NoVersion => "dropped the version after it was refused",
            WrongMove::AnyVersion => "overwrote with If-Match: * after a version conflict",
            WrongMove::OtherKey => "came with another idempotency key",
            WrongMove::Duplicate => "replayed what exists already",
            WrongMove::Referenced => "replayed at once what is still referred to",
            WrongMove::Session => "came again with the expired session",
            WrongMove::Recreated => "sent a write again whose answer was lost, without a key",
        }
    }

    fn advice(self) -> &'static str {
        match self {
            WrongMove::StaleVersion | WrongMove::NotReread => {
                "after a version conflict read the resource, apply the change to what you got, and send its new version"
            }
            WrongMove::NoVersion | WrongMove::AnyVersion => {
                "keep the precondition: without it the write undoes what somebody else wrote; read again and send the \
                 new version"
            }
            WrongMove::OtherKey => "send every try of one call with the same idempotency key and body",
            WrongMove::Duplicate => "stop: no retry can succeed; read what exists, or choose another name",
            WrongMove::Referenced => "stop, or remove what refers to the resource before trying again",
            WrongMove::Session => "log in again, and retry with the new session",
            WrongMove::Recreated => {
                "send an idempotency key, the same one in each try, or read first whether the write was applied"
            }
        }
    }
}

fn judge(tally: &Tally, class: &Class) -> Option<CheckResult> {
    let moves = &tally.next_moves;
    let seen = moves.judged + moves.unknown + moves.ambiguous;
    if seen == 0 {
        return None;
    }
    let wrong = moves.wrong.iter().zip(WrongMove::ALL).max_by_key(|(count, _)| **count);
    if let Some((count, wrong)) = wrong.filter(|(count, _)| **count > 0) {
        let all: u64 = moves.wrong.iter().sum();
        let others =
            if all > *count { format!("; {} other wrong moves", all - count) } else { String::new() };
        let measured = format!("{} {}{others}", of(*count, moves.judged, "move"), wrong.said());
        let judged = CheckResult::fail(measured).advice(wrong.advice()).shown_by(&moves.evidence);
        return Some(judged.number(all as f64 / moves.judged as f64, 0.0, "share"));
    }
    let untold = moves.unknown + moves.ambiguous;
    if moves.judged == moves.stopped && untold > 0 {
        let settle = if moves.ambiguous > 0 {
            AMBIGUOUS
        } else if moves.possibly_read > 0 && !class.names_reads {
            WHICH_READ
        } else {
            "a version, or a body within `body_limit`, would show what the client sends again"
        };
        return Some(CheckResult::undetermined(
            format!("{} cannot be judged", of(untold, seen, "move")),
            settle,
        ));
    }
    if moves.stopped_at_once == moves.judged {
        return Some(gave_up_at_once(moves.stopped_at_once, class));
    }
    let right = moves.judged - moves.stopped;
    let untold = if untold > 0 { format!(", {untold} cannot be judged") } else { String::new() };
    Some(CheckResult::pass(format!("{right} retried as they should, {} stopped{untold}", moves.stopped)))
}

/// A client that never retries 409 has done nothing wrong; but one that cannot read the response may
/// have meant to.
fn gave_up_at_once(stopped: u64, class: &Class) -> CheckResult {
    let measured = format!("all {stopped} stopped at the first conflict");
    match (class.speaks, class.answered) {
        (Some(speaks), Some(answered)) if speaks != answered => CheckResult::undetermined(
            measured,
            format!(
                "this client may not have been able to read an answer in the style `{}`, and so have given up: \
                 `reply = {{ style = \"{}\" }}` would settle it",
                answered.as_str(),
                speaks.as_str(),
            ),
        ),
        _ => CheckResult::pass(measured),
    }
}
