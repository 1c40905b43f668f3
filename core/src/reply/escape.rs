//! Values written into texts so that the parts of a request stay data.

use std::io::Write as _;

use crate::rules::styles::PlaceholderValue;

/// The kind of text that values are written into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Medium {
    /// Values stand as they are.
    Plain,
    Json,
    /// XML and HTML.
    Markup,
    /// The value of a header.
    Header,
}

impl Medium {
    /// The medium of a body with this content type.
    pub(super) fn of(content_type: &str) -> Medium {
        let content_type = content_type.to_ascii_lowercase();
        let has = |word| content_type.contains(word);
        if has("json") || has("javascript") {
            Medium::Json
        } else if has("xml") || has("html") {
            Medium::Markup
        } else {
            Medium::Plain
        }
    }
}

/// How one value is written where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Escape {
    Plain,
    /// Between the quotes of a JSON string.
    JsonString,
    /// Where a JSON value is due: texts get their own quotes.
    JsonValue,
    Markup,
    Header,
}

impl Escape {
    /// Writes `value` to `out`.
    pub(super) fn write(self, value: &PlaceholderValue<'_>, out: &mut Vec<u8>) {
        match value {
            PlaceholderValue::Number(number) => {
                // Writing to a Vec cannot fail.
                let _ = write!(out, "{number}");
            }
            PlaceholderValue::Absent if self == Escape::JsonValue => out.extend_from_slice(b"null"),
            PlaceholderValue::Absent => {}
            PlaceholderValue::Json(text) if self == Escape::JsonValue => {
                out.extend_from_slice(text.as_bytes());
            }
            PlaceholderValue::Text(text) | PlaceholderValue::Json(text) => match self {
                Escape::Plain => out.extend_from_slice(text.as_bytes()),
                Escape::JsonString => json(text, out),
                Escape::JsonValue => {
                    out.push(b'"');
                    json(text, out);
                    out.push(b'"');
                }
                Escape::Markup => markup(text, out),
                // RFC 9110 §5.5: a line break would begin another header.
                Escape::Header => out.extend(text.bytes().filter(|byte| !byte.is_ascii_control())),
            },
        }
    }
}

/// RFC 8259 §7.
fn json(text: &str, out: &mut Vec<u8>) {
    for byte in text.bytes() {
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0..0x20 => {
                let _ = write!(out, "\\u{byte:04x}");
            }
            _ => out.push(byte),
        }
    }
}

/// The five characters of markup, and those that XML 1.0 §2.2 does not allow at all.
fn markup(text: &str, out: &mut Vec<u8>) {
    for c in text.chars() {
        match c {
            '&' => out.extend_from_slice(b"&amp;"),
            '<' => out.extend_from_slice(b"&lt;"),
            '>' => out.extend_from_slice(b"&gt;"),
            '"' => out.extend_from_slice(b"&quot;"),
            '\'' => out.extend_from_slice(b"&#39;"),
            '\t' | '\n' | '\r' => out.push(c as u8),
            '\0'..' ' | '\u{fffe}' | '\u{ffff}' => out.extend_from_slice("\u{fffd}".as_bytes()),
            _ => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_request_says_stays_data() {
        use Escape::{Header, JsonString, JsonValue, Markup, Plain};
        let text = |text: &'static str| PlaceholderValue::text(text);
        for (escape, value, written) in [
            (Plain, text("a\"<\n"), "a\"<\n"),
            (JsonString, text("\"},\"x\":{\""), r#"\"},\"x\":{\""#),
            (JsonString, text("a\\b\n\r\t\u{1}\u{7f}é"), "a\\\\b\\n\\r\\t\\u0001\u{7f}é"),
            (JsonString, PlaceholderValue::Absent, ""),
            (JsonValue, text("1,\"admin\":true"), r#""1,\"admin\":true""#),
            (JsonValue, PlaceholderValue::Number(7), "7"),
            (JsonValue, PlaceholderValue::Absent, "null"),
            (Markup, text("\"><script>&'"), "&quot;&gt;&lt;script&gt;&amp;&#39;"),
            (Markup, text("a\u{0}\u{b}\u{ffff}\tb"), "a\u{fffd}\u{fffd}\u{fffd}\tb"),
            (Header, text("a\r\nset-cookie: x\u{0}\u{7f}é"), "aset-cookie: xé"),
        ] {
            let mut out = Vec::new();
            escape.write(&value, &mut out);
            assert_eq!(String::from_utf8_lossy(&out), written, "{escape:?} {value:?}");
        }
    }

    #[test]
    fn the_content_type_decides_how_values_are_written() {
        for (content_type, medium) in [
            ("application/json", Medium::Json),
            ("application/problem+JSON; charset=utf-8", Medium::Json),
            ("application/xml", Medium::Markup),
            ("text/html; charset=utf-8", Medium::Markup),
            ("image/svg+xml", Medium::Markup),
            ("text/plain", Medium::Plain),
            ("", Medium::Plain),
        ] {
            assert_eq!(Medium::of(content_type), medium, "{content_type}");
        }
    }
}
