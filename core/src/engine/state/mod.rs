//! The state triggers (`on = …`): each a small pure machine. Its queries and its judgement are here;
//! its observations of outcomes are in `observation.rs`.

mod carried;
mod observation;
mod showing;
mod version_at;

pub use carried::{Carried, http_date, scalar};
pub use observation::{Exchange, Observation, Outcome, StateUpdate, accepts};
pub use showing::Showing;

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;

use super::operation::{Op, Reply, StoredResponse};
use crate::model::{BodyFacts, Facts, KeyHash};
use crate::rules::{Rule, Selector, State};

/// A request without news is taken to have ended after this long: the backstop of a
/// reservation that leaves as soon as the client or the upstream is gone.
pub const LEASE: Duration = Duration::from_secs(300);

/// The exchanges that the state of a trigger is learned from, beside the requests that it judges.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum LearnedFrom<'s> {
    /// Responses that tell a version, to any request whose host and path fit the rule.
    Versions,
    /// Accepted requests that match: their client holds the key, for the length of the lease if there is one.
    Holders { lease: Option<Duration> },
    /// Accepted requests of the selector: they refer to the key.
    References(&'s Selector),
    /// None.
    Nothing,
}

/// Verdict of a state machine on a request.
#[derive(Clone, Debug, PartialEq)]
pub enum Judgement {
    /// No conflict.
    Pass,
    /// No conflict, and requests that come before this one has left conflict with it.
    Admit,
    /// A conflict, with a status of its own if it has one.
    Conflict { status: Option<StatusCode>, versions: Versions },
    /// The request had its response before: the same response again.
    Replay(Arc<StoredResponse>),
}

/// The versions that a conflict is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Versions {
    pub sent: Option<Box<str>>,
    pub current: Option<Box<str>>,
}

impl State {
    /// The query whose reply the judgement needs.
    pub fn query(&self, facts: &Facts<'_>, ticket: u64) -> Op {
        match self {
            State::Stale { .. } => Op::Version,
            State::Overlap { .. } => Op::Enter { ticket, lease: LEASE, payload: KeyHash(0) },
            State::KeyInUse { .. } => Op::Enter { ticket, lease: LEASE, payload: payload(facts) },
            State::Duplicate { .. } | State::Locked { .. } => Op::Holder,
            State::Referenced { .. } => Op::References,
            State::Expired { .. } => Op::Age,
        }
    }

    /// Whether the request, made by `client`, conflicts under `rule`, whose state this is.
    pub fn judge(&self, rule: &Rule, facts: &Facts<'_>, client: KeyHash, reply: Reply) -> Judgement {
        let conflict = |status| Judgement::Conflict { status, versions: Versions::default() };
        let conflict_if = |holds: bool| if holds { conflict(None) } else { Judgement::Pass };
        if let Reply::Entered = reply {
            return Judgement::Admit;
        }
        match self {
            State::Stale { missing } => {
                let Reply::Version(seen) = reply else { return Judgement::Pass };
                // A read is based on no version.
                let missing = missing.filter(|_| !facts.method.is_safe());
                Carried::by(facts, rule.version_at()).judge(seen, missing)
            }
            State::Overlap { .. } => conflict_if(matches!(reply, Reply::Running { .. })),
            State::KeyInUse { mismatch } => match reply {
                Reply::Running { payload: other } | Reply::Finished { payload: other, .. }
                    if other != payload(facts) =>
                {
                    conflict(Some(*mismatch))
                }
                Reply::Running { .. } => conflict(None),
                Reply::Finished { response: Some(response), .. } => Judgement::Replay(response),
                _ => Judgement::Pass,
            },
            State::Duplicate { .. } => conflict_if(matches!(reply, Reply::Held(Some(_)))),
            State::Locked { .. } => {
                conflict_if(matches!(reply, Reply::Held(Some(held)) if held.holder != client))
            }
            State::Referenced { .. } => conflict_if(matches!(reply, Reply::References(1..))),
            State::Expired { max_age, max_requests } => {
                let Reply::Age { age, n } = reply else { return Judgement::Pass };
                let is_old = max_age.is_some_and(|max_age| age > max_age);
                let is_worn = max_requests.is_some_and(|requests| n > requests.get());
                conflict_if(is_old || is_worn)
            }
        }
    }

    /// The exchanges that it learns from.
    pub fn learned_from(&self) -> LearnedFrom<'_> {
        match self {
            State::Stale { .. } => LearnedFrom::Versions,
            State::Duplicate { .. } => LearnedFrom::Holders { lease: None },
            State::Locked { lease, .. } => LearnedFrom::Holders { lease: Some(*lease) },
            State::Referenced { by, .. } => LearnedFrom::References(by),
            State::Overlap { .. } | State::Expired { .. } | State::KeyInUse { .. } => LearnedFrom::Nothing,
        }
    }

    /// The requests that end an entry.
    pub fn release(&self) -> Option<&Selector> {
        match self {
            State::Duplicate { release }
            | State::Referenced { release, .. }
            | State::Locked { release, .. } => release.as_ref(),
            _ => None,
        }
    }

    /// Whether responses are kept, to be given again.
    pub fn keeps_responses(&self) -> bool {
        matches!(self, State::KeyInUse { .. })
    }

    /// How much longer an admitted request stays in flight after its response.
    pub fn hold(&self) -> Duration {
        match self {
            State::Overlap { hold } => *hold,
            _ => Duration::ZERO,
        }
    }
}

/// Hash of a request's method, target and body, which shows the reuse of its key for another request.
fn payload(facts: &Facts<'_>) -> KeyHash {
    let body: &[u8] = match &facts.body {
        BodyFacts::Read { bytes, .. } | BodyFacts::Undecodable { bytes, .. } => bytes,
        BodyFacts::Unread | BodyFacts::TooLong => &[],
    };
    KeyHash::of([
        facts.method.as_str().as_bytes(),
        facts.path.as_bytes(),
        facts.query.unwrap_or_default().as_bytes(),
        body,
    ])
}
