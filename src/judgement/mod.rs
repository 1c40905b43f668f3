//! Floor 2: what becomes of a request. Pure: time, chance and state are arguments.

pub mod reply;
