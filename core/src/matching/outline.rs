//! What the index knows of a path matcher: less than the matcher itself, never more.

/// What every path that fits looks like.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Outline {
    /// The leading segments: the exact text, or `None` for any.
    pub segments: Vec<Option<Box<str>>>,
    pub tail: Tail,
    /// Of each of these lists, every path that fits contains at least one text, upper and lower
    /// case not told apart.
    pub literals: Vec<Vec<Box<[u8]>>>,
}

/// What follows the leading segments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Tail {
    /// Nothing.
    End,
    /// Anything.
    Rest,
}

impl Outline {
    /// Of a matcher that fits every path.
    pub fn any() -> Outline {
        Outline { segments: Vec::new(), tail: Tail::Rest, literals: Vec::new() }
    }
}
