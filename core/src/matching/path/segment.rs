//! One segment of a path pattern.

/// Literal text with wild parts in between, never two of them side by side.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Segment {
    pub first: Box<str>,
    /// Each wild part with the literal that follows it, which only at the end may be empty.
    pub rest: Box<[(Wild, Box<str>)]>,
}

/// A part that stands for text of any kind.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Wild {
    /// `*`: also empty.
    Run,
    /// `{name}`: not empty.
    Name(Box<str>),
}

impl Segment {
    /// Whether the whole of `text` fits; if so, adds the captures to `found`. If not,
    /// `found` may contain partial captures.
    pub fn fits<'r>(&'r self, text: &'r str, found: &mut Vec<(&'r str, &'r str)>) -> bool {
        let Some(mut text) = text.strip_prefix(&*self.first) else { return false };
        let Some(((last, end), middle)) = self.rest.split_last() else { return text.is_empty() };
        for (wild, literal) in middle {
            let least = wild.least(text);
            let Some(at) = text.get(least..).and_then(|text| text.find(&**literal)) else { return false };
            let (value, rest) = text.split_at(least + at);
            wild.capture(value, found);
            text = rest.strip_prefix(&**literal).unwrap_or(rest);
        }
        let Some(value) = text.strip_suffix(&**end) else { return false };
        last.capture(value, found);
        value.len() >= last.least("")
    }

    /// The only text that fits, where there is only one.
    pub fn literal(&self) -> Option<&str> {
        self.rest.is_empty().then_some(&self.first)
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.rest.iter().filter_map(|(wild, _)| match wild {
            Wild::Name(name) => Some(&**name),
            Wild::Run => None,
        })
    }

    /// Continues the literal `run` through the segment; runs that a wild part ends go to `done`.
    pub fn runs(&self, run: &mut String, done: &mut Vec<String>) {
        run.push_str(&self.first);
        for (_, literal) in &self.rest {
            done.push(std::mem::replace(run, literal.to_string()));
        }
    }
}

impl Wild {
    /// Minimum number of bytes of `text` it takes: for a name, one character.
    fn least(&self, text: &str) -> usize {
        match self {
            Wild::Run => 0,
            Wild::Name(_) => text.chars().next().map_or(1, char::len_utf8),
        }
    }

    fn capture<'r>(&'r self, value: &'r str, found: &mut Vec<(&'r str, &'r str)>) {
        if let Wild::Name(name) = self {
            found.push((name, value));
        }
    }
}
