//! The checks that `fuzz/` runs without end, and the suite with a bounded number of cases.

mod choices;
pub mod content_codings;
pub mod header_rewriting;
pub mod matcher;
pub mod raw_requests;
pub mod rules_text;
