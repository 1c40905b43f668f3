//! The TOML parser's errors, put for people, and how far its guesses can be trusted.

use std::ops::Range;

use toml::de::Error;

use super::habits::unquoted;
use crate::rules::diagnostic::shown;
use crate::rules::{Code, Diagnostic, Severity};

/// The parts of files that were not understood, in bytes.
#[derive(Default)]
pub(super) struct Broken {
    lines: Vec<Range<usize>>,
}

impl Broken {
    /// Adds the parts of a text that begins at `base` among all texts.
    pub fn add(&mut self, text: &str, errors: &[Error], base: usize) {
        let lines = errors.iter().filter_map(Error::span).map(|span| reach(text, span));
        self.lines.extend(lines.map(|line| line.start + base..line.end + base));
    }

    /// Whether a mistake may come from a guess about the unparsed part.
    pub fn explains(&self, mistake: &Diagnostic) -> bool {
        if self.lines.is_empty() {
            return false;
        }
        let guessed = matches!(mistake.code, Code::MissingKey | Code::NotTogether | Code::NotCaptured);
        let Some(span) = &mistake.span else { return guessed };
        guessed
            || mistake.severity == Severity::Warning
            || self.lines.iter().any(|line| span.start <= line.end && line.start <= span.end)
    }
}

/// One mistake per line at most: the parser stumbles again after a first stumble.
pub(super) fn mistakes(text: &str, errors: &[Error]) -> Vec<Diagnostic> {
    let mut errors: Vec<(Range<usize>, &Error)> =
        errors.iter().map(|error| (error.span().unwrap_or(0..0), error)).collect();
    errors.sort_by_key(|(span, _)| span.start);
    let mut told = 0;
    let mut mistakes = Vec::new();
    for (span, error) in errors {
        if span.start < told {
            continue;
        }
        told = reach(text, span.clone()).end + 1;
        mistakes.push(mistake(text, span, error.message()));
    }
    mistakes
}

/// The line of a span; after a broken heading, everything up to the next one.
fn reach(text: &str, span: Range<usize>) -> Range<usize> {
    let start = line_start(text, span.start);
    let from = span.end.max(start);
    let rest = text.get(from..).unwrap_or_default();
    let is_heading = text.get(start..).is_some_and(|line| line.trim_start().starts_with('['));
    let length = if is_heading { rest.find("\n[") } else { rest.find('\n') };
    start..from + length.unwrap_or(rest.len())
}

fn line_start(text: &str, at: usize) -> usize {
    text.get(..at).and_then(|before| before.rfind('\n')).map_or(0, |line_break| line_break + 1)
}

/// The parser's terms in words for readers new to its grammar.
fn mistake(text: &str, span: Range<usize>, message: &str) -> Diagnostic {
    let piece = text.get(span.clone()).unwrap_or_default();
    let (what, expected) = message.split_once(", expected ").unwrap_or((message, ""));
    let after_equals =
        text.get(line_start(text, span.start)..span.start).is_some_and(|line| line.trim_end().ends_with('='));
    let should = |what: &str| format!("{what} should stand here");
    let rest = text.get(span.start..).unwrap_or_default();
    let meant = match what {
        "missing escaped value" | "too few unicode value digits" => unquoted::escape(text, &span),
        "duplicate key" | "string values must be quoted" if after_equals && piece.is_empty() => None,
        "duplicate key" => None,
        _ => unquoted::mistake(text, &span),
    };
    if let Some(meant) = meant {
        return meant;
    }
    let (title, label) = match what {
        "duplicate key" => {
            let title = format!("`{}` is given twice", shown(piece));
            return Diagnostic::error(Code::Syntax, title).at(span, "given before, in the same table");
        }
        "string values must be quoted" if piece.is_empty() && after_equals => {
            ("a value is missing", should("a value"))
        }
        "string values must be quoted" | "invalid boolean" => {
            let label = format!("text stands in quotes: \"{}\"", shown(piece));
            ("a value is neither text, a number, true nor false", label)
        }
        "invalid basic string" | "invalid literal string" => ("a text does not end", should(expected)),
        "missing escaped value" => {
            ("TOML has no such escape", r"write \\ for \, or single quotes around the text".to_owned())
        }
        "unclosed table" | "unclosed array table" => ("a table's heading does not end", should(expected)),
        "unclosed array" => ("a list does not end", should("`]`")),
        "unclosed inline table" => ("a table does not end", should("`}`")),
        "missing comma between array elements" => {
            ("a list goes on without a comma", "`,` or `]` should stand before this".to_owned())
        }
        "missing comma between key-value pairs" => {
            ("a table goes on without a comma", "`,` or `}` should stand before this".to_owned())
        }
        "key with no value" => ("a key has no value", "write `key = value`".to_owned()),
        "invalid unquoted key" if piece == ":" => {
            ("a key and its value have `=` between them", "not a colon".to_owned())
        }
        "invalid mantissa" | "invalid fraction" => {
            ("a number lacks digits beside its point", should("digits"))
        }
        "unexpected leading zero" => ("a number begins with a zero", "leave it out".to_owned()),
        "unexpected key or value" if rest.starts_with(',') => {
            ("a value goes on after its end", "a list stands in brackets, a fraction has a point".to_owned())
        }
        "unexpected key or value" => {
            ("a value goes on after its end", "the next key begins a line of its own".to_owned())
        }
        other if expected.is_empty() => (other, "not understood".to_owned()),
        other => (other, should(expected)),
    };
    Diagnostic::error(Code::Syntax, title).at(span, label)
}
