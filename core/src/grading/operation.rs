//! Operations: the attempts that are one logical call.

use std::sync::Arc;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;
use smol_str::SmolStr;

use crate::model::{Attempt, Fingerprint, ShownVersions};

/// The attempts that are one logical call of one client.
#[derive(Clone, Debug, PartialEq)]
pub struct Operation {
    /// The id of its first attempt.
    pub id: u64,
    pub client: Fingerprint,
    /// In the order in which they began. A bounded number is kept: the first ones and the last.
    pub tries: Vec<Try>,
    /// How many there were.
    pub count: u64,
    /// The client's reads of the resource after the last response: whether a write without a response
    /// had been applied, or to which client the duplicate belongs. In bounded number.
    pub reads_after: Vec<ReadBetween>,
    pub outcome: OperationOutcome,
}

/// One attempt of an operation.
#[derive(Clone, Debug, PartialEq)]
pub struct Try {
    /// Shared with the journal and other observers.
    pub attempt: Arc<Attempt>,
    /// Why it is taken for a part of the operation.
    pub link: Link,
    /// From the last byte of the response before to this request's head. `None` for the first one, and
    /// for one that began before that response had gone: that is concurrency, not a retry.
    pub gap: Option<Duration>,
    /// The same client's reads of the resource since the response before had gone, in bounded number.
    /// A read that was sent before that response is none.
    pub reads: Vec<ReadBetween>,
}

impl Try {
    /// The gap before it in µs.
    pub(super) fn waited(&self) -> Option<u64> {
        self.gap.map(|gap| u64::try_from(gap.as_micros()).unwrap_or(u64::MAX))
    }
}

/// A request between two tries that read the resource, or may have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadBetween {
    pub attempt: u64,
    pub connection: u64,
    pub method: SmolStr,
    /// When it was sent and answered, as [`Attempt`] has it.
    pub start: u64,
    pub end: u64,
    pub status: Option<u16>,
    pub sight: Sight,
    /// The versions that it showed.
    pub shown: ShownVersions,
}

impl ReadBetween {
    pub(super) fn of(attempt: &Attempt, sight: Sight) -> ReadBetween {
        ReadBetween {
            attempt: attempt.id,
            connection: attempt.connection,
            method: attempt.method.clone(),
            start: attempt.start,
            end: attempt.end,
            status: attempt.got.outcome(),
            sight,
            shown: attempt.got.shown.clone(),
        }
    }
}

/// Whether a request showed the resource to the client, should it have succeeded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sight {
    /// A GET of it, or a request that a rule's `read` matches.
    #[default]
    Certain,
    /// Another request to the same path, which may have read it or changed it.
    Possible,
    /// A request that rules' `read` match, of more rules than are kept: this one's may be among them.
    Unlisted,
}

/// Why an attempt is taken for a part of an operation, and so how sure that is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Link {
    /// It began the operation.
    First,
    /// A marker or an idempotency key says so: certain.
    Marker,
    /// The same request again, after a response that may be retried.
    Replay,
    /// As [`Link::Replay`], from another connection and after a wait in which nothing else was sent: nearly
    /// certain, but the wait may be that between several callers who are spread evenly.
    SpacedReplay,
    /// As [`Link::Replay`] or [`Link::Rebase`], but several operations could have sent it, or it could
    /// have begun one of its own. Too little to accuse a client by.
    AmbiguousReplay,
    /// Another write to the resource by the same client, after a conflict.
    Rebase,
}

impl Link {
    /// How sure it is, from 0 to 1.
    pub fn confidence(self) -> f64 {
        match self {
            Link::First | Link::Marker => 1.0,
            Link::Replay => 0.9,
            Link::SpacedReplay => 0.8,
            Link::AmbiguousReplay => 0.6,
            Link::Rebase => 0.7,
        }
    }
}

/// How an operation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OperationOutcome {
    /// It succeeded without meeting a conflict or a failure.
    Untroubled,
    /// It met a conflict or a failure, and succeeded in the end.
    Recovered,
    /// The last response was one that ends it, or the window for another try has passed.
    GaveUp,
    /// It was open when the record ended: nothing can be said of its end.
    Unfinished,
}

impl Operation {
    /// The client's class: the first product of its `User-Agent`.
    pub fn agent(&self) -> Option<&str> {
        self.tries.first()?.attempt.agent.as_deref()
    }

    /// Whether the upstream itself refused any of its attempts by a conflict.
    pub fn met_upstream_conflict(&self) -> bool {
        self.tries.iter().any(|tried| tried.attempt.is_upstream_conflict())
    }

    /// Whether a rule refused any of its attempts.
    pub fn met_conflict(&self) -> bool {
        self.tries.iter().any(|tried| tried.attempt.conflict.is_some())
    }
}
