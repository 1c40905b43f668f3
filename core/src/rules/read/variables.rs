//! `${NAME}` and `${NAME:-default}` in texts of the file, filled from the environment. What is filled in stands for
//! itself: it is no special character of a pattern, and no placeholder of a template.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::sources::{NotText, PlacedText, Surroundings};
use crate::rules::diagnostic::shown;
use crate::rules::keys::{Form, Section, TOP, ValueType};
use crate::rules::{Code, Diagnostic};

/// A text with values filled in.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Filled {
    /// Where the values stand in it.
    pub values: Vec<Range<usize>>,
    /// Names of the variables, in the same order.
    pub names: Vec<String>,
    /// The text as the file has it.
    pub written: String,
    /// The text with its values.
    pub text: String,
}

impl Filled {
    /// Whether the text is one value and nothing else.
    pub fn is_one_value(&self) -> bool {
        matches!(self.values.as_slice(), [only] if *only == (0..self.text.len()))
    }

    /// The text with each value exchanged for `substitute` of it.
    pub fn with(&self, substitute: impl Fn(&str) -> String) -> String {
        let mut text = String::new();
        let mut at = 0;
        for value in &self.values {
            text.push_str(self.text.get(at..value.start).unwrap_or_default());
            text.push_str(&substitute(self.text.get(value.clone()).unwrap_or_default()));
            at = value.end;
        }
        text + self.text.get(at..).unwrap_or_default()
    }
}

/// Filled texts by where they stand.
pub(super) type FilledTexts = HashMap<usize, Filled>;

/// A text that cannot be filled: its place, and the mistake.
pub(super) struct Unfilled {
    pub text: Range<usize>,
    pub mistake: Diagnostic,
}

/// Fills the texts of one file.
pub(super) struct Filler<'f> {
    pub surroundings: &'f dyn Surroundings,
    pub source: &'f PlacedText,
    pub filled: &'f mut FilledTexts,
    pub unfilled: &'f mut Vec<Unfilled>,
}

impl Filler<'_> {
    /// Fills every text of a file's table.
    pub fn file(&mut self, table: &mut DeTable<'_>) {
        if self.source.text.text.contains('$') {
            self.table(table, Some(&TOP));
        }
    }

    fn table(&mut self, table: &mut DeTable<'_>, section: Option<&'static Section>) {
        for (key, value) in table.iter_mut() {
            let name = key.get_ref().as_ref();
            self.value(value, section.and_then(|section| section.entry(name)).map(|entry| &entry.value));
        }
    }

    /// Fills a value whose key takes `wanted`.
    fn value(&mut self, value: &mut Spanned<DeValue<'_>>, wanted: Option<&'static ValueType>) {
        let span = value.span();
        match value.get_mut() {
            DeValue::String(text) => {
                let Some(filled) = self.text(text, span.clone(), wanted) else { return };
                *text = Cow::Owned(filled.text.clone());
                self.filled.insert(span.start, filled);
            }
            DeValue::Array(items) => items.iter_mut().for_each(|item| self.value(item, wanted)),
            DeValue::Table(table) => match wanted.and_then(ValueType::of_entries) {
                Some(wanted) => table.iter_mut().for_each(|(_, value)| self.value(value, Some(wanted))),
                None => self.table(table, wanted.and_then(ValueType::section)),
            },
            _ => {}
        }
    }

    /// One text with its values; `None` where there is nothing to fill.
    pub fn text(&mut self, text: &str, span: Range<usize>, wanted: Option<&ValueType>) -> Option<Filled> {
        if !text.contains('$') {
            return None;
        }
        let is_strict =
            wanted.is_some_and(|wanted| wanted.takes(Form::PathPattern) || wanted.takes(Form::Template));
        let mut filled = Filled { written: text.to_owned(), ..Filled::default() };
        let mut is_changed = false;
        for piece in pieces(text, is_strict) {
            match piece {
                Piece::Text(text) => filled.text.push_str(text),
                Piece::Dollar => {
                    is_changed = true;
                    filled.text.push_str("${");
                }
                Piece::Variable { name, default, written } => match self.surroundings.variable(name) {
                    Ok(value) => {
                        let value = match default {
                            Some(default) => {
                                value.filter(|value| !value.is_empty()).or(Some(default.to_owned()))
                            }
                            None => value,
                        };
                        let Some(value) = value else {
                            return self.refuse(text, span, written, unset(name));
                        };
                        is_changed = true;
                        let start = filled.text.len();
                        filled.text.push_str(&value);
                        filled.values.push(start..filled.text.len());
                        filled.names.push(name.to_owned());
                    }
                    Err(NotText) => return self.refuse(text, span, written, not_text(name)),
                },
                Piece::Odd { name, written } => return self.refuse(text, span, written, odd(name)),
            }
        }
        is_changed.then_some(filled)
    }

    fn refuse(
        &mut self,
        text: &str,
        span: Range<usize>,
        written: &str,
        mistake: Diagnostic,
    ) -> Option<Filled> {
        // Escapes of TOML may stand before it, so it is looked for in the file's own text.
        let base = self.source.base();
        let inside = self.source.text.text.get(span.start - base..span.end - base).unwrap_or_default();
        let place = match inside.find(written).filter(|_| text != written) {
            Some(at) => span.start + at..span.start + at + written.len(),
            None => span.clone(),
        };
        let label = mistake.label.clone();
        self.unfilled.push(Unfilled { text: span, mistake: mistake.at(place, label) });
        None
    }
}

fn unset(name: &str) -> Diagnostic {
    let name = shown(name);
    Diagnostic::error(Code::UnsetVariable, format!("the variable `{name}` is not set"))
        .label("nothing to fill in")
        .help(format!(
            "set it in the environment, or give a default: `${{{name}:-…}}`; for the text itself write `$${{{name}}}`"
        ))
}

fn not_text(name: &str) -> Diagnostic {
    Diagnostic::error(Code::BadUtf8, format!("the value of the variable `{}` is not UTF-8", shown(name)))
        .label("cannot be filled in")
        .help("set it to a text in UTF-8")
}

fn odd(name: &str) -> Diagnostic {
    let name = shown(name);
    Diagnostic::error(Code::UnknownPlaceholder, format!("nothing fills the variable `{name}` in here"))
        .label(format!("write `${{{name}}}`, or `${{{name}:-default}}`"))
        .help(format!("other signs of shells are not understood; for the text itself write `$${{{name}`"))
}

/// A part of a text.
#[derive(Debug, PartialEq)]
enum Piece<'t> {
    Text(&'t str),
    /// `$${`, which stands for `${`.
    Dollar,
    Variable {
        name: &'t str,
        default: Option<&'t str>,
        written: &'t str,
    },
    /// Looks like a variable of a shell.
    Odd {
        name: &'t str,
        written: &'t str,
    },
}

/// The parts of `text`. Where lower case would be a captured name, or a placeholder after a dollar (`is_strict`), only
/// names in capitals are variables, and those with a default.
fn pieces(text: &str, is_strict: bool) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let (mut start, mut look) = (0, 0);
    while let Some(at) = text.get(look..).and_then(|rest| rest.find('$')).map(|at| look + at) {
        let rest = text.get(at..).unwrap_or_default();
        let found = if rest.starts_with("$${") {
            Some((Piece::Dollar, 3))
        } else if let Some(inside) = rest.strip_prefix("${") {
            variable(rest, inside, is_strict)
        } else {
            (at == 0).then(|| bare_variable(rest)).flatten()
        };
        let Some((piece, length)) = found else {
            look = at + 1;
            continue;
        };
        pieces.extend(text.get(start..at).filter(|text| !text.is_empty()).map(Piece::Text));
        pieces.push(piece);
        start = at + length;
        look = start;
    }
    pieces.extend(text.get(start..).filter(|text| !text.is_empty()).map(Piece::Text));
    pieces
}

fn variable<'t>(rest: &'t str, inside: &'t str, is_strict: bool) -> Option<(Piece<'t>, usize)> {
    let (inside, _) = inside.split_once('}')?;
    let length = inside.len() + 3;
    let written = rest.get(..length)?;
    let end = inside.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(inside.len());
    let (name, behind) = inside.split_at_checked(end)?;
    if !is_name(name) || is_strict && behind.is_empty() && !is_loud(name) {
        return None;
    }
    let piece = match behind.strip_prefix(":-") {
        Some(default) if !default.contains("${") => Piece::Variable { name, default: Some(default), written },
        None if behind.is_empty() => Piece::Variable { name, default: None, written },
        None if !behind.starts_with(['-', ':', '+', '?', '=', '%', '#']) => return None,
        _ => Piece::Odd { name, written },
    };
    Some((piece, length))
}

/// `$NAME` alone, which is no text that anybody means.
fn bare_variable(rest: &str) -> Option<(Piece<'_>, usize)> {
    let name = rest.strip_prefix('$').filter(|name| is_name(name) && is_loud(name))?;
    Some((Piece::Odd { name, written: rest }, rest.len()))
}

fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn is_loud(name: &str) -> bool {
    !name.bytes().any(|byte| byte.is_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Variables between `<` and `>`.
    fn read(text: &str, is_strict: bool) -> String {
        let pieces = pieces(text, is_strict).into_iter().map(|piece| match piece {
            Piece::Text(text) => text.to_owned(),
            Piece::Dollar => "<$>".to_owned(),
            Piece::Variable { name, default: Some(default), .. } => format!("<{name}|{default}>"),
            Piece::Variable { name, default: None, .. } => format!("<{name}>"),
            Piece::Odd { name, .. } => format!("<odd {name}>"),
        });
        pieces.collect()
    }

    #[test]
    fn variables_are_told_from_names_and_placeholders() {
        for (text, is_strict, pieces) in [
            ("", false, ""),
            ("plain", false, "plain"),
            ("${TENANT}", false, "<TENANT>"),
            ("x-${TENANT}-y${B}", false, "x-<TENANT>-y<B>"),
            ("${tenant}", false, "<tenant>"),
            ("${HOST:-localhost}", false, "<HOST|localhost>"),
            ("${HOST:-}", false, "<HOST|>"),
            ("${host:-a}", true, "<host|a>"),
            ("http://${HOST}:80", false, "http://<HOST>:80"),
            ("/t/${TENANT}/x", true, "/t/<TENANT>/x"),
            ("/t/${id}/x", true, "/t/${id}/x"),
            ("{\"price\":\"${key}\"}", true, "{\"price\":\"${key}\"}"),
            ("$${TENANT}", false, "<$>TENANT}"),
            ("$$${TENANT}", false, "$<$>TENANT}"),
            ("$", false, "$"),
            ("$5", false, "$5"),
            ("${}", false, "${}"),
            ("${a b}", false, "${a b}"),
            ("${1}", false, "${1}"),
            ("${OPEN", false, "${OPEN"),
            ("$ref", false, "$ref"),
            ("a$$b", false, "a$$b"),
            ("ü${N}ü", false, "ü<N>ü"),
            ("$TENANT", false, "<odd TENANT>"),
            ("${N:?no}", false, "<odd N>"),
            ("${N-1}", false, "<odd N>"),
            ("${A:-${B}}", false, "<odd A>}"),
        ] {
            assert_eq!(read(text, is_strict), pieces, "{text}");
        }
    }

    #[test]
    fn what_is_filled_in_can_be_exchanged() {
        let filled = Filled { values: vec![1..3, 4..4], text: "axyb".to_owned(), ..Filled::default() };
        assert_eq!(filled.with(str::to_uppercase), "aXYb");
    }
}
