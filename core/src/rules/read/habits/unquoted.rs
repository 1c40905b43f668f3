//! Values without quotes, and signs of other languages: the parser's message is replaced by one with the
//! correction.

use std::ops::Range;

use super::paths;
use crate::rules::diagnostic::shown;
use crate::rules::{Code, Diagnostic};

/// The probable meaning of the invalid TOML at `span`, where it can be told.
pub fn mistake(text: &str, span: &Range<usize>) -> Option<Diagnostic> {
    let start = text.get(..span.start)?.rfind('\n').map_or(0, |at| at + 1);
    let line = text.get(start..)?.lines().next().unwrap_or_default();
    if let Some(sign) = ["//", "/*", "--", ";"].iter().find(|sign| line.trim_start().starts_with(**sign)) {
        let at = start + line.len() - line.trim_start().len();
        let title = format!("a comment begins with `#`, not with `{sign}`");
        return Some(error(title, at..at + sign.len(), "write `#`"));
    }
    let (key, value) = line.split_once('=')?;
    let (key, value) = (key.trim(), value.trim());
    let at = start + line.find(value)?;
    let value = value.split(" #").next().unwrap_or(value).trim_end();
    let span = at..at + value.len();
    if let Some(name) = variable(value) {
        return Some(of_variable(key, name, span));
    }
    if let Some(number) = value.strip_suffix('%').and_then(|number| number.trim().parse::<f64>().ok()) {
        let share = (number * 1e4).round() / 1e6;
        let title = "a share is a number from 0 to 1".to_owned();
        return Some(error(title, span, &format!("for {number} %, write {share}")));
    }
    let label = match &*value.to_ascii_lowercase() {
        "true" | "yes" | "on" => "write `true`".to_owned(),
        "false" | "no" | "off" => "write `false`".to_owned(),
        "null" | "none" | "nil" | "undefined" | "~" => "there is no such value: leave the key out".to_owned(),
        _ if value.starts_with('/') => format!("text stands in quotes: \"{}\"", shown(value)),
        _ => return None,
    };
    Some(error("a value is neither text, a number, true nor false".to_owned(), span, &label))
}

/// The probable meaning of a backslash at `span` that TOML knows no escape of.
pub fn escape(text: &str, span: &Range<usize>) -> Option<Diagnostic> {
    let start = text.get(..span.start)?.rfind('\n').map_or(0, |at| at + 1);
    let line = text.get(start..)?.lines().next().unwrap_or_default();
    let before = line.get(..span.start - start)?;
    let open = before.rfind('"')?;
    let inside = line.get(open + 1..)?.split('"').next()?;
    let key = before.get(..open)?.trim_end().trim_end_matches('=').trim_end();
    let key = key.rsplit(['{', ',', ' ']).next().unwrap_or(key);
    if inside.contains('\'') || inside.is_empty() {
        return None;
    }
    // The closing quote may be missing.
    let end = (open + inside.len() + 2).min(line.len());
    let span = start + open..start + end;
    let title = r"in double quotes `\` begins an escape, and TOML has no such one".to_owned();
    let label = match key {
        "path" => match paths::check(inside) {
            Some(mistake) => mistake.message,
            None => return None,
        },
        _ => format!("single quotes leave `\\` as it is: write '{}'", shown(inside)),
    };
    Some(error(title, span, &label))
}

fn error(title: String, span: Range<usize>, label: &str) -> Diagnostic {
    Diagnostic::error(Code::Syntax, title).at(span, label)
}

/// The name in `${NAME}`, `$NAME` or `{{ NAME }}`.
fn variable(value: &str) -> Option<&str> {
    let inside = value
        .strip_prefix("${")
        .and_then(|rest| rest.strip_suffix('}'))
        .or_else(|| value.strip_prefix("{{").and_then(|rest| rest.strip_suffix("}}")))
        .or_else(|| value.strip_prefix('$'))
        .or_else(|| value.strip_prefix('%').and_then(|rest| rest.strip_suffix('%')))?;
    let name = inside.trim().trim_start_matches(['.', '$']).trim_start_matches("env.");
    let name = name.split([':', '-', ' ', '|']).next().unwrap_or(name);
    let is_name =
        |name: &str| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'.');
    (!name.is_empty() && is_name(name)).then_some(name)
}

fn of_variable(key: &str, name: &str, span: Range<usize>) -> Diagnostic {
    let name = shown(name);
    let by_flag = match key {
        "upstream" | "listen" | "seed" | "workers" => format!(
            "`--{key}` and the variable `FRACAS_{}` go over the file, too: then leave `{key}` out",
            key.to_uppercase()
        ),
        _ => String::new(),
    };
    let label = format!("write `{} = \"${{{name}}}\"`", shown(key));
    let mistake = error(format!("the variable `{name}` stands without quotes"), span, &label);
    if by_flag.is_empty() { mistake } else { mistake.help(by_flag) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_of_every_kind_are_known() {
        for (value, name) in [
            ("${N}", Some("N")),
            ("${N:-4}", Some("N")),
            ("$N", Some("N")),
            ("{{ seed }}", Some("seed")),
            ("{{ .Values.seed }}", Some("Values.seed")),
            ("%N%", Some("N")),
            ("N", None),
            ("$", None),
            ("{ a = 1 }", None),
        ] {
            assert_eq!(variable(value), name, "{value}");
        }
    }
}
