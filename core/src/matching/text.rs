//! Patterns for the values of headers, cookies, query parameters and hosts.

use std::fmt;

use memchr::memmem;

use super::literal::restore;
use super::methods::list;

/// A header's, cookie's, query's or host's value: a text, or one of several, in which `*` is any run of characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextPattern(Box<[OneText]>);

/// One text.
#[derive(Clone, Debug, PartialEq, Eq)]
struct OneText {
    /// As messages show it.
    shown: Box<str>,
    /// The texts around each `*`: one where there is none.
    pieces: Box<[Box<str>]>,
}

impl TextPattern {
    /// Every text is a pattern; without a `*` it stands for itself.
    pub fn new(text: &str) -> TextPattern {
        TextPattern::one_of([text])
    }

    /// Pattern of the values that fit one of some texts.
    pub fn one_of<'t>(texts: impl IntoIterator<Item = &'t str>) -> TextPattern {
        TextPattern(texts.into_iter().map(OneText::new).collect())
    }

    /// As [`TextPattern::one_of`], of texts with the words by which messages show each: the names of variables, say,
    /// instead of their values.
    pub(crate) fn shown_as<'t>(texts: impl IntoIterator<Item = (&'t str, &'t str)>) -> TextPattern {
        let texts = texts.into_iter();
        TextPattern(
            texts.map(|(text, shown)| OneText { shown: shown.into(), ..OneText::new(text) }).collect(),
        )
    }

    /// Whether the pattern fits the whole of `value`, case-sensitively.
    pub fn fits(&self, value: &[u8]) -> bool {
        self.0.iter().any(|text| fits(&text.pieces, value, |a, b| a == b, memmem::find))
    }

    /// As [`TextPattern::fits`], ignoring the case of ASCII letters.
    pub fn fits_ignoring_case(&self, value: &[u8]) -> bool {
        let find = |value: &[u8], piece: &[u8]| {
            // `windows` refuses a width of zero.
            let width = piece.len().max(1);
            if piece.is_empty() {
                Some(0)
            } else {
                value.windows(width).position(|w| w.eq_ignore_ascii_case(piece))
            }
        };
        self.0.iter().any(|text| fits(&text.pieces, value, <[u8]>::eq_ignore_ascii_case, find))
    }

    /// The only values that fit, where there are only some.
    pub fn exact(&self) -> Option<impl Iterator<Item = &str>> {
        let is_exact = self.0.iter().all(|text| text.pieces.len() == 1);
        is_exact.then(|| self.0.iter().flat_map(|text| &text.pieces).map(|text| &**text))
    }
}

impl OneText {
    fn new(text: &str) -> OneText {
        OneText {
            shown: restore(text).into(),
            pieces: text.split('*').map(|piece| restore(piece).into()).collect(),
        }
    }
}

impl fmt::Display for OneText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

/// Searches each piece between stars once, from the left, without backtracking: where a piece
/// fits further left, the pieces after it have only more room.
fn fits(
    pieces: &[Box<str>],
    mut value: &[u8],
    same: impl Fn(&[u8], &[u8]) -> bool,
    find: impl Fn(&[u8], &[u8]) -> Option<usize>,
) -> bool {
    let (first, middle, last) = match pieces {
        [] => return value.is_empty(),
        [only] => return same(value, only.as_bytes()),
        [first, middle @ .., last] => (first, middle, last),
    };
    match value.split_at_checked(first.len()) {
        Some((start, rest)) if same(start, first.as_bytes()) => value = rest,
        _ => return false,
    }
    let before_last = value.len().checked_sub(last.len());
    match before_last.and_then(|at| value.split_at_checked(at)) {
        Some((rest, end)) if same(end, last.as_bytes()) => value = rest,
        _ => return false,
    }
    for piece in middle.iter().map(|piece| piece.as_bytes()) {
        let Some(at) = find(value, piece) else { return false };
        value = value.get(at + piece.len()..).unwrap_or_default();
    }
    true
}

/// As written: `a*, b or c`.
impl fmt::Display for TextPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        list(f, &self.0)
    }
}

/// Condition on the values of a header, a cookie or a query parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Presence {
    Present,
    Absent,
    /// Where there are several values, any one of them.
    Like(TextPattern),
}

impl Presence {
    /// Whether the values sent meet the condition.
    pub fn holds<V: AsRef<[u8]>>(&self, mut values: impl Iterator<Item = V>) -> bool {
        match self {
            Presence::Present => values.next().is_some(),
            Presence::Absent => values.next().is_none(),
            Presence::Like(pattern) => values.any(|value| pattern.fits(value.as_ref())),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_star_is_any_run() {
        for (pattern, value, fits) in [
            ("", "", true),
            ("", "a", false),
            ("abc", "abc", true),
            ("abc", "ABC", false),
            ("abc", "abcd", false),
            ("*", "", true),
            ("*", "anything", true),
            ("a*", "abc", true),
            ("a*", "ba", false),
            ("*c", "abc", true),
            ("a*c", "ac", true),
            ("a*a", "a", false),
            ("ab*ba", "aba", false),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-c-c", false),
            ("a**c", "abc", true),
        ] {
            assert_eq!(TextPattern::new(pattern).fits(value.as_bytes()), fits, "{pattern} {value}");
        }
        assert!(TextPattern::new("a*").fits(b"a\xff"), "values need not be UTF-8");
    }

    #[test]
    fn a_protected_star_is_a_star() {
        use super::super::literal::protect;
        let pattern = TextPattern::new(&format!("a*-{}", protect("x*{y}")));
        assert!(pattern.fits(b"abc-x*{y}"));
        assert!(!pattern.fits(b"abc-xx{y}"));
        assert_eq!(pattern.to_string(), "a*-x*{y}");
        let exact = TextPattern::shown_as([(&*protect("*"), "${NAME}")]);
        assert_eq!(exact.exact().map(Vec::from_iter), Some(vec!["*"]));
        assert!(exact.fits(b"*") && !exact.fits(b"x"));
        assert_eq!(exact.to_string(), "${NAME}");
    }

    #[test]
    fn hosts_do_not_tell_cases_apart() {
        for (pattern, host, fits) in [
            ("API.example", "api.EXAMPLE", true),
            ("*.Example", "api.exAMPLE", true),
            ("*.example", "example", false),
            ("a*b*.Example", "AxB.example", true),
            ("a*b*.Example", "AxC.example", false),
            ("[::1]", "[::1]", true),
        ] {
            assert_eq!(
                TextPattern::new(pattern).fits_ignoring_case(host.as_bytes()),
                fits,
                "{pattern} {host}"
            );
        }
    }

    #[test]
    fn any_one_of_several_values_may_fit() {
        let like = |text| Presence::Like(TextPattern::new(text));
        let one_of = |texts: &[&'static str]| Presence::Like(TextPattern::one_of(texts.iter().copied()));
        for (presence, values, holds) in [
            (one_of(&["c", "b*"]), &["a", "b1"][..], true),
            (one_of(&["c", "b*"]), &["a", "d"], false),
            (Presence::Present, &[][..], false),
            (Presence::Present, &[""], true),
            (Presence::Absent, &[], true),
            (Presence::Absent, &["a"], false),
            (like("b*"), &["a", "b1"], true),
            (like("b*"), &["a"], false),
            (like("*"), &[], false),
        ] {
            assert_eq!(presence.holds(values.iter()), holds, "{presence:?} {values:?}");
        }
    }

    /// Naive model: the definition of fitting, with its exponential cost.
    fn fits_by_definition(pattern: &[u8], value: &[u8]) -> bool {
        match (pattern, value) {
            ([], []) => true,
            ([b'*', rest @ ..], _) => (0..=value.len()).any(|at| fits_by_definition(rest, &value[at..])),
            ([a, pattern @ ..], [b, value @ ..]) => a == b && fits_by_definition(pattern, value),
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn fitting_is_what_its_definition_says(pattern in "[ab*]{0,7}", value in "[ab]{0,9}") {
            prop_assert_eq!(
                TextPattern::new(&pattern).fits(value.as_bytes()),
                fits_by_definition(pattern.as_bytes(), value.as_bytes())
            );
        }
    }
}
