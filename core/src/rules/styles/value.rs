//! The value of a style's word.

use std::borrow::Cow;

/// The value of a placeholder on one occasion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlaceholderValue<'v> {
    Text(Cow<'v, str>),
    Number(u64),
    /// Valid JSON, which stands for itself as a JSON value, and is text elsewhere.
    Json(Cow<'v, str>),
    /// The request has none: nothing in a text, `null` as a JSON value.
    Absent,
}

impl<'v> PlaceholderValue<'v> {
    pub fn text(text: impl Into<Cow<'v, str>>) -> PlaceholderValue<'v> {
        PlaceholderValue::Text(text.into())
    }

    /// The text, or nothing.
    pub fn maybe(text: Option<impl Into<Cow<'v, str>>>) -> PlaceholderValue<'v> {
        text.map_or(PlaceholderValue::Absent, PlaceholderValue::text)
    }
}
