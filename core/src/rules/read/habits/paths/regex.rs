//! Regular expressions where a pattern is expected, and patterns where an expression is.

use super::{closed, is_name, is_pattern};
use crate::matching::{PathPattern, PathRegex};
use crate::rules::units::TextMistake;

/// Whether a text has syntax that only regular expressions have.
pub(super) fn is_regex(text: &str) -> bool {
    let is_class = |(at, _): (usize, &str)| {
        let inside = text.get(at + 1..).and_then(|rest| rest.split_once(']'));
        inside.is_some_and(|(inside, behind)| {
            inside.starts_with('^') || inside.contains('-') || behind.starts_with(['+', '*', '?', '{'])
        })
    };
    text.starts_with('^')
        || text.starts_with("~ ")
        || text.starts_with("~*")
        || text.starts_with("/^")
        || text.ends_with('$')
        || text.contains(['\\', '|'])
        || ["(?", ".+", ")+", ")*", ")?"].iter().any(|sign| text.contains(sign))
        || text.match_indices('[').any(is_class)
}

/// The expression without the anchors that other programs put around it, for whole paths.
pub(super) fn bare_regex(text: &str) -> String {
    // nginx's sign, and the slashes around an expression of JavaScript.
    let bare = text.trim_start_matches(['~', '*', ' ']);
    let bare = match bare.strip_prefix("/^") {
        Some(inside) => inside.strip_suffix('/').unwrap_or(inside).replace("\\/", "/"),
        None => bare.replace("\\/", "/"),
    };
    let from_start = bare.starts_with('^') && !bare.ends_with('$');
    let bare = bare.trim_start_matches('^').trim_end_matches('$');
    if from_start && !bare.ends_with(".*") { format!("{bare}.*") } else { bare.to_owned() }
}

/// The mistake in a regular expression that is one of another program, or none.
pub fn check_regex(text: &str) -> Option<TextMistake> {
    if text.starts_with("/^") || text.starts_with("~ ") || text.starts_with("~*") {
        let message = format!("an expression stands alone: write `{}`", bare_regex(text));
        return Some(TextMistake::new(0..text.len(), message));
    }
    // `{id}` would be a repetition of nothing.
    let is_pattern = text.starts_with('/') && text.contains('{') && PathPattern::parse(text).is_ok();
    (is_pattern && PathRegex::parse(text).is_err())
        .then(|| TextMistake::new(0..text.len(), format!("this is a pattern: write `path = \"{text}\"`")))
}

pub(super) fn regex_message(text: &str) -> String {
    let regex = bare_regex(text);
    // Django's have no slash before them.
    let is_bare = regex.starts_with(|first: char| first.is_ascii_alphanumeric());
    let regex = if is_bare { format!("/{regex}") } else { regex };
    let mut message = "a regular expression goes in `path_regex`".to_owned();
    if !regex.contains('\'') && regex.starts_with('/') && PathRegex::parse(&regex).is_ok() {
        message.push_str(&format!(": write `path_regex = '{regex}'`"));
    }
    if let Some(pattern) = as_pattern(&regex) {
        message.push_str(&format!(", or `path = \"{pattern}\"`"));
    }
    message
}

/// The pattern that says about the same as a regular expression, where there is one.
pub(super) fn as_pattern(regex: &str) -> Option<String> {
    let mut pattern = regex.strip_suffix("/?").unwrap_or(regex).to_owned();
    while let Some(open) = pattern.find("(?") {
        let inside = closed(pattern.get(open..)?, '(', ')')?.to_owned();
        let name = inside.trim_start_matches(['?', 'P']).strip_prefix('<')?.split_once('>')?.0;
        let name = Some(name).filter(|name| is_name(name))?;
        pattern.replace_range(open..open + inside.len() + 2, &format!("{{{name}}}"));
    }
    let pattern = pattern.replace("[^/]", "\\w");
    let segments = pattern.split('/').map(|segment| match segment {
        "\\d+" | "\\w+" | "[0-9]+" | ".+" | "[a-z]+" | "[a-z0-9-]+" | "[\\w-]+" | "(\\d+)" | "([0-9]+)"
        | "(\\w+)" => "*".to_owned(),
        ".*" | "(.*)" => "**".to_owned(),
        other => other.replace("\\.", ".").replace("\\-", "-"),
    });
    let pattern = segments.collect::<Vec<_>>().join("/");
    is_pattern(&pattern).then_some(pattern)
}
