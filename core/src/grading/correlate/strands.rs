//! Tries that were taken for one operation, and turn out to be those of several calls side by side: a
//! key, trace or connection that comes back after another was seen tells them apart.

use std::collections::VecDeque;

use super::evidence::Clues;
use super::meaning::Meaning;
use super::open::Open;
use super::trail::{Caller, Doubts};
use crate::grading::{Link, ReadBetween, Try};
use crate::model::Attempt;

/// The evidence that tells tries apart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum By {
    /// The client says it: one idempotency key a call.
    Key,
    /// Tries of one call are in one trace; but several calls may be, too.
    Trace,
    /// Of a client whose programs have connections of their own.
    Connection,
}

/// The tries of one of several calls, or of some that one worker made one after the other.
pub(super) struct Strand {
    pub by: By,
    tries: Vec<Try>,
}

/// Takes tries apart by their keys if one of these was kept for another try, or else by traces, or by
/// connections where these belong to different programs and one comes back. `None` if nothing tells them
/// apart.
pub(super) fn told_apart(tries: &[Try], has_own_connections: bool) -> Option<Vec<Strand>> {
    let is_one_call = |tried: &Try| tried.attempt.sent.operation.is_some();
    if tries.len() < 3 || tries.iter().all(is_one_call) {
        return None;
    }
    let by_key = apart(tries, By::Key, |attempt| attempt.sent.idempotency_key.map(|key| key.0));
    let trace = |attempt: &Attempt| attempt.sent.trace.map(|trace| trace.number().into());
    let by_name = by_key.or_else(|| apart(tries, By::Trace, trace));
    if by_name.is_some() || !has_own_connections {
        return by_name;
    }
    apart(tries, By::Connection, |attempt| Some(attempt.connection))
}

fn apart(tries: &[Try], by: By, label: impl Fn(&Attempt) -> Option<u64>) -> Option<Vec<Strand>> {
    let labels: Vec<Option<u64>> = tries.iter().map(|tried| label(&tried.attempt)).collect();
    let is_proof = |at: usize| {
        let (before, label) = (labels.get(..at).unwrap_or_default(), labels.get(at).copied().flatten());
        let comes_back = label.is_some() && before.contains(&label);
        // A program may leave one connection for the next, but not go back to it.
        comes_back && (by != By::Connection || before.last() != Some(&label))
    };
    let is_one = labels.iter().all(|label| Some(label) == labels.first());
    if is_one || !(0..labels.len()).any(is_proof) {
        return None;
    }
    let mut strands: Vec<(Option<u64>, Strand)> = Vec::new();
    for (tried, label) in tries.iter().cloned().zip(labels) {
        match strands.iter_mut().find(|(known, _)| *known == label) {
            Some((_, strand)) => strand.tries.push(tried),
            None => strands.push((label, Strand { by, tries: vec![tried] })),
        }
    }
    Some(strands.into_iter().map(|(_, strand)| strand).collect())
}

/// Evidence that belongs to no single strand.
pub(super) struct Rest {
    pub reads: Vec<ReadBetween>,
    /// No read was forgotten.
    pub is_whole: bool,
    /// One of those that may have been a read, of which the earlier ones were forgotten.
    pub forgotten: Option<ReadBetween>,
    pub doubts: Doubts,
}

/// The calls of a strand: a success ends one, and the next try begins another.
pub(super) fn calls(strand: Strand, rest: &Rest, caller: &Caller) -> Vec<Open> {
    let mut calls: Vec<Open> = Vec::new();
    let mut reads: VecDeque<ReadBetween> = rest.reads.iter().cloned().collect();
    for tried in strand.tries {
        let attempt = tried.attempt;
        let resource = Clues::resource_of(&attempt);
        let (meaning, evidence) = (Meaning::of(&attempt), Clues::of(&attempt, resource));
        let (earlier, later) = reads.into_iter().partition(|read| read.end <= attempt.start);
        reads = later;
        let going_on = calls.last_mut().filter(|open| open.meaning.is_retryable());
        let Some(open) = going_on else {
            let mut open = Open::begin(attempt, meaning, evidence, rest.doubts.is_suspect);
            open.trail.doubts = rest.doubts;
            calls.push(open);
            continue;
        };
        let earlier: VecDeque<ReadBetween> = earlier;
        earlier.into_iter().for_each(|read| open.read(read));
        // There may have been one before each try.
        let forgotten = rest.forgotten.iter().cloned();
        forgotten
            .for_each(|read| open.read(ReadBetween { start: attempt.start, end: attempt.start, ..read }));
        let has_key = attempt.sent.idempotency_key.is_some();
        let is_same = open.is_found_by(&evidence)
            && open.latest().is_some_and(|before| before.sent.version == attempt.sent.version);
        // Whose reads these are is known only if all were on its own connections.
        let link = match strand.by {
            _ if !rest.is_whole || open.has_unclear_reads(&attempt) => Link::AmbiguousReplay,
            By::Key if has_key => Link::Marker,
            _ if is_same => Link::Replay,
            _ => Link::Rebase,
        };
        open.go_on(attempt, meaning, evidence, link, caller);
    }
    if let Some(last) = calls.last_mut() {
        reads.into_iter().for_each(|read| last.read(read));
    }
    calls
}
