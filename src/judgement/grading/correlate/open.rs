//! One operation that may go on.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use super::evidence::{Clue, Evidence};
use super::meaning::Meaning;
use super::{KEPT_TRIES, LONGEST_WINDOW, MARKERS, READS, SHORTEST_WINDOW, STRETCH};
use crate::judgement::grading::{Link, Operation, Outcome, Read, Try};
use crate::words::{Attempt, Fingerprint, RetryAfter};

#[derive(Clone, Debug)]
pub(super) struct Open {
    id: u64,
    pub client: Fingerprint,
    /// The first half of the tries that are kept, and the second.
    first: Vec<Try>,
    last: VecDeque<Try>,
    count: u64,
    /// What the last answer meant; `Success` stays.
    pub meaning: Meaning,
    has_met_trouble: bool,
    /// Of the last try.
    evidence: Evidence,
    /// Of every try, the oldest first.
    markers: Vec<Clue>,
    /// When the last of its answers had gone.
    pub last_end: u64,
    largest_gap: u64,
    longest_try: u64,
    /// As long as the last answer asked to wait, in microseconds.
    asked_wait: u64,
    /// What was read since `last_end`.
    reads: VecDeque<Read>,
}

/// An attempt that nothing came before and nothing can follow.
pub(super) fn alone(attempt: Arc<Attempt>, meaning: Meaning) -> Operation {
    Operation {
        id: attempt.id,
        client: attempt.client,
        tries: vec![Try { attempt, link: Link::First, gap: None, reads: Vec::new() }],
        count: 1,
        reads_after: Vec::new(),
        outcome: if meaning == Meaning::Success { Outcome::Untroubled } else { Outcome::GaveUp },
    }
}

impl Open {
    pub fn begin(attempt: Arc<Attempt>, meaning: Meaning, evidence: Evidence) -> Open {
        let mut open = Open {
            id: attempt.id,
            client: attempt.client,
            first: Vec::with_capacity(1),
            last: VecDeque::new(),
            count: 0,
            meaning,
            has_met_trouble: false,
            evidence,
            markers: Vec::new(),
            last_end: 0,
            largest_gap: 0,
            longest_try: 0,
            asked_wait: 0,
            reads: VecDeque::new(),
        };
        open.go_on(attempt, meaning, evidence, Link::First);
        open
    }

    /// Adds the next try.
    pub fn go_on(&mut self, attempt: Arc<Attempt>, meaning: Meaning, evidence: Evidence, link: Link) {
        let gap = if self.count == 0 { None } else { attempt.start.checked_sub(self.last_end) };
        let reads = std::mem::take(&mut self.reads).into_iter();
        let reads = reads.filter(|read| read.end <= attempt.start).collect();
        self.count += 1;
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
        self.largest_gap = self.largest_gap.max(gap.unwrap_or(0));
        self.longest_try = self.longest_try.max(attempt.end.saturating_sub(attempt.start));
        self.asked_wait = match attempt.got.retry_after {
            Some(RetryAfter::Seconds(wait) | RetryAfter::Date(wait)) => wait.saturating_mul(1_000),
            None => 0,
        };
        self.keep(Try { attempt, link, gap: gap.map(Duration::from_micros), reads });
    }

    /// Keeps a read of the resource, if it was sent after the last answer had gone. One that a rule
    /// answered with a 2xx shows nothing of it.
    pub fn read(&mut self, attempt: &Attempt) {
        if attempt.start < self.last_end || attempt.is_refused_in_part() {
            return;
        }
        if self.reads.len() == READS {
            self.reads.pop_front();
        }
        self.reads.push_back(Read {
            attempt: attempt.id,
            method: attempt.method.clone(),
            start: attempt.start,
            end: attempt.end,
            status: attempt.got.outcome(),
            shown: attempt.got.shown.clone(),
        });
    }

    /// The last try.
    pub fn latest(&self) -> Option<&Attempt> {
        Some(&self.last.back().or(self.first.last())?.attempt)
    }

    /// Under what it is found: what its last try shows, and the markers of all tries.
    pub fn clues(&self) -> impl Iterator<Item = Clue> {
        let Evidence { request, resource, .. } = self.evidence;
        [request, resource].into_iter().chain(self.markers.iter().copied())
    }

    /// Whether it is found already by all that a try would make it found by.
    pub fn is_found_by(&self, evidence: &Evidence) -> bool {
        let Evidence { request, resource, markers, .. } = evidence;
        let is_known = |marker: &Clue| self.markers.contains(marker) || self.markers.len() >= MARKERS;
        *request == self.evidence.request
            && *resource == self.evidence.resource
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
        self.last_end.saturating_add(window)
    }

    /// When nothing more can come of it: a try that began in time has had its turn, if it did not
    /// take longer than those before.
    pub fn closes_at(&self) -> u64 {
        match self.meaning {
            // Only what had begun already can be a part of it.
            Meaning::Success => self.last_end,
            _ => self.deadline().saturating_add(self.longest_try.clamp(STRETCH, LONGEST_WINDOW)),
        }
    }

    /// Whether it ends with its last answer.
    pub fn is_over(&self) -> bool {
        self.markers.is_empty() && !self.meaning.is_retryable()
    }

    /// The operation, when the record has come to `now`. One that nothing more is heard of because it was
    /// put away for room comes with a `now` of 0.
    pub fn close(mut self, now: u64) -> Operation {
        let outcome = match self.meaning {
            Meaning::Success if self.may_be_of_another_call() => Outcome::Unfinished,
            Meaning::Success if self.has_met_trouble => Outcome::Recovered,
            Meaning::Success => Outcome::Untroubled,
            Meaning::Final => Outcome::GaveUp,
            _ if self.deadline() < now => Outcome::GaveUp,
            _ => Outcome::Unfinished,
        };
        self.first.extend(self.last);
        Operation {
            id: self.id,
            client: self.client,
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
