//! Conditions on JSON bodies.

use serde_json::Number;
use toml::de::DeValue;

use super::Reader;
use super::fields::GivenKey;
use super::key::pointer;
use super::values::{this_is, title};
use crate::matching::{BodyCondition, BodyValue};
use crate::rules::diagnostic::shown;
use crate::rules::units::TextMistake;
use crate::rules::{Code, Diagnostic};

impl Reader<'_> {
    /// `body`: pointers and conditions.
    pub fn body_conditions(&mut self, given: &GivenKey) -> Vec<(Box<str>, BodyCondition)> {
        if given.value.get_ref().is_str() {
            self.report(
                Diagnostic::error(Code::WrongType, title(given))
                    .at(
                        given.span(),
                        "the text of the answer? It belongs in `reply`: write `reply = { body = … }`",
                    )
                    .help(format!("of requests, {}", given.entry.for_example())),
            );
            return Vec::new();
        }
        let mut conditions = Vec::new();
        for (text, span, value) in self.entries_of(given) {
            if let Err(TextMistake { message, .. }) = pointer(text) {
                let title = format!("`body` is a table of JSON pointers, and \"{}\" is none", shown(text));
                self.report(Diagnostic::error(Code::BadPointer, title).at(span, message));
                continue;
            }
            conditions.extend(self.body_condition(&value).map(|condition| (text.into(), condition)));
        }
        conditions
    }

    fn body_condition(&mut self, given: &GivenKey) -> Option<BodyCondition> {
        Some(match given.value.get_ref() {
            DeValue::Boolean(true) => BodyCondition::Present,
            DeValue::Boolean(false) => BodyCondition::Absent,
            DeValue::Array(items) => {
                self.not_empty(given, items.len());
                let values = items.iter().filter_map(|item| self.body_value(&given.item(item)));
                BodyCondition::OneOf(values.collect())
            }
            _ => BodyCondition::OneOf(vec![self.body_value(given)?]),
        })
    }

    fn body_value(&mut self, given: &GivenKey) -> Option<BodyValue> {
        match given.value.get_ref() {
            DeValue::String(text) => Some(BodyValue::Like(self.text_pattern(&[(given.clone(), text)]))),
            DeValue::Boolean(value) => Some(BodyValue::Boolean(*value)),
            DeValue::Integer(number) => {
                let number = i128::from_str_radix(number.as_str(), number.radix()).ok();
                let json = number.and_then(|number| {
                    let signed = i64::try_from(number).ok().map(Number::from);
                    signed.or_else(|| u64::try_from(number).ok().map(Number::from))
                });
                self.number_or_report(json, given)
            }
            DeValue::Float(number) => {
                let number = number.as_str().parse().ok().and_then(Number::from_f64);
                self.number_or_report(number, given)
            }
            _ => {
                let title = "a body's value is a pattern, a number, a list of such, or true or false";
                self.report(
                    Diagnostic::error(Code::WrongType, title)
                        .at(given.span(), this_is(given))
                        .help("to look into an object, name each field: { \"/user/name\" = \"Ada\" }"),
                );
                None
            }
        }
    }

    fn number_or_report(&mut self, number: Option<Number>, given: &GivenKey) -> Option<BodyValue> {
        if number.is_none() {
            let title = "a body's number is one that JSON can carry";
            self.report(Diagnostic::error(Code::OutOfRange, title).at(given.span(), "too large"));
        }
        number.map(BodyValue::Number)
    }
}
