//! The upstream's responses that a rule is about.

use std::fmt;

use http::{HeaderMap, HeaderName, StatusCode};

use super::body::BodyCondition;
use super::text::Presence;
use crate::model::BodyFacts;

/// `upstream_response = { status, header, body }`: all conditions must hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ResponseMatch {
    /// Any of these; empty means any response that accepts the request.
    pub statuses: Vec<StatusMatch>,
    pub headers: Vec<(HeaderName, Presence)>,
    /// JSON pointers (RFC 6901) and the conditions on their values.
    pub body: Vec<(Box<str>, BodyCondition)>,
}

/// A status, or all of one class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatusMatch {
    Is(StatusCode),
    /// Its first digit: `4xx`.
    Class(u16),
}

/// The reason why a response does not match. It contains no value of the response, which may be a secret.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ResponseMismatch<'m> {
    /// The status that came.
    Status(StatusCode, &'m [StatusMatch]),
    Header(&'m HeaderName, &'m Presence),
    /// It is longer than `body_limit`, without an end, or cannot be read.
    BodyUnread,
    BodyNotJson,
    Body(&'m str),
}

impl ResponseMatch {
    /// Whether the decision needs the body.
    pub fn reads_body(&self) -> bool {
        !self.body.is_empty()
    }

    /// Checks all but the body; `is_accepted` tells whether the upstream has accepted the request.
    pub fn check_head(
        &self,
        status: StatusCode,
        headers: &HeaderMap,
        is_accepted: bool,
    ) -> Result<(), ResponseMismatch<'_>> {
        let is_asked = match self.statuses.is_empty() {
            true => is_accepted,
            false => self.statuses.iter().any(|wanted| wanted.contains(status)),
        };
        if !is_asked {
            return Err(ResponseMismatch::Status(status, &self.statuses));
        }
        for (name, presence) in &self.headers {
            if !presence.holds(headers.get_all(name).iter()) {
                return Err(ResponseMismatch::Header(name, presence));
            }
        }
        Ok(())
    }

    /// Checks the body.
    pub fn check_body(&self, body: &BodyFacts) -> Result<(), ResponseMismatch<'_>> {
        if !self.reads_body() {
            return Ok(());
        }
        let BodyFacts::Read { .. } = body else { return Err(ResponseMismatch::BodyUnread) };
        let Some(body) = body.json() else { return Err(ResponseMismatch::BodyNotJson) };
        match self.body.iter().find(|(pointer, condition)| !condition.holds(body, pointer)) {
            Some((pointer, _)) => Err(ResponseMismatch::Body(pointer)),
            None => Ok(()),
        }
    }
}

impl StatusMatch {
    /// Reads `4xx`.
    pub fn class(text: &str) -> Option<StatusMatch> {
        let (digit, rest) = text.split_at_checked(1)?;
        let digit = digit.parse().ok().filter(|digit| (2..=5).contains(digit))?;
        rest.eq_ignore_ascii_case("xx").then_some(StatusMatch::Class(digit))
    }

    fn contains(self, status: StatusCode) -> bool {
        match self {
            StatusMatch::Is(wanted) => wanted == status,
            StatusMatch::Class(class) => status.as_u16() / 100 == class,
        }
    }
}

impl fmt::Display for StatusMatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StatusMatch::Is(status) => write!(f, "{}", status.as_u16()),
            StatusMatch::Class(class) => write!(f, "{class}xx"),
        }
    }
}

impl fmt::Display for ResponseMismatch<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ResponseMismatch::Status(status, []) => {
                write!(f, "the upstream's response was {}, and only a 2xx accepts", status.as_u16())
            }
            ResponseMismatch::Status(status, wanted) => {
                let wanted: Vec<String> = wanted.iter().map(ToString::to_string).collect();
                let status = status.as_u16();
                write!(f, "the upstream's response was {status}, the rule wants {}", wanted.join(" or "))
            }
            ResponseMismatch::Header(name, Presence::Absent) => {
                write!(f, "the upstream's response has a header {name}, the rule wants it absent")
            }
            ResponseMismatch::Header(name, Presence::Like(wanted)) => {
                write!(f, "the upstream's response has no header {name} like {wanted}")
            }
            ResponseMismatch::Header(name, Presence::Present) => {
                write!(f, "the upstream's response has no header {name}")
            }
            ResponseMismatch::BodyUnread => f.write_str(
                "the body of the upstream's response is longer than body_limit, or cannot be read",
            ),
            ResponseMismatch::BodyNotJson => f.write_str("the body of the upstream's response is not JSON"),
            ResponseMismatch::Body(pointer) => {
                write!(f, "the body of the upstream's response has another value, or none, at {pointer}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_one_or_one_of_a_class() {
        for (text, class) in [("4xx", Some(4)), ("2XX", Some(2)), ("1xx", None), ("6xx", None), ("40x", None)]
        {
            assert_eq!(StatusMatch::class(text), class.map(StatusMatch::Class), "{text}");
        }
        let check = |wanted: &[StatusMatch], status: u16, is_accepted| {
            let wanted = ResponseMatch { statuses: wanted.to_vec(), ..ResponseMatch::default() };
            let status = StatusCode::from_u16(status).expect("a status");
            wanted.check_head(status, &HeaderMap::new(), is_accepted).is_ok()
        };
        assert!(check(&[], 200, true) && !check(&[], 404, false) && !check(&[], 200, false));
        assert!(check(&[StatusMatch::Class(4)], 404, false) && !check(&[StatusMatch::Class(4)], 200, true));
        let either = [StatusMatch::Is(StatusCode::OK), StatusMatch::Class(5)];
        assert!(check(&either, 200, true) && check(&either, 503, false) && !check(&either, 201, true));
    }
}
