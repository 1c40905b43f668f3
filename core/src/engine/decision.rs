//! Needs, outcomes and decisions of a session.

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;

use super::active_rule::ActiveRule;
use super::operation::{Op, StateKey, StoredResponse};
use super::state::Versions;
use crate::model::{KeyHash, RuleId};

/// Next need of a session.
pub enum Step {
    /// The request's body, or the upstream's response's where a session decides by that:
    /// [`Session::body`](super::Session::body).
    NeedBody,
    /// The reply of this operation: [`Session::reply`](super::Session::reply).
    Query(StateKey, Op),
    /// A notice for the user.
    Notice(Notice),
    Done(Decision),
}

/// An event that needs an explanation to the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// The rule leaves a request alone, the first one, whose body is too long to be looked at.
    LongBody(RuleId),
    /// The rule leaves a response alone, the first one, whose body is too long to be looked at, or cannot be read.
    UnreadResponse(RuleId),
}

/// Fate of a request.
pub enum Decision {
    /// It goes to the upstream, or the client gets the upstream's response. Rules may wait for that response
    /// ([`Effects::awaits_response`](super::Effects::awaits_response)).
    Forward,
    /// The upstream never sees it, or the client never sees the upstream's response.
    Refuse(Conflict),
    /// The request had its response before.
    Replay(Replay),
}

/// A conflict decided on.
#[derive(Clone)]
pub struct Conflict {
    pub active: Arc<ActiveRule>,
    /// Which of its key's requests this is, from 1; while a conflict is open, the one that opened it.
    pub n: u64,
    pub key: KeyHash,
    /// Status in place of the reply's.
    pub status: Option<StatusCode>,
    pub versions: Versions,
    /// The newest representation, where the reply shows it.
    pub current: Option<Arc<StoredResponse>>,
    /// Which of the rule's `replies` responds, from 0; `None` without them.
    pub choice: Option<usize>,
    /// Tries refused so far under an open conflict, this one included; 1 for a new one.
    pub tries: u64,
    /// How long it lasts from now on, where the rule knows.
    pub remaining: Option<Duration>,
    /// The entry that it opens under `clear`, and the request's validator.
    pub(super) opens: Option<Box<(StateKey, Option<KeyHash>)>>,
}

/// A response that is given again.
pub struct Replay {
    pub active: Arc<ActiveRule>,
    pub n: u64,
    pub response: Arc<StoredResponse>,
}

/// Outcome of a rule for a request that it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Judged {
    /// The rule's, in its set.
    pub position: u32,
    /// As [`Conflict::n`].
    pub n: u64,
    pub word: RuleOutcome,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleOutcome {
    /// The rule leaves the request alone.
    Passes,
    /// The request clears a conflict that was open.
    Clears,
    /// The rule leaves the request alone; one that comes before it has left is in conflict with it.
    Admits,
    Conflicts {
        tries: u64,
        /// Which of the rule's `replies` responds, from 0; `None` without them, and until the upstream has responded.
        choice: Option<usize>,
    },
    /// The request passes, and its response has the rule's faults.
    PassesWithFaults,
    /// The request had its response before.
    Replays,
    /// The rule takes note of a request whose response another rule overrides.
    Watches,
}

impl Conflict {
    /// Counts it, unless the rule's limit is reached.
    pub(super) fn commits(&self) -> bool {
        let counters = &self.active.counters;
        let fires = counters.try_fire(self.active.rule.limit);
        if let (true, Some(choice)) = (fires, self.choice) {
            counters.take_reply(choice);
        }
        fires
    }
}
