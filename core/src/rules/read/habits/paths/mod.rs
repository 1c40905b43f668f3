//! Paths as other programs write them, and how they are written here.
//!
//! Express has `:id`, Flask `<int:id>`, Next.js `[id]`, Starlette `{id:int}`, Go `{rest...}`; WireMock and nginx
//! have regular expressions, and a URL is copied from the address bar. Each of them would be a mistake without
//! a word of help, or worse: a pattern that is valid and fits no request.

mod regex;
#[cfg(test)]
mod tests;

use std::ops::Range;

use crate::matching::{PathPattern, PathRegex};
use crate::rules::units::TextMistake;

pub use self::regex::check_regex;
use self::regex::{as_pattern, bare_regex, is_regex, regex_message};

/// The mistake in a pattern that is another program's, and its correction.
pub fn check(text: &str) -> Option<TextMistake> {
    let regex = || is_regex(text).then(|| TextMistake::new(0..text.len(), regex_message(text)));
    // Before all else: a named group has pointed brackets too.
    if text.starts_with(['^', '~']) || text.starts_with("/^") || text.contains("(?") || text.ends_with('$') {
        return regex();
    }
    let (before, path) = before_path(text);
    let (written, foreign) = rewritten(path);
    // `items/:id` lacks two things, and is told of both at once.
    let written = if written.starts_with('/') { written } else { format!("/{written}") };
    match (before, foreign) {
        (Some(before), _) if is_pattern(&written) => {
            Some(TextMistake::new(0..text.len(), format!("{}`{written}`", before.advice())))
        }
        (None, Some((at, part))) if is_pattern(&written) => {
            Some(TextMistake::new(at, format!("{}: write `{written}`", part.advice())))
        }
        _ => regex(),
    }
}

/// A path of another program in ours.
pub enum Ours {
    Pattern(String),
    Regex(String),
}

/// The form of another program's path here.
pub fn ours(text: &str) -> Option<Ours> {
    let written = rewritten(before_path(text).1).0;
    let written = if written.starts_with('/') { written } else { format!("/{written}") };
    if is_pattern(&written) {
        return Some(Ours::Pattern(written));
    }
    let regex = bare_regex(text);
    as_pattern(&regex)
        .map(Ours::Pattern)
        .or_else(|| PathRegex::parse(&regex).is_ok().then_some(Ours::Regex(regex)))
}

/// Whether it is written as it is here.
fn is_pattern(text: &str) -> bool {
    PathPattern::parse(text).is_ok() && rewritten(text).1.is_none() && !is_regex(text)
}

/// The part of a URL before the path.
enum Before {
    Url,
    Host,
    Method,
}

impl Before {
    fn advice(&self) -> &'static str {
        match self {
            Before::Url => "the host of a URL goes in `host`, and a path is what follows it: write ",
            Before::Host => "the host goes in `host`, and a path is what follows it: write ",
            Before::Method => "the method goes in `method`, and a path stands alone: write ",
        }
    }
}

/// The part before the path, and the path, without the query of a URL.
fn before_path(text: &str) -> (Option<Before>, &str) {
    let up_to_query = |path: &str| path.find(['?', '#']).unwrap_or(path.len());
    let from_slash = |rest: &str| rest.find('/').map(|at| text.len() - rest.len() + at);
    let cut = |at: Option<usize>| {
        let path = at.and_then(|at| text.get(at..)).unwrap_or("/");
        path.get(..up_to_query(path)).unwrap_or(path)
    };
    if text.starts_with('/') {
        return (None, text);
    }
    if let Some((scheme, rest)) = text.split_once("://")
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+.-*(|)".contains(&byte))
    {
        return (Some(Before::Url), cut(from_slash(rest)));
    }
    let (first, rest) = text.split_once(' ').unwrap_or((text, ""));
    if rest.starts_with('/') && first.bytes().all(|byte| byte.is_ascii_uppercase() || b"|,".contains(&byte)) {
        return (Some(Before::Method), cut(from_slash(rest)));
    }
    match text.find('/') {
        // A name with a point or a port, or a variable that stands for them.
        Some(at) if text.get(..at).is_some_and(is_host) => (Some(Before::Host), cut(Some(at))),
        _ => (None, text),
    }
}

/// A name with a point or a port, or a variable that stands for one.
fn is_host(text: &str) -> bool {
    let is_named = text.starts_with(|c: char| c.is_ascii_alphanumeric()) && text.contains(['.', ':']);
    is_named || text == "*" || text.starts_with(['$']) || text.starts_with("{{")
}

/// The form of a foreign part here.
#[derive(Clone, Copy)]
enum Part {
    Name,
    Run,
    Rest,
}

impl Part {
    fn advice(self) -> &'static str {
        match self {
            Part::Name => "what is captured stands in braces",
            Part::Run => "any one segment is `*`",
            Part::Rest => "any run of segments is `**`",
        }
    }
}

/// The path in this program's words, with the place of the first part that was another's.
fn rewritten(path: &str) -> (String, Option<(Range<usize>, Part)>) {
    let mut written = String::with_capacity(path.len());
    let mut first = None;
    let mut at = 0;
    while let Some(rest) = path.get(at..).filter(|rest| !rest.is_empty()) {
        let begins = at == 0 || path.get(..at).is_some_and(|before| before.ends_with('/'));
        if let Some((length, part, name)) = foreign(rest, begins, path.get(..at).unwrap_or_default()) {
            first.get_or_insert((at..at + length, part));
            match part {
                Part::Name => written.push_str(&format!("{{{name}}}")),
                Part::Run => written.push('*'),
                Part::Rest => written.push_str("**"),
            }
            at += length;
        } else {
            let length = own(rest);
            written.push_str(rest.get(..length).unwrap_or(rest));
            at += length;
        }
    }
    (written, first)
}

/// Bytes of the part that `rest` begins with, which is to stay as it is: a name in braces, or a character.
fn own(rest: &str) -> usize {
    match closed(rest, '{', '}') {
        Some(inside) if is_name(inside) => inside.len() + 2,
        _ => rest.chars().next().map_or(1, char::len_utf8),
    }
}

/// The foreign part that `rest` begins with: its length, its form here, and its name if it has one.
/// `begins`: a segment begins here.
fn foreign<'t>(rest: &'t str, begins: bool, before: &str) -> Option<(usize, Part, &'t str)> {
    let segment = rest.split('/').next().unwrap_or_default();
    if begins {
        let whole = match segment {
            ".*" | "..." => Some((Part::Rest, "")),
            ".+" => Some((Part::Run, "")),
            "%s" | "%d" | "%i" | "%v" => Some((Part::Name, "id")),
            _ => segment.strip_prefix('*').filter(|name| is_name(name)).map(|name| (Part::Rest, name)),
        };
        if let Some((part, name)) = whole {
            return Some((segment.len(), part, name));
        }
        if let Some(inside) = bracketed(segment) {
            return Some((segment.len(), inside.0, inside.1));
        }
    }
    // Of Express: `/:id`, `/:from-:to`; Google's `/items:batchGet` is no name.
    let in_named = before
        .rsplit('/')
        .next()
        .is_some_and(|segment| segment.starts_with(':') && segment.ends_with(['-', '.']));
    if let Some(name) = rest.strip_prefix(':').filter(|_| begins || in_named).map(leading_name)
        && !name.is_empty()
    {
        return Some(express(rest, name));
    }
    if let Some(inside) = closed(rest, '<', '>') {
        let (converter, name) = inside.rsplit_once(':').unwrap_or(("", inside));
        let is_rest = converter.trim().starts_with("path") || name.ends_with("..");
        let name = name.trim_end_matches('.').trim();
        return is_name(name).then_some((
            inside.len() + 2,
            if is_rest { Part::Rest } else { Part::Name },
            name,
        ));
    }
    for (open, extra) in [("${", 1), ("#{", 1), ("{{", 1)] {
        let Some(inside) =
            rest.strip_prefix(open).and(rest.get(extra..)).and_then(|rest| closed(rest, '{', '}'))
        else {
            continue;
        };
        let doubled = usize::from(open == "{{");
        let name = inside.trim_matches(['{', '}', ' ']);
        let end = extra + inside.len() + 2 + doubled;
        if is_name(name) && rest.get(..end).is_some_and(|all| doubled == 0 || all.ends_with("}}")) {
            return Some((end, Part::Name, name));
        }
    }
    let inside = closed(rest, '{', '}').filter(|inside| !is_name(inside))?;
    let name = leading_name(inside.trim_start_matches('*').trim_start());
    let behind = inside.trim_start_matches('*').trim_start().get(name.len()..)?.trim();
    let is_rest = inside.starts_with('*')
        || matches!(behind.trim_start_matches([':', '=', ' ']), "path" | ".*" | "**" | "..." | ".+")
        || matches!(behind, "*" | ":*");
    let is_known = behind.is_empty() || behind.starts_with([':', '=', '?', '.', '*']);
    (!name.is_empty() && is_known).then_some((
        inside.len() + 2,
        if is_rest { Part::Rest } else { Part::Name },
        name,
    ))
}

/// `:id`, `:id(\\d+)`, `:id?`, `:rest*`.
fn express<'t>(rest: &'t str, name: &'t str) -> (usize, Part, &'t str) {
    let mut length = 1 + name.len();
    if let Some(inside) = rest.get(length..).and_then(|rest| closed(rest, '(', ')')) {
        length += inside.len() + 2;
    }
    let behind = rest.get(length..).unwrap_or_default();
    let ends = |behind: &str| behind.get(1..).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    match behind.chars().next().filter(|_| ends(behind)) {
        Some('*' | '+') => (length + 1, Part::Rest, name),
        Some('?') => (length + 1, Part::Name, name),
        _ => (length, Part::Name, name),
    }
}

/// `[id]`, `[...rest]`, `[[...rest]]`.
fn bracketed(segment: &str) -> Option<(Part, &str)> {
    let inside = segment.strip_prefix('[')?.strip_suffix(']')?;
    let inside = inside.strip_prefix('[').and_then(|inside| inside.strip_suffix(']')).unwrap_or(inside);
    match inside.strip_prefix("...") {
        Some(name) => is_name(name).then_some((Part::Rest, name)),
        None => is_name(inside).then_some((Part::Name, inside)),
    }
}

/// The text between the bracket that `text` begins with and its counterpart.
fn closed(text: &str, open: char, close: char) -> Option<&str> {
    if !text.starts_with(open) {
        return None;
    }
    let mut depth = 0_usize;
    for (at, character) in text.char_indices() {
        if character == open {
            depth += 1;
        } else if character == close {
            depth -= 1;
        }
        if depth == 0 {
            return text.get(open.len_utf8()..at);
        }
    }
    None
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && leading_name(text) == text
}

fn leading_name(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
    text.get(..end).filter(|name| !name.starts_with(|c: char| c.is_ascii_digit())).unwrap_or_default()
}
