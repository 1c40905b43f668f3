//! Which of a rule's requests conflict, when in their course, and how such a conflict ends.

use std::num::{NonZeroU32, NonZeroU64};
use std::time::Duration;

use http::StatusCode;

use super::Selector;
use crate::model::{Phase, Share};

/// Which of the matching requests conflict.
#[derive(Clone, Debug, PartialEq)]
pub enum Trigger {
    /// Those that a schedule names.
    Counted(CountedTrigger),
    /// Those that the tracked state refuses, before the upstream is asked. State ends its conflicts by itself.
    On(Box<State>),
}

/// Conflicts by schedule, and how they go on.
#[derive(Clone, Debug, PartialEq)]
pub struct CountedTrigger {
    pub schedule: Schedule,
    /// Before the upstream, after it, or with the response lost.
    pub phase: RulePhase,
    /// When a conflict ends for its key; `None`: every request is decided on its own.
    pub clear: Option<Clear>,
}

impl Trigger {
    /// Conflicts by schedule; `None` for state.
    pub fn counted(&self) -> Option<&CountedTrigger> {
        match self {
            Trigger::Counted(counted) => Some(counted),
            Trigger::On(_) => None,
        }
    }

    /// The schedule; `None` for state.
    pub fn schedule(&self) -> Option<&Schedule> {
        self.counted().map(|counted| &counted.schedule)
    }
}

/// Before the upstream is asked, and each request decided on its own.
impl From<Schedule> for Trigger {
    fn from(schedule: Schedule) -> Trigger {
        Trigger::Counted(CountedTrigger { schedule, phase: RulePhase::Before, clear: None })
    }
}

/// The requests that conflict, by their numbers in a key's sequence.
#[derive(Clone, Debug, PartialEq)]
pub enum Schedule {
    /// Every one.
    Always,
    /// That share of each key's requests, drawn per (seed, rule, key, n).
    Rate(Share),
    /// The first this many of each key.
    First(NonZeroU64),
    /// Each n-th of a key.
    Every(NonZeroU64),
    /// By position in each key's sequence, repeating.
    Pattern(Pattern),
    /// Those beyond a request rate of each key.
    Above(Rate),
}

/// `pattern = "..xx."`: 1 to [`Pattern::LONGEST`] positions, at least one of which conflicts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    positions: Box<[bool]>,
}

impl Pattern {
    /// Positions at most.
    pub const LONGEST: usize = 10_000;

    /// A sequence in which `true` conflicts; `None` if no position conflicts, or if there are too many.
    pub fn new(positions: impl IntoIterator<Item = bool>) -> Option<Pattern> {
        let positions: Box<[bool]> = positions.into_iter().take(Pattern::LONGEST + 1).collect();
        let is_one = positions.len() <= Pattern::LONGEST && positions.contains(&true);
        is_one.then_some(Pattern { positions })
    }

    /// The positions, of which `true` conflicts.
    pub fn positions(&self) -> &[bool] {
        &self.positions
    }

    /// The share of positions that conflict.
    pub fn share(&self) -> f64 {
        self.conflicting() as f64 / self.positions.len() as f64
    }

    /// How many positions conflict.
    pub fn conflicting(&self) -> usize {
        self.positions.iter().filter(|conflicts| **conflicts).count()
    }
}

/// `"20/s"`: requests per period, both above zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    pub requests: NonZeroU32,
    /// A second, a minute or an hour.
    pub period: Duration,
}

/// When the client is refused, seen from the upstream, and with which response.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RulePhase {
    /// The upstream never sees the request.
    #[default]
    Before,
    /// The upstream applied the request; the client is told that it conflicts.
    After,
    /// The upstream applied the request; the client does not get its response.
    Lost(LostResponse),
}

impl RulePhase {
    /// The phase as rules, headers and reports say it.
    pub fn phase(self) -> Phase {
        match self {
            RulePhase::Before => Phase::Before,
            RulePhase::After => Phase::After,
            RulePhase::Lost(_) => Phase::Lost,
        }
    }
}

/// The client's view of a lost response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LostResponse {
    /// The connection ends without a byte of a response.
    Closed,
    /// `reply.status`.
    Status,
}

/// When a conflict that was opened for a key and a client ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clear {
    /// After a GET or HEAD of the resource by the same client that succeeds or finds nothing there.
    Refetch,
    /// When the client sends another validator than the refused one.
    NewVersion,
    /// After this long.
    After(Duration),
    /// After this many refused tries.
    Tries(NonZeroU64),
    /// Never.
    Never,
}

impl Clear {
    /// How long a conflict is open, where that is a matter of time.
    pub fn length(self) -> Option<Duration> {
        match self {
            Clear::After(length) => Some(length),
            _ => None,
        }
    }
}

/// `on = "…"`: a state trigger with the keys that only it understands.
#[derive(Clone, Debug, PartialEq)]
pub enum State {
    /// The version that the request carries is not the newest seen.
    Stale {
        /// The status for a request that carries none; `None` lets it pass.
        missing: Option<StatusCode>,
    },
    /// Another matching request on the key is in flight.
    Overlap { hold: Duration },
    /// The key was created before and not released since.
    Duplicate { release: Option<Selector> },
    /// A live resource refers to this one.
    Referenced { by: Selector, release: Option<Selector> },
    /// The session is too old, or has served too many requests. At least one bound is given.
    Expired { max_age: Option<Duration>, max_requests: Option<NonZeroU64> },
    /// The idempotency key is still running, or is reused with another payload.
    KeyInUse {
        /// The status for another payload under the same key. Default 422.
        mismatch: StatusCode,
    },
    /// Another client holds the lease on the key.
    Locked { lease: Duration, release: Option<Selector> },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_conflicts_somewhere_and_has_an_end() {
        let pattern = |text: &str| Pattern::new(text.chars().map(|c| c == 'x'));
        assert_eq!(pattern(""), None);
        assert_eq!(pattern("..."), None);
        assert_eq!(pattern(".x..").map(|pattern| (pattern.conflicting(), pattern.share())), Some((1, 0.25)));
        assert!(Pattern::new(std::iter::repeat_n(true, Pattern::LONGEST)).is_some());
        assert_eq!(Pattern::new(std::iter::repeat(true)), None);
    }
}
