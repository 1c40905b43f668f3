//! The rules of docs/GRADING.md, read without tables, hashes or bounds: every operation is looked at for
//! every attempt.

use std::collections::{BTreeMap, BTreeSet};

use super::super::held::AttemptOrder;
use super::super::meaning::Meaning;
use crate::grading::OperationOutcome;
use crate::model::{AskedWait, Attempt, Fingerprint, RequestRecord};

/// The ids of each operation's attempts, and how it ended.
pub type Grouping = BTreeMap<Vec<u64>, OperationOutcome>;

/// Groups a record.
pub fn slowly(mut attempts: Vec<Attempt>) -> Grouping {
    let end = attempts.iter().map(|attempt| attempt.end).max().unwrap_or(0);
    attempts.sort_by_key(AttemptOrder::of);
    let mut groups: Vec<Group> = Vec::new();
    let mut past: Vec<Attempt> = Vec::new();
    // Clients that sent a key again: another key of theirs is another call.
    let mut keep_keys: BTreeSet<Fingerprint> = BTreeSet::new();
    for attempt in attempts {
        let keeps_keys = keep_keys.contains(&attempt.client);
        let candidates: Vec<usize> =
            (0..groups.len()).filter(|&group| groups[group].may_hold(&attempt)).collect();
        let marked = || {
            let marks: [Mark; 2] = [|sent| sent.operation, |sent| sent.idempotency_key];
            marks.into_iter().find_map(|mark| {
                candidates.iter().rev().copied().find(|&group| groups[group].is_marked(&attempt, mark))
            })
        };
        let replayed = || {
            let same =
                |group: &Group| group.may_go_on(&attempt) && request(group.last()) == request(&attempt);
            likeliest(&groups, &candidates, &attempt, keeps_keys, same)
        };
        let rebased = || {
            let anew = |group: &Group| {
                group.meaning() == Meaning::Conflict
                    && group.last().path == attempt.path
                    && is_about_the_same(group.last(), &attempt, &past)
            };
            likeliest(&groups, &candidates, &attempt, keeps_keys, anew)
        };
        match marked().or_else(replayed).or_else(rebased) {
            Some(at) => {
                let group = &mut groups[at];
                let key = attempt.sent.idempotency_key;
                if key.is_some() && group.last().sent.idempotency_key == key {
                    keep_keys.insert(attempt.client);
                }
                group.tries.push(attempt.clone());
                if let Some(calls) = group.calls_by_key() {
                    keep_keys.insert(attempt.client);
                    groups.remove(at);
                    groups.extend(calls);
                }
            }
            None => groups.push(Group { tries: vec![attempt.clone()] }),
        }
        past.push(attempt);
    }
    groups.iter().map(|group| (group.ids(), group.outcome(end))).collect()
}

struct Group {
    tries: Vec<Attempt>,
}

type Mark = fn(&RequestRecord) -> Option<Fingerprint>;

impl Group {
    fn last(&self) -> &Attempt {
        self.tries.last().expect("a try")
    }

    fn ids(&self) -> Vec<u64> {
        self.tries.iter().map(|tried| tried.id).collect()
    }

    fn meaning(&self) -> Meaning {
        let has_succeeded = self.tries.iter().any(|tried| Meaning::of(tried) == Meaning::Success);
        if has_succeeded { Meaning::Success } else { Meaning::of(self.last()) }
    }

    fn end(&self) -> u64 {
        self.tries.iter().map(|tried| tried.end).max().expect("a try")
    }

    fn is_over(&self) -> bool {
        !self.meaning().is_retryable()
    }

    /// Over, but with tries under several keys: one of these may go on.
    fn is_held(&self) -> bool {
        let is_troubled = self.tries.iter().any(|tried| Meaning::of(tried) != Meaning::Success);
        let has_one_key =
            self.tries.iter().all(|tried| tried.sent.idempotency_key == self.tries[0].sent.idempotency_key);
        self.is_over() && is_troubled && !has_one_key
    }

    fn waits_for(&self, attempt: &Attempt) -> bool {
        let key = attempt.sent.idempotency_key;
        let latest = self.tries.iter().rev().find(|tried| tried.sent.idempotency_key == key);
        self.is_held() && key.is_some() && latest.is_some_and(|latest| Meaning::of(latest).is_retryable())
    }

    fn may_go_on(&self, attempt: &Attempt) -> bool {
        !self.is_over() || self.waits_for(attempt)
    }

    /// Its calls, if a key was sent again and others were, too.
    fn calls_by_key(&self) -> Option<Vec<Group>> {
        if self.tries.iter().all(|tried| tried.sent.operation.is_some()) {
            return None;
        }
        let mut by_key: Vec<(Option<Fingerprint>, Vec<Attempt>)> = Vec::new();
        for tried in &self.tries {
            let key = tried.sent.idempotency_key;
            match by_key.iter_mut().find(|(known, _)| *known == key) {
                Some((_, tries)) => tries.push(tried.clone()),
                None => by_key.push((key, vec![tried.clone()])),
            }
        }
        let is_kept = by_key.iter().any(|(key, tries)| key.is_some() && tries.len() > 1);
        if !is_kept || by_key.len() < 2 {
            return None;
        }
        let mut calls: Vec<Group> = Vec::new();
        for (_, tries) in by_key {
            let mut going_on = false;
            for tried in tries {
                match calls.last_mut().filter(|_| going_on) {
                    Some(call) => call.tries.push(tried),
                    None => calls.push(Group { tries: vec![tried] }),
                }
                going_on = calls.last().is_some_and(|call| !call.is_over());
            }
        }
        Some(calls)
    }

    fn deadline(&self) -> u64 {
        let gaps = (1..self.tries.len()).map(|index| {
            let before = self.tries[..index].iter().map(|tried| tried.end).max().expect("a try");
            self.tries[index].start.saturating_sub(before)
        });
        let asked = match self.last().got.retry_after {
            Some(AskedWait::Seconds(wait) | AskedWait::Date(wait)) => wait * 1_000,
            None => 0,
        };
        let troubled = self.tries.iter().filter(|tried| Meaning::of(tried).is_retryable());
        let since = match self.is_held() && self.meaning() == Meaning::Success {
            true => troubled.map(|tried| tried.end).max().unwrap_or(0),
            false => self.end(),
        };
        since + 30_000_000.max(4 * gaps.max().unwrap_or(0)).max(2 * asked)
    }

    /// Whether it is the same client's, and not over.
    fn may_hold(&self, attempt: &Attempt) -> bool {
        let longest = self.tries.iter().map(|tried| tried.end - tried.start).max().expect("a try");
        let is_in_time = match self.meaning() {
            Meaning::Success if attempt.start < self.end() && AttemptOrder::of(attempt).at <= self.end() => {
                true
            }
            Meaning::Success if !self.waits_for(attempt) => false,
            _ => {
                attempt.start <= self.deadline()
                    && AttemptOrder::of(attempt).at <= self.deadline() + longest.max(1_000_000)
            }
        };
        is_in_time && self.last().client == attempt.client
    }

    fn is_marked(&self, attempt: &Attempt, mark: Mark) -> bool {
        let place = |attempt: &Attempt| (attempt.method.clone(), attempt.path.clone());
        mark(&attempt.sent).is_some()
            && self
                .tries
                .iter()
                .any(|tried| mark(&tried.sent) == mark(&attempt.sent) && place(tried) == place(attempt))
    }

    fn outcome(&self, end_of_record: u64) -> OperationOutcome {
        let is_untroubled = self.tries.iter().all(|tried| Meaning::of(tried) == Meaning::Success);
        match self.meaning() {
            Meaning::Success if is_untroubled => OperationOutcome::Untroubled,
            Meaning::Success => OperationOutcome::Recovered,
            Meaning::Final => OperationOutcome::GaveUp,
            _ if self.deadline() < end_of_record => OperationOutcome::GaveUp,
            _ => OperationOutcome::Unfinished,
        }
    }
}

/// Of those that fit, the one that shares version and key with the attempt, and of these the one whose
/// answer came first.
fn likeliest(
    groups: &[Group],
    candidates: &[usize],
    attempt: &Attempt,
    keeps_keys: bool,
    fits: impl Fn(&Group) -> bool,
) -> Option<usize> {
    let contradicts = |last: &Attempt| {
        let (one, other) = (last.sent.operation, attempt.sent.operation);
        let keys = (last.sent.idempotency_key, attempt.sent.idempotency_key);
        one.is_some() && other.is_some() && one != other
            || keeps_keys && keys.0.is_some() && keys.1.is_some() && keys.0 != keys.1
    };
    let unlikeness = |last: &Attempt| {
        let has_other_version = last.sent.version != attempt.sent.version;
        let has_other_key = last.sent.idempotency_key != attempt.sent.idempotency_key;
        (has_other_version, has_other_key)
    };
    candidates
        .iter()
        .copied()
        .filter(|&group| {
            let group = &groups[group];
            let is_another_call = contradicts(group.last()) && !group.waits_for(attempt);
            fits(group) && group.end() <= attempt.start && !is_another_call
        })
        .min_by_key(|&group| (unlikeness(groups[group].last()), groups[group].end(), group))
}

/// Method, target and body.
fn request(attempt: &Attempt) -> impl PartialEq {
    let bytes = if attempt.sent.body.is_none() { attempt.sent.bytes } else { 0 };
    (attempt.method.clone(), attempt.path.clone(), attempt.query, attempt.sent.body, bytes)
}

fn is_about_the_same(last: &Attempt, attempt: &Attempt, past: &[Attempt]) -> bool {
    let is_change = |method: &str| method == "PUT" || method == "PATCH";
    if &*last.method != "POST" || &*attempt.method != "POST" {
        return attempt.is_write()
            && (last.method == attempt.method || is_change(&last.method) && is_change(&attempt.method));
    }
    if last.sent.version.is_some() && attempt.sent.version.is_some() {
        return true;
    }
    let (Some(one), Some(other)) = (&last.conflict, &attempt.conflict) else { return false };
    let has_other_keys = past.iter().any(|earlier| {
        let is_at_same_place = earlier.client == attempt.client && earlier.path == attempt.path;
        is_at_same_place && earlier.conflict.as_ref().is_some_and(|conflict| conflict.key != one.key)
    });
    one.key == other.key && has_other_keys
}
