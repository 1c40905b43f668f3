//! fracas, an HTTP conflict simulator.
#![forbid(unsafe_code)]

pub mod demo;
pub mod matching;
pub mod rules;
pub mod words;
