//! The operations that may go on, found by what could be a part of them. Bounded: when there is no
//! room, the oldest is put away and counted.

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};
use std::hash::BuildHasherDefault;
use std::sync::Arc;

use siphasher::sip::SipHasher13;

use super::Ended;
use super::evidence::{Clue, Evidence};
use super::meaning::Meaning;
use super::open::Open;
use super::{CANDIDATES, KEPT_TRIES_OVERALL, OPEN_OPERATIONS, OPEN_OPERATIONS_OF_A_CLIENT};
use crate::judgement::grading::{Link, Operation};
use crate::words::{Attempt, Fingerprint};

#[derive(Clone, Debug, Default)]
pub(super) struct Table {
    operations: Map<Number, Open>,
    /// By request, resource and markers. An operation stands under those of its last try, and under
    /// the markers of all its tries.
    places: Map<Clue, Vec<Number>>,
    clients: Map<Fingerprint, BTreeSet<Number>>,
    closings: BTreeSet<(u64, Number)>,
    next: Number,
    kept_tries: usize,
    evicted: u64,
}

/// Numbers are given in the order in which operations began, and keys are hashes already.
type Map<K, V> = HashMap<K, V, BuildHasherDefault<SipHasher13>>;
pub(super) type Number = u64;

impl Table {
    /// Whether the client has an operation that may go on.
    pub fn knows(&self, client: Fingerprint) -> bool {
        self.clients.contains_key(&client)
    }

    /// How many were put away for want of room.
    pub fn evicted(&self) -> u64 {
        self.evicted
    }

    /// The operations at a place, the oldest first; at most [`CANDIDATES`].
    pub fn at(&self, clue: Clue) -> impl Iterator<Item = (Number, &Open)> {
        let numbers = self.places.get(&clue).map(Vec::as_slice).unwrap_or_default();
        numbers.iter().take(CANDIDATES).filter_map(|number| Some((*number, self.operations.get(number)?)))
    }

    /// A read of the resource is one of the operations that write to it.
    pub fn read(&mut self, attempt: &Attempt, evidence: &Evidence) {
        let collection = Evidence::collection(attempt);
        for (clue, is_item) in [(Some(evidence.resource), true), (collection, false)] {
            let Some(numbers) = clue.and_then(|clue| self.places.get(&clue)) else { continue };
            for number in numbers.iter().take(CANDIDATES) {
                let Some(open) = self.operations.get_mut(number) else { continue };
                // What a POST to a collection made is one of its items.
                let concerns = |tried: &Attempt| tried.is_write() && (is_item || &*tried.method == "POST");
                if open.latest().is_some_and(concerns) {
                    open.read(attempt);
                }
            }
        }
    }

    /// Begins an operation. `ended` gets what is over: it at once, or others for want of room.
    pub fn begin(
        &mut self,
        attempt: Arc<Attempt>,
        meaning: Meaning,
        evidence: Evidence,
        ended: &mut Vec<Ended>,
    ) {
        let client = attempt.client;
        let number = self.next;
        self.next += 1;
        self.put(number, Open::begin(attempt, meaning, evidence), ended);
        if let Some(own) = self.clients.get(&client)
            && own.len() > OPEN_OPERATIONS_OF_A_CLIENT
            && let Some(oldest) = own.first().copied()
        {
            ended.extend(self.evict(oldest).map(Ended::Operation));
        }
        self.make_room(ended);
    }

    /// Adds a try to an operation.
    pub fn go_on(
        &mut self,
        number: Number,
        link: Link,
        attempt: Arc<Attempt>,
        meaning: Meaning,
        evidence: Evidence,
        ended: &mut Vec<Ended>,
    ) {
        let Some(open) = self.operations.get_mut(&number) else { return };
        if !open.is_found_by(&evidence) {
            if let Some(mut open) = self.remove(number) {
                open.go_on(attempt, meaning, evidence, link);
                self.put(number, open, ended);
            }
            return self.make_room(ended);
        }
        // Mostly a try stands where the one before it stood.
        let before = (open.closes_at(), open.kept());
        open.go_on(attempt, meaning, evidence, link);
        let (closes_at, kept, is_over) = (open.closes_at(), open.kept(), open.is_over());
        self.closings.remove(&(before.0, number));
        self.closings.insert((closes_at, number));
        self.kept_tries = self.kept_tries - before.1 + kept;
        if is_over {
            ended.extend(self.remove(number).map(|open| Ended::Operation(open.close(0))));
        }
        self.make_room(ended);
    }

    /// Closes what nothing more can come of, when the record has come to `now`.
    pub fn close_until(&mut self, now: u64, ended: &mut Vec<Ended>) {
        while let Some((at, number)) = self.closings.first().copied()
            && at < now
        {
            ended.extend(self.remove(number).map(|open| Ended::Operation(open.close(now))));
        }
    }

    /// Closes everything, in the order in which it began.
    pub fn close_all(self, now: u64) -> impl Iterator<Item = Operation> {
        let mut operations: Vec<(Number, Open)> = self.operations.into_iter().collect();
        operations.sort_unstable_by_key(|(number, _)| *number);
        operations.into_iter().map(move |(_, open)| open.close(now))
    }

    fn put(&mut self, number: Number, open: Open, ended: &mut Vec<Ended>) {
        if open.is_over() {
            return ended.push(Ended::Operation(open.close(0)));
        }
        for clue in open.clues() {
            let numbers = self.places.entry(clue).or_default();
            let at = numbers.partition_point(|other| *other < number);
            numbers.insert(at, number);
        }
        self.clients.entry(open.client).or_default().insert(number);
        self.closings.insert((open.closes_at(), number));
        self.kept_tries += open.kept();
        self.operations.insert(number, open);
    }

    fn remove(&mut self, number: Number) -> Option<Open> {
        let open = self.operations.remove(&number)?;
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
            ended.extend(self.evict(number).map(Ended::Operation));
        }
    }

    fn evict(&mut self, number: Number) -> Option<Operation> {
        self.evicted += 1;
        self.remove(number).map(|open| open.close(0))
    }
}
