//! Path patterns: `/items/{id}`, `/files/*.json`, `/static/**`.

mod parse;
mod segment;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use super::PatternMistake;
use super::literal::restore;
use super::outline::{Outline, Tail};
use crate::model::Captures;
use segment::Segment;

/// A pattern for whole paths.
///
/// `{name}` is a whole segment or a part of one, not empty, and is captured; `*` is any run of
/// characters inside a segment; `**` stands alone for any run of segments, also none, so that
/// `/items/**` fits `/items`, `/items/` and `/items/a/b`. Of several ways to fit, each name takes
/// the shortest text from the left: `/{a}-{b}` splits `/x-y-z` into `x` and `y-z`.
#[derive(Clone, Debug, PartialEq)]
pub struct PathPattern(Arc<Parsed>);

#[derive(Debug, PartialEq)]
struct Parsed {
    /// As written.
    text: Box<str>,
    /// The segments around each `**`: one group where there is none.
    groups: Box<[Box<[Segment]>]>,
}

impl PathPattern {
    /// At most 1 KiB. Percent-encoded unreserved characters are decoded, as they are in the paths
    /// it is compared with.
    pub fn parse(text: &str) -> Result<PathPattern, PatternMistake> {
        Ok(PathPattern(Arc::new(Parsed { text: restore(text).into(), groups: parse::groups(text)? })))
    }

    /// Returns the captures from `path`; `None` when it does not fit.
    ///
    /// Linear in practice, and at worst the product of the two lengths: like pieces between stars,
    /// each group is searched once, from the left.
    pub fn captures<'r>(&'r self, path: &'r str) -> Option<Captures<'r>> {
        let mut found = Vec::new();
        let (first, rest) = self.0.groups.split_first()?;
        if !path.starts_with('/') {
            return None;
        }
        let mut path = fit_front(first, path, &mut found)?;
        let Some((last, middle)) = rest.split_last() else {
            return path.is_empty().then_some(Captures(found));
        };
        let (before, mut tail) = fit_back(last, path)?;
        path = before;
        for group in middle {
            let mark = found.len();
            path = loop {
                if let Some(behind) = fit_front(group, path, &mut found) {
                    break behind;
                }
                found.truncate(mark);
                path = split_front(path)?.1;
            };
        }
        // Match again for its captures: they come last.
        for segment in last {
            let (text, behind) = split_front(tail)?;
            segment.fits(text, &mut found);
            tail = behind;
        }
        Some(Captures(found))
    }

    /// Names of the captures, in the pattern's order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.groups.iter().flatten().flat_map(Segment::names)
    }

    /// Whether only one path fits.
    pub(super) fn is_literal(&self) -> bool {
        self.0.groups.len() == 1 && self.0.groups.iter().flatten().all(|segment| segment.literal().is_some())
    }

    /// Outline of every path that fits.
    pub(super) fn outline(&self) -> Outline {
        let first = self.0.groups.first().map(|group| &**group).unwrap_or_default();
        let mut runs = Vec::new();
        for group in &self.0.groups {
            let mut run = String::new();
            for segment in group {
                run.push('/');
                segment.runs(&mut run, &mut runs);
            }
            runs.push(run);
        }
        Outline {
            segments: first.iter().map(|segment| segment.literal().map(Into::into)).collect(),
            tail: if self.0.groups.len() == 1 { Tail::End } else { Tail::Rest },
            literals: runs.into_iter().map(|run| vec![run.into_bytes().into()]).collect(),
        }
    }
}

/// As written.
impl fmt::Display for PathPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.text)
    }
}

/// The rest of `path` after a group that fits its beginning.
fn fit_front<'r>(
    group: &'r [Segment],
    mut path: &'r str,
    found: &mut Vec<(&'r str, &'r str)>,
) -> Option<&'r str> {
    for segment in group {
        let (text, rest) = split_front(path)?;
        if !segment.fits(text, found) {
            return None;
        }
        path = rest;
    }
    Some(path)
}

/// `path` cut in two before a group that fits its end.
fn fit_back<'r>(group: &'r [Segment], path: &'r str) -> Option<(&'r str, &'r str)> {
    let mut before = path;
    for _ in group {
        before = before.get(..before.rfind('/')?)?;
    }
    let tail = path.get(before.len()..)?;
    // Captures are discarded here: the caller collects them later.
    fit_front(group, tail, &mut Vec::new()).map(|_| (before, tail))
}

/// The first segment and the rest: `/a/b` is `a` and `/b`.
fn split_front(path: &str) -> Option<(&str, &str)> {
    let path = path.strip_prefix('/')?;
    Some(path.split_at(path.find('/').unwrap_or(path.len())))
}
