//! fracas, an HTTP conflict simulator.
#![forbid(unsafe_code)]

pub mod matching;
pub mod rules;
pub mod rules_file;
pub mod words;
