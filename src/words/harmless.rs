//! Clients' words on a person's terminal.

use std::borrow::Cow;

/// The text on one line, at most `longest` characters of it, with everything escaped that could move
/// a cursor, colour a terminal, end a line or turn reading order round.
pub fn harmless(text: &str, longest: usize) -> Cow<'_, str> {
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

/// Controls are C0, DEL and C1; the rest are Unicode's marks of direction and its line breaks.
fn is_harmless(character: char) -> bool {
    !character.is_control()
        && !matches!(character, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_client_sends_steers_the_terminal() {
        for (text, shown) in [
            ("/items/7?a=b%20c", "/items/7?a=b%20c"),
            ("/größe", "/größe"),
            ("\u{1b}[2J", "\\u{1b}[2J"),
            ("a\r\nb\tc", "a\\r\\nb\\tc"),
            ("\u{9b}31m", "\\u{9b}31m"),
            ("a\u{202e}b", "a\\u{202e}b"),
            ("0123456789012", "0123456789…"),
            ("éééééééééé", "éééééééééé"),
        ] {
            let longest = if shown.ends_with('…') { 10 } else { 16 };
            assert_eq!(harmless(text, longest), shown);
        }
    }
}
