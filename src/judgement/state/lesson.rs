//! What outcomes teach. State is learned only from what the upstream accepted: a failed, cancelled
//! or injected exchange teaches nothing.
//!
//! A [`Lesson`] is prepared while the request is at hand, and told once its answer is.

use http::header::{self, HeaderMap};
use http::{Method, StatusCode};
use serde_json::Value;

use super::carried::{http_date, scalar, strong_tags};
use crate::judgement::operation::{Learnt, Place, Seen, Table, Tell};
use crate::rules::{Rule, State, VersionSource};
use crate::words::{Facts, Key, KeyHash, KeyPart, Moment};

/// An exchange with the upstream, seen from a rule that may learn from it.
pub struct Exchange<'r> {
    pub rule: &'r Rule,
    pub position: u32,
    pub facts: &'r Facts<'r>,
    pub client: KeyHash,
    pub began: Moment,
}

/// What the upstream answered.
pub struct Outcome<'a> {
    pub status: StatusCode,
    /// As the client gets it, with locations that lead through the proxy.
    pub headers: &'a HeaderMap,
    /// The answer's JSON, where a lesson asked for it.
    pub body: Option<&'a Value>,
}

/// What will be told to the store if the upstream accepts the request.
#[derive(Clone, Debug, PartialEq)]
pub struct Lesson {
    pub place: Place,
    subject: Subject,
}

#[derive(Clone, Debug, PartialEq)]
enum Subject {
    /// The resource's newest version.
    Version { method: Method, path: Box<str>, has_query: bool, began: Moment, key: Key },
    /// Whoever sent it holds the key.
    Hold { holder: KeyHash, lease: Option<std::time::Duration> },
    /// Whatever was kept ends.
    Release,
    /// The new resource refers to the key.
    Refer,
    /// The resource at the path refers to nothing any more.
    Detach,
    /// One fewer resource refers to the key.
    Unrefer,
    /// The client has read the resource.
    Read { began: Moment },
}

impl Lesson {
    /// An exchange whose host and path fit the rule.
    pub fn of_path(exchange: &Exchange<'_>, key: Option<KeyHash>) -> Option<Lesson> {
        let facts = exchange.facts;
        let rule = exchange.rule;
        let is_read = matches!(*facts.method, Method::GET | Method::HEAD);
        if let Some(State::Stale { .. }) = rule.trigger.state() {
            let subject = Subject::Version {
                method: facts.method.clone(),
                path: facts.path.as_ref().into(),
                has_query: facts.query.is_some_and(|query| !query.is_empty()),
                began: exchange.began,
                key: rule.per.clone(),
            };
            return Some(Lesson { place: exchange.place(Table::State, key?), subject });
        }
        let opened = is_read.then(|| rule.clear?.by_reading(facts, exchange.client)).flatten()?;
        let subject = Subject::Read { began: exchange.began };
        Some(Lesson { place: exchange.place(Table::Opened, opened), subject })
    }

    /// A request that the rule is about.
    pub fn of_match(exchange: &Exchange<'_>, key: KeyHash) -> Option<Lesson> {
        let lease = match exchange.rule.trigger.state()? {
            State::Duplicate { .. } => None,
            State::Locked { lease, .. } => Some(*lease),
            _ => return None,
        };
        let subject = Subject::Hold { holder: exchange.client, lease };
        Some(Lesson { place: exchange.place(Table::State, key), subject })
    }

    /// A request that the rule's `by` selects, with the key that it refers to.
    pub fn of_referrer(exchange: &Exchange<'_>, key: KeyHash) -> Lesson {
        Lesson { place: exchange.place(Table::State, key), subject: Subject::Refer }
    }

    /// A request that the rule's `release` selects, with its key under `per`.
    pub fn of_release(exchange: &Exchange<'_>, key: KeyHash, per: &Key) -> Lesson {
        let is_path = per.0 == [KeyPart::Path];
        let (table, subject) = match exchange.rule.trigger.state() {
            Some(State::Referenced { .. }) if is_path => (Table::Referrer, Subject::Detach),
            Some(State::Referenced { .. }) => (Table::State, Subject::Unrefer),
            _ => (Table::State, Subject::Release),
        };
        Lesson { place: exchange.place(table, key), subject }
    }

    /// Whether the lesson is in the answer's body.
    pub fn reads_answer(&self, rule: &Rule) -> bool {
        let source = rule.trigger.state().and_then(State::version_source);
        let is_version = matches!(self.subject, Subject::Version { .. });
        is_version && matches!(source, Some(VersionSource::Body(_) | VersionSource::Query(_)))
    }

    /// What the store is told of an outcome; `Detach` is [`Told::Detach`], since its second half
    /// depends on what is found.
    pub fn tell(&self, rule: &Rule, outcome: &Outcome<'_>) -> Vec<Told> {
        let is_reading = matches!(self.subject, Subject::Read { .. });
        let is_current = is_reading && outcome.status == StatusCode::NOT_MODIFIED;
        if !outcome.status.is_success() && !is_current {
            return Vec::new();
        }
        let tell = |tell| vec![Told::One(self.place, tell)];
        match &self.subject {
            Subject::Version { method, path, has_query, began, key } => {
                let source = rule.trigger.state().and_then(State::version_source);
                let version = Version { method, path, has_query: *has_query, source, outcome };
                let learn = |(place, seen, how)| Told::One(place, Tell::Learn { seen, began: *began, how });
                version.lessons(self.place, rule, key).into_iter().map(learn).collect()
            }
            Subject::Hold { holder, lease } => tell(Tell::Hold { holder: *holder, lease: *lease }),
            Subject::Release => tell(Tell::Release),
            Subject::Unrefer => tell(Tell::Unrefer),
            Subject::Read { began } => tell(Tell::Read { began: *began }),
            Subject::Detach => vec![Told::Detach(self.place)],
            Subject::Refer => {
                let mut told = tell(Tell::Refer);
                if let Some(path) = location(outcome.headers) {
                    let key = KeyHash::of([path.as_bytes()]);
                    let referrer = Place { table: Table::Referrer, key, ..self.place };
                    told.push(Told::One(referrer, Tell::Hold { holder: self.place.key, lease: None }));
                }
                told
            }
        }
    }
}

/// What the store is told.
#[derive(Clone, Debug, PartialEq)]
pub enum Told {
    One(Place, Tell),
    /// Whatever is kept at this place of [`Table::Referrer`] is taken from it, and what it named has
    /// one reference fewer.
    Detach(Place),
}

impl Exchange<'_> {
    fn place(&self, table: Table, key: KeyHash) -> Place {
        Place { rule: self.position, table, key }
    }
}

impl State {
    /// Where versions are, beside `If-Match` and `ETag`.
    pub fn version_source(&self) -> Option<&VersionSource> {
        match self {
            State::Stale { version, .. } => version.as_ref(),
            _ => None,
        }
    }
}

/// An answer that may tell a version.
struct Version<'a> {
    method: &'a Method,
    path: &'a str,
    has_query: bool,
    source: Option<&'a VersionSource>,
    outcome: &'a Outcome<'a>,
}

impl Version<'_> {
    /// What the exchange teaches, and about which resources.
    fn lessons(&self, own: Place, rule: &Rule, key: &Key) -> Vec<(Place, Seen, Learnt)> {
        let seen = self.seen();
        match *self.method {
            // A selection or another form of the resource may have a tag of its own.
            Method::GET | Method::HEAD if self.has_query && self.source.is_none() => Vec::new(),
            Method::GET | Method::HEAD if self.outcome.status == StatusCode::PARTIAL_CONTENT => Vec::new(),
            Method::GET | Method::HEAD if seen == Seen::default() => Vec::new(),
            Method::GET | Method::HEAD => vec![(own, seen, Learnt::Read)],
            Method::OPTIONS | Method::TRACE => Vec::new(),
            Method::DELETE => vec![(own, Seen::default(), Learnt::Write)],
            Method::POST => match location(self.outcome.headers).filter(|path| *path != self.path) {
                // A tag of a 201 is about what was made (RFC 9110 §10.2.2, §15.3.2).
                Some(made) => {
                    let made =
                        key_of_path(rule, key, made).map(|key| (Place { key, ..own }, seen, Learnt::Write));
                    let own = (own, Seen::default(), Learnt::Write);
                    std::iter::once(own).chain(made).collect()
                }
                None => {
                    vec![(own, if self.source.is_some() { seen } else { Seen::default() }, Learnt::Write)]
                }
            },
            _ => vec![(own, seen, Learnt::Write)],
        }
    }

    /// The version that the answer tells: the named field, or else a strong `ETag`.
    fn seen(&self) -> Seen {
        let headers = self.outcome.headers;
        let field = self.source.and_then(|source| self.field(source));
        let tag = || {
            let line = headers.get(header::ETAG)?.to_str().ok()?;
            strong_tags(line).first().map(|tag| (*tag).into())
        };
        let modified = headers.get(header::LAST_MODIFIED).and_then(|date| http_date(date.as_bytes()));
        Seen { version: field.or_else(|| self.source.is_none().then(tag).flatten()), modified }
    }

    fn field(&self, source: &VersionSource) -> Option<Box<str>> {
        match source {
            VersionSource::Header(name) => Some(self.outcome.headers.get(name)?.to_str().ok()?.into()),
            VersionSource::Body(pointer) => in_body(self.outcome.body?, pointer),
            VersionSource::Query(name) => {
                // Elasticsearch's `if_seq_no` asks about what answers call `_seq_no`.
                let name = name.strip_prefix("if_").unwrap_or(name);
                in_body(self.outcome.body?, &format!("/{name}"))
            }
        }
    }
}

/// The value at `pointer`, or at its other spelling: CouchDB answers `rev` where documents have
/// `_rev`, Elasticsearch `_seq_no` to `if_seq_no`, GitHub puts a file's `sha` below `content`.
fn in_body(body: &Value, pointer: &str) -> Option<Box<str>> {
    let (parent, name) = pointer.rsplit_once('/')?;
    let other = match name.strip_prefix('_') {
        Some(bare) => format!("{parent}/{bare}"),
        None => format!("{parent}/_{name}"),
    };
    [pointer, &other, &format!("/content{pointer}")]
        .into_iter()
        .find_map(|pointer| body.pointer(pointer).and_then(scalar))
        .map(Into::into)
}

/// The path that `Location`, or else `Content-Location`, leads to.
fn location(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::LOCATION).or_else(|| headers.get(header::CONTENT_LOCATION))?;
    let text = value.to_str().ok()?;
    let path = match text.split_once("://") {
        Some((_, rest)) => &rest[rest.find('/')?..],
        None => text,
    };
    let path = path.split(['?', '#']).next()?;
    path.starts_with('/').then_some(path)
}

/// The key of another path under the same rule; `None` where the key is not in the path alone.
fn key_of_path(rule: &Rule, key: &Key, path: &str) -> Option<KeyHash> {
    let captures = rule.requests.path.captures(path)?;
    let mut parts = Vec::with_capacity(key.0.len());
    for part in &key.0 {
        match part {
            KeyPart::Path => parts.push(path.as_bytes()),
            KeyPart::Param(name) => parts.push(captures.get(name)?.as_bytes()),
            _ => return None,
        }
    }
    Some(KeyHash::of(parts))
}
