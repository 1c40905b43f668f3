//! Single values: taken from the tree, held against the table of keys.

use std::num::NonZeroU64;
use std::ops::Range;
use std::time::Duration;

use toml::Spanned;
use toml::de::DeValue;

use super::Reader;
use super::fields::GivenKey;
use crate::matching::PatternMistake;
use crate::model::Share;
use crate::rules::diagnostic::shown;
use crate::rules::keys::{ValueType, nearest, quoted_list};
use crate::rules::units::{self, TextMistake};
use crate::rules::{Code, Diagnostic, Rate};

impl Reader<'_> {
    pub fn wrong_type(&mut self, given: &GivenKey) {
        self.report(
            Diagnostic::error(Code::WrongType, title(given))
                .at(given.span(), this_is(given))
                .help(given.entry.for_example()),
        );
    }

    /// Something is wrong inside a value's text.
    pub fn bad_text(&mut self, code: Code, given: &GivenKey, mistake: TextMistake) {
        let span = self.within(given.value, mistake.at);
        let mistake = Diagnostic::error(code, title(given)).at(span, mistake.message);
        self.report(mistake.help(given.entry.for_example()));
    }

    /// Where a piece of a text stands in the file; the whole value where escapes hide it.
    pub fn within(&self, value: &Spanned<DeValue>, piece: Range<usize>) -> Range<usize> {
        let whole = value.span();
        let Some(text) = value.get_ref().as_str() else { return whole };
        // Without an escape, the text stands in the file as it is, between its quotes. A line break
        // right after three quotes is not part of it.
        let inside = [(1, 1), (3, 3), (4, 3), (5, 3), (0, 0)]
            .map(|(open, close)| whole.start + open..whole.end.saturating_sub(close))
            .into_iter()
            .find(|inside| self.sources.get(inside.clone()) == Some(text));
        match inside {
            Some(inside) if piece.start < piece.end => {
                inside.start + piece.start.min(text.len())..inside.start + piece.end.min(text.len())
            }
            // Something is missing at the end: the closing quote.
            Some(inside) if piece.start >= text.len() => inside.end..whole.end,
            _ => whole,
        }
    }

    pub fn boolean(&mut self, given: &GivenKey) -> Option<bool> {
        let value = given.value.get_ref().as_bool().or_else(|| self.bare_text(given)?.parse().ok());
        if value.is_none() {
            self.wrong_type(given);
        }
        value
    }

    pub fn text<'t>(&mut self, given: &GivenKey<'t, '_>) -> Option<&'t str> {
        let text = given.value.get_ref().as_str();
        if text.is_none() {
            self.wrong_type(given);
        }
        text
    }

    /// One text, or each of a list; reported when the list is empty.
    pub fn texts<'t, 'i>(&mut self, given: &GivenKey<'t, 'i>) -> Vec<(GivenKey<'t, 'i>, &'t str)> {
        match (given.value.get_ref(), &given.entry.value) {
            (DeValue::Array(items), ValueType::OneOrList(_) | ValueType::List(_)) => {
                if items.is_empty() && matches!(given.entry.value, ValueType::OneOrList(_)) {
                    self.report(
                        Diagnostic::error(Code::OutOfRange, title(given))
                            .at(given.span(), "a list of nothing fits no request")
                            .help(format!("leave `{}` out, or name one", given.name())),
                    );
                }
                let items = items.iter().map(|item| given.item(item));
                items.filter_map(|item| self.text(&item).map(|text| (item, text))).collect()
            }
            (DeValue::String(text), ValueType::OneOrList(_)) => vec![(given.clone(), text.as_ref())],
            _ => {
                self.wrong_type(given);
                Vec::new()
            }
        }
    }

    pub fn integer(&mut self, given: &GivenKey) -> Option<u64> {
        let bare = self.bare_text(given).and_then(|text| text.parse::<i128>().ok());
        let number = match given.value.get_ref() {
            DeValue::Integer(number) => i128::from_str_radix(number.as_str(), number.radix()).ok(),
            _ if bare.is_some() => bare,
            _ => {
                self.wrong_type(given);
                return None;
            }
        };
        let (least, most) = bounds(&given.entry.value).unwrap_or((0, u64::MAX));
        let within = number
            .and_then(|number| u64::try_from(number).ok())
            .filter(|number| (least..=most).contains(number));
        if within.is_none() {
            let mistake = Diagnostic::error(Code::OutOfRange, title(given));
            let label = if number.is_some_and(|number| number < i128::from(least)) {
                "too small"
            } else {
                "too large"
            };
            let mistake = mistake.at(given.span(), label);
            self.report(match given.name() {
                "first" | "every" | "limit" => mistake.help("to switch a rule off, write `enabled = false`"),
                _ => mistake,
            });
        }
        within
    }

    pub fn at_least_one(&mut self, given: &GivenKey) -> Option<NonZeroU64> {
        self.integer(given).and_then(NonZeroU64::new)
    }

    pub fn usize(&mut self, given: &GivenKey) -> Option<usize> {
        self.integer(given).and_then(|number| usize::try_from(number).ok())
    }

    fn float(&mut self, given: &GivenKey) -> Option<f64> {
        let number = match given.value.get_ref() {
            DeValue::Integer(number) => {
                i128::from_str_radix(number.as_str(), number.radix()).ok().map(|number| number as f64)
            }
            DeValue::Float(number) => number.as_str().parse().ok(),
            _ => self.bare_text(given).and_then(|text| text.parse().ok()),
        };
        if number.is_none() {
            self.wrong_type(given);
        }
        number
    }

    pub fn share(&mut self, given: &GivenKey) -> Option<Share> {
        if let Some(text) = given.value.get_ref().as_str()
            && let Some(label) = other_share(text)
        {
            self.report(Diagnostic::error(Code::WrongType, title(given)).at(given.span(), label));
            return None;
        }
        let number = self.float(given)?;
        let share = Share::new(number);
        if share.is_none() {
            let label = if number > 1.0 && number <= 100.0 {
                format!("for {number} %, write {}", number / 100.0)
            } else if number < 0.0 {
                "less than none".to_owned()
            } else {
                "more than all".to_owned()
            };
            self.report(Diagnostic::error(Code::OutOfRange, title(given)).at(given.span(), label));
        }
        share
    }

    /// A number of at least one.
    pub fn factor(&mut self, given: &GivenKey) -> Option<f64> {
        let number = self.float(given)?;
        if number >= 1.0 && number.is_finite() {
            return Some(number);
        }
        self.report(
            Diagnostic::error(Code::OutOfRange, title(given))
                .at(given.span(), "1 is one request per operation, the least there is"),
        );
        None
    }

    pub fn duration(&mut self, given: &GivenKey) -> Option<Duration> {
        if let DeValue::Integer(number) = given.value.get_ref() {
            let label = format!("a duration has a unit: \"{number}s\" or \"{number}ms\"");
            self.report(Diagnostic::error(Code::WrongType, title(given)).at(given.span(), label));
            return None;
        }
        let duration = match units::duration(self.text(given)?) {
            Ok(duration) => duration,
            Err(mistake) => {
                self.bad_text(Code::BadDuration, given, mistake);
                return None;
            }
        };
        let (least, most) = duration_bounds(&given.entry.value)?;
        if (least..=most).contains(&duration) {
            return Some(duration);
        }
        let title =
            format!("`{}` is from {} to {}", given.name(), units::in_words(least), units::in_words(most));
        let label = if duration < least { "too short" } else { "too long" };
        self.report(Diagnostic::error(Code::OutOfRange, title).at(given.span(), label));
        None
    }

    /// A duration of whole seconds, as `Retry-After` has them (RFC 9110 §10.2.3).
    pub fn whole_seconds(&mut self, given: &GivenKey) -> Option<Duration> {
        let duration = self.duration(given)?;
        if duration.subsec_nanos() == 0 {
            return Some(duration);
        }
        let title = format!("`{}` is in whole seconds, as `Retry-After` is", given.name());
        let label = format!("write \"{}s\"", duration.as_secs() + 1);
        self.report(Diagnostic::error(Code::OutOfRange, title).at(given.span(), label));
        None
    }

    pub fn size(&mut self, given: &GivenKey) -> Option<u64> {
        let size = match given.value.get_ref() {
            // A negative number is as much too small as none.
            DeValue::Integer(number) => {
                u64::from_str_radix(number.as_str(), number.radix()).unwrap_or_default()
            }
            _ => match units::size(self.text(given)?) {
                Ok(size) => size,
                Err(mistake) => {
                    self.bad_text(Code::BadSize, given, mistake);
                    return None;
                }
            },
        };
        let (least, most) = bounds(&given.entry.value).unwrap_or((0, u64::MAX));
        if (least..=most).contains(&size) {
            return Some(size);
        }
        let title = format!("`{}` is from {} to {}", given.name(), units::bytes(least), units::bytes(most));
        let label = if size < least { "too small" } else { "too large" };
        self.report(Diagnostic::error(Code::OutOfRange, title).at(given.span(), label));
        None
    }

    pub fn rate(&mut self, given: &GivenKey) -> Option<Rate> {
        if let DeValue::Integer(number) = given.value.get_ref() {
            let label = format!("per what? for each second write \"{number}/s\"");
            self.report(Diagnostic::error(Code::WrongType, title(given)).at(given.span(), label));
            return None;
        }
        match units::rate(self.text(given)?) {
            Ok(rate) => Some(rate),
            Err(mistake) => {
                self.bad_text(Code::BadRate, given, mistake);
                None
            }
        }
    }

    /// The value of one of the `known` words.
    pub fn choice<T: Copy>(&mut self, given: &GivenKey, known: &[(&'static str, T)]) -> Option<T> {
        let text = self.text(given)?;
        let chosen = known.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
        if chosen.is_none() {
            let words: Vec<&str> = known.iter().map(|(word, _)| *word).collect();
            self.unknown_value(given, text, &words);
        }
        chosen
    }

    pub fn unknown_value(&mut self, given: &GivenKey, text: &str, words: &[&str]) {
        let title = format!("`{}` has no value \"{}\"", given.name(), shown(text));
        let mistake = Diagnostic::error(Code::UnknownValue, title);
        self.report(match nearest(text, words.iter().copied()) {
            Some(meant) => mistake.at(given.span(), format!("did you mean \"{meant}\"?")),
            None => {
                mistake.at(given.span(), "no such value").help(format!("it takes {}", quoted_list(words)))
            }
        });
    }
}

impl From<PatternMistake> for TextMistake {
    fn from(mistake: PatternMistake) -> TextMistake {
        TextMistake { at: mistake.at, message: mistake.message }
    }
}

/// "`first` is a whole number, at least 1".
pub(super) fn title(given: &GivenKey) -> String {
    format!("`{}` is {}", given.name(), given.entry.value.noun())
}

/// The type of the given value, in words.
pub(super) fn this_is(given: &GivenKey) -> &'static str {
    let wants_bare = matches!(
        given.entry.value,
        ValueType::Boolean | ValueType::Integer { .. } | ValueType::Share | ValueType::Number { .. }
    );
    match given.value.get_ref() {
        DeValue::String(text) if wants_bare && text.parse::<f64>().is_ok() => {
            "this is text; a number has no quotes"
        }
        DeValue::String(text) if wants_bare && matches!(&**text, "true" | "false") => {
            "this is text; true and false have no quotes"
        }
        DeValue::String(_) => "this is text",
        DeValue::Integer(_) => "this is a whole number",
        DeValue::Float(_) => "this is a number with a fraction",
        DeValue::Boolean(_) => "this is a boolean",
        DeValue::Datetime(_) => "this is a date or a time",
        DeValue::Array(_) => "this is a list",
        DeValue::Table(_) => "this is a table",
    }
}

/// The probable meaning of a text for a share: a percentage, or a rate of requests.
fn other_share(text: &str) -> Option<String> {
    if units::rate(text).is_ok() {
        return Some(format!("beyond a rate of requests is `above`: write `above = \"{text}\"`"));
    }
    let percent: f64 = text.strip_suffix('%')?.trim_end().parse().ok()?;
    (0.0..=100.0).contains(&percent).then(|| format!("for {percent} %, write {}", percent / 100.0))
}

fn bounds(value: &ValueType) -> Option<(u64, u64)> {
    match value {
        ValueType::Integer { least, most } | ValueType::Size { least, most } => Some((*least, *most)),
        ValueType::Any(values) => values.iter().find_map(bounds),
        _ => None,
    }
}

fn duration_bounds(value: &ValueType) -> Option<(Duration, Duration)> {
    match value {
        ValueType::Duration { least, most } => Some((*least, *most)),
        ValueType::Any(values) => values.iter().find_map(duration_bounds),
        _ => None,
    }
}
