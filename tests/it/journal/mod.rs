//! The journal: what is recorded of attempts, and what a file holds of them.

mod attempts;
mod file;
mod losses;
