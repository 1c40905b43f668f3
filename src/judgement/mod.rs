//! Floor 2: judging requests. Pure: time, chance and state are arguments.

mod trigger;

pub use trigger::{Answer, Ask};
