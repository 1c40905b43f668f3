//! A bounded map that forgets what was asked about longest ago.

#![expect(
    clippy::indexing_slicing,
    reason = "an index is made with its node, and no node is ever removed from the list of nodes"
)]

use std::collections::VecDeque;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Weak};
use std::time::Duration;

use hashbrown::HashTable;

use super::entry::{Entry, Packed};
use crate::engine::{Answer, Ask, Place, StoredAnswer, Table, Tell};
use crate::model::Moment;
use crate::rules::Clear;

/// Entries linked in the order in which they were last asked about, and a table that finds them.
#[derive(Debug)]
pub(super) struct Shard {
    places: HashTable<u32>,
    placement: RandomState,
    nodes: Vec<Node>,
    newest: u32,
    oldest: u32,
    limit: usize,
    ttl: Duration,
    evicted: u64,
    /// The last ticket given.
    ticket: u64,
    /// Where answers are kept, the oldest first.
    answers: VecDeque<(Place, Weak<StoredAnswer>)>,
    answer_limit: usize,
    /// Nodes that hold nothing.
    free: Vec<u32>,
    /// What a forgotten referrer referred to.
    orphan: Option<Place>,
}

/// 80 bytes: all that a key costs beside 4 to 9 bytes of the table, a version, or a kept answer.
#[derive(Debug)]
pub(super) struct Node {
    key: Packed,
    rule: u32,
    table: Table,
    entry: Entry,
    touched: Moment,
    newer: u32,
    older: u32,
}

/// No node: more nodes than this do not fit (320 GiB of them).
const NONE: u32 = u32::MAX;

/// So many requests in flight are passed over, at most, when room is made: one that is forgotten
/// would let a second one in beside it.
const SECOND_CHANCES: usize = 8;

impl Shard {
    pub fn new(limit: usize, answer_limit: usize, ttl: Duration, placement: RandomState) -> Shard {
        Shard {
            places: HashTable::new(),
            placement,
            nodes: Vec::new(),
            newest: NONE,
            oldest: NONE,
            limit: limit.clamp(1, NONE as usize),
            ttl,
            evicted: 0,
            ticket: 0,
            answers: VecDeque::new(),
            answer_limit: answer_limit.max(1),
            free: Vec::new(),
            orphan: None,
        }
    }

    /// Answers what is asked about a place; `hash` is the place's under the shard's `placement`.
    pub fn ask(&mut self, hash: u64, place: Place, ask: Ask, now: Moment) -> Answer {
        let only_looks =
            matches!(ask, Ask::Version | Ask::Holder | Ask::Take | Ask::References | Ask::Opened { .. });
        if only_looks && self.find(hash, place).is_none() {
            return Entry::Nothing.ask(ask, now, 0);
        }
        self.ticket += 1;
        let ticket = self.ticket;
        let at = self.touch(hash, place, now);
        let answer = self.nodes[at as usize].entry.ask(ask, now, ticket);
        self.give_up_if_empty(hash, at);
        answer
    }

    /// Takes in what is told about a place.
    pub fn tell(&mut self, hash: u64, place: Place, tell: Tell, now: Moment) {
        let makes = matches!(tell, Tell::Learn { .. } | Tell::Hold { .. } | Tell::Refer | Tell::Open { .. });
        if !makes && self.find(hash, place).is_none() {
            return;
        }
        let left = match &tell {
            Tell::Finish { answer: Some(answer), .. } => Some(Arc::downgrade(answer)),
            _ => None,
        };
        let at = self.touch(hash, place, now);
        self.nodes[at as usize].entry.tell(tell, now);
        if let Some(left) = left
            && self.nodes[at as usize].entry.keeps(&left)
        {
            self.limit_answers(place, left);
        }
        self.give_up_if_empty(hash, at);
    }

    /// What the count at a place stands at.
    pub fn count(&self, hash: u64, place: Place) -> u64 {
        self.find(hash, place).map_or(0, |at| self.nodes[at as usize].entry.count())
    }

    /// What a referrer referred to that had to be forgotten since this was last asked.
    pub fn take_orphan(&mut self) -> Option<Place> {
        self.orphan.take()
    }

    pub fn keys_of(&self, table: Table) -> usize {
        self.places.iter().filter(|&&at| self.nodes[at as usize].table == table).count()
    }

    /// Calls `each` with the rule of every conflict that is open at `now`.
    pub fn each_open(&self, now: Moment, clear: &dyn Fn(u32) -> Option<Clear>, each: &mut dyn FnMut(u32)) {
        for node in self.places.iter().map(|&at| &self.nodes[at as usize]) {
            let is_opened = node.table == Table::Opened;
            if is_opened && clear(node.rule).is_some_and(|clear| node.entry.is_open(clear, None, now)) {
                each(node.rule);
            }
        }
    }

    pub fn len(&self) -> usize {
        self.places.len()
    }

    pub fn evicted(&self) -> u64 {
        self.evicted
    }

    fn find(&self, hash: u64, place: Place) -> Option<u32> {
        self.places.find(hash, |&at| self.nodes[at as usize].place() == place).copied()
    }

    /// The node of `place`, made the newest; as new when nobody asked about it for the time to live.
    fn touch(&mut self, hash: u64, place: Place, now: Moment) -> u32 {
        let at = match self.find(hash, place) {
            Some(at) => {
                // A referrer counts until it is taken or forgotten, however late that is.
                if place.table != Table::Referrer && self.is_stale(at, now) {
                    self.nodes[at as usize].entry = Entry::default();
                }
                self.unlink(at);
                at
            }
            None => self.insert(hash, place, now),
        };
        self.link_newest(at);
        let node = &mut self.nodes[at as usize];
        // Workers read the clock before they take the lock: never step back.
        node.touched = node.touched.max(now);
        at
    }

    /// A node for a new place.
    fn insert(&mut self, hash: u64, place: Place, now: Moment) -> u32 {
        self.make_room(now);
        let node = Node {
            key: place.key.into(),
            rule: place.rule,
            table: place.table,
            entry: Entry::default(),
            touched: now,
            newer: NONE,
            older: NONE,
        };
        let at = if let Some(free) = self.free.pop() {
            self.nodes[free as usize] = node;
            free
        } else {
            if self.nodes.len() == self.nodes.capacity() {
                let length = self.nodes.len();
                self.nodes.reserve_exact(length.max(64).min(self.limit.saturating_sub(length)));
            }
            self.nodes.push(node);
            (self.nodes.len() - 1) as u32
        };
        let Shard { places, nodes, placement, .. } = self;
        places.insert_unique(hash, at, |&at| placement.hash_one(nodes[at as usize].place()));
        at
    }

    /// Forgets the oldest when that is stale, or when there is no room.
    fn make_room(&mut self, now: Moment) {
        let is_full = self.places.len() >= self.limit;
        for _ in 0..SECOND_CHANCES {
            let oldest = self.oldest;
            if !is_full || oldest == NONE || !self.nodes[oldest as usize].entry.is_running(now) {
                break;
            }
            self.unlink(oldest);
            self.link_newest(oldest);
        }
        let oldest = self.oldest;
        if oldest == NONE {
            return;
        }
        let is_stale = self.is_stale(oldest, now);
        if !is_full && !is_stale {
            return;
        }
        if !is_stale {
            self.evicted += 1;
        }
        let node = &self.nodes[oldest as usize];
        let place = node.place();
        if let (Table::Referrer, Entry::Held { holder, .. }) = (node.table, &node.entry) {
            self.orphan = Some(Place { table: Table::State, key: (*holder).into(), ..place });
        }
        self.remove(self.placement.hash_one(place), oldest);
    }

    fn is_stale(&self, at: u32, now: Moment) -> bool {
        let node = &self.nodes[at as usize];
        now.since(node.touched) > self.ttl && !node.entry.is_leased(now)
    }

    /// Forgets the oldest kept answers beyond the limit; that they were answered stays known.
    fn limit_answers(&mut self, place: Place, newest: Weak<StoredAnswer>) {
        self.answers.push_back((place, newest));
        while self.answers.len() > self.answer_limit {
            let Some((place, oldest)) = self.answers.pop_front() else { break };
            let Some(at) = self.find(self.placement.hash_one(place), place) else { continue };
            if self.nodes[at as usize].entry.keeps(&oldest) {
                self.nodes[at as usize].entry.drop_answer();
            }
        }
    }

    fn give_up_if_empty(&mut self, hash: u64, at: u32) {
        if self.nodes[at as usize].entry.is_nothing() {
            self.remove(hash, at);
        }
    }

    fn remove(&mut self, hash: u64, at: u32) {
        if let Ok(found) = self.places.find_entry(hash, |&other| other == at) {
            found.remove();
        }
        self.unlink(at);
        self.nodes[at as usize].entry = Entry::Nothing;
        self.free.push(at);
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

impl Node {
    fn place(&self) -> Place {
        Place { rule: self.rule, table: self.table, key: self.key.into() }
    }
}
