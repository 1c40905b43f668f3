//! Durations, sizes and rates as text.

use std::num::{NonZeroU32, NonZeroU64};
use std::ops::Range;
use std::time::Duration;

use super::Rate;
use super::keys::grouped;

/// The mistake within a text, and its place in it (bytes).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TextMistake {
    pub at: Range<usize>,
    /// One line, lower case, without a full stop.
    pub message: String,
}

impl TextMistake {
    pub fn new(at: Range<usize>, message: impl Into<String>) -> TextMistake {
        TextMistake { at, message: message.into() }
    }
}

/// `"250ms"`, `"2s"`, `"1m30s"`.
pub(super) fn duration(text: &str) -> Result<Duration, TextMistake> {
    let mut total = Duration::ZERO;
    let mut at = 0;
    while at < text.len() || text.is_empty() {
        let number = digits(text, at);
        let unit = letters(text, number.end);
        if number.is_empty() {
            let message = if piece(text, at..text.len()).starts_with(' ') {
                SPACE
            } else {
                "a whole number should stand here"
            };
            return Err(TextMistake::new(at..text.len(), message));
        }
        let scale = match piece(text, unit.clone()) {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "" if unit.end == text.len() => {
                return Err(TextMistake::new(number, "without a unit; use ms, s, m or h"));
            }
            "" => return Err(TextMistake::new(unit.end..text.len(), SPACE)),
            "." => {
                return Err(TextMistake::new(unit, "without a fraction: \"1s500ms\" instead of \"1.5s\""));
            }
            other => {
                let message =
                    format!("`{}` is not a unit; use ms, s, m or h", super::diagnostic::shown(other));
                return Err(TextMistake::new(unit, message));
            }
        };
        let millis =
            piece(text, number.clone()).parse::<u64>().ok().and_then(|number| number.checked_mul(scale));
        let sum = millis.and_then(|millis| total.checked_add(Duration::from_millis(millis)));
        total = sum.ok_or_else(|| TextMistake::new(number, "too long"))?;
        at = unit.end;
    }
    Ok(total)
}

const SPACE: &str = "without spaces: numbers, each with ms, s, m or h right behind";

/// `"64 KiB"`, in bytes.
pub(super) fn size(text: &str) -> Result<u64, TextMistake> {
    let number = digits(text, 0);
    if number.is_empty() {
        return Err(TextMistake::new(0..text.len(), "a whole number should stand here"));
    }
    let rest = piece(text, number.end..text.len());
    let unit = number.end + (rest.len() - rest.trim_start_matches(' ').len())..text.len();
    let scale: u64 = match piece(text, unit.clone()) {
        "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        "" => return Err(TextMistake::new(number, "without a unit; use B, KiB, MiB or GiB")),
        other => {
            let message = match other.chars().next().map(|letter| letter.to_ascii_uppercase()) {
                Some(letter @ ('K' | 'M' | 'G')) if other.len() <= 3 => {
                    format!("did you mean {letter}iB, 1,024-fold?")
                }
                _ => format!("`{}` is not a unit; use B, KiB, MiB or GiB", super::diagnostic::shown(other)),
            };
            return Err(TextMistake::new(unit, message));
        }
    };
    let size = piece(text, number.clone()).parse::<u64>().ok().and_then(|number| number.checked_mul(scale));
    size.ok_or_else(|| TextMistake::new(number, "too large"))
}

/// `"20/s"`.
pub(super) fn rate(text: &str) -> Result<Rate, TextMistake> {
    let number = digits(text, 0);
    let requests = piece(text, number.clone()).parse::<u32>().ok().and_then(NonZeroU32::new);
    let Some(requests) = requests else {
        let message =
            if number.is_empty() { "a whole number should stand here" } else { "from 1 to 4,294,967,295" };
        return Err(TextMistake::new(if number.is_empty() { 0..text.len() } else { number }, message));
    };
    let seconds = match piece(text, number.end..text.len()) {
        "/s" => 1,
        "/m" => 60,
        "/h" => 3_600,
        "" => return Err(TextMistake::new(number.end..number.end, "per what? add /s, /m or /h")),
        _ => return Err(TextMistake::new(number.end..text.len(), "per what? use /s, /m or /h")),
    };
    Ok(Rate { requests, period: Duration::from_secs(seconds) })
}

/// `"4 KiB/s"`, in bytes per second.
pub(super) fn byte_rate(text: &str) -> Result<NonZeroU64, TextMistake> {
    let Some(bytes) = text.strip_suffix("/s") else {
        let end = text.find('/').unwrap_or(text.len());
        let message = if end < text.len() { "per what? use /s" } else { "per what? add /s" };
        return Err(TextMistake::new(end..text.len(), message));
    };
    let bytes = size(bytes)?;
    NonZeroU64::new(bytes).ok_or_else(|| TextMistake::new(0..1, "at least 1 B/s"))
}

/// A duration for a sentence.
pub(super) fn in_words(duration: Duration) -> String {
    let millis = duration.as_millis();
    let (number, unit) = match millis {
        0 => return "0".to_owned(),
        _ if millis.is_multiple_of(86_400_000) => (millis / 86_400_000, "day"),
        _ if millis.is_multiple_of(3_600_000) => (millis / 3_600_000, "hour"),
        _ if millis.is_multiple_of(60_000) => (millis / 60_000, "minute"),
        _ if millis.is_multiple_of(1_000) => (millis / 1_000, "second"),
        _ => (millis, "millisecond"),
    };
    format!("{number} {unit}{}", if number == 1 { "" } else { "s" })
}

/// A size for a sentence.
pub(super) fn bytes(size: u64) -> String {
    for (scale, unit) in [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")] {
        if size >= scale && size.is_multiple_of(scale) {
            return format!("{} {unit}", size / scale);
        }
    }
    format!("{} B", grouped(size))
}

fn piece(text: &str, at: Range<usize>) -> &str {
    text.get(at).unwrap_or_default()
}

fn digits(text: &str, from: usize) -> Range<usize> {
    run(text, from, |character| character.is_ascii_digit())
}

fn letters(text: &str, from: usize) -> Range<usize> {
    // A fraction's point is no letter, so that "1.5s" is told to stand without one.
    run(text, from, |character| !character.is_ascii_digit() && !character.is_whitespace())
}

fn run(text: &str, from: usize, belongs: impl Fn(char) -> bool) -> Range<usize> {
    let rest = text.get(from..).unwrap_or_default();
    from..from + rest.find(|character| !belongs(character)).unwrap_or(rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_sums_of_numbers_with_units() {
        for (text, millis) in
            [("0s", 0), ("250ms", 250), ("2s", 2_000), ("1m30s", 90_000), ("2h", 7_200_000), ("1s1s", 2_000)]
        {
            assert_eq!(duration(text), Ok(Duration::from_millis(millis)), "{text}");
        }
    }

    #[test]
    fn a_wrong_duration_is_blamed_on_its_wrong_piece() {
        for (text, at) in [
            ("", 0..0),
            ("s", 0..1),
            ("5", 0..1),
            ("5 s", 1..3),
            ("1m 30s", 2..6),
            ("1.5s", 1..2),
            ("5min", 1..4),
            ("2d", 1..2),
            ("-1s", 0..3),
            ("99999999999999999999s", 0..20),
            ("18446744073709551615h", 0..20),
            ("5µs", 1..4),
        ] {
            assert_eq!(duration(text).map_err(|mistake| mistake.at), Err(at), "{text}");
        }
    }

    #[test]
    fn sizes_are_counted_in_1024s() {
        for (text, bytes) in
            [("1 B", 1), ("64 KiB", 65_536), ("64KiB", 65_536), ("3 MiB", 3 << 20), ("1 GiB", 1 << 30)]
        {
            assert_eq!(size(text), Ok(bytes), "{text}");
        }
        for (text, at) in [
            ("", 0..0),
            ("64", 0..2),
            ("64 KB", 3..5),
            ("KiB", 0..3),
            ("1 TiB", 2..5),
            ("99999999999 GiB", 0..11),
        ] {
            assert_eq!(size(text).map_err(|mistake| mistake.at), Err(at), "{text}");
        }
    }

    #[test]
    fn rates_are_requests_per_second_minute_or_hour() {
        for (text, requests, seconds) in [("20/s", 20, 1), ("100/m", 100, 60), ("5/h", 5, 3_600)] {
            let rate = rate(text).map(|rate| (rate.requests.get(), rate.period.as_secs()));
            assert_eq!(rate, Ok((requests, seconds)), "{text}");
        }
        for (text, at) in
            [("", 0..0), ("20", 2..2), ("0/s", 0..1), ("20/d", 2..4), ("/s", 0..2), ("4294967296/s", 0..10)]
        {
            assert_eq!(rate(text).map_err(|mistake| mistake.at), Err(at), "{text}");
        }
    }

    #[test]
    fn bounds_are_said_in_the_largest_unit_that_fits() {
        for (seconds, words) in
            [(0, "0"), (1, "1 second"), (90, "90 seconds"), (3_600, "1 hour"), (86_400, "1 day")]
        {
            assert_eq!(in_words(Duration::from_secs(seconds)), words);
        }
        for (size, words) in [(1, "1 B"), (65_534, "65,534 B"), (8_192, "8 KiB"), (64 << 20, "64 MiB")] {
            assert_eq!(bytes(size), words);
        }
    }
}
