//! Which operation an attempt is a part of.

use std::num::NonZeroU32;

use super::evidence::Clues;
use super::held::AttemptOrder;
use super::meaning::Meaning;
use super::open::Open;
use super::past_writes::{ClueCache, RefusedKeys};
use super::table::{OpenOperations, OperationNumber};
use crate::grading::Link;
use crate::model::Attempt;

/// The memory of finished operations.
#[derive(Clone, Debug, Default)]
pub(super) struct Past {
    /// Writes that succeeded: one of these that comes again may well be a new one.
    succeeded: ClueCache<()>,
    /// The keys under which a rule refused.
    keys: ClueCache<RefusedKeys>,
}

impl Past {
    /// Remembers an attempt.
    pub fn note(&mut self, attempt: &Attempt, meaning: Meaning, evidence: &Clues) {
        if meaning == Meaning::Success && attempt.is_write() {
            self.succeeded.set(evidence.anew(attempt), ());
        }
        if let Some(conflict) = &attempt.conflict {
            self.keys.note(evidence.lane(&conflict.rule), conflict);
        }
    }
}

/// The operation, and why. The order is that of certainty: markers, then the same request again, then
/// another write to the resource.
pub(super) fn find(
    attempt: &Attempt,
    evidence: &Clues,
    table: &OpenOperations,
    past: &Past,
) -> Option<(OperationNumber, Link)> {
    marked(attempt, evidence, table)
        .or_else(|| replayed(attempt, evidence, table, past))
        .or_else(|| rebased(attempt, evidence, table, past))
        .or_else(|| renewed(attempt, table))
}

fn marked(attempt: &Attempt, evidence: &Clues, table: &OpenOperations) -> Option<(OperationNumber, Link)> {
    let is_part = |open: &Open| match open.meaning {
        // It had begun before the success was known; after it, the marker is used for something new.
        Meaning::Success
            if attempt.start < open.last_end && AttemptOrder::of(attempt).at <= open.last_end =>
        {
            true
        }
        Meaning::Success if !open.waits_for(attempt) => false,
        _ => attempt.start <= open.deadline(),
    };
    evidence.markers.into_iter().flatten().find_map(|marker| {
        let (number, _) = table.at(marker).filter(|(_, open)| is_part(open)).last()?;
        Some((number, Link::Marker))
    })
}

fn replayed(
    attempt: &Attempt,
    evidence: &Clues,
    table: &OpenOperations,
    past: &Past,
) -> Option<(OperationNumber, Link)> {
    let candidates = table.at(evidence.request);
    let candidates = candidates.filter(|(_, open)| open.meaning.is_retryable() || open.waits_for(attempt));
    let Choice { number, latest, is_only } = choose(attempt, candidates, table)?;
    // A changed version says that it was made anew from what was read.
    let link = if latest.sent.version == attempt.sent.version { Link::Replay } else { Link::Rebase };
    let is_counted = attempt.sent.try_number.is_some_and(|number| number > NonZeroU32::MIN);
    let could_be_new = !is_counted && past.succeeded.has_known(evidence.anew(attempt));
    Some((number, if is_only && !could_be_new { link } else { Link::AmbiguousReplay }))
}

fn rebased(
    attempt: &Attempt,
    evidence: &Clues,
    table: &OpenOperations,
    past: &Past,
) -> Option<(OperationNumber, Link)> {
    if !attempt.is_write() {
        return None;
    }
    let is_about_the_same = |latest: &Attempt| match (&*latest.method, &*attempt.method) {
        // Of two bodies sent to a collection nothing says that they are about one thing, but for a
        // version, or a key that the rule finds in them.
        ("POST", "POST") => {
            latest.sent.version.is_some() && attempt.sent.version.is_some()
                || share_a_key(latest, attempt, evidence, past)
        }
        ("PUT" | "PATCH", "PUT" | "PATCH") => true,
        (one, other) => one == other,
    };
    let candidates = table.at(evidence.resource).filter(|(_, open)| {
        open.meaning == Meaning::Conflict && open.latest().is_some_and(is_about_the_same)
    });
    if let Some(Choice { number, is_only, .. }) = choose(attempt, candidates, table) {
        return Some((number, if is_only { Link::Rebase } else { Link::AmbiguousReplay }));
    }
    // Those of its parts that were refused, sent again, or other parts: it may be either.
    let candidates = table.at(evidence.resource).filter(|(_, open)| {
        attempt.method == "POST"
            && open.latest().is_some_and(|latest| latest.method == "POST" && latest.is_refused_in_part())
    });
    let Choice { number, .. } = choose(attempt, candidates, table)?;
    Some((number, Link::AmbiguousReplay))
}

/// The same request with another credential, after the session had ended: the client is another one only by
/// that.
fn renewed(attempt: &Attempt, table: &OpenOperations) -> Option<(OperationNumber, Link)> {
    if !table.has_renewable() {
        return None;
    }
    let has_new_credential =
        |open: &Open| open.latest().is_some_and(|latest| latest.sent.credential != attempt.sent.credential);
    Clues::renewals(attempt).into_iter().flatten().find_map(|clue| {
        let candidates = table.at(clue).filter(|(_, open)| {
            open.client != attempt.client && open.meaning.is_retryable() && has_new_credential(open)
        });
        let Choice { number, is_only, .. } = choose(attempt, candidates, table)?;
        Some((number, if is_only { Link::Replay } else { Link::AmbiguousReplay }))
    })
}

/// Whether one rule refused both under one key, where it has several for this client and path.
fn share_a_key(one: &Attempt, other: &Attempt, evidence: &Clues, past: &Past) -> bool {
    match (&one.conflict, &other.conflict) {
        (Some(one), Some(other)) => {
            one.rule == other.rule && one.key == other.key && past.keys.tells_apart(evidence.lane(&one.rule))
        }
        _ => false,
    }
}

struct Choice<'a> {
    number: OperationNumber,
    latest: &'a Attempt,
    /// No other is as likely.
    is_only: bool,
}

/// Of operations that the attempt may be a part of: the one whose version, key, trace and connection are
/// the same, in this order, and of several such the one whose response came first.
fn choose<'a>(
    attempt: &Attempt,
    candidates: impl Iterator<Item = (OperationNumber, &'a Open)>,
    table: &OpenOperations,
) -> Option<Choice<'a>> {
    if attempt.sent.try_number == Some(NonZeroU32::MIN) {
        // It says itself that nothing came before it.
        return None;
    }
    let caller = table.caller(attempt.client);
    let mut best: Option<(u32, u64, Choice)> = None;
    for (number, open) in candidates {
        let Some(latest) = open.latest() else { continue };
        let is_in_time = open.last_end <= attempt.start && attempt.start <= open.deadline();
        let is_another_call = caller.tells_apart(&latest.sent, &attempt.sent) && !open.waits_for(attempt);
        if !is_in_time || is_another_call {
            continue;
        }
        let likeness = u32::from(latest.sent.version == attempt.sent.version) * 8
            + u32::from(latest.sent.idempotency_key == attempt.sent.idempotency_key) * 4
            + u32::from(latest.sent.trace == attempt.sent.trace) * 2
            + u32::from(latest.connection == attempt.connection);
        let choice = Choice { number, latest, is_only: true };
        best = match best {
            Some((more, since, best)) if more > likeness => Some((more, since, best)),
            Some((same, since, best)) if same == likeness => {
                let choice = if open.last_end < since { choice } else { best };
                Some((same, since.min(open.last_end), Choice { is_only: false, ..choice }))
            }
            _ => Some((likeness, open.last_end, choice)),
        };
    }
    best.map(|(_, _, choice)| choice)
}
