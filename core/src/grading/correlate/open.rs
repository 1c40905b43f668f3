//! One operation that may go on.

use std::collections::VecDeque;
use std::sync::Arc;

use super::evidence::{Clue, Clues};
use super::meaning::Meaning;
use super::strands::{self, By};
use super::trail::{Caller, REACTION, Trail, TryStep};
use super::{KEPT_TRIES, LONGEST_WINDOW, MARKERS, READS, SHORTEST_WINDOW, STRETCH};
use crate::grading::{Link, Operation, OperationOutcome, ReadBetween, Sight, Try};
use crate::model::{AskedWait, Attempt, Fingerprint};

/// Reads kept for when an operation turns out to be several.
const SEEN: usize = 64;

#[derive(Clone, Debug)]
pub(super) struct Open {
    id: u64,
    /// Of the last try: a new session may have made it another than that of the first.
    pub client: Fingerprint,
    /// Of the first try.
    request: Clue,
    resource: Clue,
    pub trail: Trail,
    /// The first half of the tries that are kept, and the second.
    first: Vec<Try>,
    last: VecDeque<Try>,
    count: u64,
    /// The meaning of the last response; `Success` stays.
    pub meaning: Meaning,
    has_met_trouble: bool,
    is_held: bool,
    is_told: bool,
    /// Of the last try.
    evidence: Clues,
    /// Of every try, the oldest first.
    markers: Vec<Clue>,
    /// When the last of its responses had gone, and the last of those after which another try may follow.
    pub last_end: u64,
    last_trouble: u64,
    largest_gap: u64,
    longest_try: u64,
    /// As long as the last response asked to wait, in microseconds.
    asked_wait: u64,
    /// The reads since `last_end`.
    reads: VecDeque<ReadBetween>,
    /// All that was read since the first response, lately: whose it was may turn out later.
    seen: VecDeque<ReadBetween>,
    has_forgotten_reads: bool,
    /// The same, of requests that may have been reads.
    perhaps: VecDeque<ReadBetween>,
    /// One of those that gave way to later ones.
    forgotten: Option<ReadBetween>,
    /// Some of `reads` gave way to later ones.
    has_dropped_reads: bool,
}

impl Open {
    pub fn begin(attempt: Arc<Attempt>, meaning: Meaning, evidence: Clues, is_suspect: bool) -> Open {
        let mut open = Open {
            id: attempt.id,
            client: attempt.client,
            request: evidence.request,
            resource: evidence.resource,
            trail: Trail::begin(&attempt, is_suspect),
            first: Vec::with_capacity(1),
            last: VecDeque::new(),
            count: 0,
            meaning,
            has_met_trouble: false,
            is_held: false,
            is_told: false,
            evidence,
            markers: Vec::new(),
            last_end: 0,
            last_trouble: 0,
            largest_gap: 0,
            longest_try: 0,
            asked_wait: 0,
            reads: VecDeque::new(),
            seen: VecDeque::new(),
            has_forgotten_reads: false,
            perhaps: VecDeque::new(),
            forgotten: None,
            has_dropped_reads: false,
        };
        open.go_on(attempt, meaning, evidence, Link::First, &Caller::default());
        open
    }

    /// Adds the next try.
    pub fn go_on(
        &mut self,
        attempt: Arc<Attempt>,
        meaning: Meaning,
        evidence: Clues,
        link: Link,
        caller: &Caller,
    ) {
        let gap = if self.count == 0 { None } else { attempt.start.checked_sub(self.last_end) };
        if let Some(before) = self.last.back().or(self.first.last()) {
            let step = TryStep {
                gap: gap.unwrap_or(0),
                is_marked: link == Link::Marker,
                is_undisturbed: caller.busy_until <= self.last_end,
                is_rewrite: self.is_rewritten_at_once(&before.attempt, &attempt),
            };
            self.trail.go_on(&before.attempt, &attempt, step);
        }
        self.trail.is_rebased |= link == Link::Rebase;
        let reads = self.own_reads(&attempt);
        self.reads.clear();
        self.has_dropped_reads = false;
        self.count += 1;
        self.client = attempt.client;
        self.has_met_trouble |= meaning != Meaning::Success;
        if self.meaning != Meaning::Success {
            self.meaning = meaning;
        }
        self.evidence = evidence;
        for marker in evidence.markers.into_iter().flatten() {
            if !self.markers.contains(&marker) && self.markers.len() < MARKERS {
                self.markers.push(marker);
            }
        }
        self.last_end = self.last_end.max(attempt.end);
        if meaning.is_retryable() {
            self.last_trouble = self.last_trouble.max(attempt.end);
        }
        self.largest_gap = self.largest_gap.max(gap.unwrap_or(0));
        self.longest_try = self.longest_try.max(attempt.end.saturating_sub(attempt.start));
        self.asked_wait = match attempt.got.retry_after {
            Some(AskedWait::Seconds(wait) | AskedWait::Date(wait)) => wait.saturating_mul(1_000),
            None => 0,
        };
        // As of this response: later evidence raises doubts, but does not keep it open.
        self.is_held = !self.meaning.is_retryable()
            && self.count > 1
            && self.has_met_trouble
            && !self.trail.is_settled(caller, self.request, self.resource);
        self.keep(Try { attempt, link, gap: gap.map(std::time::Duration::from_micros), reads });
    }

    /// Keeps a read of the resource, if it was sent after the last response had gone. Of those that may be
    /// one, the last is kept, and none in the place of a certain one.
    pub fn read(&mut self, read: ReadBetween) {
        if read.sight != Sight::Certain {
            if self.perhaps.len() == SEEN {
                self.forgotten = self.perhaps.pop_front();
            }
            self.perhaps.push_back(read.clone());
        } else {
            if self.seen.len() == SEEN {
                self.seen.pop_front();
                self.has_forgotten_reads = true;
            }
            self.seen.push_back(read.clone());
        }
        if read.start < self.last_end {
            return;
        }
        if read.sight != Sight::Certain {
            self.reads.retain(|read| read.sight == Sight::Certain);
            if self.reads.len() == READS {
                return;
            }
        }
        if self.reads.len() == READS {
            self.reads.pop_front();
            self.has_dropped_reads = true;
        }
        self.reads.push_back(read);
    }

    /// The reads before a try: those on its own connection or on that of the try before, if there are any.
    fn own_reads(&self, attempt: &Attempt) -> Vec<ReadBetween> {
        let reads = self.reads.iter().filter(|read| read.end <= attempt.start);
        let own: Vec<ReadBetween> =
            reads.clone().filter(|read| self.is_own(read, attempt)).cloned().collect();
        if own.is_empty() { reads.cloned().collect() } else { own }
    }

    /// Whether a read on its own connection came before a try, and each of both was a reaction.
    fn is_rewritten_at_once(&self, before: &Attempt, attempt: &Attempt) -> bool {
        let own = self.reads.iter().filter(|read| read.end <= attempt.start && self.is_own(read, attempt));
        let mut since = self.last_end;
        let is_prompt = own.clone().all(|read| {
            let idle = read.start.saturating_sub(since);
            since = since.max(read.end);
            idle < REACTION
        });
        let is_new = before.sent.version != attempt.sent.version;
        is_new && is_prompt && own.count() > 0 && attempt.start.saturating_sub(since) < REACTION
    }

    /// Whether several reads came before a try, none of them certainly its own.
    pub fn has_unclear_reads(&self, attempt: &Attempt) -> bool {
        let is_before = |read: &&ReadBetween| read.end <= attempt.start && read.sight == Sight::Certain;
        let mut reads = self.reads.iter().filter(is_before);
        let are_several = self.has_dropped_reads || reads.clone().count() > 1;
        are_several && !reads.any(|read| self.is_own(read, attempt))
    }

    fn is_own(&self, read: &ReadBetween, attempt: &Attempt) -> bool {
        let before = self.latest().map(|latest| latest.connection);
        read.connection == attempt.connection || Some(read.connection) == before
    }

    /// The last try.
    pub fn latest(&self) -> Option<&Attempt> {
        Some(&self.last.back().or(self.first.last())?.attempt)
    }

    /// The clues that it is found by: those of its last try, and the markers of all tries.
    pub fn clues(&self) -> impl Iterator<Item = Clue> {
        let Clues { request, resource, renewals, .. } = self.evidence;
        let renewals = renewals.into_iter().flatten();
        [request, resource].into_iter().chain(self.markers.iter().copied()).chain(renewals)
    }

    /// Whether it is found already by all that a try would make it found by.
    pub fn is_found_by(&self, evidence: &Clues) -> bool {
        let Clues { request, resource, markers, renewals } = evidence;
        let is_known = |marker: &Clue| self.markers.contains(marker) || self.markers.len() >= MARKERS;
        *request == self.evidence.request
            && *resource == self.evidence.resource
            && *renewals == self.evidence.renewals
            && markers.iter().flatten().all(is_known)
    }

    /// How many tries are held.
    pub fn kept(&self) -> usize {
        self.first.len() + self.last.len()
    }

    /// The last moment at which another try may begin.
    pub fn deadline(&self) -> u64 {
        let window = SHORTEST_WINDOW
            .max(self.largest_gap.saturating_mul(4))
            .max(self.asked_wait.saturating_mul(2))
            .min(LONGEST_WINDOW);
        let is_waited_for = self.is_held && self.meaning == Meaning::Success;
        let since = if is_waited_for { self.last_trouble } else { self.last_end };
        since.saturating_add(window)
    }

    /// When nothing more can come of it: a try that began in time has had its turn, if it did not
    /// take longer than those before.
    pub fn closes_at(&self) -> u64 {
        match self.meaning {
            // Only attempts that had begun already can be a part of it.
            Meaning::Success if !self.is_held() => self.last_end,
            _ => self.deadline().saturating_add(self.longest_try.clamp(STRETCH, LONGEST_WINDOW)),
        }
    }

    /// Whether it ends with its last response.
    pub fn is_over(&self) -> bool {
        self.markers.is_empty() && !self.meaning.is_retryable() && !self.is_held()
    }

    /// Whether it has come to an end, but its tries may turn out to be those of several calls, of which
    /// one is still to come back.
    pub fn is_held(&self) -> bool {
        self.is_held
    }

    /// As it stands, once, when it has come to an end that does not close it.
    pub fn tell(&mut self, caller: &Caller) -> Option<Operation> {
        if !self.is_held || self.is_told {
            return None;
        }
        self.is_told = true;
        Some(self.clone().close(0, caller))
    }

    pub fn is_told(&self) -> bool {
        self.is_told
    }

    /// Whether one that is held has a part of its own that goes on with this: tries with the same key, or
    /// on the same connection, of which the last was refused.
    pub fn waits_for(&self, attempt: &Attempt) -> bool {
        if !self.is_held() {
            return false;
        }
        let latest = |is_alike: &dyn Fn(&Attempt) -> bool| {
            let mut tries = self.last.iter().rev().chain(self.first.iter().rev());
            let latest = tries.find(|tried| is_alike(&tried.attempt));
            latest.is_some_and(|tried| Meaning::of(&tried.attempt).is_retryable())
        };
        match attempt.sent.idempotency_key {
            Some(key) => latest(&|tried| tried.sent.idempotency_key == Some(key)),
            None if self.trail.has_other_keys => false,
            None => latest(&|tried| tried.connection == attempt.connection),
        }
    }

    /// The calls that it turns out to be; `None` while it may be one.
    pub fn take_apart(&self, caller: &Caller) -> Option<(By, Vec<Open>)> {
        if self.count != self.kept() as u64 {
            // Some of its tries are not held any more.
            return None;
        }
        let tries: Vec<Try> = self.first.iter().chain(&self.last).cloned().collect();
        let strands = strands::told_apart(&tries, caller.has_connections_of_its_own())?;
        let by = strands.first()?.by;
        let reads: Vec<ReadBetween> = self.seen.iter().chain(&self.perhaps).cloned().collect();
        let rest = strands::Rest {
            reads,
            is_whole: !self.has_forgotten_reads,
            forgotten: self.forgotten.clone(),
            doubts: self.trail.doubts,
        };
        let calls = strands.into_iter().flat_map(|strand| strands::calls(strand, &rest, caller));
        Some((by, calls.collect()))
    }

    /// The operation, when the record has come to `now`. One that nothing more is heard of because it was
    /// put away for room comes with a `now` of 0.
    pub fn close(mut self, now: u64, caller: &Caller) -> Operation {
        let outcome = match self.meaning {
            Meaning::Success if self.may_be_of_another_call() => OperationOutcome::Unfinished,
            Meaning::Success if self.has_met_trouble => OperationOutcome::Recovered,
            Meaning::Success => OperationOutcome::Untroubled,
            Meaning::Final => OperationOutcome::GaveUp,
            _ if self.deadline() < now => OperationOutcome::GaveUp,
            _ => OperationOutcome::Unfinished,
        };
        if !self.trail.is_certain(caller, self.request, self.resource, self.count == 1) {
            let waits: Vec<u64> = self.first.iter().filter_map(Try::waited).collect();
            let is_spaced = self.trail.is_spaced(caller, self.meaning == Meaning::Success, &waits);
            for tried in self.first.iter_mut().chain(&mut self.last) {
                tried.link = match tried.link {
                    Link::Replay if is_spaced => Link::SpacedReplay,
                    link if is_spaced || link == Link::Marker => link,
                    _ => Link::AmbiguousReplay,
                };
            }
        }
        self.first.extend(self.last);
        let client = self.first.first().map_or(self.client, |first| first.attempt.client);
        Operation {
            id: self.id,
            client,
            tries: self.first,
            count: self.count,
            reads_after: self.reads.into(),
            outcome,
        }
    }

    /// Whether its success may be that of another call, whose parts the refused one did not have.
    fn may_be_of_another_call(&self) -> bool {
        let mut tries = self.last.iter().rev().chain(self.first.iter().rev());
        let (Some(last), Some(before)) = (tries.next(), tries.next()) else { return false };
        last.link == Link::AmbiguousReplay
            && before.attempt.is_refused_in_part()
            && before.attempt.sent.body != last.attempt.sent.body
    }

    /// Whether this attempt could tell its tries apart: it is not like the one before it.
    pub fn may_come_apart(&self, attempt: &Attempt) -> bool {
        let is_unlike = |latest: &Attempt| {
            latest.sent.idempotency_key != attempt.sent.idempotency_key
                || latest.sent.trace != attempt.sent.trace
                || latest.connection != attempt.connection
        };
        let has_others = self.trail.has_other_keys || self.trail.has_other_traces;
        self.count > 1 && (has_others || self.latest().is_some_and(is_unlike))
    }

    /// Whether its session had ended, so that another one could go on with it.
    pub fn is_renewable(&self) -> bool {
        self.evidence.renewals.iter().any(Option::is_some)
    }

    /// The first request and resource.
    pub fn about(&self) -> (Clue, Clue) {
        (self.request, self.resource)
    }

    fn keep(&mut self, tried: Try) {
        if self.first.len() < KEPT_TRIES / 2 {
            return self.first.push(tried);
        }
        if self.last.len() == KEPT_TRIES / 2 {
            self.last.pop_front();
        }
        self.last.push_back(tried);
    }
}
