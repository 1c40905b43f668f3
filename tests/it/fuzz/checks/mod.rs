//! The checks that `fuzz/` runs with whatever bytes it finds, and the suite with a bounded number.

mod choices;
pub mod header_rewriting;
pub mod matcher;
pub mod raw_requests;
pub mod rules_text;
