//! A bounded map that evicts the least recently used key.

#![expect(
    clippy::indexing_slicing,
    reason = "an index is made with its node, and no node is ever removed from the list of nodes"
)]

use std::collections::VecDeque;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Weak};
use std::time::Duration;

use hashbrown::HashTable;

use crate::engine::{Entry, Op, Packed, Reply, StateKey, StoredResponse};
use crate::model::Moment;

/// Entries linked in the order of their last use, and a table that finds them.
#[derive(Debug)]
pub(super) struct Shard {
    keys: HashTable<u32>,
    placement: RandomState,
    nodes: Vec<Node>,
    newest: u32,
    oldest: u32,
    limit: usize,
    ttl: Duration,
    evicted: u64,
    /// Keys whose entries hold responses, the oldest first.
    responses: VecDeque<(StateKey, Weak<StoredResponse>)>,
    response_limit: usize,
    /// Unused nodes.
    free: Vec<u32>,
    /// The operation that an evicted entry owes to another key.
    owed: Option<(StateKey, Op)>,
}

/// 80 bytes: all that a key costs beside 4 to 9 bytes of the table, a version, or a kept response.
#[derive(Debug)]
pub(super) struct Node {
    key: Packed,
    /// [`StateKey::place`].
    place: u64,
    entry: Entry,
    touched: Moment,
    newer: u32,
    older: u32,
}

/// No node; a real node never has this number, as so many take 320 GiB.
const NONE: u32 = u32::MAX;

/// Maximum number of requests in flight that an eviction passes over: an evicted one would let a
/// second one in beside it.
const SECOND_CHANCES: usize = 8;

impl Shard {
    pub fn new(limit: usize, response_limit: usize, ttl: Duration, placement: RandomState) -> Shard {
        Shard {
            keys: HashTable::new(),
            placement,
            nodes: Vec::new(),
            newest: NONE,
            oldest: NONE,
            limit: limit.clamp(1, NONE as usize),
            ttl,
            evicted: 0,
            responses: VecDeque::new(),
            response_limit: response_limit.max(1),
            free: Vec::new(),
            owed: None,
        }
    }

    /// Runs an operation on the entry of `key`; `hash` is the key's under the shard's `placement`.
    pub fn run(&mut self, hash: u64, key: StateKey, op: Op, now: Moment) -> Reply {
        if !op.creates() && self.find(hash, key).is_none() {
            return Entry::default().apply(op, now);
        }
        let at = self.touch(hash, key, now);
        let entry = &mut self.nodes[at as usize].entry;
        let before = entry.response().map(Arc::as_ptr);
        let reply = entry.apply(op, now);
        if let Some(response) = entry.response()
            && before != Some(Arc::as_ptr(response))
        {
            let response = Arc::downgrade(response);
            self.limit_responses(key, response);
        }
        if self.nodes[at as usize].entry.is_nothing() {
            self.remove(hash, at);
        }
        reply
    }

    /// Takes the operation owed by an entry that was evicted since the last call.
    pub fn take_owed(&mut self) -> Option<(StateKey, Op)> {
        self.owed.take()
    }

    /// Calls `each` with every entry.
    pub fn each(&self, each: &mut dyn FnMut(StateKey, &Entry)) {
        self.keys.iter().map(|&at| &self.nodes[at as usize]).for_each(|node| each(node.key(), &node.entry));
    }

    pub fn len(&self) -> usize {
        self.keys.len()
    }

    pub fn evicted(&self) -> u64 {
        self.evicted
    }

    fn find(&self, hash: u64, key: StateKey) -> Option<u32> {
        self.keys.find(hash, |&at| self.nodes[at as usize].key() == key).copied()
    }

    /// The node of `key`, moved to the newest end; reset when its time to live has passed.
    fn touch(&mut self, hash: u64, key: StateKey, now: Moment) -> u32 {
        let at = match self.find(hash, key) {
            Some(at) => {
                let Node { entry, touched, .. } = &mut self.nodes[at as usize];
                if now.since(*touched) > self.ttl && entry.may_expire(key, now) {
                    *entry = Entry::default();
                }
                self.unlink(at);
                at
            }
            None => self.insert(hash, key, now),
        };
        self.link_newest(at);
        let node = &mut self.nodes[at as usize];
        // Workers read the clock before they take the lock: never step back.
        node.touched = node.touched.max(now);
        at
    }

    /// A node for a new key.
    fn insert(&mut self, hash: u64, key: StateKey, now: Moment) -> u32 {
        self.make_room(now);
        let node = Node {
            key: key.key.into(),
            place: key.place(),
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
        let Shard { keys, nodes, placement, .. } = self;
        keys.insert_unique(hash, at, |&at| placement.hash_one(nodes[at as usize].key()));
        at
    }

    /// Evicts the oldest when it is stale, or when the map is full.
    fn make_room(&mut self, now: Moment) {
        let is_full = self.keys.len() >= self.limit;
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
        let key = node.key();
        self.owed = node.entry.owes(key);
        self.remove(self.placement.hash_one(key), oldest);
    }

    fn is_stale(&self, at: u32, now: Moment) -> bool {
        let node = &self.nodes[at as usize];
        now.since(node.touched) > self.ttl && !node.entry.is_leased(now)
    }

    /// Evicts the oldest responses beyond the limit; their entries keep the fact that there was one.
    fn limit_responses(&mut self, key: StateKey, newest: Weak<StoredResponse>) {
        self.responses.push_back((key, newest));
        while self.responses.len() > self.response_limit {
            let Some((key, oldest)) = self.responses.pop_front() else { break };
            let Some(at) = self.find(self.placement.hash_one(key), key) else { continue };
            let entry = &mut self.nodes[at as usize].entry;
            if entry.response().is_some_and(|kept| std::ptr::eq(Arc::as_ptr(kept), oldest.as_ptr())) {
                entry.evict_response();
            }
        }
    }

    fn remove(&mut self, hash: u64, at: u32) {
        if let Ok(found) = self.keys.find_entry(hash, |&other| other == at) {
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
    fn key(&self) -> StateKey {
        StateKey::at(self.place, self.key.into())
    }
}
