//! Floor 2: judging requests. Pure: time, chance and state are arguments.

pub mod reply;
mod ruleset;
mod trigger;

pub use reply::{CompiledReply, Occasion, allow_cors};
pub use ruleset::{ActiveRule, Concern, RuleSet, Unconcerned};
pub use trigger::{Answer, Ask};
