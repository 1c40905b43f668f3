//! Conditions on bodies: JSON by pointers, forms by fields, anything as text.

use std::fmt;

use serde_json::{Number, Value};

use super::methods::list;
use super::mismatch::{Mismatch, Reason};
use super::{Match, TextPattern};
use crate::model::{BodyFacts, Facts, FormFields, Json, JsonValues};

/// Condition on the values that a JSON pointer leads to.
#[derive(Clone, Debug, PartialEq)]
pub enum BodyCondition {
    Present,
    Absent,
    /// One of them is one of these.
    OneOf(Vec<BodyValue>),
}

/// A value that a field may have.
#[derive(Clone, Debug, PartialEq)]
pub enum BodyValue {
    /// Text that fits.
    Like(TextPattern),
    /// A number of the same value: `1` is `1.0`.
    Number(Number),
    Boolean(bool),
}

impl BodyCondition {
    /// Whether it holds for the values at `pointer`.
    pub(super) fn holds(&self, json: &Json, pointer: &str) -> bool {
        match self {
            BodyCondition::Present => json.has(pointer),
            BodyCondition::Absent => !json.has(pointer),
            BodyCondition::OneOf(values) => {
                json.any(pointer, &mut |found| values.iter().any(|value| value.fits(found)))
            }
        }
    }
}

impl BodyValue {
    fn fits(&self, found: &Value) -> bool {
        match (self, found) {
            (BodyValue::Like(pattern), Value::String(text)) => pattern.fits(text.as_bytes()),
            (BodyValue::Number(wanted), Value::Number(found)) => are_equal(wanted, found),
            (BodyValue::Boolean(wanted), Value::Bool(found)) => wanted == found,
            _ => false,
        }
    }
}

fn are_equal(a: &Number, b: &Number) -> bool {
    // Compare two integers as integers: floats above 2⁵³ are not exact.
    a == b || (a.is_f64() != b.is_f64() && a.as_f64() == b.as_f64())
}

impl Match {
    /// Whether a condition of its own is about the body.
    pub(super) fn has_body_condition(&self) -> bool {
        !self.body.is_empty() || !self.form.is_empty() || self.text.is_some()
    }

    /// Returns the first condition on the body that does not hold.
    pub(super) fn check_own_body<'r>(&'r self, facts: &'r Facts<'_>) -> Result<(), Mismatch<'r>> {
        let no = |reason| Err(Mismatch { facts, reason });
        let bytes = match &facts.body {
            BodyFacts::Unread => return no(Reason::BodyUnread),
            BodyFacts::TooLong => return no(Reason::BodyTooLong),
            BodyFacts::Undecodable { why, .. } => return no(Reason::BodyUndecodable(*why)),
            BodyFacts::Read { bytes, .. } => bytes,
        };
        if !self.body.is_empty()
            && let Some(reason) = self.json_mismatch(facts, bytes.len())
        {
            return no(reason);
        }
        if !self.form.is_empty() {
            let Some(form) = facts.form() else {
                return no(if bytes.len() > FormFields::MOST {
                    Reason::FormTooLong
                } else {
                    Reason::BodyNotForm
                });
            };
            if let Some((name, presence)) =
                self.form.iter().find(|(name, presence)| !presence.holds(form.values(name)))
            {
                return no(Reason::Form(name, presence));
            }
        }
        match &self.text {
            Some(text) if !text.fits(bytes) => no(Reason::Text(text)),
            _ => Ok(()),
        }
    }

    fn json_mismatch<'r>(&'r self, facts: &'r Facts<'_>, length: usize) -> Option<Reason<'r>> {
        let first_wrong = |json: &Json| self.body.iter().find(|(at, condition)| !condition.holds(json, at));
        match facts.json_values() {
            JsonValues::One(json) => first_wrong(json).map(|(at, condition)| Reason::Body(at, condition)),
            JsonValues::None if length > Json::MOST => Some(Reason::JsonTooLong),
            JsonValues::None => Some(Reason::BodyNotJson),
            JsonValues::TooLong => Some(Reason::LinesTooLong),
            lines @ JsonValues::Lines(_) => {
                let has_all = |json: &Json| first_wrong(json).is_none().then_some(());
                lines.find(has_all).is_none().then_some(Reason::NoLine)
            }
        }
    }
}

/// As in a rules file.
impl fmt::Display for BodyCondition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BodyCondition::Present => f.write_str("there"),
            BodyCondition::Absent => f.write_str("absent"),
            BodyCondition::OneOf(values) => list(f, values),
        }
    }
}

impl fmt::Display for BodyValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BodyValue::Like(pattern) => write!(f, "\"{pattern}\""),
            BodyValue::Number(number) => number.fmt(f),
            BodyValue::Boolean(value) => value.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    #[test]
    fn numbers_are_compared_by_value_and_text_by_pattern() {
        let number = |text: &str| BodyValue::Number(text.parse().expect("a number"));
        let like = |text: &str| BodyValue::Like(TextPattern::new(text));
        for (wanted, found, fits) in [
            (number("1"), "1.0", true),
            (number("1.0"), "1", true),
            (number("1"), "1e0", true),
            (number("-0.0"), "0", true),
            (number("1"), "2", false),
            (number("9007199254740993"), "9007199254740992", false),
            (number("18446744073709551615"), "18446744073709551615", true),
            (number("1"), "\"1\"", false),
            (number("1"), "true", false),
            (like("1"), "1", false),
            (like("1"), "\"1\"", true),
            (like("a*z"), "\"a-z\"", true),
            (like("*"), "null", false),
            (BodyValue::Boolean(true), "true", true),
            (BodyValue::Boolean(true), "\"true\"", false),
            (BodyValue::Boolean(false), "null", false),
        ] {
            let value = serde_json::from_str(found).expect("JSON");
            assert_eq!(wanted.fits(&value), fits, "{wanted} {found}");
        }
    }

    #[test]
    fn a_condition_is_about_some_value_that_the_pointer_leads_to() {
        let body = r#"{"items": [{"sku": "a", "n": null}, {"sku": "b", "n": 2}], "by": {"x": {"sku": "c"}}, "*": 1}"#;
        let padded = format!("{body}{}", " ".repeat(20_000));
        let number = |n: u32| BodyCondition::OneOf(vec![BodyValue::Number(n.into())]);
        let like = |text: &str| BodyCondition::OneOf(vec![BodyValue::Like(TextPattern::new(text))]);
        for (pointer, condition, holds) in [
            ("/items/*/sku", like("b"), true),
            ("/items/*/sku", like("c"), false),
            ("/items/*", BodyCondition::Present, true),
            ("/by/*/sku", like("c"), true),
            ("/*/*/sku", like("c"), true),
            ("/*/*/sku", like("a"), true),
            ("/items/*/n", BodyCondition::Present, true),
            ("/items/0/n", BodyCondition::Present, true),
            ("/items/*/n", number(2), true),
            ("/items/*/m", BodyCondition::Absent, true),
            ("/items/*/sku", BodyCondition::Absent, false),
            ("/items/0/n", BodyCondition::Absent, false),
            ("/*", number(1), true),
            ("/~2", number(1), true),
            ("/~2", like("*"), false),
            ("", BodyCondition::Present, true),
        ] {
            for text in [body, &padded] {
                let json = Json::read(&Bytes::copy_from_slice(text.as_bytes())).expect("JSON");
                assert_eq!(condition.holds(&json, pointer), holds, "{pointer} {condition} {}", text.len());
            }
        }
    }
}
