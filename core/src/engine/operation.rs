//! The vocabulary of state: the key of an entry, the operations on it, and their replies. An operation is
//! atomic, is about one entry, and gives times as durations, so that an entry means the same to any process.

use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use siphasher::sip::SipHasher13;

use crate::model::KeyHash;
use crate::rules::{Clear, Rate};

/// Owner of state: a stable hash of a rule's name and of all that its state depends on. A rule that keeps both
/// keeps its state, wherever it stands in its file; one that is renamed or changed starts afresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct StateScope(u64);

impl StateScope {
    /// The scope of the rule called `name` that means `meaning`.
    pub fn new(name: &str, meaning: &str) -> StateScope {
        let mut hasher = SipHasher13::new_with_keys(0, 0);
        for text in [name, meaning] {
            hasher.write_u64(text.len() as u64);
            hasher.write(text.as_bytes());
        }
        StateScope(hasher.finish() & !Keyspace::BITS)
    }
}

/// The sorts of entries kept for one rule, which never meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Keyspace {
    /// Counts of requests.
    Count,
    /// Entries that `on` tracks.
    State,
    /// The resource that a referring resource refers to, by the referring resource's path.
    Referrer,
    /// Conflicts opened under `clear`.
    Opened,
    /// Counts of conflicts, for the turns of `replies`.
    Turns,
    /// The newest representations, for `{current}`; by path.
    Shown,
}

impl Keyspace {
    /// The bits of a packed scope that name the keyspace.
    const BITS: u64 = 0b111;
}

/// Key of an entry: rule, keyspace, and the hash of the request's key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct StateKey {
    /// The scope, and in its three lowest bits the keyspace: a key of the memory store is 24 bytes.
    place: u64,
    pub key: KeyHash,
}

impl StateKey {
    pub fn new(scope: StateScope, keyspace: Keyspace, key: KeyHash) -> StateKey {
        StateKey { place: scope.0 | keyspace as u64, key }
    }

    /// The key that [`StateKey::place`] packed.
    pub fn at(place: u64, key: KeyHash) -> StateKey {
        StateKey { place, key }
    }

    /// Scope and keyspace as one number.
    pub fn place(self) -> u64 {
        self.place
    }

    pub fn scope(self) -> StateScope {
        StateScope(self.place & !Keyspace::BITS)
    }

    pub fn keyspace(self) -> Keyspace {
        match self.place & Keyspace::BITS {
            0 => Keyspace::Count,
            1 => Keyspace::State,
            2 => Keyspace::Referrer,
            3 => Keyspace::Opened,
            4 => Keyspace::Turns,
            _ => Keyspace::Shown,
        }
    }

    /// Another entry of the same rule.
    pub fn within(self, keyspace: Keyspace, key: KeyHash) -> StateKey {
        StateKey::new(self.scope(), keyspace, key)
    }
}

impl Hash for StateKey {
    /// One word instead of three: the key is a hash already. A client that wants two keys to share the word has to try
    /// 2³² of them, and for many keys far more.
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        hasher.write_u64(self.place ^ (self.key.0 >> 64) as u64 ^ self.key.0 as u64);
    }
}

impl std::fmt::Debug for StateKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?} {:016x} {:032x}", self.keyspace(), self.scope().0, self.key.0)
    }
}

/// One atomic operation on an entry.
#[derive(Clone, Debug, PartialEq)]
pub enum Op {
    /// Counts the request.
    Count,
    /// Counts the request, and takes a token from a bucket that holds `rate.requests` of them and
    /// refills evenly, so that one full period's worth may come at once.
    Window(Rate),
    /// Asks for the newest version seen.
    Version,
    /// Enters, unless another request is in flight, or left a response. No other request has the ticket. A request that does not leave is taken to have left after the lease.
    Enter { ticket: u64, lease: Duration, payload: KeyHash },
    /// Asks for the holder of the key.
    Holder,
    /// Asks how many live resources refer to the key.
    References,
    /// Asks for the holder of the key, and frees the key.
    Take,
    /// Asks for the holder of the key, and gives the key to this one.
    Replace(KeyHash),
    /// Asks when the key was first seen, and how many requests it has made; counts this one.
    Age,
    /// Asks for the newest representation seen.
    Current,
    /// A representation was shown by an exchange that took so long; `None`: the resource changed, and how is not known.
    Show { response: Option<Arc<StoredResponse>>, took: Duration, how: Learnt },
    /// Asks whether a conflict is open; counts this try, and closes the conflict that it clears.
    Opened { clear: Clear, validator: Option<KeyHash> },
    /// A version was seen by an exchange that took so long. Of exchanges that overlapped, any may have
    /// come last, save a read that shows a version that a write has replaced since.
    Learn { seen: KnownVersion, took: Duration, how: Learnt },
    /// The request that entered with the ticket has ended without a response to keep.
    Leave { ticket: u64 },
    /// The request that entered with the ticket has its response.
    Finish { ticket: u64, payload: KeyHash, response: Option<Arc<StoredResponse>> },
    /// The key is held, for the lease if there is one, unless another holder has a lease on it.
    Hold { holder: KeyHash, lease: Option<Duration> },
    /// The entry ends.
    Release,
    /// One more live resource refers to the key.
    Refer,
    /// One live resource fewer refers to the key.
    Unrefer,
    /// A conflict opens, by the key's `n`-th request; where one is open, that counts one try more.
    Open { n: u64, validator: Option<KeyHash> },
    /// The client has read the resource, by an exchange that took so long; only of interest while a
    /// conflict is open that was opened before.
    Read { took: Duration },
}

impl Op {
    /// Whether it may leave an entry where there was none. Any other changes nothing there.
    pub fn creates(&self) -> bool {
        match self {
            Op::Count
            | Op::Window(_)
            | Op::Enter { .. }
            | Op::Replace(_)
            | Op::Age
            | Op::Learn { .. }
            | Op::Show { .. }
            | Op::Hold { .. }
            | Op::Refer
            | Op::Open { .. } => true,
            Op::Version
            | Op::Current
            | Op::Holder
            | Op::References
            | Op::Take
            | Op::Opened { .. }
            | Op::Leave { .. }
            | Op::Finish { .. }
            | Op::Release
            | Op::Unrefer
            | Op::Read { .. } => false,
        }
    }
}

/// Reply of an operation.
#[derive(Clone, Debug, PartialEq)]
pub enum Reply {
    /// The operation asked for nothing.
    Done,
    /// This is the key's `n`-th request, from 1.
    Counted { n: u64 },
    /// This is the key's `n`-th request. It took a token, or there is one for it after so long a wait.
    Windowed { n: u64, wait: Duration },
    /// The newest version; nothing is known before a response has shown one.
    Version(Option<KnownVersion>),
    /// The request is the only one in.
    Entered,
    /// Another request, with this payload, is in flight.
    Running { payload: KeyHash },
    /// Another request, with this payload, has its response. Where that was not kept, the payload is not the
    /// one asked about: the same payload enters again.
    Finished { payload: KeyHash, response: Option<Arc<StoredResponse>> },
    /// `None`: the key is free.
    Held(Option<Held>),
    /// Live resources that refer to the key.
    References(u64),
    /// First seen so long ago; this is its `n`-th request.
    Age { age: Duration, n: u64 },
    /// The newest representation, if it is known.
    Current(Option<Arc<StoredResponse>>),
    /// No conflict is open.
    Closed,
    /// One was open until this request, opened by the key's `n`-th.
    Cleared { n: u64 },
    /// One is open, and this is the `tries`-th request that it refuses; it was opened by the key's
    /// `n`-th, so long ago.
    Open { n: u64, tries: u64, age: Duration },
}

impl Reply {
    /// Which of the key's requests this is, from 1; 0 where that was not asked.
    pub fn n(&self) -> u64 {
        match self {
            Reply::Counted { n }
            | Reply::Windowed { n, .. }
            | Reply::Age { n, .. }
            | Reply::Open { n, .. } => *n,
            _ => 0,
        }
    }
}

/// Holder of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    pub holder: KeyHash,
    /// How much of the lease is left; `None` without one.
    pub remaining: Option<Duration>,
}

/// Knowledge of a resource's newest version. All `None`: it changed, and how is not known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KnownVersion {
    /// A strong entity tag with its quotes, or the value of a version field.
    pub version: Option<Box<str>>,
    /// `Last-Modified`, in seconds since 1970.
    pub modified: Option<i64>,
    /// Other versions that may as well be the newest: shown by exchanges that overlapped.
    pub rivals: Box<[Box<str>]>,
}

impl KnownVersion {
    /// Maximum number of rivals; with more of them, nothing is known.
    const RIVALS: usize = 8;

    /// The knowledge left when either of the two may have come last.
    pub fn beside(self, other: KnownVersion) -> KnownVersion {
        let modified = self.modified.zip(other.modified).map(|(one, another)| one.min(another));
        let (Some(version), Some(before)) = (self.version, other.version) else {
            return KnownVersion { modified, ..KnownVersion::default() };
        };
        let mut rivals = other.rivals.into_vec();
        rivals.push(before);
        rivals.retain(|rival| *rival != version);
        if rivals.len() > KnownVersion::RIVALS {
            return KnownVersion { modified, ..KnownVersion::default() };
        }
        KnownVersion { version: Some(version), modified, rivals: rivals.into() }
    }

    /// Whether a request that goes by `version` goes by the newest one, as far as is known.
    pub fn may_be(&self, version: &str) -> bool {
        let is = |known: &str| known == version;
        self.version.as_deref().is_none_or(is) || self.rivals.iter().any(|rival| is(rival))
    }
}

/// Sort of the exchange that showed a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Learnt {
    Read,
    Write,
}

/// A response kept to be given again.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredResponse {
    /// The connection that it went to: its cookies are for that client alone.
    pub connection: u64,
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}
