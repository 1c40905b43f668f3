//! The one integration crate; a module per subject.

mod cli;
mod rules;
mod support;
