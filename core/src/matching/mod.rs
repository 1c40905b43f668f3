//! Floor 1: the requests a rule applies to.

mod body;
mod client;
mod index;
pub(crate) mod literal;
mod methods;
mod mismatch;
mod mistake;
mod outline;
mod path;
mod path_match;
mod regex;
mod response;
#[cfg(test)]
mod tests;
mod text;

use std::borrow::Cow;

use http::HeaderName;

pub use body::{BodyCondition, BodyValue};
pub use client::Cidr;
pub use index::{Candidates, RuleIndex};
pub use methods::Methods;
pub use mismatch::Mismatch;
pub use mistake::PatternMistake;
pub use path::PathPattern;
pub use path_match::PathMatch;
pub use regex::PathRegex;
pub use response::{ResponseMatch, ResponseMismatch, StatusMatch};
pub use text::{Presence, TextPattern};

use crate::model::{Captures, Facts};
use mismatch::Reason;

/// The requests a rule applies to: all conditions must hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Match {
    pub method: Methods,
    pub path: PathMatch,
    pub host: Option<TextPattern>,
    pub headers: Vec<(HeaderName, Presence)>,
    pub queries: Vec<(Box<str>, Presence)>,
    pub cookies: Vec<(Box<str>, Presence)>,
    /// JSON pointers (RFC 6901, with `*` for some element) and the conditions on their values. In NDJSON all hold on
    /// one line.
    pub body: Vec<(Box<str>, BodyCondition)>,
    /// Fields of a form.
    pub form: Vec<(Box<str>, Presence)>,
    /// The whole body as text.
    pub text: Option<TextPattern>,
    /// Any of these; empty means any client.
    pub client: Vec<Cidr>,
    /// Conditions that must not hold. Inside, [`Methods::Any`] is any method at all.
    pub not: Option<Box<Match>>,
}

impl Match {
    /// Whether the decision needs the body.
    pub fn reads_body(&self) -> bool {
        self.has_body_condition() || self.not.as_ref().is_some_and(|not| not.reads_body())
    }

    /// Returns the captures of the path, or the first condition that does not hold. A body that was not
    /// read, or is too long, is a mismatch of a rule that needs it.
    pub fn check<'r>(&'r self, facts: &'r Facts<'_>) -> Result<Captures<'r>, Mismatch<'r>> {
        let captures = self.check_head(facts)?;
        self.check_body(facts)?;
        Ok(captures)
    }

    /// As [`Match::check`], with everything that depends on the body taken to hold.
    pub fn check_head<'r>(&'r self, facts: &'r Facts<'_>) -> Result<Captures<'r>, Mismatch<'r>> {
        if !self.method.contains(facts.method) {
            return Err(Mismatch { facts, reason: Reason::Method(&self.method) });
        }
        self.check_rest_of_head(facts)
    }

    fn check_rest_of_head<'r>(&'r self, facts: &'r Facts<'_>) -> Result<Captures<'r>, Mismatch<'r>> {
        let no = |reason| Err(Mismatch { facts, reason });
        let Some(captures) = self.path.captures(&facts.path) else {
            return no(Reason::Path(&self.path));
        };
        if let Some(host) = &self.host
            && !host.fits_ignoring_case(facts.host().as_bytes())
        {
            return no(Reason::Host(host));
        }
        for (name, presence) in &self.headers {
            if !presence.holds(facts.headers.get_all(name).iter()) {
                return no(Reason::Header(name, presence));
            }
        }
        for (name, presence) in &self.queries {
            if !presence.holds(facts.queries(name).map(into_bytes)) {
                return no(Reason::Query(name, presence));
            }
        }
        for (name, presence) in &self.cookies {
            if !presence.holds(facts.cookies(name)) {
                return no(Reason::Cookie(name, presence));
            }
        }
        if !self.client.is_empty() && !self.client.iter().any(|network| network.contains(facts.address)) {
            return no(Reason::Client(&self.client));
        }
        if let Some(not) = &self.not
            && !not.reads_body()
            && not.check_as_not(facts).is_ok()
        {
            return no(Reason::Excluded);
        }
        Ok(captures)
    }

    fn check_body<'r>(&'r self, facts: &'r Facts<'_>) -> Result<(), Mismatch<'r>> {
        if self.has_body_condition() {
            self.check_own_body(facts)?;
        }
        if let Some(not) = &self.not
            && not.reads_body()
        {
            match not.check_as_not(facts) {
                Ok(_) => return Err(Mismatch { facts, reason: Reason::Excluded }),
                Err(unknown) if unknown.is_for_want_of_a_body() => return Err(unknown),
                Err(_) => {}
            }
        }
        Ok(())
    }

    /// As [`Match::check`], for the inside of a `not`, where no method given means every method.
    fn check_as_not<'r>(&'r self, facts: &'r Facts<'_>) -> Result<(), Mismatch<'r>> {
        if self.method == Methods::Any {
            self.check_rest_of_head(facts)?;
        } else {
            self.check_head(facts)?;
        }
        self.check_body(facts)
    }
}

fn into_bytes(text: Cow<'_, str>) -> Cow<'_, [u8]> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
        Cow::Owned(text) => Cow::Owned(text.into_bytes()),
    }
}
