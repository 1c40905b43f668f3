//! The command line as people and scripts meet it.

mod results;
mod serving;
mod start;
