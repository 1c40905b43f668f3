//! The operations that may go on, found by the attempts that could be a part of them. Bounded: when there is no
//! room, the oldest is put away and counted.

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use foldhash::fast::FixedState;

use super::Ended;
use super::evidence::{Clue, Clues};
use super::meaning::Meaning;
use super::open::Open;
use super::past_writes::ClueCache;
use super::reading::{self, AttemptTarget};
use super::strands::By;
use super::trail::{Caller, REACTION};
use super::{CANDIDATES, KEPT_TRIES_OVERALL, OPEN_OPERATIONS, OPEN_OPERATIONS_OF_A_CLIENT};
use crate::grading::{Link, ReadBetween};
use crate::model::{Attempt, Fingerprint};

#[derive(Clone, Debug, Default)]
pub(super) struct OpenOperations {
    operations: Map<OperationNumber, Open>,
    /// By request, resource and markers. An operation stands under those of its last try, and under
    /// the markers of all its tries.
    places: Map<Clue, Vec<OperationNumber>>,
    clients: Map<Fingerprint, BTreeSet<OperationNumber>>,
    closings: BTreeSet<(u64, OperationNumber)>,
    /// The clients, over all operations; and since when connections lie idle.
    callers: ClueCache<Caller>,
    connections: ClueCache<Use>,
    /// Requests of which several were made side by side.
    side_by_side: ClueCache<()>,
    /// Operations that a new session could go on.
    renewable: usize,
    next: OperationNumber,
    kept_tries: usize,
    evicted: u64,
}

/// The last use of a connection.
#[derive(Clone, Copy, Debug)]
struct Use {
    /// When that was answered.
    end: u64,
    resource: Clue,
}

/// Numbers are given in the order in which operations began, and keys are hashes already.
type Map<K, V> = HashMap<K, V, FixedState>;
pub(super) type OperationNumber = u64;

impl OpenOperations {
    /// Whether the client may have an operation that may go on.
    pub fn knows(&self, client: Fingerprint) -> bool {
        self.renewable > 0 || self.clients.contains_key(&client)
    }

    /// Whether there are operations that a new session could go on.
    pub fn has_renewable(&self) -> bool {
        self.renewable > 0
    }

    /// The evidence of a client.
    pub fn caller(&self, client: Fingerprint) -> Caller {
        let clue = Clue::number(client.0);
        self.callers.get(clue).unwrap_or_else(|| match self.callers.has_forgotten(clue) {
            true => Caller::forgotten(),
            false => Caller::default(),
        })
    }

    /// Notes the client and the connection of an attempt.
    pub fn note_caller(&mut self, attempt: &Attempt, resource: Clue) {
        let connection = Clue::number(attempt.connection);
        let used = self.connections.get(connection).map(|used| used.end);
        let end = used.unwrap_or(0).max(attempt.end);
        // A forgotten connection has been idle for an unknown time; it is not new.
        let idle = used.or_else(|| self.connections.has_forgotten(connection).then_some(u64::MAX));
        self.connections.set(connection, Use { end, resource });
        let mut caller = self.caller(attempt.client);
        caller.see(attempt, idle);
        self.callers.set(Clue::number(attempt.client.0), caller);
    }

    /// Changes what is known of a client, and gives it back.
    fn change_caller(&mut self, client: Fingerprint, change: impl FnOnce(&mut Caller)) -> Caller {
        let mut caller = self.caller(client);
        change(&mut caller);
        self.callers.set(Clue::number(client.0), caller);
        caller
    }

    /// Notes the evidence of an attempt about operations that it is no part of: that its like was under way, or came
    /// after their end. Gives back whether some were under way: alike, or writes to the resource.
    pub fn note_company(
        &mut self,
        attempt: &Attempt,
        evidence: &Clues,
        joined: Option<OperationNumber>,
    ) -> (bool, bool) {
        let mut under_way = (false, false);
        let caller = self.caller(attempt.client);
        for (clue, is_alike) in [(evidence.request, true), (evidence.resource, false)] {
            let Some(numbers) = self.places.get(&clue) else { continue };
            for number in numbers.iter().take(CANDIDATES).filter(|number| Some(**number) != joined) {
                let Some(open) = self.operations.get_mut(number) else { continue };
                let Some(latest) = open.latest() else { continue };
                let are_writes = latest.is_write() && attempt.is_write();
                if caller.tells_apart(&latest.sent, &attempt.sent) || !is_alike && !are_writes {
                    continue;
                }
                // Two versions at a time are two calls that can be told apart, as by their bodies.
                let is_same = is_alike && latest.sent.version == attempt.sent.version;
                let is_held = open.is_held();
                let doubts = &mut open.trail.doubts;
                if attempt.start < open.last_end {
                    doubts.is_overlapped |= is_same;
                    doubts.is_crossed |= !is_same;
                    under_way.0 |= is_same;
                    under_way.1 |= !is_same;
                } else if is_held
                    && attempt.start - open.last_end >= REACTION
                    && (is_alike || open.trail.is_rebased)
                {
                    doubts.is_followed = true;
                }
                if is_alike && (doubts.is_overlapped || doubts.is_followed) {
                    self.side_by_side.set(clue, ());
                }
            }
        }
        under_way
    }

    /// How many were put away for want of room.
    pub fn evicted(&self) -> u64 {
        self.evicted
    }

    /// The operations at a place, the oldest first; at most [`CANDIDATES`].
    pub fn at(&self, clue: Clue) -> impl Iterator<Item = (OperationNumber, &Open)> {
        let numbers = self.places.get(&clue).map(Vec::as_slice).unwrap_or_default();
        numbers.iter().take(CANDIDATES).filter_map(|number| Some((*number, self.operations.get(number)?)))
    }

    /// A read of the resource is one of the operations that write to it, but for the one, `part_of`, that it
    /// is itself a part of.
    pub fn read(&mut self, attempt: &Attempt, evidence: &Clues, part_of: Option<OperationNumber>) {
        if attempt.is_refused_in_part() {
            return;
        }
        let collection = Clues::collection(attempt).filter(|_| !attempt.is_write());
        let places = [(Some(evidence.resource), AttemptTarget::Resource), (collection, AttemptTarget::Item)];
        let mut seen: Vec<(OperationNumber, AttemptTarget)> = Vec::new();
        for (clue, place) in places {
            let Some(numbers) = clue.and_then(|clue| self.places.get(&clue)) else { continue };
            seen.extend(numbers.iter().take(CANDIDATES).map(|number| (*number, place)));
        }
        // A request that a rule's `read` names may go to any path.
        if !attempt.got.shown.readings().is_empty() {
            let own = self.clients.get(&attempt.client).into_iter().flatten();
            let elsewhere = own.filter(|number| seen.iter().all(|(known, _)| known != *number));
            let elsewhere: Vec<_> = elsewhere.map(|number| (*number, AttemptTarget::Elsewhere)).collect();
            seen.extend(elsewhere);
        }
        for (number, place) in seen.into_iter().filter(|(number, _)| Some(*number) != part_of) {
            let Some(open) = self.operations.get_mut(&number) else { continue };
            // A POST to a collection creates one of its items.
            let concerns = |tried: &&Attempt| place != AttemptTarget::Item || &*tried.method == "POST";
            let latest = open.latest().filter(concerns);
            if let Some(sight) = latest.and_then(|latest| reading::of(attempt, latest, place)) {
                open.read(ReadBetween::of(attempt, sight));
            }
        }
    }

    /// Begins an operation. `ended` gets the operations that are over: this one at once, or evicted ones.
    pub fn begin(
        &mut self,
        attempt: Arc<Attempt>,
        meaning: Meaning,
        evidence: Clues,
        ended: &mut Vec<Ended>,
    ) {
        let client = attempt.client;
        let number = self.next;
        self.next += 1;
        let under_way = self.note_company(&attempt, &evidence, None);
        let is_suspect = self.side_by_side.has_known(evidence.request);
        let mut open = Open::begin(attempt, meaning, evidence, is_suspect);
        (open.trail.doubts.is_overlapped, open.trail.doubts.is_crossed) = under_way;
        if meaning.is_retryable() {
            self.change_caller(client, |caller| caller.refused(number, true));
        }
        self.put(number, open, ended);
        if let Some(own) = self.clients.get(&client)
            && own.len() > OPEN_OPERATIONS_OF_A_CLIENT
            && let Some(oldest) = own.first().copied()
        {
            self.evict(oldest, ended);
        }
        self.make_room(ended);
    }

    /// Adds a try to an operation.
    pub fn go_on(
        &mut self,
        number: OperationNumber,
        link: Link,
        attempt: Arc<Attempt>,
        meaning: Meaning,
        evidence: Clues,
        ended: &mut Vec<Ended>,
    ) {
        let client = attempt.client;
        let (key, trace) = (attempt.sent.idempotency_key, attempt.sent.trace);
        let under_way = match link {
            // A hedge is under way beside its like on purpose.
            Link::Marker => (false, false),
            _ => self.note_company(&attempt, &evidence, Some(number)),
        };
        let Some(open) = self.operations.get_mut(&number) else { return };
        open.trail.doubts.is_overlapped |= under_way.0;
        open.trail.doubts.is_crossed |= under_way.1;
        let (request, resource) = open.about();
        // The connection of the try before serves something else by now: its client has other connections.
        let is_pooled = open.latest().is_some_and(|latest| {
            let used = self.connections.get(Clue::number(latest.connection));
            latest.connection != attempt.connection && used.is_some_and(|used| used.resource != resource)
        });
        let is_same_key = key.is_some() && open.latest().is_some_and(|one| one.sent.idempotency_key == key);
        let is_same_trace = trace.is_some() && open.latest().is_some_and(|one| one.sent.trace == trace);
        let caller = self.change_caller(client, |caller| {
            caller.is_pooled |= is_pooled;
            caller.keeps_keys |= is_same_key;
            caller.keeps_traces |= is_same_trace;
            caller.tried_again(request, resource);
            if meaning.is_retryable() {
                caller.refused(number, false);
            }
        });
        let has_company = self.places.get(&evidence.resource).is_some_and(|numbers| numbers.len() > 1);
        let Some(open) = self.operations.get_mut(&number) else { return };
        // With others at the resource, several reads may be those of several.
        let link = if has_company && open.has_unclear_reads(&attempt) { Link::AmbiguousReplay } else { link };
        if !open.is_found_by(&evidence) {
            if let Some(mut open) = self.remove(number) {
                open.go_on(attempt, meaning, evidence, link, &caller);
                ended.extend(open.tell(&caller).map(Ended::Told));
                match open.take_apart(&caller) {
                    None => self.put(number, open, ended),
                    Some((by, calls)) => self.put_apart(by, client, calls, ended),
                }
            }
            return self.make_room(ended);
        }
        // Mostly a try stands where the one before it stood.
        let may_come_apart = open.may_come_apart(&attempt);
        let before = (open.closes_at(), open.kept());
        open.go_on(attempt, meaning, evidence, link, &caller);
        ended.extend(open.tell(&caller).map(Ended::Told));
        let calls = if may_come_apart { open.take_apart(&caller) } else { None };
        let (closes_at, kept, is_over) = (open.closes_at(), open.kept(), open.is_over());
        if closes_at != before.0 {
            self.closings.remove(&(before.0, number));
            self.closings.insert((closes_at, number));
        }
        self.kept_tries = self.kept_tries - before.1 + kept;
        if let Some((by, calls)) = calls {
            self.remove(number);
            self.put_apart(by, client, calls, ended);
        } else if is_over {
            self.close_one(number, 0, ended);
        }
        self.make_room(ended);
    }

    /// Puts back the parts of an operation that turned out to be several.
    fn put_apart(&mut self, by: By, client: Fingerprint, calls: Vec<Open>, ended: &mut Vec<Ended>) {
        self.change_caller(client, |caller| {
            caller.keeps_keys |= by == By::Key;
            caller.keeps_traces |= by == By::Trace;
        });
        for call in calls {
            let number = self.next;
            self.next += 1;
            self.put(number, call, ended);
        }
    }

    fn close_one(&mut self, number: OperationNumber, now: u64, ended: &mut Vec<Ended>) {
        if let Some(open) = self.remove(number) {
            let caller = self.caller(open.client);
            let kind = if open.is_told() { Ended::Late } else { Ended::Operation };
            ended.push(kind(open.close(now, &caller)));
        }
    }

    /// Closes the operations that cannot go on, when the record has come to `now`.
    pub fn close_until(&mut self, now: u64, ended: &mut Vec<Ended>) {
        while let Some((at, number)) = self.closings.first().copied()
            && at < now
        {
            self.close_one(number, now, ended);
        }
    }

    /// Closes everything, in the order in which it began.
    pub fn close_all(mut self, now: u64, ended: &mut Vec<Ended>) {
        let mut numbers: Vec<OperationNumber> = self.operations.keys().copied().collect();
        numbers.sort_unstable();
        numbers.into_iter().for_each(|number| self.close_one(number, now, ended));
    }

    fn put(&mut self, number: OperationNumber, mut open: Open, ended: &mut Vec<Ended>) {
        if open.is_over() {
            let caller = self.caller(open.client);
            return ended.push(Ended::Operation(open.close(0, &caller)));
        }
        self.renewable += usize::from(open.is_renewable());
        let mut is_unseen = false;
        for clue in open.clues() {
            let numbers = self.places.entry(clue).or_default();
            let at = numbers.partition_point(|other| *other < number);
            numbers.insert(at, number);
            // One of them lies beyond those that are looked at from now on.
            if at >= CANDIDATES {
                is_unseen = true;
            } else if let Some(beyond) = numbers.get(CANDIDATES)
                && let Some(other) = self.operations.get_mut(beyond)
            {
                other.trail.doubts.is_unseen = true;
            }
        }
        open.trail.doubts.is_unseen |= is_unseen;
        self.clients.entry(open.client).or_default().insert(number);
        self.closings.insert((open.closes_at(), number));
        self.kept_tries += open.kept();
        self.operations.insert(number, open);
    }

    fn remove(&mut self, number: OperationNumber) -> Option<Open> {
        let open = self.operations.remove(&number)?;
        self.renewable -= usize::from(open.is_renewable());
        for clue in open.clues() {
            if let Entry::Occupied(mut numbers) = self.places.entry(clue) {
                numbers.get_mut().retain(|other| *other != number);
                if numbers.get().is_empty() {
                    numbers.remove();
                }
            }
        }
        if let Entry::Occupied(mut own) = self.clients.entry(open.client) {
            own.get_mut().remove(&number);
            if own.get().is_empty() {
                own.remove();
            }
        }
        self.closings.remove(&(open.closes_at(), number));
        self.kept_tries -= open.kept();
        Some(open)
    }

    fn make_room(&mut self, ended: &mut Vec<Ended>) {
        while self.operations.len() > OPEN_OPERATIONS || self.kept_tries > KEPT_TRIES_OVERALL {
            let Some((_, number)) = self.closings.first().copied() else { return };
            self.evict(number, ended);
        }
    }

    fn evict(&mut self, number: OperationNumber, ended: &mut Vec<Ended>) {
        self.evicted += 1;
        self.close_one(number, 0, ended);
    }
}
