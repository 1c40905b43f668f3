//! The methods a rule applies to.

use std::fmt;

use http::Method;

/// A set of methods.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Methods {
    /// Any but OPTIONS and CONNECT, so that browsers' preflights pass.
    #[default]
    Any,
    Only(Vec<Method>),
}

impl Methods {
    /// Whether the set contains `method`.
    pub fn contains(&self, method: &Method) -> bool {
        match self {
            Methods::Any => *method != Method::OPTIONS && *method != Method::CONNECT,
            Methods::Only(methods) => methods.contains(method),
        }
    }
}

/// Words of a sentence: `PUT, PATCH or DELETE`.
impl fmt::Display for Methods {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Methods::Any => f.write_str("any but OPTIONS and CONNECT"),
            Methods::Only(methods) => list(f, methods),
        }
    }
}

/// Writes `a, b or c`.
pub(super) fn list<T: fmt::Display>(f: &mut fmt::Formatter<'_>, items: &[T]) -> fmt::Result {
    for (at, item) in items.iter().enumerate() {
        let separator = match at {
            0 => "",
            _ if at + 1 == items.len() => " or ",
            _ => ", ",
        };
        write!(f, "{separator}{item}")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn preflights_pass_unless_asked_for() {
        let only = |methods: &[Method]| Methods::Only(methods.to_vec());
        for (methods, method, contained) in [
            (Methods::Any, Method::GET, true),
            (Methods::Any, Method::from_bytes(b"PURGE").unwrap(), true),
            (Methods::Any, Method::OPTIONS, false),
            (Methods::Any, Method::CONNECT, false),
            (only(&[Method::OPTIONS]), Method::OPTIONS, true),
            (only(&[Method::PUT, Method::PATCH]), Method::PATCH, true),
            (only(&[Method::PUT, Method::PATCH]), Method::POST, false),
            (only(&[]), Method::GET, false),
        ] {
            assert_eq!(methods.contains(&method), contained, "{methods} {method}");
        }
    }

    #[test]
    fn they_read_as_a_list() {
        let methods = Methods::Only(vec![Method::PUT, Method::PATCH, Method::DELETE]);
        assert_eq!(methods.to_string(), "PUT, PATCH or DELETE");
        assert_eq!(Methods::Only(vec![Method::PUT]).to_string(), "PUT");
    }
}
