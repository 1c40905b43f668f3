//! Floor 1: which requests a rule is about.

use std::fmt;
use std::net::IpAddr;
use std::ops::Range;
use std::str::FromStr;

use http::{HeaderName, Method};
use serde_json::Value;

use crate::words::{Captures, Facts};

/// Which requests a rule is about: everything given must hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Match {
    pub method: Methods,
    pub path: PathMatch,
    pub host: Option<TextPattern>,
    pub headers: Vec<(HeaderName, Presence)>,
    pub queries: Vec<(Box<str>, Presence)>,
    pub cookies: Vec<(Box<str>, Presence)>,
    /// JSON pointers and the values they must have.
    pub body: Vec<(Box<str>, Value)>,
    /// Any of these; empty means any client.
    pub client: Vec<Cidr>,
    pub not: Option<Box<Match>>,
}

impl Match {
    /// Whether it cannot be decided without the body.
    pub fn reads_body(&self) -> bool {
        !self.body.is_empty() || self.not.as_ref().is_some_and(|not| not.reads_body())
    }

    pub fn check_head<'r>(&'r self, facts: &'r Facts<'_>) -> Result<Captures<'r>, Mismatch> {
        self.check(facts)
    }
    /// What the path captured, or the first thing that does not hold.
    pub fn check<'r>(&'r self, facts: &'r Facts<'_>) -> Result<Captures<'r>, Mismatch> {
        let _ = facts;
        Err(Mismatch("stub".to_owned()))
    }
}

/// Why a request does not match, in words: `method is PUT, the rule wants POST`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch(pub String);

/// Which methods.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Methods {
    /// Any but OPTIONS and CONNECT, so that browsers' preflights pass.
    #[default]
    Any,
    Only(Vec<Method>),
}

/// Which paths.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum PathMatch {
    #[default]
    Any,
    Pattern(PathPattern),
    Regex(PathRegex),
}

impl PathMatch {
    /// The names it captures, in its order.
    pub fn names(&self) -> Vec<&str> {
        Vec::new()
    }
}

/// `/items/{id}`.
#[derive(Clone, Debug, PartialEq)]
pub struct PathPattern(Box<str>);

impl PathPattern {
    pub fn parse(text: &str) -> Result<PathPattern, PatternMistake> {
        Ok(PathPattern(text.into()))
    }
}

/// An anchored regular expression.
#[derive(Clone, Debug, PartialEq)]
pub struct PathRegex(Box<str>);

impl PathRegex {
    pub fn parse(text: &str) -> Result<PathRegex, PatternMistake> {
        Ok(PathRegex(text.into()))
    }
}

/// What is wrong with a pattern's text, and where in it (bytes).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatternMistake {
    pub at: Range<usize>,
    /// One line, lower case, without a full stop.
    pub message: String,
}

/// A header's, cookie's, query's or host's value; `*` is any run of characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextPattern(Box<str>);

impl TextPattern {
    pub fn new(text: &str) -> TextPattern {
        TextPattern(text.into())
    }
}

/// What is asked of a header, a cookie or a query parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Presence {
    Present,
    Absent,
    Like(TextPattern),
}

/// An address, or a network of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cidr {
    address: IpAddr,
    prefix: u8,
}

impl Cidr {
    pub fn contains(self, address: IpAddr) -> bool {
        address == self.address
    }
}

impl FromStr for Cidr {
    type Err = PatternMistake;

    fn from_str(text: &str) -> Result<Cidr, PatternMistake> {
        let _ = text;
        Err(PatternMistake { at: 0..0, message: String::new() })
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

/// Finds the rules that may match a request. It only accelerates: what it leaves out does not match.
#[derive(Debug)]
pub struct RuleIndex {
    rules: u32,
}

impl RuleIndex {
    /// An index over rules in file order.
    pub fn new<'m>(rules: impl IntoIterator<Item = &'m Match>) -> RuleIndex {
        RuleIndex { rules: rules.into_iter().count() as u32 }
    }

    /// The positions of the rules that may match, ascending.
    pub fn candidates(&self, facts: &Facts<'_>) -> impl Iterator<Item = u32> + use<> {
        let _ = facts;
        0..self.rules
    }
}
