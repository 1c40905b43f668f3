//! The sequential references: the specified verdict of each trigger, in a few lines.

use std::collections::{HashMap, HashSet};

use super::model::Model;
use super::*;
use crate::rules::Clear;

fn word(conflicts: bool) -> String {
    if conflicts { "conflict" } else { "pass" }.into()
}

/// Counted triggers: `fires` decides by the times of a key's requests so far, this one last.
pub struct Counted<F> {
    pub times: HashMap<u8, Vec<Moment>>,
    pub fires: F,
}

impl<F: Fn(&[Moment]) -> bool> Model for Counted<F> {
    fn line(&self, client: u8, key: u8, _: u8) -> String {
        format!("{client} PUT /items/{key}")
    }

    fn begin(&mut self, _: usize, _: u8, key: u8, _: u8, now: Moment) -> String {
        let times = self.times.entry(key).or_default();
        times.push(now);
        word((self.fires)(times))
    }

    fn end(&mut self, _: usize, _: bool, _: Moment) {}
}

/// Requests in flight, by key: at most one.
#[derive(Default)]
pub struct Overlap(HashMap<u8, usize>);

impl Model for Overlap {
    fn line(&self, client: u8, key: u8, _: u8) -> String {
        format!("{client} PUT /items/{key}")
    }

    fn begin(&mut self, id: usize, _: u8, key: u8, _: u8, _: Moment) -> String {
        if self.0.contains_key(&key) {
            return "conflict".into();
        }
        self.0.insert(key, id);
        "admit".into()
    }

    fn end(&mut self, id: usize, _: bool, _: Moment) {
        self.0.retain(|_, running| *running != id);
    }
}

/// By key: the payload, the running request, and whether it has a response.
#[derive(Default)]
pub struct KeyInUse(pub HashMap<u8, (u8, usize, bool)>);

impl Model for KeyInUse {
    fn line(&self, client: u8, key: u8, flavour: u8) -> String {
        format!("{client} POST /orders idempotency-key:{key} {{\"a\":{}}}", flavour / 3)
    }

    fn begin(&mut self, id: usize, _: u8, key: u8, flavour: u8, _: Moment) -> String {
        let payload = flavour / 3;
        match self.0.get(&key) {
            None => {
                self.0.insert(key, (payload, id, false));
                "admit".into()
            }
            Some((other, ..)) if *other != payload => "conflict 422".into(),
            Some((_, _, true)) => "replay ".into(),
            Some(_) => "conflict".into(),
        }
    }

    fn end(&mut self, id: usize, accepted: bool, _: Moment) {
        if accepted {
            self.0.values_mut().filter(|(_, running, _)| *running == id).for_each(|entry| entry.2 = true);
        } else {
            self.0.retain(|_, (_, running, is_done)| *running != id || *is_done);
        }
    }
}

/// Accepted requests create and remove entries: flavour 0 removes.
#[derive(Default)]
pub struct Duplicate {
    pub made: HashSet<u8>,
    running: HashMap<usize, (u8, bool)>,
}

impl Model for Duplicate {
    fn line(&self, client: u8, key: u8, flavour: u8) -> String {
        match flavour {
            0 => format!("{client} DELETE /users/{key}"),
            _ => format!("{client} POST /users {{\"name\":\"{key}\"}}"),
        }
    }

    fn begin(&mut self, id: usize, _: u8, key: u8, flavour: u8, _: Moment) -> String {
        let is_made = flavour > 0 && self.made.contains(&key);
        if !is_made {
            self.running.insert(id, (key, flavour > 0));
        }
        if flavour == 0 { String::new() } else { word(is_made) }
    }

    fn end(&mut self, id: usize, accepted: bool, _: Moment) {
        match self.running.remove(&id) {
            Some((key, true)) if accepted => drop(self.made.insert(key)),
            Some((key, false)) if accepted => drop(self.made.remove(&key)),
            _ => {}
        }
    }
}

/// The item that each order refers to. Flavour 0 deletes the item, 1 the order, the others write it.
#[derive(Default)]
pub struct Referenced {
    pub orders: HashMap<u8, u8>,
    running: HashMap<usize, (u8, Option<u8>)>,
}

impl Model for Referenced {
    fn line(&self, client: u8, key: u8, flavour: u8) -> String {
        match flavour {
            0 => format!("{client} DELETE /items/{key}"),
            1 => format!("{client} DELETE /orders/{client}"),
            _ => format!("{client} PUT /orders/{client} {{\"item\":{key}}}"),
        }
    }

    fn begin(&mut self, id: usize, client: u8, key: u8, flavour: u8, _: Moment) -> String {
        if flavour == 0 {
            return word(self.orders.values().any(|item| *item == key));
        }
        self.running.insert(id, (client, (flavour > 1).then_some(key)));
        String::new()
    }

    fn end(&mut self, id: usize, accepted: bool, _: Moment) {
        match self.running.remove(&id) {
            Some((order, Some(item))) if accepted => drop(self.orders.insert(order, item)),
            Some((order, None)) if accepted => drop(self.orders.remove(&order)),
            _ => {}
        }
    }
}

pub const LEASE_OF_LOCK: Duration = Duration::from_secs(3);

/// By key: the holder, and the end of its lease. Flavour 0 releases.
#[derive(Default)]
pub struct Locked {
    held: HashMap<u8, (u8, Moment)>,
    running: HashMap<usize, (u8, Option<u8>)>,
}

impl Locked {
    fn other(&self, client: u8, key: u8, now: Moment) -> bool {
        self.held.get(&key).is_some_and(|(holder, until)| *holder != client && *until > now)
    }
}

impl Model for Locked {
    fn line(&self, client: u8, key: u8, flavour: u8) -> String {
        let (method, end) = if flavour == 0 { ("DELETE", "/lock") } else { ("PUT", "") };
        format!("{client} {method} /docs/{key}{end}")
    }

    fn begin(&mut self, id: usize, client: u8, key: u8, flavour: u8, now: Moment) -> String {
        if flavour == 0 {
            self.running.insert(id, (key, None));
            return String::new();
        }
        self.running.insert(id, (key, Some(client)));
        word(self.other(client, key, now))
    }

    fn end(&mut self, id: usize, accepted: bool, now: Moment) {
        match self.running.remove(&id) {
            Some((key, None)) if accepted => drop(self.held.remove(&key)),
            Some((key, Some(client))) if accepted && !self.other(client, key, now) => {
                self.held.insert(key, (client, now + LEASE_OF_LOCK));
            }
            _ => {}
        }
    }
}

/// Conflicts by key and client: tries, since when, the refused version, whether it was read since.
/// Flavour 0 reads, the others write with a version of their own.
pub struct Cleared {
    pub clear: Clear,
    pub open: HashMap<(u8, u8), (u64, Moment, u8, bool)>,
    pub reading: HashMap<usize, ((u8, u8), Moment)>,
}

impl Model for Cleared {
    fn line(&self, client: u8, key: u8, flavour: u8) -> String {
        match flavour {
            0 => format!("{client} GET /items/{key}"),
            _ => format!("{client} PUT /items/{key} if-match:\"{flavour}\""),
        }
    }

    fn begin(&mut self, id: usize, client: u8, key: u8, flavour: u8, now: Moment) -> String {
        if flavour == 0 {
            self.reading.insert(id, ((client, key), now));
            return String::new();
        }
        let Some((tries, since, refused, is_read)) = self.open.get_mut(&(client, key)) else {
            self.open.insert((client, key), (1, now, flavour, false));
            return "conflict 1".into();
        };
        let is_over = match self.clear {
            Clear::Refetch => *is_read,
            Clear::NewVersion => *is_read || *refused != flavour,
            Clear::After(length) => now.since(*since) >= length,
            Clear::Tries(limit) => *tries == limit.get(),
            Clear::Never => false,
        };
        if is_over {
            self.open.remove(&(client, key));
            return "cleared".into();
        }
        *tries += 1;
        format!("conflict {tries}")
    }

    fn end(&mut self, id: usize, accepted: bool, _: Moment) {
        if let Some((what, began)) = self.reading.remove(&id)
            && accepted
            && let Some((_, since, _, is_read)) = self.open.get_mut(&what)
        {
            *is_read |= began > *since;
        }
    }
}
