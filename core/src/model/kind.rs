//! The kinds of conflict, and the phases in which one is played.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The situation a conflict plays. It decides the default reply and the client's right next move.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Nothing in particular: try again later. The default of counted triggers.
    Transient,
    /// The client's version of the resource is stale: read again, then write.
    Version,
    /// Another write to the same resource is in flight: wait, then replay.
    Overlap,
    /// The resource that the client wants to create exists: stop, or use the existing one.
    Duplicate,
    /// Something still refers to the resource: detach it first, or stop.
    Referenced,
    /// The session is over: log in again, then replay.
    Session,
    /// The idempotency key is in use: wait, then replay with the same key.
    Idempotency,
    /// Another client holds the lock: wait, then replay.
    Lock,
    /// The client is refused as such: slow down, then give up.
    Blocked,
}

impl Kind {
    /// Every kind, in the order of the design.
    pub const ALL: [Kind; 9] = [
        Kind::Transient,
        Kind::Version,
        Kind::Overlap,
        Kind::Duplicate,
        Kind::Referenced,
        Kind::Session,
        Kind::Idempotency,
        Kind::Lock,
        Kind::Blocked,
    ];

    /// The word used in rules, headers and reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Transient => "transient",
            Kind::Version => "version",
            Kind::Overlap => "overlap",
            Kind::Duplicate => "duplicate",
            Kind::Referenced => "referenced",
            Kind::Session => "session",
            Kind::Idempotency => "idempotency",
            Kind::Lock => "lock",
            Kind::Blocked => "blocked",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The moment of the refusal, seen from the upstream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// The upstream never sees the request.
    #[default]
    Before,
    /// The upstream applied the request; the client is told that it conflicts.
    After,
    /// The upstream applied the request; the client gets no response.
    Lost,
}

impl Phase {
    /// Every phase.
    pub const ALL: [Phase; 3] = [Phase::Before, Phase::After, Phase::Lost];

    /// The word used in rules, headers and reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Phase::Before => "before",
            Phase::After => "after",
            Phase::Lost => "lost",
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
