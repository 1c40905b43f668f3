//! The `Fracas` header: which rule made a response, and as which conflict.

use bytes::Bytes;
use http::{HeaderName, HeaderValue};

use crate::model::{Kind, Phase};
use crate::rules::PassFaults;

/// The name of the header that only fracas's own responses carry.
pub const FRACAS: HeaderName = HeaderName::from_static("fracas");

/// `rule="flaky-writes", kind=version, phase=before, n=` and the number of the request: a dictionary of
/// structured fields (RFC 9651 §3.2).
#[derive(Clone, Debug)]
pub struct Marker(Box<[u8]>);

impl Marker {
    /// The marker of a rule's responses.
    pub fn new(rule: &str, kind: Kind, phase: Phase) -> Marker {
        let rule = item(rule);
        Marker(format!("rule={rule}, kind={kind}, phase={phase}, n=").into_bytes().into())
    }

    /// The marker of responses that a rule lets pass with these faults.
    pub fn of_pass(rule: &str, faults: &PassFaults) -> Marker {
        let words = faults.words().collect::<Vec<_>>().join(" ");
        Marker(format!("rule={}, pass=({words}), n=", item(rule)).into_bytes().into())
    }

    /// The header's value for the `n`-th request of a key.
    pub fn value(&self, n: u64) -> HeaderValue {
        // u64::MAX has 20 digits.
        let mut digits = [0; 20];
        let mut at = digits.len();
        let mut left = n;
        for digit in digits.iter_mut().rev() {
            *digit = b'0' + (left % 10) as u8;
            left /= 10;
            at -= 1;
            if left == 0 {
                break;
            }
        }
        let digits = digits.get(at..).unwrap_or_default();
        let mut value = Vec::with_capacity(self.0.len() + digits.len());
        value.extend_from_slice(&self.0);
        value.extend_from_slice(digits);
        // Only visible ASCII and spaces come from the two constructors below.
        HeaderValue::from_maybe_shared(Bytes::from(value)).unwrap_or(HeaderValue::from_static(""))
    }
}

/// A text of structured fields.
fn item(text: &str) -> String {
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) { string(text) } else { display(text) }
}

/// A string of structured fields (RFC 9651 §3.3.3).
fn string(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// A display string of structured fields (RFC 9651 §3.3.8): names may be in any language.
fn display(text: &str) -> String {
    let mut written = String::from("%\"");
    for byte in text.bytes() {
        match byte {
            b'%' | b'"' | 0..0x20 | 0x7f.. => written.push_str(&format!("%{byte:02x}")),
            _ => written.push(char::from(byte)),
        }
    }
    written.push('"');
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_that_pass_are_an_inner_list() {
        let faults =
            PassFaults { delay: std::time::Duration::from_secs(1), cut: Some(0), ..PassFaults::default() };
        assert_eq!(Marker::of_pass("slow", &faults).value(3), r#"rule="slow", pass=(delay cut), n=3"#);
    }

    #[test]
    fn markers_are_structured_fields_whatever_the_name() {
        for (rule, n, value) in [
            ("flaky-writes", 17, r#"rule="flaky-writes", kind=version, phase=before, n=17"#),
            ("a \"b\" \\", 0, r#"rule="a \"b\" \\", kind=version, phase=before, n=0"#),
            ("é\n%", u64::MAX, r#"rule=%"%c3%a9%0a%25", kind=version, phase=before, n=18446744073709551615"#),
        ] {
            assert_eq!(Marker::new(rule, Kind::Version, Phase::Before).value(n), value, "{rule}");
        }
    }
}
