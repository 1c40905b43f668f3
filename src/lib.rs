//! fracas, an HTTP conflict simulator: a reverse proxy that forwards traffic to a real upstream while
//! rules refuse some of it with 409 Conflict.
//!
//! This crate is the program: everything with IO. Decisions, state, grading and reports are in
//! the pure crate `fracas_core`, whose modules are re-exported here. ARCHITECTURE.md is the map.
//!
//! - [`proxy`]: the data path; `exchange.rs` is one request's life, top to bottom.
//! - [`store`]: keyed state. [`journal`]: the record of attempts. [`clock`]: the one place that reads clocks.
//! - [`rules_file`]: rules from disk. [`demo`]: the sample API. [`cli`]: the command line.
#![forbid(unsafe_code)]

pub mod cli;
pub mod clock;
pub mod demo;
pub mod journal;
pub mod proxy;
pub mod rules_file;
pub mod store;

pub use fracas_core::{content_coding, drafts, engine, grading, matching, model, reply, report, rules};
