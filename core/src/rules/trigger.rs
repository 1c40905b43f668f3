//! Which of a rule's requests conflict, when in their course, and how such a conflict ends.

use std::num::{NonZeroU32, NonZeroU64};
use std::time::Duration;

use super::triggers::{Schedule, State};
use crate::model::Phase;

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

    /// The requests in the rate of a limiter.
    pub fn limit(&self) -> Option<NonZeroU32> {
        match self.schedule()? {
            Schedule::Above(rate) => Some(rate.requests),
            _ => None,
        }
    }

    /// The trigger in tables and reports: `25 %`, `first 1`, `duplicate`.
    pub fn label(&self) -> String {
        match self {
            Trigger::Counted(counted) => counted.schedule.label(),
            Trigger::On(state) => state.as_str().to_owned(),
        }
    }

    /// The share of requests that it asks for, where it is one.
    pub fn asked_share(&self) -> Option<f64> {
        self.schedule()?.share()
    }
}

/// Before the upstream is asked, and each request decided on its own.
impl From<Schedule> for Trigger {
    fn from(schedule: Schedule) -> Trigger {
        Trigger::Counted(CountedTrigger { schedule, phase: RulePhase::Before, clear: None })
    }
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
