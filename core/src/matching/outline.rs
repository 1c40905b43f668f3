//! Outline of a path matcher for the index: every path that fits the matcher also fits its outline.

/// Necessary condition for a path to fit a matcher.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Outline {
    /// The leading segments: the exact text, or `None` for any.
    pub segments: Vec<Option<Box<str>>>,
    pub tail: Tail,
    /// Of each of these lists, every path that fits contains at least one text, upper and lower
    /// case not told apart.
    pub literals: Vec<Vec<Box<[u8]>>>,
}

/// Remainder of a path after the leading segments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Tail {
    /// Nothing.
    End,
    /// Anything.
    Rest,
}

impl Outline {
    /// Outline of a matcher that fits every path.
    pub fn any() -> Outline {
        Outline { segments: Vec::new(), tail: Tail::Rest, literals: Vec::new() }
    }
}
