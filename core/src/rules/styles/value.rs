//! The value of a style's word.

use std::borrow::Cow;

/// The value of a placeholder on one occasion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value<'v> {
    Text(Cow<'v, str>),
    Number(u64),
    /// The request has none: nothing in a text, `null` as a JSON value.
    Absent,
}

impl<'v> Value<'v> {
    pub fn text(text: impl Into<Cow<'v, str>>) -> Value<'v> {
        Value::Text(text.into())
    }

    /// The text, or nothing.
    pub fn maybe(text: Option<impl Into<Cow<'v, str>>>) -> Value<'v> {
        text.map_or(Value::Absent, Value::text)
    }
}
