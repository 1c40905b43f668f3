//! A bounded map that forgets what was asked about longest ago.

#![expect(
    clippy::indexing_slicing,
    reason = "a number of a node is made by `insert`, and nodes are never removed"
)]

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use super::entry::{self, Entry};
use crate::judgement::{Answer, Ask, Place, Table, Tell};
use crate::words::Moment;

/// Entries in a map, linked in the order in which they were last asked about.
#[derive(Debug)]
pub(super) struct Shard {
    places: HashMap<Place, u32>,
    nodes: Vec<Node>,
    newest: u32,
    oldest: u32,
    limit: usize,
    ttl: Duration,
    evicted: u64,
    /// The last ticket given.
    ticket: u64,
    /// Places where answers are kept, the oldest first.
    answers: VecDeque<Place>,
    answer_limit: usize,
    /// Nodes that hold nothing.
    free: Vec<u32>,
}

#[derive(Debug)]
struct Node {
    place: Place,
    entry: Entry,
    touched: Moment,
    newer: u32,
    older: u32,
}

/// No node: more nodes than this do not fit (160 GiB of them).
const NONE: u32 = u32::MAX;

impl Shard {
    pub fn new(limit: usize, answer_limit: usize, ttl: Duration) -> Shard {
        let limit = limit.clamp(1, NONE as usize);
        Shard {
            places: HashMap::new(),
            nodes: Vec::new(),
            newest: NONE,
            oldest: NONE,
            limit,
            ttl,
            evicted: 0,
            ticket: 0,
            answers: VecDeque::new(),
            answer_limit: answer_limit.max(1),
            free: Vec::new(),
        }
    }

    /// Answers what is asked about a place.
    pub fn ask(&mut self, place: Place, ask: Ask, now: Moment) -> Answer {
        let only_looks =
            matches!(ask, Ask::Version | Ask::Holder | Ask::Take | Ask::References | Ask::Opened { .. });
        if only_looks && !self.places.contains_key(&place) {
            return Entry::Nothing.ask(ask, now, 0);
        }
        self.ticket += 1;
        let ticket = self.ticket;
        let answer = self.entry(place, now).ask(ask, now, ticket);
        self.give_up_if_empty(place);
        answer
    }

    /// Takes in what is told about a place.
    pub fn tell(&mut self, place: Place, tell: Tell, now: Moment) {
        let makes = matches!(tell, Tell::Learn { .. } | Tell::Hold { .. } | Tell::Refer | Tell::Open { .. });
        if !makes && !self.places.contains_key(&place) {
            return;
        }
        let keeps_answer = matches!(tell, Tell::Finish { answer: Some(_), .. });
        self.entry(place, now).tell(tell, now);
        if keeps_answer {
            self.limit_answers(place);
        }
        self.give_up_if_empty(place);
    }

    /// What the count at a place stands at.
    pub fn count(&self, place: Place) -> u64 {
        self.places.get(&place).map_or(0, |&at| self.nodes[at as usize].entry.count())
    }

    pub fn keys_of(&self, table: Table) -> usize {
        self.places.keys().filter(|place| place.table == table).count()
    }

    pub fn len(&self) -> usize {
        self.places.len()
    }

    pub fn evicted(&self) -> u64 {
        self.evicted
    }

    /// The entry of `place`, as new when nobody asked about it for the time to live.
    fn entry(&mut self, place: Place, now: Moment) -> &mut Entry {
        let at = match self.places.get(&place) {
            Some(&at) => {
                if self.is_stale(at, now) {
                    self.nodes[at as usize].entry = Entry::default();
                }
                self.unlink(at);
                at
            }
            None => self.insert(place, now),
        };
        self.link_newest(at);
        let node = &mut self.nodes[at as usize];
        // Workers read the clock before they take the lock: never step back.
        node.touched = node.touched.max(now);
        &mut node.entry
    }

    /// A node for a new place: the oldest one's when that is stale or there is no room.
    fn insert(&mut self, place: Place, now: Moment) -> u32 {
        let node = Node { place, entry: Entry::default(), touched: now, newer: NONE, older: NONE };
        let full = self.places.len() >= self.limit;
        let at = if self.oldest != NONE && (full || self.is_stale(self.oldest, now)) {
            let oldest = self.oldest;
            if !self.is_stale(oldest, now) {
                self.evicted += 1;
            }
            self.unlink(oldest);
            self.places.remove(&self.nodes[oldest as usize].place);
            self.nodes[oldest as usize] = node;
            oldest
        } else if let Some(free) = self.free.pop() {
            self.nodes[free as usize] = node;
            free
        } else {
            self.nodes.push(node);
            (self.nodes.len() - 1) as u32
        };
        self.places.insert(place, at);
        at
    }

    fn is_stale(&self, at: u32, now: Moment) -> bool {
        let node = &self.nodes[at as usize];
        !entry::lives(&node.entry, node.touched, self.ttl, now)
    }

    /// Forgets the oldest kept answers beyond the limit; that they were answered stays known.
    fn limit_answers(&mut self, newest: Place) {
        self.answers.push_back(newest);
        while self.answers.len() > self.answer_limit {
            let oldest = self.answers.pop_front().and_then(|place| self.places.get(&place));
            if let Some(&at) = oldest
                && let Entry::Finished { answer, .. } = &mut self.nodes[at as usize].entry
            {
                *answer = None;
            }
        }
    }

    fn give_up_if_empty(&mut self, place: Place) {
        if let Some(&at) = self.places.get(&place)
            && self.nodes[at as usize].entry.is_nothing()
        {
            self.unlink(at);
            self.places.remove(&place);
            self.free.push(at);
        }
    }

    fn unlink(&mut self, at: u32) {
        let Node { newer, older, .. } = self.nodes[at as usize];
        match newer {
            NONE => self.newest = older,
            newer => self.nodes[newer as usize].older = older,
        }
        match older {
            NONE => self.oldest = newer,
            older => self.nodes[older as usize].newer = newer,
        }
    }

    fn link_newest(&mut self, at: u32) {
        let second = std::mem::replace(&mut self.newest, at);
        self.nodes[at as usize].newer = NONE;
        self.nodes[at as usize].older = second;
        match second {
            NONE => self.oldest = at,
            second => self.nodes[second as usize].newer = at,
        }
    }
}
