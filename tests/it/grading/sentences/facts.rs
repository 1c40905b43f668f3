//! Facts of operations by a slow and simple count.

use std::collections::BTreeSet;

use fracas::grading::{Link, Operation, OperationOutcome, Sight, Try};
use fracas::model::{Attempt, Fingerprint, Kind, Phase};

/// Operations of one scope, counted.
#[derive(Default)]
pub struct Facts {
    pub operations: u64,
    /// Of operations whose tries can be told apart, and how many those are.
    pub requests: u64,
    pub certain: u64,
    /// Of these: met a conflict, and ended.
    pub certain_ended: u64,
    /// Of the others: met a conflict, and succeeded.
    pub unclear_recovered: u64,
    /// Still open, of those that met a refusal in the scope.
    pub unclear_open: u64,
    pub conflicted: u64,
    pub recovered: u64,
    pub gave_up: u64,
    pub unfinished: u64,
    pub clients: BTreeSet<Fingerprint>,
    pub tries_of_conflicted: u64,
    /// Of operations that met a refusal in the scope and whose tries can be told apart.
    pub most: u64,
    pub certain_gave_up: u64,
    /// As that, with a final response.
    pub certain_final: u64,
    pub certain_open: u64,
    pub endless: u64,
    pub ambiguous: u64,
    pub stopped_at_once: u64,
    /// Conflicts in scope after which the client stopped, or went on: certainly, or perhaps.
    pub stops: u64,
    pub moves: u64,
    pub maybe_moves: u64,
    /// Refusals that were certainly followed by another try.
    pub retries: Vec<Retry>,
    pub with_key: u64,
    pub terminal: u64,
    pub writes: u64,
    pub lost: u64,
}

pub struct Retry {
    pub place: usize,
    pub gap: u128,
    pub idle: u128,
    pub is_timed: bool,
    pub is_own: bool,
    pub is_asked: bool,
    pub is_unsafe: bool,
    pub is_version: bool,
}

fn is_refused(tried: &Try) -> bool {
    tried.attempt.conflict.is_some() || tried.attempt.got.outcome().is_none_or(|status| status >= 400)
}

impl Facts {
    pub fn of<'o>(operations: impl Iterator<Item = &'o Operation>) -> Facts {
        Facts::with(operations, |_| true)
    }

    pub fn within<'o>(operations: impl Iterator<Item = &'o Operation>, rule: &str) -> Facts {
        let is_of =
            |tried: &Try| tried.attempt.conflict.as_ref().is_some_and(|conflict| conflict.rule == rule);
        let operations: Vec<&Operation> = operations.collect();
        // Clients are counted over the class, not over the rule.
        let clients = operations.iter().map(|operation| operation.client).collect();
        let met = operations.into_iter().filter(|operation| operation.tries.iter().any(is_of));
        Facts { clients, ..Facts::with(met, is_of) }
    }

    fn with<'o>(operations: impl Iterator<Item = &'o Operation>, is_in: impl Fn(&Try) -> bool) -> Facts {
        let mut facts = Facts::default();
        for operation in operations {
            facts.add(operation, &is_in);
        }
        facts
    }

    fn add(&mut self, operation: &Operation, is_in: &impl Fn(&Try) -> bool) {
        let tries = &operation.tries;
        self.operations += 1;
        self.clients.insert(operation.client);
        if operation.met_conflict() {
            self.conflicted += 1;
            self.tries_of_conflicted += operation.count;
            match operation.outcome {
                OperationOutcome::Untroubled | OperationOutcome::Recovered => self.recovered += 1,
                OperationOutcome::GaveUp => self.gave_up += 1,
                OperationOutcome::Unfinished => self.unfinished += 1,
            }
        }
        self.writes += u64::from(tries.iter().any(|tried| is_unsafe(&tried.attempt)));
        let is_ambiguous = tries.iter().any(|tried| tried.link == Link::AmbiguousReplay);
        if !is_ambiguous {
            self.requests += operation.count;
            self.certain += 1;
            let has_ended = operation.met_conflict() && operation.outcome != OperationOutcome::Unfinished;
            self.certain_ended += u64::from(has_ended);
        } else if operation.met_conflict() {
            self.unclear_recovered += u64::from(matches!(
                operation.outcome,
                OperationOutcome::Untroubled | OperationOutcome::Recovered
            ));
        }
        let refused: Vec<usize> =
            (0..tries.len()).filter(|at| is_refused(&tries[*at]) && is_in(&tries[*at])).collect();
        if refused.is_empty() {
            return;
        }
        let is_own = |at: usize| is_own_conflict(operation, at);
        let is_conflict = |at: usize| tries[at].attempt.conflict.is_some() || is_own(at);
        let mut retries = Vec::new();
        for at in refused.iter().copied() {
            match tries.get(at + 1) {
                None if is_ambiguous && operation.outcome == OperationOutcome::GaveUp => {
                    self.maybe_moves += u64::from(is_conflict(at));
                }
                None if operation.outcome == OperationOutcome::GaveUp && is_conflict(at) => {
                    self.stops += 1;
                    self.stopped_at_once += u64::from(tries.len() == 1);
                }
                Some(next) if next.gap.is_some() => {
                    self.maybe_moves += u64::from(is_conflict(at));
                    retries.push(retry(at + 1, &tries[at], next, is_own(at)));
                }
                _ => {}
            }
            let lost =
                tries[at].attempt.conflict.as_ref().is_some_and(|conflict| conflict.phase == Phase::Lost);
            self.lost += u64::from(lost && tries[at].attempt.is_write());
        }
        if is_ambiguous {
            self.ambiguous += 1;
            self.unclear_open += u64::from(operation.outcome == OperationOutcome::Unfinished);
            return;
        }
        self.moves += refused
            .iter()
            .filter(|at| is_conflict(**at) && tries.get(**at + 1).is_some_and(|next| next.gap.is_some()))
            .count() as u64;
        self.most = self.most.max(operation.count);
        if operation.outcome == OperationOutcome::GaveUp {
            // The statuses of these records after which no client tries again.
            let is_final = |last: &Attempt| {
                last.conflict.is_none() && matches!(last.got.outcome(), Some(400 | 404 | 410 | 422 | 501))
            };
            let is_final = tries.last().is_some_and(|last| is_final(&last.attempt));
            self.certain_gave_up += u64::from(!is_final);
            self.certain_final += u64::from(is_final);
        }
        if operation.outcome == OperationOutcome::Unfinished && !retries.is_empty() {
            self.certain_open += 1;
            self.endless += u64::from(operation.count > 10);
        }
        let terminal = |at: &usize| {
            let kind = tries[*at].attempt.conflict.as_ref().map(|conflict| conflict.kind);
            matches!(kind, Some(Kind::Duplicate | Kind::Referenced))
        };
        self.terminal += u64::from(
            refused
                .iter()
                .any(|at| terminal(at) && (tries.get(at + 1).is_none_or(|next| next.gap.is_some()))),
        );
        let has_key = |retry: &Retry| tries[retry.place - 1].attempt.sent.idempotency_key.is_some();
        self.with_key += u64::from(retries.iter().any(has_key));
        self.retries.extend(retries);
    }

    pub fn counts(&self) -> [u64; 5] {
        [self.operations, self.conflicted, self.recovered, self.gave_up, self.unfinished]
    }

    pub fn count(&self, which: impl Fn(&&Retry) -> bool) -> u64 {
        self.retries.iter().filter(which).count() as u64
    }

    pub fn later(&self) -> u64 {
        self.count(|retry| retry.is_own && retry.place > 1)
    }

    pub fn later_at_once(&self) -> u64 {
        self.count(|retry| retry.is_own && retry.place > 1 && retry.idle < 20_000)
    }
}

fn is_unsafe(attempt: &Attempt) -> bool {
    matches!(&*attempt.method, "POST" | "PATCH")
}

/// Whether the upstream itself said that the version is another one by now: by a failed precondition, or by a
/// 409 that another version was shown after.
fn is_own_conflict(operation: &Operation, at: usize) -> bool {
    let refused = &operation.tries[at].attempt;
    let (None, Some(sent)) = (&refused.conflict, refused.sent.version.as_deref()) else { return false };
    let reads = operation.tries.get(at + 1).map_or(&operation.reads_after, |next| &next.reads);
    let reads = reads.iter().filter(|read| read.sight == Sight::Certain).map(|read| read.shown.tag());
    let shown = std::iter::once(refused.got.shown.tag()).chain(reads).flatten().next();
    match (refused.got.status, shown) {
        (Some(409 | 412), Some(shown)) => shown != sent && refused.is_write(),
        (status, None) => status == Some(412) && refused.is_write(),
        _ => false,
    }
}

fn retry(place: usize, before: &Try, next: &Try, is_own_conflict: bool) -> Retry {
    let gap = next.gap.expect("it is no concurrent one").as_micros();
    let kind = before.attempt.conflict.as_ref().map(|conflict| conflict.kind);
    let is_timed = match next.link {
        Link::Marker | Link::Replay => true,
        Link::Rebase => kind == Some(Kind::Version),
        _ => false,
    };
    // Reads of these records never overlap.
    let reading: u64 = next.reads.iter().map(|read| read.end - read.start).sum();
    Retry {
        place,
        gap,
        idle: gap - u128::from(reading).min(gap),
        is_timed,
        is_own: is_timed && before.attempt.got.retry_after.is_none() && before.attempt.got.status.is_some(),
        is_asked: is_timed && before.attempt.got.retry_after.is_some(),
        is_unsafe: is_unsafe(&before.attempt),
        is_version: kind == Some(Kind::Version) || is_own_conflict,
    }
}
