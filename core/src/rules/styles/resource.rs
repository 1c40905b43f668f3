//! The resource of a path, as far as a path can tell.

use std::borrow::Cow;

use http::Method;
use serde_json::Value;

use crate::model::Facts;

/// A collection and, where the path goes that deep, the thing in it: `items` and `7`.
pub(super) struct Resource<'r> {
    pub collection: Cow<'r, str>,
    pub id: Option<Cow<'r, str>>,
}

/// The resource of any path. The target of a POST is a collection.
pub(super) fn resource<'r>(facts: &'r Facts<'_>) -> Resource<'r> {
    let mut from_the_end = segments(facts).rev();
    let last = from_the_end.next();
    match from_the_end.next() {
        Some(collection) if *facts.method != Method::POST => {
            Resource { collection: decode(collection), id: last.map(decode) }
        }
        _ => Resource { collection: decode(last.unwrap_or_default()), id: None },
    }
}

/// The last segment of the path.
pub(super) fn last<'r>(facts: &'r Facts<'_>) -> Cow<'r, str> {
    decode(segments(facts).next_back().unwrap_or_default())
}

/// The segments of the path that hold anything, as they are.
pub(super) fn segments<'r>(facts: &'r Facts<'_>) -> impl DoubleEndedIterator<Item = &'r str> {
    facts.path.split('/').filter(|segment| !segment.is_empty())
}

/// A string in the body, where it was read.
pub(super) fn body<'r>(facts: &'r Facts<'_>, pointer: &str) -> Option<Cow<'r, str>> {
    match facts.body.json()?.pointer(pointer)? {
        Cow::Borrowed(found) => found.as_str().map(Cow::Borrowed),
        Cow::Owned(Value::String(text)) => Some(Cow::Owned(text)),
        Cow::Owned(_) => None,
    }
}

/// Decodes `%XX`; invalid UTF-8 is replaced.
pub(super) fn decode(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let mut ahead = bytes.clone();
        let mut digit = || char::from(ahead.next()?).to_digit(16);
        match (byte, digit(), digit()) {
            (b'%', Some(high), Some(low)) => {
                decoded.push((high * 16 + low) as u8);
                bytes = ahead;
            }
            _ => decoded.push(byte),
        }
    }
    Cow::Owned(String::from_utf8_lossy(&decoded).into_owned())
}
