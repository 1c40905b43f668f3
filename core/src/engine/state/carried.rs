//! The version that a request carries, and whether it is the newest (RFC 9110 §13.1).
//!
//! A proxy must not evaluate preconditions on its own account (§13.2.1): only an explicit rule
//! comes here.

use std::borrow::Cow;
use std::time::UNIX_EPOCH;

use http::{StatusCode, header};
use serde_json::Value;

use super::{Judgement, Versions};
use crate::engine::operation::KnownVersion;
use crate::model::{Facts, text_of};
use crate::rules::VersionAt;

/// The version that a request is based on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Carried<'r> {
    /// `If-Match: "a", "b"`; weak tags are left out, since none compares equal strongly.
    Tags(Vec<Cow<'r, str>>),
    /// `If-Match: *`.
    Any,
    /// `If-Unmodified-Since`, in seconds since 1970.
    Since(i64),
    /// A version field.
    Field(Cow<'r, str>),
    /// `If-None-Match`: the request is conditional on absence (RFC 9110 §13.1.2).
    Absence,
    Nothing,
}

impl<'r> Carried<'r> {
    /// The version in `facts`: the field `version`, or else `If-Match`, or else `If-Unmodified-Since`.
    pub fn by<'f: 'r>(facts: &'r Facts<'f>, version: Option<&VersionAt>) -> Carried<'r> {
        if let Some(field) = version.and_then(|version| version.in_request(facts)) {
            return Carried::Field(field);
        }
        if facts.headers.contains_key(header::IF_MATCH) {
            let mut tags = Vec::new();
            for line in facts.headers.get_all(header::IF_MATCH) {
                let line = line.as_bytes();
                if line.trim_ascii() == b"*" {
                    return Carried::Any;
                }
                tags.extend(strong_tags(line));
            }
            return Carried::Tags(tags);
        }
        let since = facts.header(&header::IF_UNMODIFIED_SINCE).and_then(http_date);
        match since {
            Some(since) => Carried::Since(since),
            None if facts.headers.contains_key(header::IF_NONE_MATCH) => Carried::Absence,
            None => Carried::Nothing,
        }
    }

    /// Whether it is the newest version. Without a known version there is no conflict; without a carried one only
    /// where `missing` asks for it.
    pub fn judge(&self, seen: Option<KnownVersion>, missing: Option<StatusCode>) -> Judgement {
        if *self == Carried::Nothing {
            return match missing {
                Some(status) => Judgement::Conflict { status: Some(status), versions: Versions::default() },
                None => Judgement::Pass,
            };
        }
        let Some(seen) = seen else { return Judgement::Pass };
        let is_newest = match self {
            // CouchDB takes a `_rev`, which has no quotes, for a tag too.
            Carried::Tags(tags) => {
                seen.version.is_none()
                    || tags.iter().any(|tag| seen.may_be(tag) || seen.may_be(tag.trim_matches('"')))
            }
            Carried::Field(field) => seen.may_be(field),
            Carried::Since(since) => seen.modified.is_none_or(|modified| modified <= *since),
            Carried::Any | Carried::Absence | Carried::Nothing => true,
        };
        if is_newest {
            return Judgement::Pass;
        }
        let sent = match self {
            Carried::Tags(tags) => tags.first().map(|tag| tag.as_ref().into()),
            Carried::Field(field) => Some(field.as_ref().into()),
            _ => None,
        };
        Judgement::Conflict { status: None, versions: Versions { sent, current: seen.version } }
    }
}

/// A version as text: a number and a string of the same digits are the same version.
pub fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Seconds since 1970 of an HTTP-date, in any of its three forms (RFC 9110 §5.6.7).
pub fn http_date(value: &[u8]) -> Option<i64> {
    let date = httpdate::parse_http_date(std::str::from_utf8(value).ok()?).ok()?;
    i64::try_from(date.duration_since(UNIX_EPOCH).ok()?.as_secs()).ok()
}

/// The strong entity tags of a list, with their quotes. Commas may stand inside the quotes.
/// They may hold any byte beyond ASCII (RFC 9110 §8.8.3, `obs-text`).
pub(super) fn strong_tags(line: &[u8]) -> Vec<Cow<'_, str>> {
    let mut tags = Vec::new();
    let mut rest = line;
    while let Some((before, quoted)) = memchr::memchr(b'"', rest).and_then(|open| rest.split_at_checked(open))
    {
        let length = quoted.get(1..).and_then(|inside| memchr::memchr(b'"', inside));
        let Some((tag, after)) = length.and_then(|length| quoted.split_at_checked(length + 2)) else { break };
        if !before.trim_ascii_end().ends_with(b"W/") {
            tags.push(text_of(tag));
        }
        rest = after;
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
            assert_eq!(strong_tags(line.as_bytes()), tags, "{line}");
        }
        assert_eq!(
            strong_tags(b"\"caf\xe9\", W/\"\xff\", \"caf\xc3\xa8\""),
            ["\"caf\u{e9}\"", "\"caf\u{e8}\""]
        );
    }

    #[test]
    fn the_newest_version_passes_and_any_other_does_not() {
        let seen = Some(KnownVersion {
            version: Some(r#""3""#.into()),
            modified: Some(1_000),
            ..KnownVersion::default()
        });
        let unknown = Some(KnownVersion::default());
        for (carried, newest, after_unknown_change) in [
            (Carried::Tags(vec![r#""3""#.into()]), true, true),
            (Carried::Tags(vec![r#""2""#.into(), r#""3""#.into()]), true, true),
            (Carried::Tags(vec![r#""2""#.into()]), false, true),
            (Carried::Tags(vec![]), false, true),
            (Carried::Any, true, true),
            (Carried::Since(1_000), true, true),
            (Carried::Since(999), false, true),
            (Carried::Field("3".into()), false, true),
            (Carried::Field(r#""3""#.into()), true, true),
            (Carried::Nothing, true, true),
        ] {
            let passes = |seen: &Option<KnownVersion>| carried.judge(seen.clone(), None) == Judgement::Pass;
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
        for (date, seconds) in [
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(784_111_777)),
            ("Sunday, 06-Nov-94 08:49:37 GMT", Some(784_111_777)),
            ("Sun Nov  6 08:49:37 1994", Some(784_111_777)),
            ("Saturday, 28-Nov-26 09:45:17 GMT", Some(1_795_859_117)),
            ("Thu, 01 Jan 1970 00:00:00 GMT", Some(0)),
            ("Mon, 06 Nov 1994 08:49:37 GMT", None),
            ("Sun, 06 Nov 1994 08:49:37", None),
            ("Sun, 31 Feb 1994 08:49:37 GMT", None),
            ("1994-11-06T08:49:37Z", None),
            ("yesterday", None),
            ("", None),
        ] {
            assert_eq!(http_date(date.as_bytes()), seconds, "{date}");
        }
        assert_eq!(http_date(b"Sun, 06 Nov 1994 08:49:37 \xff"), None);
    }
}
