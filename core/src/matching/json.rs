//! Equality of JSON values.

use serde_json::{Number, Value};

/// Whether they are equal, numbers by value: `1` is `1.0`. Object members may be in any order.
pub(super) fn equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => equal_numbers(a, b),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| equal(a, b)))
        }
        _ => a == b,
    }
}

fn equal_numbers(a: &Number, b: &Number) -> bool {
    // Compare two integers as integers: floats above 2⁵³ are not exact.
    a == b || (a.is_f64() != b.is_f64() && a.as_f64() == b.as_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_compared_by_value() {
        for (a, b, same) in [
            ("1", "1.0", true),
            ("1", "1e0", true),
            ("-0.0", "0", true),
            ("1", "2", false),
            ("9007199254740993", "9007199254740992", false),
            ("18446744073709551615", "18446744073709551615", true),
            ("1", "\"1\"", false),
            ("null", "null", true),
            ("null", "false", false),
            ("[1, 2]", "[1.0, 2]", true),
            ("[1, 2]", "[2, 1]", false),
            ("[1]", "[1, 1]", false),
            ("{\"a\": 1, \"b\": 2}", "{\"b\": 2.0, \"a\": 1}", true),
            ("{\"a\": 1}", "{\"a\": 1, \"b\": 2}", false),
        ] {
            let parse = |text| serde_json::from_str::<Value>(text).unwrap();
            assert_eq!(equal(&parse(a), &parse(b)), same, "{a} {b}");
            assert_eq!(equal(&parse(b), &parse(a)), same, "{b} {a}");
        }
    }
}
