//! The store's vocabulary: what a rule asks before it judges a request, and what it tells once the
//! outcome is known. Each is one atomic operation on what is kept for one place.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};

use crate::model::{KeyHash, Moment};
use crate::rules::{Clear, Rate};

/// Where something is kept: for which rule, of what sort, under which key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    /// The rule's position in its file.
    pub rule: u32,
    pub table: Table,
    pub key: KeyHash,
}

/// The sorts of things kept for one rule, which never meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Table {
    /// How many requests there were.
    Count,
    /// What `on` tracks.
    State,
    /// Which thing a referring resource refers to, by the resource's own path.
    Referrer,
    /// Conflicts opened under `clear`.
    Opened,
}

/// Asked before a request is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// Counts the request.
    Count,
    /// Counts the request, and takes a token from a bucket that holds `rate.requests` of them and
    /// refills evenly, so that one full period's worth may come at once.
    Window(Rate),
    /// The newest version seen.
    Version,
    /// Enters, unless another is in, or was and left an answer. Whoever does not leave is taken to
    /// have left after the lease.
    Enter { lease: Duration, payload: KeyHash },
    /// Who holds the key.
    Holder,
    /// How many live things refer to the key.
    References,
    /// Who holds the key, which is free from here on.
    Take,
    /// Who holds the key, which this one holds from here on.
    Replace(KeyHash),
    /// When the key was first seen, and how many requests it has made; counts this one.
    Since,
    /// Whether a conflict is open; counts this try, and closes the conflict that it clears.
    Opened { clear: Clear, validator: Option<KeyHash> },
}

/// What the store says.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// This is the key's `n`-th request, from 1.
    Counted { n: u64 },
    /// This is the key's `n`-th request. It took a token, or there is one for it after so long a wait.
    Windowed { n: u64, wait: Duration },
    /// Nothing is known before an answer taught it.
    Version(Option<Seen>),
    /// The request is the only one in; `ticket` is what it leaves with.
    Entered { ticket: u64 },
    /// Another is in, with this payload.
    Running { payload: KeyHash },
    /// Another was in, with this payload, and was answered. Without the answer it was another
    /// payload than the one asked about: the same one enters again.
    Finished { payload: KeyHash, answer: Option<Arc<StoredAnswer>> },
    /// `None`: nobody holds it.
    Held(Option<Held>),
    /// How many.
    References(u64),
    /// First seen then; this is its `n`-th request.
    Since { first: Moment, n: u64 },
    /// No conflict is open.
    Closed,
    /// One was open until this request.
    Cleared,
    /// One is open, and this is the `tries`-th request that it refuses; it was opened by the key's
    /// `n`-th, at `since`.
    Open { n: u64, tries: u64, since: Moment },
}

/// Who holds a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    pub holder: KeyHash,
    /// When the lease ends; `None` without one.
    pub until: Option<Moment>,
}

impl Answer {
    /// Which of the key's requests this is, from 1; 0 where that was not asked.
    pub fn n(&self) -> u64 {
        match self {
            Answer::Counted { n }
            | Answer::Windowed { n, .. }
            | Answer::Since { n, .. }
            | Answer::Open { n, .. } => *n,
            _ => 0,
        }
    }
}

/// Told once the outcome of a request is known.
#[derive(Clone, Debug, PartialEq)]
pub enum Tell {
    /// A version was seen by an exchange that began then. Of exchanges that overlapped, any may have
    /// come last, save a read that shows what a write has replaced since.
    Learn { seen: Seen, began: Moment, how: Learnt },
    /// The request that entered with the ticket has ended without an answer to keep.
    Leave { ticket: u64 },
    /// The request that entered with the ticket was answered.
    Finish { ticket: u64, payload: KeyHash, answer: Option<Arc<StoredAnswer>> },
    /// The key is held, for the lease if there is one, unless another has a lease on it.
    Hold { holder: KeyHash, lease: Option<Duration> },
    /// Whatever was kept ends.
    Release,
    /// One more live thing refers to the key.
    Refer,
    /// One fewer does.
    Unrefer,
    /// A conflict opens, by the key's `n`-th request; where one is open, that counts one try more.
    Open { n: u64, validator: Option<KeyHash> },
    /// The client has read the resource, by an exchange that began then; only of interest while a
    /// conflict is open that was opened before.
    Read { began: Moment },
}

/// What is known of a resource's newest version. All `None`: it changed, and how is not known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// A strong entity tag with its quotes, or the value of a version field.
    pub version: Option<Box<str>>,
    /// `Last-Modified`, in seconds since 1970.
    pub modified: Option<i64>,
    /// Other versions that may as well be the newest: taught by exchanges that overlapped.
    pub rivals: Box<[Box<str>]>,
}

impl Seen {
    /// So many rivals are told apart; with more of them, nothing is known.
    const RIVALS: usize = 8;

    /// What is known when it cannot be told which of the two came last.
    pub fn beside(self, other: Seen) -> Seen {
        let modified = self.modified.zip(other.modified).map(|(one, another)| one.min(another));
        let (Some(version), Some(before)) = (self.version, other.version) else {
            return Seen { modified, ..Seen::default() };
        };
        let mut rivals = other.rivals.into_vec();
        rivals.push(before);
        rivals.retain(|rival| *rival != version);
        if rivals.len() > Seen::RIVALS {
            return Seen { modified, ..Seen::default() };
        }
        Seen { version: Some(version), modified, rivals: rivals.into() }
    }

    /// Whether a request that goes by `version` goes by the newest one, as far as is known.
    pub fn may_be(&self, version: &str) -> bool {
        let is = |known: &str| known == version;
        self.version.as_deref().is_none_or(is) || self.rivals.iter().any(|rival| is(rival))
    }
}

/// What sort of exchange taught a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Learnt {
    Read,
    Write,
}

/// An answer kept to be given again.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredAnswer {
    /// Which connection it went to: its cookies are for that client alone.
    pub connection: u64,
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}
