//! How sure it is that the tries of an operation are those of one call, and not of several side by side.
//!
//! A marker that all tries share says it. Without one, equal requests of one identity may come from a pool
//! of threads, or from workers behind one token: then a *gap* between two of them is no wait at all. One
//! call is told by this: each try follows from the response before it: on the same connection, or so soon
//! that it is a reaction; that waits do not get shorter, as those of calls that take turns do; and that
//! this client has requests of their own for its other calls. Signs of several calls are in `Doubts`.

use super::evidence::Clue;
use super::spacing::Spacing;
use crate::model::{Attempt, Fingerprint, RequestRecord, ShortFingerprint};

/// A try that follows a response within this (µs) is a reaction to it, also from a new connection: a loop
/// in a shell needs 10 ms to start the next `curl`, and on a busy machine some 70.
pub(super) const REACTION: u64 = 100_000;
/// So many reactions in a row are no chance, even beside other callers; one may be a little late (µs), as
/// a busy machine now and then takes its time to start the next.
const CHAIN: u64 = 4;
const HARDLY_LATER: u64 = 250_000;
/// Callers that start up to a quarter of a second after each other seldom follow each other so soon (µs) again
/// and again.
const SWIFT: u64 = 50_000;
/// Requests that follow each other sooner (µs) may be a burst that a response has set off.
const STARTUP: u64 = 20_000;
/// How much shorter than the longest wait before it a wait may be, and still be as long: a twentieth of it,
/// and so many µs of a machine's noise.
const TWENTIETH: u64 = 20;
const NOISE: u64 = 8_000;
/// Timers round down.
const SLACK: u64 = 20_000;

/// Evidence of the tries of one operation, added try by try.
#[derive(Clone, Copy, Debug)]
pub(super) struct Trail {
    /// Of the first try.
    connection: u64,
    key: Option<Fingerprint>,
    trace: Option<ShortFingerprint>,
    is_on_one_connection: bool,
    is_of_one_trace: bool,
    pub has_other_keys: bool,
    pub has_other_traces: bool,
    /// Tries that no marker connects to those before.
    unmarked: u64,
    /// Of these, how many came as a reaction, on whatever connection.
    reactions: u64,
    hardly_later: u64,
    swift: u64,
    /// Each of these came on the connection of the one before it, or as a reaction.
    is_linked: bool,
    /// The waits before these.
    spacing: Spacing,
    /// The waits do not get shorter.
    is_regular: bool,
    longest_wait: u64,
    /// As long as `Retry-After` asked, and not.
    has_waited: bool,
    has_come_early: bool,
    /// Waits, and the time from one try's start to the next one's: the shortest and the longest of each.
    waits: Span,
    steps: Span,
    /// Some of them are other writes to the resource.
    pub is_rebased: bool,
    pub doubts: Doubts,
}

/// How a try follows the one before it.
#[derive(Clone, Copy, Debug)]
pub(super) struct TryStep {
    /// From the response to this (µs); 0 for one that did not wait for it.
    pub gap: u64,
    /// A marker connects them.
    pub is_marked: bool,
    /// Nothing but reads was sent under its identity since the response before it.
    pub is_undisturbed: bool,
    /// It was made from a read on its own connection, which was a reaction to the response, as it was to the
    /// read.
    pub is_rewrite: bool,
}

/// Signs of other callers.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Doubts {
    /// Its like was under way at the same time.
    pub is_overlapped: bool,
    /// Another write to the resource was.
    pub is_crossed: bool,
    /// Its like came after its end: that may be the retry of a request that was refused in it.
    pub is_followed: bool,
    /// Calls side by side were seen at this place before.
    pub is_suspect: bool,
    /// So many were open at its place that not every attempt was held against it.
    pub is_unseen: bool,
}

/// Evidence of one client over all its requests.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Caller {
    /// When the last of its responses had gone, and when it last opened a connection.
    latest_end: u64,
    opened: u64,
    /// When the last of its responses had gone that did not just show it something, and that of those before
    /// its latest request.
    asked_until: u64,
    pub busy_until: u64,
    /// It opened a connection although another one lay idle, which it used again: two programs in one.
    is_several: bool,
    /// It opened one while it waited for a response on another, or left a call's connection to another call: a
    /// pool may have grown, and does not keep calls and connections together.
    pub is_pooled: bool,
    /// The operation that it was at, and whether it went back to one that it had left.
    pub at: Option<u64>,
    pub takes_turns: bool,
    /// It has sent a key again: one with another key is another call.
    pub keeps_keys: bool,
    /// And a trace.
    pub keeps_traces: bool,
    /// Of operations that it tried again: the first request and resource, and whether there were others.
    request: Option<Clue>,
    resource: Option<Clue>,
    has_requests: bool,
    has_resources: bool,
}

impl Doubts {
    fn is_any(&self) -> bool {
        self.is_overlapped || self.is_crossed || self.is_followed || self.is_suspect || self.is_unseen
    }
}

impl Trail {
    pub fn begin(attempt: &Attempt, is_suspect: bool) -> Trail {
        Trail {
            connection: attempt.connection,
            key: attempt.sent.idempotency_key,
            trace: attempt.sent.trace,
            is_on_one_connection: true,
            is_of_one_trace: true,
            has_other_keys: false,
            has_other_traces: false,
            unmarked: 0,
            reactions: 0,
            hardly_later: 0,
            swift: 0,
            is_linked: true,
            spacing: Spacing::default(),
            is_regular: true,
            longest_wait: 0,
            has_waited: false,
            has_come_early: false,
            waits: Span::default(),
            steps: Span::default(),
            is_rebased: false,
            doubts: Doubts { is_suspect, ..Doubts::default() },
        }
    }

    /// Adds the next try.
    pub fn go_on(&mut self, before: &Attempt, attempt: &Attempt, step: TryStep) {
        let TryStep { gap, is_marked, is_undisturbed, is_rewrite } = step;
        self.is_on_one_connection &= attempt.connection == self.connection;
        self.is_of_one_trace &= attempt.sent.trace.is_some() && attempt.sent.trace == self.trace;
        self.has_other_keys |= attempt.sent.idempotency_key != self.key;
        self.has_other_traces |= attempt.sent.trace != self.trace;
        if is_marked {
            return;
        }
        self.unmarked += 1;
        self.spacing.add(before, gap, is_undisturbed);
        self.swift += u64::from(gap < SWIFT);
        self.reactions += u64::from(gap < REACTION);
        self.hardly_later += u64::from((REACTION..HARDLY_LATER).contains(&gap));
        let counts = |attempt: &Attempt| attempt.sent.try_number;
        let is_counted = counts(attempt) > counts(before) && counts(before).is_some();
        self.is_linked &= is_counted || attempt.connection == before.connection || gap < REACTION;
        let asked = before.got.asked_micros();
        let has_waited = asked > 0 && gap.saturating_add(SLACK) >= asked;
        if !is_counted && asked > 0 {
            self.has_waited |= has_waited;
            self.has_come_early |= !has_waited;
            // One that heeds `Retry-After` does so each time.
            self.is_regular &= !(self.has_waited && self.has_come_early);
        }
        if is_counted || has_waited || is_rewrite {
            // It says so itself, or waited as it was told to, or came from a read: its own waits need not
            // show it.
            return;
        }
        let least = self.longest_wait - self.longest_wait / TWENTIETH;
        let is_as_long = gap.saturating_add(NOISE) >= least;
        // Reactions all the way are no waits, whatever the machine makes of them.
        self.is_regular &= is_as_long || self.longest_wait < REACTION;
        self.longest_wait = self.longest_wait.max(gap);
        self.waits.add(gap);
        self.steps.add(attempt.start.saturating_sub(before.start));
    }

    /// Whether it is a row of reactions. `is_doubted`: others may have been at it.
    fn is_chain(&self, is_doubted: bool) -> bool {
        let is_in_haste = match is_doubted {
            true => self.swift == self.unmarked,
            false => self.reactions + self.hardly_later == self.unmarked && self.hardly_later <= 1,
        };
        self.unmarked >= CHAIN && is_in_haste && !self.is_by_the_clock()
    }

    /// Whether its tries were sent by a clock, however long their responses took: a client that retries counts
    /// from the response. A burst that responses may have set off is none.
    fn is_by_the_clock(&self) -> bool {
        self.steps.count >= 3 && self.steps.least > STARTUP && self.steps.width() * 2 < self.waits.width()
    }

    /// Whether nothing that comes later could raise a doubt: its own kind says that it is one call.
    pub fn is_settled(&self, caller: &Caller, request: Clue, resource: Clue) -> bool {
        let is_marked = self.unmarked == 0 && !self.has_other_keys;
        let is_told = self.is_on_one_connection
            && !self.has_other_keys
            && !self.doubts.is_any()
            && (caller.has_connections_of_its_own() || caller.has_others(self.is_rebased, request, resource));
        is_marked || is_told
    }

    /// Whether these are certainly the tries of one call. `request` and `resource` are those of the first.
    pub fn is_certain(&self, caller: &Caller, request: Clue, resource: Clue, is_alone: bool) -> bool {
        if self.doubts.is_unseen {
            return false;
        }
        if self.unmarked == 0 && !is_alone {
            // A hedge under another key would have been told apart.
            return true;
        }
        let has_others = caller.has_others(self.is_rebased, request, resource);
        if caller.has_connections_of_its_own() && self.is_on_one_connection {
            // A worker may make equal calls one after the other.
            return self.is_regular || has_others;
        }
        let Doubts { is_overlapped, is_crossed, is_followed, is_suspect, is_unseen: _ } = self.doubts;
        if !is_overlapped && self.is_chain(is_crossed || is_followed || is_suspect) {
            return true;
        }
        if is_overlapped || is_followed || self.is_rebased && is_crossed {
            return false;
        }
        if is_alone {
            return true;
        }
        if is_suspect {
            return false;
        }
        let is_linked = self.is_linked || self.is_of_one_trace;
        if is_linked {
            return self.is_regular && !self.is_by_the_clock() || has_others;
        }
        has_others && (self.is_regular || !caller.takes_turns)
    }

    /// Whether these are those of one call by the waits between them alone, which says nothing of whose waits
    /// they are: callers that are spread evenly look so, too. `has_succeeded`: the last of them did. `waits`: the
    /// first ones (µs).
    pub fn is_spaced(&self, caller: &Caller, has_succeeded: bool, waits: &[u64]) -> bool {
        let Doubts { is_overlapped, is_crossed, is_followed, is_suspect, is_unseen } = self.doubts;
        let is_doubted = is_overlapped || is_crossed || is_followed || is_suspect || is_unseen;
        // Another key, trace or body is likelier that of another call.
        let is_alike = !self.is_rebased && !self.has_other_keys && !self.has_other_traces;
        let is_by_itself = !is_doubted && is_alike && !caller.takes_turns && !self.is_by_the_clock();
        is_by_itself && self.spacing.is_of_one(has_succeeded, waits)
    }
}

/// The least and the most of some numbers.
#[derive(Clone, Copy, Debug, Default)]
struct Span {
    count: u64,
    least: u64,
    most: u64,
}

impl Span {
    fn add(&mut self, number: u64) {
        self.least = if self.count == 0 { number } else { self.least.min(number) };
        self.most = self.most.max(number);
        self.count += 1;
    }

    fn width(&self) -> u64 {
        self.most - self.least
    }
}

impl Caller {
    /// Of one that was seen long ago: whatever would make its calls harder to tell may have been so.
    pub fn forgotten() -> Caller {
        Caller { is_pooled: true, takes_turns: true, ..Caller::default() }
    }

    /// Notes an attempt; `idle` says since when its connection lay idle, `None` for a new one.
    pub fn see(&mut self, attempt: &Attempt, idle: Option<u64>) {
        match idle {
            None => {
                self.is_pooled |= attempt.start < self.latest_end;
                self.opened = self.opened.max(attempt.start);
            }
            Some(idle) => self.is_several |= self.opened > idle.saturating_add(REACTION),
        }
        self.latest_end = self.latest_end.max(attempt.end);
        self.busy_until = self.asked_until;
        let is_a_look = !attempt.is_write()
            && attempt.conflict.is_none()
            && matches!(attempt.got.status, Some(200..=399));
        if !is_a_look {
            self.asked_until = self.asked_until.max(attempt.end);
        }
    }

    /// Notes that it tried an operation again that began with this.
    pub fn tried_again(&mut self, request: Clue, resource: Clue) {
        self.has_requests |= *self.request.get_or_insert(request) != request;
        self.has_resources |= *self.resource.get_or_insert(resource) != resource;
    }

    /// Notes that it was refused in an operation.
    pub fn refused(&mut self, operation: u64, is_new: bool) {
        self.takes_turns |= !is_new && self.at != Some(operation);
        self.at = Some(operation);
    }

    /// Whether it says itself that these two are no tries of one call.
    pub fn tells_apart(&self, one: &RequestRecord, other: &RequestRecord) -> bool {
        differ(one.operation, other.operation)
            || self.keeps_keys && differ(one.idempotency_key, other.idempotency_key)
            || self.keeps_traces && differ(one.trace, other.trace)
    }

    /// Whether its programs have connections of their own, one at a time.
    pub fn has_connections_of_its_own(&self) -> bool {
        self.is_several && !self.is_pooled
    }

    /// Whether it has tried other requests again: its calls can be told by their requests.
    fn has_others(&self, by_resource: bool, request: Clue, resource: Clue) -> bool {
        if by_resource {
            self.has_resources || self.resource.is_some_and(|known| known != resource)
        } else {
            self.has_requests || self.request.is_some_and(|known| known != request)
        }
    }
}

fn differ<T: PartialEq>(one: Option<T>, other: Option<T>) -> bool {
    matches!((one, other), (Some(one), Some(other)) if one != other)
}
