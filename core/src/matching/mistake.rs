//! Mistakes in the text of a pattern.

use std::fmt;
use std::ops::Range;

/// A mistake in a pattern's text, and its place there (bytes).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatternMistake {
    pub at: Range<usize>,
    /// One line, lower case, without a full stop.
    pub message: String,
}

impl PatternMistake {
    pub(super) fn new(at: Range<usize>, message: impl Into<String>) -> PatternMistake {
        PatternMistake { at, message: message.into() }
    }
}

impl fmt::Display for PatternMistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for PatternMistake {}
