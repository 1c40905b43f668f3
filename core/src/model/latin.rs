//! A header's value as text, for any bytes.

use std::borrow::Cow;

/// Decodes UTF-8, or else ISO-8859-1, HTTP's former default, which never fails (RFC 9110 §5.5). Different
/// values of one server stay different.
pub fn text_of(value: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(value) {
        Ok(text) => text.into(),
        Err(_) => value.iter().copied().map(char::from).collect(),
    }
}
