//! Texts with placeholders: the `body` and the `headers` of a reply.
//!
//! Bodies are mostly JSON, which is full of braces, so a brace means something only where it looks
//! like a placeholder: `{word}`, where a word is a small letter followed by letters, digits and
//! `_ . : -`. Every other brace stands for itself, and `{"error":{"code":{n}}}` needs no escaping.
//!
//! | written | becomes |
//! | --- | --- |
//! | `{word}` | the value; a mistake when there is no such placeholder |
//! | `{{word}}` | the text `{word}` |
//! | `{{{word}}}` | the value between braces |

mod placeholder;

use std::fmt;
use std::ops::Range;

pub use placeholder::{Placeholder, TemplateScope, WORDS};

/// Every mistake in `text`, in its order; empty for a text that can be rendered within `scope`.
pub fn check(text: &str, scope: &TemplateScope<'_>) -> Vec<TemplateMistake> {
    pieces(text)
        .filter_map(|piece| match piece {
            Piece::Text(_) => None,
            Piece::Word { word, at } => Placeholder::parse(word, scope).err().map(|fault| fault.at(at, word)),
        })
        .collect()
}

/// Whether `text` holds `{current}`, or a part of it.
pub fn shows_current(text: &str) -> bool {
    pieces(text).any(|piece| matches!(piece, Piece::Word { word, .. } if word == "current" || word.starts_with("current./")))
}

/// A placeholder that means nothing, or that this rule cannot fill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateMistake {
    /// Where in the text, in bytes: the placeholder with its braces.
    pub at: Range<usize>,
    /// One line, lower case, without a full stop.
    pub message: String,
    /// The correction, as a sentence.
    pub suggestion: String,
}

impl fmt::Display for TemplateMistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for TemplateMistake {}

/// A part of a text, in its order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece<'t> {
    /// Stands for itself.
    Text(&'t str),
    /// `{word}`.
    Word {
        /// Without the braces.
        word: &'t str,
        /// Where it stands, in bytes, with its braces.
        at: Range<usize>,
    },
}

/// The pieces of `text`. Every text has some reading: all but placeholders is text.
pub fn pieces(text: &str) -> impl Iterator<Item = Piece<'_>> {
    Pieces { text, at: 0, ahead: None }
}

struct Pieces<'t> {
    text: &'t str,
    at: usize,
    /// A placeholder found behind the text that was just handed out.
    ahead: Option<Piece<'t>>,
}

impl<'t> Iterator for Pieces<'t> {
    type Item = Piece<'t>;

    fn next(&mut self) -> Option<Piece<'t>> {
        if let Some(piece) = self.ahead.take() {
            return Some(piece);
        }
        let start = self.at;
        let mut look = start;
        while let Some(found) = self.text.get(look..)?.find('{') {
            let open = look + found;
            let rest = self.text.get(open..)?;
            if let Some(word) = braced(rest, 3) {
                // One brace on each side is text, one is dropped.
                let at = open + 2..open + 2 + word.len() + 2;
                let after = at.end + 1;
                return self.hand_out(start..open + 1, at, after);
            }
            if let Some(word) = braced(rest, 2) {
                // One brace of each pair is dropped: return the text before it, then `{word}` as text.
                let literal = open + 1..open + 2 + word.len() + 1;
                if start < open {
                    self.ahead = self.text.get(literal.clone()).map(Piece::Text);
                    self.at = literal.end + 1;
                    return self.text.get(start..open).map(Piece::Text);
                }
                self.at = literal.end + 1;
                return self.text.get(literal).map(Piece::Text);
            }
            if let Some(word) = braced(rest, 1) {
                let at = open..open + word.len() + 2;
                let after = at.end;
                return self.hand_out(start..open, at, after);
            }
            look = open + 1;
        }
        self.at = self.text.len();
        self.text.get(start..).filter(|rest| !rest.is_empty()).map(Piece::Text)
    }
}

impl<'t> Pieces<'t> {
    /// Hands out the text before a placeholder, then the placeholder, and goes on at `after`.
    fn hand_out(&mut self, before: Range<usize>, at: Range<usize>, after: usize) -> Option<Piece<'t>> {
        self.at = after;
        let word = Piece::Word { word: self.text.get(at.start + 1..at.end - 1)?, at };
        if before.is_empty() {
            return Some(word);
        }
        self.ahead = Some(word);
        self.text.get(before).map(Piece::Text)
    }
}

/// The word that `text` begins with inside `depth` pairs of braces.
fn braced(text: &str, depth: usize) -> Option<&str> {
    let inside = text.strip_prefix(["{", "{{", "{{{"].get(depth - 1)?)?;
    // A JSON pointer has slashes.
    let is_pointer = inside.starts_with("current./");
    let ends = |c: char| {
        let is_inside = c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | ':' | '-');
        !(is_inside || is_pointer && matches!(c, '/' | '~'))
    };
    let end = inside.find(ends)?;
    let (word, rest) = inside.split_at_checked(end)?;
    (word.starts_with(|c: char| c.is_ascii_lowercase())
        && rest.starts_with(["}", "}}", "}}}"].get(depth - 1)?))
    .then_some(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The pieces as one line: placeholders between `<` and `>`.
    fn read(text: &str) -> String {
        pieces(text)
            .map(|piece| match piece {
                Piece::Text(text) => text.to_owned(),
                Piece::Word { word, at } => {
                    assert_eq!(&text[at], format!("{{{word}}}"), "{text}");
                    format!("<{word}>")
                }
            })
            .collect()
    }

    #[test]
    fn only_what_looks_like_a_placeholder_is_one() {
        for (text, pieces) in [
            ("", ""),
            ("plain", "plain"),
            ("{n}", "<n>"),
            ("a{n}b{path}", "a<n>b<path>"),
            ("{n}{n}", "<n><n>"),
            (r#"{"error":"x"}"#, r#"{"error":"x"}"#),
            (r#"{"a":{"b":{n}}}"#, r#"{"a":{"b":<n>}}"#),
            (r#"{"a":{"b":{"c":{}}}}"#, r#"{"a":{"b":{"c":{}}}}"#),
            ("{param.userId} {header.x-y} {hex:8}", "<param.userId> <header.x-y> <hex:8>"),
            ("{{n}}", "{n}"),
            ("a {{n}} b", "a {n} b"),
            ("{{n}}{{n}}{n}", "{n}{n}<n>"),
            ("{{no-such-word}}", "{no-such-word}"),
            ("{{{n}}}", "{<n>}"),
            ("{{n}", "{<n>"),
            ("{{{{n}}}}", "{{<n>}}"),
            ("{} { } {a b} {1} {_a} {N} {", "{} { } {a b} {1} {_a} {N} {"),
            ("{n", "{n"),
            ("n}", "n}"),
            ("{ü}{n}ü", "{ü}<n>ü"),
        ] {
            assert_eq!(read(text), pieces, "{text}");
        }
    }

    #[test]
    fn every_mistake_of_a_text_is_reported_where_it_stands() {
        let scope = TemplateScope { params: &["id"], ..TemplateScope::default() };
        let text = r#"{"a":"{methd}","b":"{path}","c":"{param.idd}"}"#;
        let mistakes = check(text, &scope);
        assert_eq!(
            mistakes.iter().map(|mistake| &text[mistake.at.clone()]).collect::<Vec<_>>(),
            ["{methd}", "{param.idd}"]
        );
        assert_eq!(mistakes[0].message, "`{methd}` is not a placeholder");
        assert_eq!(mistakes[0].suggestion, "did you mean `{method}`? For the text itself, write `{{methd}}`");
        assert!(check(r#"{"a":"{param.id}"}"#, &scope).is_empty());
    }
}
