//! A rule on one line: `PUT /items/{id} first=1 kind=version`, as `--rule` takes it.

use std::borrow::Cow;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use super::merge::relocate;
use crate::rules::diagnostic::shown;
use crate::rules::keys::{RULE, ValueType};
use crate::rules::{Code, Diagnostic};

/// The line as a rules file with one rule: the method, the path, then `key=value`. A value is TOML where it reads as
/// such, else a text.
pub(super) fn table<'t>(text: &'t str, report: &mut dyn FnMut(Diagnostic)) -> DeTable<'t> {
    let mut rule = DeTable::new();
    let words = words(text);
    if words.is_empty() {
        report(
            Diagnostic::error(Code::Syntax, "a rule on one line begins with a method and a path")
                .at(0..text.len(), "nothing is here")
                .help("for example `--rule 'PUT /items/{id} first=1 kind=version'`"),
        );
    }
    for (at, span) in words.into_iter().enumerate() {
        let word = text.get(span.clone()).unwrap_or_default();
        let is_path = word.starts_with('/');
        match word.split_once('=').filter(|(key, _)| !is_path && is_key(key)) {
            Some((key, _)) => {
                let from = span.start + key.len() + 1;
                put(&mut rule, text, span.start..span.start + key.len(), from..span.end, report);
            }
            None if is_path && !rule.contains_key("path") => {
                rule.insert(Spanned::new(span.clone(), "path".into()), string(text, span));
            }
            None if at == 0 => {
                let methods = methods(text, span.clone());
                rule.insert(Spanned::new(span.clone(), "method".into()), methods);
            }
            None => {
                let title = format!("`{}` is neither a path nor `key=value`", shown(word));
                report(
                    Diagnostic::error(Code::Syntax, title)
                        .at(span, "behind the method and the path, write `key=value`")
                        .help("for example `PUT /items/{id} first=1 kind=version`; a value with spaces stands in quotes"),
                );
            }
        }
    }
    let mut rules = DeArray::new();
    rules.push(Spanned::new(0..text.len(), DeValue::Table(rule)));
    let mut table = DeTable::new();
    table.insert(
        Spanned::new(0..text.len(), "rule".into()),
        Spanned::new(0..text.len(), DeValue::Array(rules)),
    );
    table
}

/// `PUT`, or `PUT,PATCH`.
fn methods(text: &str, span: Range<usize>) -> Spanned<DeValue<'_>> {
    let word = text.get(span.clone()).unwrap_or_default();
    if !word.contains(',') {
        return string(text, span);
    }
    let mut items = DeArray::new();
    let mut at = span.start;
    for method in word.split(',') {
        items.push(string(text, at..at + method.len()));
        at += method.len() + 1;
    }
    Spanned::new(span, DeValue::Array(items))
}

fn string(text: &str, span: Range<usize>) -> Spanned<DeValue<'_>> {
    let piece = text.get(span.clone()).unwrap_or_default();
    Spanned::new(span, DeValue::String(Cow::Borrowed(piece)))
}

/// Puts the value at `at` under a key that may have dots.
fn put<'t>(
    rule: &mut DeTable<'t>,
    text: &'t str,
    key: Range<usize>,
    at: Range<usize>,
    report: &mut dyn FnMut(Diagnostic),
) {
    let name = text.get(key.clone()).unwrap_or_default();
    let mut parts: Vec<&str> = name.split('.').collect();
    let Some(last) = parts.pop() else { return };
    let mut wanted = None;
    let mut section = Some(&RULE);
    let mut table = rule;
    for part in &parts {
        let entry = section.and_then(|section| section.entry(part)).map(|entry| &entry.value);
        wanted = entry.and_then(ValueType::of_entries);
        section = entry.and_then(ValueType::section);
        let nested = table
            .entry(Spanned::new(key.clone(), Cow::Borrowed(*part)))
            .or_insert_with(|| Spanned::new(key.start..at.end, DeValue::Table(DeTable::new())));
        match nested.get_mut() {
            DeValue::Table(nested) => table = nested,
            _ => return report(twice(name, key)),
        }
    }
    wanted = section.and_then(|section| section.entry(last)).map(|entry| &entry.value).or(wanted);
    if table.contains_key(last) {
        return report(twice(name, key));
    }
    let parsed = text.get(key.start..at.end).and_then(|line| DeTable::parse(line).ok());
    let mut parsed = parsed.map(|parsed| DeValue::Table(parsed.into_inner()));
    for part in parts.iter().chain([&last]) {
        parsed = match parsed {
            Some(DeValue::Table(mut table)) => table.remove(*part).map(|mut value| {
                relocate(&mut value, &|at| at + key.start);
                value.into_inner()
            }),
            _ => None,
        };
    }
    let value = match parsed.filter(|value| is_meant(value, wanted)) {
        Some(value) => Spanned::new(at, value),
        None => string(text, at),
    };
    table.insert(Spanned::new(key, last.into()), value);
}

/// Whether a value that reads as TOML is one: where a key takes nothing but texts, digits are a text.
fn is_meant(value: &DeValue<'_>, wanted: Option<&ValueType>) -> bool {
    let takes_texts_alone = wanted.is_some_and(|wanted| match wanted {
        ValueType::Any(values) => values.iter().all(|value| {
            matches!(
                value,
                ValueType::Text(_) | ValueType::OneOrList(_) | ValueType::List(_) | ValueType::Boolean
            )
        }),
        wanted => matches!(wanted, ValueType::Text(_) | ValueType::OneOrList(_)),
    });
    match value {
        DeValue::Datetime(_) => false,
        DeValue::Integer(_) | DeValue::Float(_) => !takes_texts_alone,
        _ => true,
    }
}

fn twice(name: &str, key: Range<usize>) -> Diagnostic {
    Diagnostic::error(Code::Syntax, format!("`{}` is given twice", shown(name)))
        .at(key, "given before, in the same rule")
}

fn is_key(key: &str) -> bool {
    !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte))
}

/// The words of a line; spaces in quotes and brackets part none, but in a path.
fn words(text: &str) -> Vec<Range<usize>> {
    let mut words = Vec::new();
    let mut start = None;
    let mut quote: Option<char> = None;
    let (mut depth, mut escaped) = (0_usize, false);
    for (at, c) in text.char_indices() {
        let is_path = start.is_some_and(|start| text.get(start..).is_some_and(|word| word.starts_with('/')));
        match quote {
            Some(_) if escaped => escaped = false,
            Some('"') if c == '\\' => escaped = true,
            Some(open) if open == c => quote = None,
            Some(_) => {}
            None if is_path && c.is_whitespace() => {
                words.extend(start.take().map(|start| start..at));
                continue;
            }
            None if is_path => {}
            None if matches!(c, '"' | '\'') => quote = Some(c),
            None if matches!(c, '[' | '{') => depth += 1,
            None if matches!(c, ']' | '}') => depth = depth.saturating_sub(1),
            None if c.is_whitespace() && depth == 0 => {
                words.extend(start.take().map(|start| start..at));
                continue;
            }
            None => {}
        }
        start = start.or(Some(at));
    }
    words.extend(start.map(|start| start..text.len()));
    words
}
