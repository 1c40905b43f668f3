//! A bounded map that forgets what was asked about longest ago.

#![expect(
    clippy::indexing_slicing,
    reason = "a number of a node is made by `insert`, and nodes are never removed"
)]

use std::collections::HashMap;
use std::time::Duration;

use super::Slot;
use crate::words::{KeyHash, Moment};

/// What an entry is kept under.
pub(super) type Place = (Slot, KeyHash);

/// What is kept for one rule and one key.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Entry {
    /// Requests counted.
    pub count: u64,
    /// A window's state.
    pub moment: Moment,
}

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
    pub fn new(limit: usize, ttl: Duration) -> Shard {
        let limit = limit.clamp(1, NONE as usize);
        Shard {
            places: HashMap::new(),
            nodes: Vec::new(),
            newest: NONE,
            oldest: NONE,
            limit,
            ttl,
            evicted: 0,
        }
    }

    pub fn len(&self) -> usize {
        self.places.len()
    }

    pub fn evicted(&self) -> u64 {
        self.evicted
    }

    pub fn peek(&self, place: Place) -> Option<&Entry> {
        let at = *self.places.get(&place)?;
        Some(&self.nodes[at as usize].entry)
    }

    /// The entry of `place`, as new when nobody asked about it for the time to live.
    pub fn entry(&mut self, place: Place, now: Moment) -> &mut Entry {
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
        let full = self.nodes.len() >= self.limit;
        let at = if self.oldest != NONE && (full || self.is_stale(self.oldest, now)) {
            let oldest = self.oldest;
            if !self.is_stale(oldest, now) {
                self.evicted += 1;
            }
            self.unlink(oldest);
            self.places.remove(&self.nodes[oldest as usize].place);
            self.nodes[oldest as usize] = node;
            oldest
        } else {
            self.nodes.push(node);
            (self.nodes.len() - 1) as u32
        };
        self.places.insert(place, at);
        at
    }

    fn is_stale(&self, at: u32, now: Moment) -> bool {
        now.since(self.nodes[at as usize].touched) > self.ttl
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
