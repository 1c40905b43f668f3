//! The one integration crate; a module per subject.

mod rules;
