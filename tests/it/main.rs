//! Tests of the whole, from outside. They need nothing but Rust; `tests/real` drives real clients.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by a panic"
)]

mod binary;
mod cli;
mod composed;
mod conflicts;
mod exactness;
mod fuzz;
mod grading;
mod grouping;
mod journal;
#[path = "../mix/mod.rs"]
mod mix;
mod refetch;
mod reports;
mod rules;
mod support;
mod swap;
mod tasks;
mod tidy;
mod versions;
mod wire;
