//! Values from the environment in messages: the names of their variables stand there instead.

use std::ops::Range;

use super::variables::{Filled, FilledTexts};
use crate::rules::Diagnostic;
use crate::rules::diagnostic::shown;

/// Shorter values are no secrets, and are found in words by chance.
const SHORTEST: usize = 4;
/// A piece of a longer value that gives it away.
const PIECE: usize = 10;

/// Takes values that were filled in out of a mistake's words.
pub(super) fn hide(mistake: &mut Diagnostic, filled: &FilledTexts) {
    let Some(span) = mistake.span.clone() else { return };
    let inside = |start: usize| span.start <= start && start < span.end.max(span.start + 1);
    let about: Vec<&Filled> = match filled.get(&span.start) {
        Some(filled) => vec![filled],
        // The place may be a part of the text, or a table around it.
        None => filled
            .iter()
            .filter(|(start, filled)| {
                inside(**start) || (**start..**start + filled.written.len() + 2).contains(&span.start)
            })
            .map(|(_, filled)| filled)
            .collect(),
    };
    for filled in about {
        for words in
            [Some(&mut mistake.title), Some(&mut mistake.label), mistake.help.as_mut()].into_iter().flatten()
        {
            *words = without(words, filled);
        }
    }
}

fn without(words: &str, filled: &Filled) -> String {
    let mut words =
        words.replace(&format!("\"{}\"", shown(&filled.text)), &format!("\"{}\"", shown(&filled.written)));
    for (range, name) in filled.values.iter().zip(&filled.names) {
        let value = filled.text.get(range.clone()).unwrap_or_default();
        // Corrections may have it in another case.
        let cased = [value.to_owned(), shown(value), value.to_ascii_uppercase(), value.to_ascii_lowercase()];
        for value in cased.iter().filter(|value| value.len() >= SHORTEST) {
            words = words.replace(value, &format!("${{{name}}}"));
        }
        while let Some(piece) = common(&words, value) {
            words.replace_range(piece, "…");
        }
    }
    words
}

/// A piece of `words` that is a piece of `value`, and long enough to give it away.
fn common(words: &str, value: &str) -> Option<Range<usize>> {
    let (words, value) = (words.as_bytes(), value.as_bytes());
    let at = words.windows(PIECE).position(|piece| value.windows(PIECE).any(|other| other == piece))?;
    let mut end = at + PIECE;
    while words.get(at..=end).is_some_and(|piece| value.windows(piece.len()).any(|other| other == piece)) {
        end += 1;
    }
    Some(at..end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_taken_out_of_words() {
        let text = "Bearer sk_live_0123456789abcdef".to_owned();
        let filled = Filled {
            values: std::iter::once(7..text.len()).collect(),
            names: vec!["TOKEN".to_owned()],
            written: "Bearer ${TOKEN}".to_owned(),
            text,
        };
        for (words, hidden) in [
            ("nothing of it", "nothing of it"),
            ("`Bearer sk_live_0123456789abcdef` is odd", "`Bearer ${TOKEN}` is odd"),
            ("begins with sk_live_01234…", "begins with ……"),
            ("ends with 56789abcdef", "ends with …"),
            ("has sk_live in it", "has sk_live in it"),
        ] {
            assert_eq!(without(words, &filled), hidden);
        }
    }
}
