//! `pattern = "..xx."`: requests by their positions.

use std::fmt;

use super::counted::{self, CountedDefinition};
use crate::rules::keys::value::{Form, ValueType};

pub(in crate::rules) const TRIGGER: CountedDefinition<Pattern> = CountedDefinition {
    key: counted::key(
        "pattern",
        ValueType::Text(Form::Sequence),
        "By position in each key's sequence, repeating; `x` conflicts, `.` passes. At most 10,000 positions.",
        "pattern = \"..xx.\"",
    ),
    value: Pattern::to_string,
    label: Pattern::to_string,
    share: |pattern| Some(pattern.share()),
    waits_for: |pattern| Some(format!("it conflicts where `{pattern}` says x, of each key (`per`)")),
};

/// `pattern = "..xx."`: 1 to [`Pattern::LONGEST`] positions, at least one of which conflicts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    positions: Box<[bool]>,
}

impl Pattern {
    /// Positions at most.
    pub const LONGEST: usize = 10_000;

    /// A sequence in which `true` conflicts; `None` if no position conflicts, or if there are too many.
    pub fn new(positions: impl IntoIterator<Item = bool>) -> Option<Pattern> {
        let positions: Box<[bool]> = positions.into_iter().take(Pattern::LONGEST + 1).collect();
        let is_one = positions.len() <= Pattern::LONGEST && positions.contains(&true);
        is_one.then_some(Pattern { positions })
    }

    /// The positions, of which `true` conflicts.
    pub fn positions(&self) -> &[bool] {
        &self.positions
    }

    /// The share of positions that conflict.
    pub fn share(&self) -> f64 {
        self.conflicting() as f64 / self.positions.len() as f64
    }

    /// How many positions conflict.
    pub fn conflicting(&self) -> usize {
        self.positions.iter().filter(|conflicts| **conflicts).count()
    }
}

/// The pattern as written, or a summary when it is long.
impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const LONGEST: usize = 12;
        let positions = self.positions();
        if positions.len() <= LONGEST {
            return positions
                .iter()
                .try_for_each(|conflicts| f.write_str(if *conflicts { "x" } else { "." }));
        }
        write!(f, "{} of {}", self.conflicting(), positions.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_conflicts_somewhere_and_has_an_end() {
        let pattern = |text: &str| Pattern::new(text.chars().map(|c| c == 'x'));
        assert_eq!(pattern(""), None);
        assert_eq!(pattern("..."), None);
        assert_eq!(pattern(".x..").map(|pattern| (pattern.conflicting(), pattern.share())), Some((1, 0.25)));
        assert!(Pattern::new(std::iter::repeat_n(true, Pattern::LONGEST)).is_some());
        assert_eq!(Pattern::new(std::iter::repeat(true)), None);
    }
}
