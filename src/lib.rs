//! fracas, an HTTP conflict simulator: a reverse proxy that forwards traffic to a real upstream while
//! rules answer some of it with 409 Conflict.
//!
//! This is the map; ARCHITECTURE.md has the whole of it. A module uses only its own floor and those
//! below.
//!
//! - Floor 0, [`words`]: facts about a request, keys, kinds, dice, moments.
//! - Floor 1, [`rules`]: the text of a rules file becomes a [`rules::Config`], or every mistake in it.
//!   [`matching`]: which requests a rule is about, and the index that finds its rules.
//! - Floor 2, [`judgement`]: triggers, state machines and replies, with time, chance and what is known
//!   as arguments.
//! - Floor 3, the world: [`clock`], [`store`] (keyed state), [`journal`] (the record of
//!   attempts), [`rules_file`] (from disk), [`demo`] (the
//!   sample API), and [`proxy`] (the data path; `exchange.rs` is one request's life, top to bottom).
//! - Floor 4, the face: [`cli`], and [`reports`], which are pure again.
#![forbid(unsafe_code)]

pub mod cli;
pub mod clock;
pub mod demo;
pub mod journal;
pub mod judgement;
pub mod matching;
pub mod proxy;
pub mod reports;
pub mod rules;
pub mod rules_file;
pub mod store;
pub mod words;
