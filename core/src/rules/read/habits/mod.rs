//! What people write who come from other programs, and how it is said here.

pub(super) mod environment;
pub(super) mod methods;
pub(super) mod other_formats;
pub(super) mod paths;
pub(super) mod unquoted;
pub(super) mod words;
mod yaml;
