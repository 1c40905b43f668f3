//! fracas, an HTTP conflict simulator.
#![forbid(unsafe_code)]

pub mod cli;
pub mod clock;
pub mod demo;
pub mod judgement;
pub mod matching;
pub mod proxy;
pub mod rules;
pub mod rules_file;
pub mod store;
pub mod words;
