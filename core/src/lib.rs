//! The pure part of fracas. Time, chance and stored state are arguments; this crate has no runtime, sockets
//! or clocks among its dependencies, so the compiler keeps it so.
//!
//! A module uses only those above it in this list.
//!
//! - [`content_coding`]: bodies decoded by their `Content-Encoding`, with bounded memory.
//! - [`model`]: facts about a request, keys, kinds, draws, moments, recorded attempts.
//! - [`matching`]: which requests a rule selects, and the index that finds a request's rules.
//! - [`rules`]: the text of a rules file becomes a [`rules::Config`], or every mistake in it.
//! - [`drafts`]: rules files written from OpenAPI, HAR and journals.
//! - [`engine`]: triggers, state machines and the compiled rule set.
//! - [`reply`]: the responses that rules give.
//! - [`grading`]: recorded attempts become operations, findings and a verdict.
//! - [`report`]: one verdict in every format.
#![forbid(unsafe_code)]

pub mod content_coding;
pub mod drafts;
pub mod engine;
pub mod grading;
pub mod matching;
pub mod model;
pub mod reply;
pub mod report;
pub mod rules;
