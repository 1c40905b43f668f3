//! Real clients against the real binary. `tests/run` installs the clients, and turns this on.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by a panic"
)]

#[path = "../it/binary.rs"]
mod binary;
mod client;
mod conflicts;
mod crawl;
mod examples;
mod http2;
mod lint;
mod nginx;
mod readme;
mod register;
mod report;
mod rewriting;
mod run;
#[path = "../it/reports/samples/mod.rs"]
mod samples;
mod slow;
mod strict;
mod truth;
