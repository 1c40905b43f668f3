//! Habits from other programs, and the words for them here.

pub(super) mod methods;
pub(super) mod other_formats;
pub(super) mod paths;
pub(super) mod unquoted;
pub(super) mod words;
mod yaml;
