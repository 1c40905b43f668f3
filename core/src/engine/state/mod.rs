//! The state triggers (`on = …`): each a small pure machine. What it asks before it judges is here;
//! what it learns from outcomes is in `lesson.rs`.

mod carried;
mod lesson;
mod version_at;

pub use carried::{Carried, http_date, scalar};
pub use lesson::{Exchange, Lesson, Outcome, Told};

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;

use super::operation::{Answer, Ask, StoredAnswer};
use crate::model::{BodyFacts, Facts, KeyHash, Moment};
use crate::rules::{Rule, Selector, State};

/// A request that is not heard of again is taken to have ended after this long: the backstop of a
/// guard that leaves as soon as the client or the upstream is gone.
pub const LEASE: Duration = Duration::from_secs(300);

/// What a state machine says of a request.
#[derive(Clone, Debug, PartialEq)]
pub enum Judgement {
    /// No conflict.
    Pass,
    /// No conflict, and whoever comes meanwhile is in conflict with this one until it leaves.
    Admit { ticket: u64 },
    /// A conflict, with a status of its own if it has one.
    Conflict { status: Option<StatusCode>, versions: Versions },
    /// It was answered before: the same answer again.
    Replay(Arc<StoredAnswer>),
}

/// The versions that a conflict is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Versions {
    pub sent: Option<Box<str>>,
    pub current: Option<Box<str>>,
}

impl State {
    /// What has to be known before the request can be judged.
    pub fn ask(&self, facts: &Facts<'_>) -> Ask {
        match self {
            State::Stale { .. } => Ask::Version,
            State::Overlap { .. } => Ask::Enter { lease: LEASE, payload: KeyHash(0) },
            State::KeyInUse { .. } => Ask::Enter { lease: LEASE, payload: payload(facts) },
            State::Duplicate { .. } | State::Locked { .. } => Ask::Holder,
            State::Referenced { .. } => Ask::References,
            State::Expired { .. } => Ask::Since,
        }
    }

    /// Whether the request, made by `client` at `now`, conflicts under `rule`, whose state this is.
    pub fn judge(
        &self,
        rule: &Rule,
        facts: &Facts<'_>,
        client: KeyHash,
        answer: Answer,
        now: Moment,
    ) -> Judgement {
        let conflict = |status| Judgement::Conflict { status, versions: Versions::default() };
        match (self, answer) {
            (State::Stale { missing, .. }, Answer::Version(seen)) => {
                // Whoever only reads is based on no version.
                let missing = missing.filter(|_| !facts.method.is_safe());
                Carried::by(facts, rule.version_at()).judge(seen, missing)
            }
            (_, Answer::Entered { ticket }) => Judgement::Admit { ticket },
            (State::Overlap { .. }, Answer::Running { .. }) => conflict(None),
            (
                State::KeyInUse { mismatch },
                Answer::Running { payload: other } | Answer::Finished { payload: other, .. },
            ) if other != payload(facts) => conflict(Some(*mismatch)),
            (State::KeyInUse { .. }, Answer::Running { .. }) => conflict(None),
            (State::KeyInUse { .. }, Answer::Finished { answer: Some(answer), .. }) => {
                Judgement::Replay(answer)
            }
            (State::Duplicate { .. }, Answer::Held(Some(_))) => conflict(None),
            (State::Locked { .. }, Answer::Held(Some(held))) if held.holder != client => conflict(None),
            (State::Referenced { .. }, Answer::References(1..)) => conflict(None),
            (State::Expired { max_age, max_requests }, Answer::Since { first, n }) => {
                let is_old = max_age.is_some_and(|age| now.since(first) > age);
                let is_worn = max_requests.is_some_and(|requests| n > requests.get());
                if is_old || is_worn { conflict(None) } else { Judgement::Pass }
            }
            _ => Judgement::Pass,
        }
    }

    /// Which requests end what is kept.
    pub fn release(&self) -> Option<&Selector> {
        match self {
            State::Duplicate { release }
            | State::Referenced { release, .. }
            | State::Locked { release, .. } => release.as_ref(),
            _ => None,
        }
    }

    /// Whether answers are kept, to be given again.
    pub fn keeps_answers(&self) -> bool {
        matches!(self, State::KeyInUse { .. })
    }

    /// How much longer an admitted request stays in flight after its answer.
    pub fn hold(&self) -> Duration {
        match self {
            State::Overlap { hold } => *hold,
            _ => Duration::ZERO,
        }
    }
}

/// What a request asks for, so that its key's reuse for something else shows.
fn payload(facts: &Facts<'_>) -> KeyHash {
    let body: &[u8] = match &facts.body {
        BodyFacts::Read { bytes, .. } => bytes,
        BodyFacts::Unread | BodyFacts::TooLong => &[],
    };
    KeyHash::of([
        facts.method.as_str().as_bytes(),
        facts.path.as_bytes(),
        facts.query.unwrap_or_default().as_bytes(),
        body,
    ])
}
