//! The command line as people and scripts meet it.

mod around;
mod closing;
mod ending;
mod exhaustion;
mod failed_upstream;
mod misuse;
mod one_rule;
mod one_verdict;
mod outputs;
mod report;
mod results;
mod run;
mod serving;
mod start;
mod stopped;
mod untested;
mod upstream_tls;
