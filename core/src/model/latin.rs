//! A header's value as text, whatever its bytes are.

use std::borrow::Cow;

/// UTF-8 as most write it, or else ISO-8859-1, as HTTP once had it and as never fails (RFC 9110 §5.5). Different values
/// of one server's stay different.
pub fn text_of(value: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(value) {
        Ok(text) => text.into(),
        Err(_) => value.iter().copied().map(char::from).collect(),
    }
}
