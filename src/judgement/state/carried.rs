//! The version that a request carries, and whether it is the newest (RFC 9110 §13.1).
//!
//! A proxy must not evaluate preconditions on its own account (§13.2.1): only an explicit rule
//! comes here.

use std::borrow::Cow;

use http::{StatusCode, header};
use serde_json::Value;

use super::{Judgement, Versions};
use crate::judgement::operation::Seen;
use crate::rules::VersionSource;
use crate::words::Facts;

/// What a request says about the version that it is based on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Carried<'r> {
    /// `If-Match: "a", "b"`; weak tags are left out, since none compares equal strongly.
    Tags(Vec<&'r str>),
    /// `If-Match: *`.
    Any,
    /// `If-Unmodified-Since`, in seconds since 1970.
    Since(i64),
    /// A version field.
    Field(Cow<'r, str>),
    Nothing,
}

impl<'r> Carried<'r> {
    /// What `facts` carry: the field `source`, or else `If-Match`, or else `If-Unmodified-Since`.
    pub fn by<'f: 'r>(facts: &'r Facts<'f>, source: Option<&VersionSource>) -> Carried<'r> {
        if let Some(field) = source.and_then(|source| field(facts, source)) {
            return Carried::Field(field);
        }
        if facts.headers.contains_key(header::IF_MATCH) {
            let lines = facts.headers.get_all(header::IF_MATCH).iter().filter_map(|line| line.to_str().ok());
            let mut tags = Vec::new();
            for line in lines {
                if line.trim() == "*" {
                    return Carried::Any;
                }
                tags.extend(strong_tags(line));
            }
            return Carried::Tags(tags);
        }
        let since = facts.header(&header::IF_UNMODIFIED_SINCE).and_then(http_date);
        since.map_or(Carried::Nothing, Carried::Since)
    }

    /// Whether it is the newest version. Nothing known is no conflict; nothing carried is one only
    /// where `missing` says so.
    pub fn judge(&self, seen: Option<Seen>, missing: Option<StatusCode>) -> Judgement {
        if *self == Carried::Nothing {
            return match missing {
                Some(status) => Judgement::Conflict { status: Some(status), versions: Versions::default() },
                None => Judgement::Pass,
            };
        }
        let Some(Seen { version, modified }) = seen else { return Judgement::Pass };
        let is_newest = match self {
            Carried::Tags(tags) => version.as_ref().is_none_or(|version| tags.contains(&&**version)),
            Carried::Field(field) => version.as_ref().is_none_or(|version| **version == **field),
            Carried::Since(since) => modified.is_none_or(|modified| modified <= *since),
            Carried::Any | Carried::Nothing => true,
        };
        if is_newest {
            return Judgement::Pass;
        }
        let sent = match self {
            Carried::Tags(tags) => tags.first().map(|tag| (*tag).into()),
            Carried::Field(field) => Some(field.as_ref().into()),
            _ => None,
        };
        Judgement::Conflict { status: None, versions: Versions { sent, current: version } }
    }
}

/// A version field of a request.
fn field<'r>(facts: &'r Facts<'_>, source: &VersionSource) -> Option<Cow<'r, str>> {
    match source {
        VersionSource::Header(name) => std::str::from_utf8(facts.header(name)?).ok().map(Cow::Borrowed),
        VersionSource::Query(name) => facts.queries(name).next().map(|value| Cow::Owned(value.into_owned())),
        VersionSource::Body(pointer) => facts.body.json()?.pointer(pointer).and_then(scalar).map(Cow::Owned),
    }
}

/// A version as text: a number and a string of the same digits are the same version.
pub(super) fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Seconds since 1970 of an HTTP-date (RFC 9110 §5.6.7).
pub(super) fn http_date(value: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(value).ok()?;
    jiff::fmt::rfc2822::parse(text).ok().map(|date| date.timestamp().as_second())
}

/// The strong entity tags of a list, with their quotes. Commas may stand inside the quotes.
pub(super) fn strong_tags(line: &str) -> Vec<&str> {
    let mut tags = Vec::new();
    let mut rest = line;
    while let Some(open) = rest.find('"') {
        let is_weak = rest[..open].trim_end().ends_with("W/");
        let Some(length) = rest[open + 1..].find('"') else { break };
        let end = open + 1 + length + 1;
        if !is_weak {
            tags.push(&rest[open..end]);
        }
        rest = &rest[end..];
    }
    tags
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_strong_tags_count() {
        for (line, tags) in [
            (r#""a""#, &[r#""a""#][..]),
            (r#""a", W/"b" ,"c,d""#, &[r#""a""#, r#""c,d""#]),
            (r#"W/"a""#, &[]),
            (r#"a, b"#, &[]),
            (r#""unclosed"#, &[]),
            (r#""""#, &[r#""""#]),
        ] {
            assert_eq!(strong_tags(line), tags, "{line}");
        }
    }

    #[test]
    fn the_newest_version_passes_and_any_other_does_not() {
        let seen = Some(Seen { version: Some(r#""3""#.into()), modified: Some(1_000) });
        let unknown = Some(Seen::default());
        for (carried, newest, after_unknown_change) in [
            (Carried::Tags(vec![r#""3""#]), true, true),
            (Carried::Tags(vec![r#""2""#, r#""3""#]), true, true),
            (Carried::Tags(vec![r#""2""#]), false, true),
            (Carried::Tags(vec![]), false, true),
            (Carried::Any, true, true),
            (Carried::Since(1_000), true, true),
            (Carried::Since(999), false, true),
            (Carried::Field("3".into()), false, true),
            (Carried::Field(r#""3""#.into()), true, true),
            (Carried::Nothing, true, true),
        ] {
            let passes = |seen: &Option<Seen>| carried.judge(seen.clone(), None) == Judgement::Pass;
            assert_eq!(passes(&seen), newest, "{carried:?}");
            assert_eq!(passes(&unknown), after_unknown_change, "{carried:?}");
            assert!(passes(&None), "{carried:?}");
        }
    }

    #[test]
    fn a_missing_version_conflicts_only_where_it_is_asked_for() {
        let required = Some(StatusCode::PRECONDITION_REQUIRED);
        let verdict = Carried::Nothing.judge(None, required);
        assert_eq!(verdict, Judgement::Conflict { status: required, versions: Versions::default() });
        assert_eq!(Carried::Any.judge(None, required), Judgement::Pass);
    }

    #[test]
    fn dates_are_seconds() {
        assert_eq!(http_date(b"Sun, 06 Nov 1994 08:49:37 GMT"), Some(784_111_777));
        assert_eq!(http_date(b"yesterday"), None);
    }
}
