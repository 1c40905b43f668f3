//! The paths that a rule is about.

use std::borrow::Cow;
use std::fmt;

use super::methods::list;
use super::outline::Outline;
use super::{PathPattern, PathRegex};
use crate::model::Captures;

/// Matcher of paths.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum PathMatch {
    #[default]
    Any,
    Pattern(PathPattern),
    /// The first of these that fits captures.
    OneOf(Box<[PathPattern]>),
    Regex(PathRegex),
}

impl PathMatch {
    /// Matcher of a path that fits one of some patterns.
    pub fn one_of(patterns: Vec<PathPattern>) -> PathMatch {
        match <[PathPattern; 1]>::try_from(patterns) {
            Ok([pattern]) => PathMatch::Pattern(pattern),
            Err(patterns) => PathMatch::OneOf(patterns.into()),
        }
    }

    /// Names of the captures that every path has, in the matcher's order.
    pub fn names(&self) -> Vec<&str> {
        match self {
            PathMatch::Any => Vec::new(),
            PathMatch::Pattern(pattern) => pattern.names().collect(),
            PathMatch::OneOf(patterns) => {
                let Some((first, rest)) = patterns.split_first() else { return Vec::new() };
                let is_in = |pattern: &PathPattern, name: &str| pattern.names().any(|other| other == name);
                first.names().filter(|name| rest.iter().all(|pattern| is_in(pattern, name))).collect()
            }
            PathMatch::Regex(regex) => regex.names().collect(),
        }
    }

    /// Returns the captures from `path`; `None` when it does not fit.
    pub fn captures<'r>(&'r self, path: &'r str) -> Option<Captures<'r>> {
        match self {
            PathMatch::Any => Some(Captures::default()),
            PathMatch::Pattern(pattern) => pattern.captures(path),
            PathMatch::OneOf(patterns) => patterns.iter().find_map(|pattern| pattern.captures(path)),
            PathMatch::Regex(regex) => regex.captures(path),
        }
    }

    /// Outlines for the index: every path that fits also fits one of them.
    pub(super) fn outlines(&self) -> Vec<Cow<'_, Outline>> {
        match self {
            PathMatch::Any => vec![Cow::Owned(Outline::any())],
            PathMatch::Pattern(pattern) => vec![Cow::Owned(pattern.outline())],
            PathMatch::OneOf(patterns) => {
                patterns.iter().map(|pattern| Cow::Owned(pattern.outline())).collect()
            }
            PathMatch::Regex(regex) => vec![Cow::Borrowed(regex.outline())],
        }
    }
}

/// The matcher as written; empty for any path.
impl fmt::Display for PathMatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PathMatch::Any => Ok(()),
            PathMatch::Pattern(pattern) => pattern.fmt(f),
            PathMatch::OneOf(patterns) => list(f, patterns),
            PathMatch::Regex(regex) => regex.fmt(f),
        }
    }
}
