//! Floor 2: judging requests. Pure: time, chance and state are arguments.

mod clear;
mod learning;
mod missed;
mod operation;
mod ruleset;
mod state;
mod trigger;

pub use clear::validator;
pub use learning::{Lessons, Readings};
pub use missed::Came;
pub use operation::{Answer, Ask, Held, Learnt, Place, Seen, StoredAnswer, Table, Tell};

pub use ruleset::{ActiveRule, Concern, RuleSet, Unconcerned};
pub use state::{Exchange, Judgement, LEASE, Lesson, Outcome, Told, Versions, http_date, scalar};
