//! The state of one key, and how each operation changes it: pure, and the same in every store. A store runs
//! [`Entry::apply`] atomically, and knows nothing of the meaning of an entry.

mod encoding;

pub use encoding::DecodeError;

use std::sync::Arc;

use super::operation::{Held, Keyspace, KnownVersion, Learnt, Op, Reply, StateKey, StoredResponse};
use crate::model::{KeyHash, Moment};
use crate::rules::{Clear, Rate};

/// The state of one key, in 40 bytes. Its moments are the store's own.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Entry {
    #[default]
    Nothing,
    Count(u64),
    /// The moment at which the bucket will be full again.
    Window {
        count: u64,
        full_at: Moment,
    },
    Version(Box<VersionEntry>),
    In {
        ticket: u64,
        payload: Packed,
        until: Moment,
    },
    Finished {
        payload: Packed,
        response: Option<Arc<StoredResponse>>,
    },
    Held {
        holder: Packed,
        until: Option<Moment>,
    },
    References(u64),
    Since {
        first: Moment,
        count: u64,
    },
    Opened {
        n: u64,
        tries: u32,
        since: Moment,
        /// That of the request that was refused; zero for one without.
        validator: Packed,
        is_read: bool,
    },
    /// The newest representation of a resource; `None` where it changed, and how is not known.
    Shown {
        /// When a write last ended.
        changed: Moment,
        response: Option<Arc<StoredResponse>>,
    },
}

#[derive(Clone, Debug, PartialEq)]
pub struct VersionEntry {
    seen: KnownVersion,
    /// When another version than before was last seen, or a write last ended.
    changed: Moment,
    /// The one that was the newest before, as a hash: a read that took long may still show it.
    superseded: u64,
}

/// A [`KeyHash`] that need not lie on a multiple of 16 bytes, which would cost a third more memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Packed(u64, u64);

impl From<KeyHash> for Packed {
    fn from(KeyHash(hash): KeyHash) -> Packed {
        Packed((hash >> 64) as u64, hash as u64)
    }
}

impl From<Packed> for KeyHash {
    fn from(Packed(high, low): Packed) -> KeyHash {
        KeyHash(u128::from(high) << 64 | u128::from(low))
    }
}

impl Entry {
    /// Runs one operation at `now`, by the store's clock.
    pub fn apply(&mut self, op: Op, now: Moment) -> Reply {
        match op {
            Op::Count => {
                let n = self.count() + 1;
                *self = Entry::Count(n);
                Reply::Counted { n }
            }
            Op::Window(rate) => self.window(rate, now),
            Op::Version => Reply::Version(match self {
                Entry::Version(version) => Some(version.seen.clone()),
                _ => None,
            }),
            Op::Enter { ticket, lease, payload } => match self {
                Entry::In { payload, until, .. } if *until > now => {
                    Reply::Running { payload: (*payload).into() }
                }
                // Without a stored response the request runs again.
                Entry::Finished { payload: done, response }
                    if response.is_some() || *done != Packed::from(payload) =>
                {
                    Reply::Finished { payload: (*done).into(), response: response.clone() }
                }
                _ => {
                    *self = Entry::In { ticket, payload: payload.into(), until: now + lease };
                    Reply::Entered
                }
            },
            Op::Holder => Reply::Held(self.holder(now)),
            Op::Take => {
                let holder = self.holder(now);
                *self = Entry::Nothing;
                Reply::Held(holder)
            }
            Op::Replace(holder) => {
                let previous = self.holder(now);
                *self = Entry::Held { holder: holder.into(), until: None };
                Reply::Held(previous)
            }
            Op::References => Reply::References(match self {
                Entry::References(count) => *count,
                _ => 0,
            }),
            Op::Age => {
                let (first, n) = match self {
                    Entry::Since { first, count } => (*first, *count + 1),
                    _ => (now, 1),
                };
                *self = Entry::Since { first, count: n };
                Reply::Age { age: now.since(first), n }
            }
            Op::Opened { clear, validator } => self.opened(clear, validator, now),
            Op::Current => Reply::Current(match self {
                Entry::Shown { response, .. } => response.clone(),
                _ => None,
            }),
            command => {
                self.obey(command, now);
                Reply::Done
            }
        }
    }

    /// Runs an operation that asks for nothing.
    fn obey(&mut self, command: Op, now: Moment) {
        match command {
            Op::Learn { seen, took, how } => self.learn(seen, now - took, how, now),
            Op::Show { response, took, how } => self.show(response, now - took, how, now),
            Op::Leave { ticket: left } => {
                if matches!(self, Entry::In { ticket, .. } if *ticket == left) {
                    *self = Entry::Nothing;
                }
            }
            Op::Finish { ticket: done, payload, response } => {
                if matches!(self, Entry::In { ticket, .. } if *ticket == done) {
                    *self = Entry::Finished { payload: payload.into(), response };
                }
            }
            Op::Hold { holder, lease } => self.hold(holder.into(), lease.map(|lease| now + lease), now),
            Op::Release => *self = Entry::Nothing,
            Op::Refer => match self {
                Entry::References(count) => *count = count.saturating_add(1),
                _ => *self = Entry::References(1),
            },
            Op::Unrefer => match self {
                Entry::References(count @ 2..) => *count -= 1,
                _ => *self = Entry::Nothing,
            },
            Op::Open { n, validator } => {
                // Of requests that were refused at once, each is a try under one conflict.
                let tried = if let Entry::Opened { tries, .. } = self { *tries } else { 0 };
                *self = Entry::Opened {
                    n,
                    tries: tried.saturating_add(1),
                    since: now,
                    validator: packed(validator),
                    is_read: false,
                };
            }
            Op::Read { took } => {
                if let Entry::Opened { since, is_read, .. } = self {
                    *is_read |= now - took >= *since;
                }
            }
            Op::Count
            | Op::Window(_)
            | Op::Version
            | Op::Enter { .. }
            | Op::Holder
            | Op::References
            | Op::Take
            | Op::Replace(_)
            | Op::Age
            | Op::Current
            | Op::Opened { .. } => {}
        }
    }

    /// Generic cell rate algorithm (ITU-T I.371): one number a key, the moment at which the bucket
    /// will be full again. A request fits if, with its own cost added, that is at most a period away.
    fn window(&mut self, rate: Rate, now: Moment) -> Reply {
        let (n, full_at) = match self {
            Entry::Window { count, full_at } => (*count + 1, *full_at),
            _ => (1, Moment(0)),
        };
        let then = full_at.max(now) + rate.period / rate.requests.get();
        let wait = then.since(now).saturating_sub(rate.period);
        *self = Entry::Window { count: n, full_at: if wait.is_zero() { then } else { full_at } };
        Reply::Windowed { n, wait }
    }

    fn holder(&self, now: Moment) -> Option<Held> {
        match *self {
            Entry::Held { holder, until } if until.is_none_or(|until| until > now) => {
                Some(Held { holder: holder.into(), remaining: until.map(|until| until.since(now)) })
            }
            _ => None,
        }
    }

    /// A lease that another still has is not taken away: of two that were accepted at once, the
    /// first one holds.
    fn hold(&mut self, new: Packed, new_until: Option<Moment>, now: Moment) {
        match self {
            Entry::Held { holder, until: Some(until) } if *until > now && *holder != new => {}
            _ => *self = Entry::Held { holder: new, until: new_until },
        }
    }

    /// Whether a conflict is open that a request with the version `sent` would still meet.
    pub fn is_open(&self, clear: Clear, sent: Option<KeyHash>, now: Moment) -> bool {
        let Entry::Opened { tries, since, validator, is_read, .. } = self else { return false };
        match clear {
            Clear::Refetch => !is_read,
            // Where the resource has not changed, a read shows the newest version.
            Clear::NewVersion => !is_read && (sent.is_none() || packed(sent) == *validator),
            Clear::After(length) => now.since(*since) < length,
            Clear::Tries(limit) => u64::from(*tries) < limit.get(),
            Clear::Never => true,
        }
    }

    fn opened(&mut self, clear: Clear, sent: Option<KeyHash>, now: Moment) -> Reply {
        let is_open = self.is_open(clear, sent, now);
        let Entry::Opened { n, tries, since, .. } = self else { return Reply::Closed };
        let n = *n;
        if !is_open {
            *self = Entry::Nothing;
            return Reply::Cleared { n };
        }
        *tries = tries.saturating_add(1);
        Reply::Open { n, tries: u64::from(*tries), age: now.since(*since) }
    }

    fn learn(&mut self, seen: KnownVersion, began: Moment, how: Learnt, now: Moment) {
        let Entry::Version(known) = self else {
            *self = Entry::Version(Box::new(VersionEntry { seen, changed: now, superseded: 0 }));
            return;
        };
        // Of two exchanges that overlapped, either may have come last.
        let is_overlapped = began < known.changed;
        let is_same = seen.version == known.seen.version;
        if how == Learnt::Read {
            // The read showed no strong version, and contradicts nothing.
            let tells_nothing = seen.version.is_none() && seen.modified == known.seen.modified;
            if tells_nothing || is_overlapped && hash(&seen) == Some(known.superseded) {
                return;
            }
        }
        if is_overlapped {
            known.seen = seen.beside(std::mem::take(&mut known.seen));
        } else {
            if !is_same {
                known.superseded = hash(&known.seen).unwrap_or_default();
            }
            known.seen = seen;
        }
        if how == Learnt::Write || !is_same {
            known.changed = known.changed.max(now);
        }
    }
}

impl Entry {
    /// A representation was shown by an exchange that began at `began`. One that overlapped a write may be older than
    /// that.
    fn show(&mut self, response: Option<Arc<StoredResponse>>, began: Moment, how: Learnt, now: Moment) {
        let changed = if let Entry::Shown { changed, .. } = self { *changed } else { Moment(0) };
        let overlaps = began < changed;
        *self = match how {
            Learnt::Read if overlaps => return,
            Learnt::Read => Entry::Shown { changed, response },
            Learnt::Write => {
                Entry::Shown { changed: changed.max(now), response: response.filter(|_| !overlaps) }
            }
        };
    }
}

/// Facts that a store needs to bound itself.
impl Entry {
    /// Whether the entry is empty, so that the store can drop it.
    pub fn is_nothing(&self) -> bool {
        matches!(self, Entry::Nothing)
    }

    /// Whether a request is in flight: evicting the entry would let a second one in beside it.
    pub fn is_running(&self, now: Moment) -> bool {
        matches!(self, Entry::In { until, .. } if *until > now)
    }

    /// Whether it must be kept for the lease's sake, however long ago its key was asked about.
    pub fn is_leased(&self, now: Moment) -> bool {
        match self {
            Entry::In { until, .. } | Entry::Held { until: Some(until), .. } => *until > now,
            _ => false,
        }
    }

    /// Whether it may start afresh when it is found after its time to live. A referrer counts until it is taken or
    /// evicted, however late that is.
    pub fn may_expire(&self, key: StateKey, now: Moment) -> bool {
        key.keyspace() != Keyspace::Referrer && !self.is_leased(now)
    }

    /// The update that its eviction, for want of room or by age, calls for: an evicted referrer refers to nothing.
    pub fn owes(&self, key: StateKey) -> Option<(StateKey, Op)> {
        match (key.keyspace(), self) {
            (Keyspace::Referrer, Entry::Held { holder, .. }) => {
                Some((key.within(Keyspace::State, (*holder).into()), Op::Unrefer))
            }
            _ => None,
        }
    }

    /// The stored response, which is larger than all the rest: stores bound how many there are.
    pub fn response(&self) -> Option<&Arc<StoredResponse>> {
        match self {
            Entry::Finished { response, .. } | Entry::Shown { response, .. } => response.as_ref(),
            _ => None,
        }
    }

    /// Evicts the stored response, but keeps that there was one.
    pub fn evict_response(&mut self) {
        if let Entry::Finished { response, .. } | Entry::Shown { response, .. } = self {
            *response = None;
        }
    }

    /// How many requests it has counted.
    pub fn count(&self) -> u64 {
        match self {
            Entry::Count(count) | Entry::Window { count, .. } | Entry::Since { count, .. } => *count,
            _ => 0,
        }
    }
}

/// 64 bits of a version's hash: by chance, one read in 2⁶⁴ is taken for an old one.
fn hash(seen: &KnownVersion) -> Option<u64> {
    let version = seen.version.as_ref()?;
    Some(KeyHash::of([version.as_bytes()]).0 as u64)
}

fn packed(validator: Option<KeyHash>) -> Packed {
    validator.map_or_else(Packed::default, Packed::from)
}
