//! Sanitizes clients' text for a terminal.

use std::borrow::Cow;
use std::io;

/// The text on one line, at most `longest` characters of it, with everything escaped that could move
/// a cursor, colour a terminal, end a line, turn reading order round, or not be seen at all.
pub fn sanitize(text: &str, longest: usize) -> Cow<'_, str> {
    if text.len() <= longest && text.chars().all(is_harmless) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len().min(longest));
    for character in text.chars().take(longest) {
        if is_harmless(character) {
            shown.push(character);
        } else {
            shown.extend(character.escape_default());
        }
    }
    if text.chars().nth(longest).is_some() {
        shown.push('…');
    }
    Cow::Owned(shown)
}

/// JSON on its way to a file or a terminal: characters that are not [`sanitize`] become `\u` escapes, which
/// mean the same (RFC 8259 §7). JSON itself asks for that below U+0020 only.
///
/// Each write has to end between characters, as those of serde_json do.
pub struct SanitizedJson<W>(pub W);

impl<W: io::Write> io::Write for SanitizedJson<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_all(bytes).map(|()| bytes.len())
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        // Nearly all text is ASCII, and serde_json has escaped all its controls but DEL.
        if bytes.iter().all(|byte| byte.is_ascii() && *byte != 0x7f) {
            return self.0.write_all(bytes);
        }
        let text =
            std::str::from_utf8(bytes).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        let mut escaped = String::with_capacity(text.len());
        for character in text.chars() {
            if is_harmless(character) || character.is_ascii_control() && character != '\u{7f}' {
                escaped.push(character);
            } else {
                let mut units = [0; 2];
                for unit in character.encode_utf16(&mut units) {
                    escaped.push_str(&format!("\\u{unit:04x}"));
                }
            }
        }
        self.0.write_all(escaped.as_bytes())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Controls are C0, DEL and C1. The others are those that end a line, and those that Unicode lets a terminal
/// leave out (`Default_Ignorable_Code_Point`): marks of direction, joiners, fillers, tags.
fn is_harmless(character: char) -> bool {
    !character.is_control()
        && (character.is_ascii()
            || !matches!(
                character,
                '\u{ad}'
                    | '\u{34f}'
                    | '\u{61c}'
                    | '\u{115f}'..='\u{1160}'
                    | '\u{17b4}'..='\u{17b5}'
                    | '\u{180b}'..='\u{180f}'
                    | '\u{200b}'..='\u{200f}'
                    | '\u{2028}'..='\u{202e}'
                    | '\u{2060}'..='\u{206f}'
                    | '\u{3164}'
                    | '\u{fe00}'..='\u{fe0f}'
                    | '\u{feff}'
                    | '\u{ffa0}'
                    | '\u{fff0}'..='\u{fffb}'
                    | '\u{1bca0}'..='\u{1bca3}'
                    | '\u{1d173}'..='\u{1d17a}'
                    | '\u{e0000}'..='\u{e0fff}'
            ))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn nothing_that_a_client_sends_steers_the_terminal() {
        for (text, shown) in [
            ("/items/7?a=b%20c", "/items/7?a=b%20c"),
            ("/größe", "/größe"),
            ("日本語 हिन्दी", "日本語 हिन्दी"),
            ("\u{1b}[2J", "\\u{1b}[2J"),
            ("a\r\nb\tc", "a\\r\\nb\\tc"),
            ("\u{9b}31m", "\\u{9b}31m"),
            ("a\u{202e}b", "a\\u{202e}b"),
            ("a\u{61c}b", "a\\u{61c}b"),
            ("a\u{200b}b", "a\\u{200b}b"),
            ("a\u{2060}b", "a\\u{2060}b"),
            ("\u{feff}a", "\\u{feff}a"),
            ("a\u{e0041}", "a\\u{e0041}"),
            ("a\u{2066}b", "a\\u{2066}b"),
            ("a\u{ad}b", "a\\u{ad}b"),
            ("0123456789012", "0123456789…"),
            ("éééééééééé", "éééééééééé"),
        ] {
            let longest = if shown.ends_with('…') { 10 } else { 20 };
            assert_eq!(sanitize(text, longest), shown);
        }
    }

    /// Bidi_Control, and everything that has no width and is neither a mark nor a letter.
    #[test]
    fn no_character_that_is_not_seen_gets_through() {
        let directions =
            "\u{61c}\u{200e}\u{200f}\u{202a}\u{202b}\u{202c}\u{202d}\u{202e}\u{2066}\u{2067}\u{2068}\u{2069}";
        let unseen =
            "\u{200b}\u{200c}\u{200d}\u{2060}\u{2061}\u{2064}\u{feff}\u{e0001}\u{e0020}\u{e007f}\u{e0100}";
        for character in
            directions.chars().chain(unseen.chars()).chain((0x80..0xa0).filter_map(char::from_u32))
        {
            assert!(!is_harmless(character), "{character:?}");
        }
    }

    #[test]
    fn json_says_the_same_and_shows_it() {
        let value = serde_json::json!({ "a\u{9b}31m": ["\u{202e}x", "é", "\u{e0041}", "\u{7f}", "\n\"\\", "\u{1f600}"] });
        let mut bytes = Vec::new();
        serde_json::to_writer(SanitizedJson(&mut bytes), &value).expect("written");
        writeln!(SanitizedJson(&mut bytes)).expect("written");
        let text = String::from_utf8(bytes).expect("UTF-8");
        assert_eq!(
            text,
            "{\"a\\u009b31m\":[\"\\u202ex\",\"é\",\"\\udb40\\udc41\",\"\\u007f\",\"\\n\\\"\\\\\",\"\u{1f600}\"]}\n"
        );
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).expect("JSON"), value);
    }
}
