//! What the TOML parser complains of, said for people, and what its guesses are worth.

use std::ops::Range;

use toml::de::Error;

use crate::rules::diagnostic::shown;
use crate::rules::{Code, Diagnostic, Severity};

/// The parts of a file that were not understood, in bytes.
pub(super) struct Broken {
    lines: Vec<Range<usize>>,
}

impl Broken {
    pub fn new(text: &str, errors: &[Error]) -> Broken {
        let mut lines: Vec<Range<usize>> =
            errors.iter().filter_map(Error::span).map(|span| reach(text, span)).collect();
        lines.sort_by_key(|line| line.start);
        Broken { lines }
    }

    /// Whether a mistake may come from a guess about what could not be parsed.
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

    /// One mistake per line at most: the parser stumbles over what follows a first stumble.
    pub fn mistakes(&self, text: &str, errors: &[Error]) -> Vec<Diagnostic> {
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

fn mistake(text: &str, span: Range<usize>, message: &str) -> Diagnostic {
    let piece = text.get(span.clone()).unwrap_or_default();
    let (what, expected) = message.split_once(", expected ").unwrap_or((message, ""));
    let after_equals =
        text.get(line_start(text, span.start)..span.start).is_some_and(|line| line.trim_end().ends_with('='));
    let title = match what {
        "duplicate key" => {
            let title = format!("`{}` is given twice", shown(piece));
            return Diagnostic::error(Code::Syntax, title).at(span, "given before, in the same table");
        }
        "string values must be quoted" if piece.is_empty() => "a value is missing",
        "string values must be quoted" | "invalid boolean" => {
            let label = format!("text stands in quotes: \"{}\"", shown(piece));
            return Diagnostic::error(Code::Syntax, "a value is neither text, a number, true nor false")
                .at(span, label);
        }
        "invalid basic string" | "invalid literal string" => "a text does not end",
        "unclosed table" | "unclosed array table" => "a table's heading does not end",
        "unclosed array" => "a list does not end",
        "unclosed inline table" => "a table does not end",
        "key with no value" => "a key has no value",
        "invalid mantissa" | "invalid fraction" => "a number lacks digits beside its point",
        other => other,
    };
    let label = match (title, expected) {
        ("a value is missing", _) if after_equals => "a value should stand here".to_owned(),
        ("a key has no value", _) => "write `key = value`".to_owned(),
        (_, "") => "not understood".to_owned(),
        (_, expected) => format!("{expected} should stand here"),
    };
    Diagnostic::error(Code::Syntax, title).at(span, label)
}
