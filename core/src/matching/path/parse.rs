//! The text of a path pattern.

use std::ops::Range;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::super::PatternMistake;
use super::super::literal::{STAR, restore};
use super::segment::{Segment, Wild};
use crate::model::decode_unreserved;

/// Maximum length of a pattern in bytes. Paths of the web are rarely longer than 200 bytes.
const MOST_BYTES: usize = 1024;

/// The segments around each `**`.
pub(super) fn groups(text: &str) -> Result<Box<[Box<[Segment]>]>, PatternMistake> {
    check_characters(text)?;
    let mut groups = Vec::new();
    let mut group = Vec::new();
    let mut names = Vec::new();
    // Behind the leading slash, which was checked.
    let mut at = 1;
    for segment in text.split('/').skip(1) {
        if segment == "**" {
            groups.push(std::mem::take(&mut group).into());
        } else {
            group.push(parse_segment(segment, at, &mut names)?);
        }
        at += segment.len() + 1;
    }
    groups.push(group.into());
    Ok(groups.into())
}

fn check_characters(text: &str) -> Result<(), PatternMistake> {
    let mistake = |at, message: String| Err(PatternMistake::new(at, message));
    if text.len() > MOST_BYTES {
        return mistake(MOST_BYTES..text.len(), "a path pattern has at most 1,024 bytes".to_owned());
    }
    if !text.starts_with('/') {
        return mistake(0..text.len(), format!("a path begins with a slash: write `/{text}`"));
    }
    for (at, c) in text.char_indices() {
        let end = at + c.len_utf8();
        match c {
            '?' => {
                return mistake(at..text.len(), "a path ends before `?`: queries go in `query`".to_owned());
            }
            '#' => {
                let message = "a path ends before `#`: clients keep fragments to themselves";
                return mistake(at..text.len(), message.to_owned());
            }
            ' ' | '<' | '>' | '`' | '\0'..='\x1f' | '\x7f'.. if c != STAR => {
                let mut buffer = [0; 4];
                let encoded = utf8_percent_encode(c.encode_utf8(&mut buffer), NON_ALPHANUMERIC);
                let message = format!("paths arrive percent-encoded: write `{encoded}`");
                return mistake(at..end, message);
            }
            _ => {}
        }
    }
    Ok(())
}

/// `names` are those of the segments before; `at` is where `text` begins in the whole pattern.
fn parse_segment<'t>(text: &'t str, at: usize, names: &mut Vec<&'t str>) -> Result<Segment, PatternMistake> {
    let mut literals = vec![""];
    let mut wilds: Vec<Wild> = Vec::new();
    let mut position = 0;
    while let Some(rest) = text.get(position..).filter(|rest| !rest.is_empty()) {
        let length = rest.find(['*', '{', '}']).unwrap_or(rest.len());
        let (literal, special) = rest.split_at(length);
        if !literal.is_empty() {
            literals.pop();
            literals.push(literal);
            position += length;
            continue;
        }
        let (wild, length) = parse_wild(special, at + position, names)?;
        let range = at + position..at + position + length;
        if !wilds.is_empty() && literals.last() == Some(&"") {
            let message = "nothing stands between this and the `*` or name before it, so that nothing says \
                           where that ends";
            return Err(PatternMistake::new(range, message));
        }
        wilds.push(wild);
        literals.push("");
        position += length;
    }
    let mut literals = literals.into_iter().map(|text| Box::from(&*decode_unreserved(&restore(text))));
    let first = literals.next().unwrap_or_default();
    Ok(Segment { first, rest: wilds.into_iter().zip(literals).collect() })
}

/// The wild part that `text` begins with, and its length.
fn parse_wild<'t>(
    text: &'t str,
    at: usize,
    names: &mut Vec<&'t str>,
) -> Result<(Wild, usize), PatternMistake> {
    let mistake = |length: Range<usize>, message: String| {
        Err(PatternMistake::new(at + length.start..at + length.end, message))
    };
    if text.starts_with("**") {
        let message = "`**` stands alone between slashes; inside a segment write `*`";
        return mistake(0..2, message.to_owned());
    }
    if text.starts_with('*') {
        return Ok((Wild::Run, 1));
    }
    let Some(inside) = text.strip_prefix('{') else {
        return mistake(0..1, "`}` without a `{` before it".to_owned());
    };
    let Some((name, _)) = inside.split_once('}') else {
        return mistake(0..text.len(), "`{` is not closed in its segment: write `{id}`".to_owned());
    };
    let length = name.len() + 2;
    if name.is_empty() {
        return mistake(0..length, "a name goes between the braces: write `{id}`".to_owned());
    }
    if name.starts_with('*') || name.ends_with('*') || name.ends_with("...") {
        let message = "a name is one segment; for any run of segments write `**`";
        return mistake(0..length, message.to_owned());
    }
    if name.starts_with(|c: char| c.is_ascii_digit())
        || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    {
        let message = format!("`{name}` is not a name: letters, digits and `_`, no digit first");
        return mistake(1..length - 1, message);
    }
    if names.contains(&name) {
        return mistake(1..length - 1, format!("the name `{name}` is taken further left"));
    }
    names.push(name);
    Ok((Wild::Name(name.into()), length))
}
