//! Characters that stand for themselves, although they mean something in a pattern or a template.
//!
//! Text that is filled into a pattern stands for itself. Its special characters are exchanged for noncharacters, which
//! Unicode keeps for the internal use of programs (Unicode 16.0, §23.7), and come back where the pattern is taken
//! apart.

use std::borrow::Cow;

/// Special characters with their substitutes.
const SPECIAL: [(char, char); 3] = [('*', STAR), ('{', '\u{fdd1}'), ('}', '\u{fdd2}')];

/// The substitute for a `*`.
pub(super) const STAR: char = '\u{fdd0}';

/// Around a text that is filled into a template.
const BEGIN: char = '\u{fdd3}';
const END: char = '\u{fdd4}';

/// `text`, with every special character exchanged.
pub(crate) fn protect(text: &str) -> String {
    let substitute =
        |c: char| SPECIAL.iter().find(|(special, _)| *special == c).map_or(c, |(_, other)| *other);
    text.chars().map(substitute).collect()
}

/// As [`protect`], marked as one value.
pub(crate) fn protect_value(text: &str) -> String {
    format!("{BEGIN}{}{END}", protect(text))
}

/// `text` as it was before it was protected.
pub(crate) fn restore(text: &str) -> Cow<'_, str> {
    // All of them have the same first two bytes, and texts without them are the rule.
    if !text.contains(|c: char| ('\u{fdd0}'..='\u{fdd4}').contains(&c)) {
        return text.into();
    }
    let special = |c: char| SPECIAL.iter().find(|(_, other)| *other == c).map_or(c, |(special, _)| *special);
    text.chars().filter(|c| !matches!(*c, BEGIN | END)).map(special).collect::<String>().into()
}

/// The parts of `text`, and of each whether it is a value of [`protect_value`].
pub(crate) fn parts(text: &str) -> impl Iterator<Item = (bool, Cow<'_, str>)> {
    text.split_inclusive([BEGIN, END]).map(|part| (part.ends_with(END), restore(part)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_protected_has_no_special_character_and_comes_back() {
        for text in ["", "plain", "a*b", "{n}", "{{n}}", "**/{id}*"] {
            let protected = protect(text);
            assert!(!protected.contains(['*', '{', '}']), "{protected}");
            assert_eq!(restore(&protected), text);
            assert_eq!(restore(&protect_value(text)), text);
        }
        let text = format!("a{}b", protect_value("{n}"));
        assert_eq!(
            parts(&text).collect::<Vec<_>>(),
            [(false, "a".into()), (true, "{n}".into()), (false, "b".into())]
        );
    }
}
