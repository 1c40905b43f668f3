//! fracas, an HTTP conflict simulator.
#![forbid(unsafe_code)]

pub mod judgement;
pub mod matching;
pub mod rules;
pub mod words;
