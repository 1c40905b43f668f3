//! The journal: the recorded facts of attempts, and the file that holds them.

mod attempts;
mod file;
mod losses;
