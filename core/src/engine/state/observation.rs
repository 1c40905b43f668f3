//! Observations of exchanges. State is learned only from requests that the upstream accepted: a failed, cancelled
//! or injected exchange changes nothing.
//!
//! An [`Observation`] is prepared while the request is at hand, and becomes commands once its response is.

use std::borrow::Cow;
use std::sync::Arc;

use http::header::{self, HeaderMap};
use http::{Method, StatusCode};
use percent_encoding::{CONTROLS, percent_encode};

use super::LearnedFrom;
use super::carried::{http_date, strong_tags};
use crate::engine::active_rule::ActiveRule;
use crate::engine::operation::{Keyspace, KnownVersion, Learnt, Op, StateKey, StoredResponse};
use crate::model::{Facts, GrpcStatus, Json, Key, KeyHash, KeyPart, Moment, decode_unreserved};
use crate::rules::{Rule, State, VersionAt};

/// An exchange with the upstream, seen from a rule that may learn from it.
pub struct Exchange<'r> {
    pub active: &'r Arc<ActiveRule>,
    pub facts: &'r Facts<'r>,
    pub client: KeyHash,
    pub began: Moment,
}

/// Response of the upstream.
pub struct Outcome<'a> {
    pub status: StatusCode,
    /// As the client gets it, with locations that lead through the proxy.
    pub headers: &'a HeaderMap,
    /// The response's JSON, where an observation asked for it.
    pub body: Option<&'a Json>,
}

/// Whether a response with this head accepts the request.
pub fn accepts(status: StatusCode, headers: &HeaderMap) -> bool {
    status.is_success() && headers.get(GrpcStatus::NAME).is_none_or(|status| status == "0")
}

impl Outcome<'_> {
    /// Whether the upstream has accepted the request. A gRPC service refuses with a 200 whose head says so;
    /// one that has begun its response says it in trailers, which come too late.
    pub fn is_accepted(&self) -> bool {
        accepts(self.status, self.headers)
    }
}

/// The state update of a rule, if the upstream accepts the request.
#[derive(Clone)]
pub struct Observation {
    active: Arc<ActiveRule>,
    key: StateKey,
    subject: Subject,
}

/// Update of the state after an outcome.
#[derive(Clone, Debug, PartialEq)]
pub enum StateUpdate {
    One(StateKey, Op),
    /// A version was seen by an exchange that began then, by the clock of this process.
    Learn {
        key: StateKey,
        seen: KnownVersion,
        how: Learnt,
        began: Moment,
    },
    /// The client has read the resource by an exchange that began then.
    Read {
        key: StateKey,
        began: Moment,
    },
    /// A representation was shown, or is not known any more, by an exchange that began then.
    Show {
        key: StateKey,
        response: Option<Arc<StoredResponse>>,
        how: Learnt,
        began: Moment,
    },
    /// The resource of this key of [`Keyspace::Referrer`] refers to `to`, and no more to the resource it referred to
    /// before.
    Attach {
        referrer: StateKey,
        to: KeyHash,
    },
    /// The resource of this key of [`Keyspace::Referrer`] refers to nothing any more, and the one that it referred to
    /// has one reference fewer.
    Detach {
        referrer: StateKey,
    },
}

#[derive(Clone)]
enum Subject {
    /// The resource's newest version.
    Version { method: Method, query: Option<Box<str>>, began: Moment },
    /// The version of a created resource.
    Made { path: Box<str>, began: Moment },
    /// The client holds the key.
    Hold { holder: KeyHash, lease: Option<std::time::Duration> },
    /// The entry ends.
    Release,
    /// A resource refers to the key: the one at the path, or the one that the response names.
    Refer { path: Option<Box<str>> },
    /// One more resource refers to the key, and is not tracked by name.
    ReferUnnamed,
    /// The resource at the path refers to nothing any more.
    Detach,
    /// One fewer resource refers to the key.
    Unrefer,
    /// The client has read the resource.
    Read { began: Moment },
}

impl Observation {
    /// An exchange whose host and path fit the rule.
    pub fn of_path(exchange: &Exchange<'_>, key: Option<KeyHash>) -> Option<Observation> {
        let facts = exchange.facts;
        let rule = &exchange.active.rule;
        let is_read = matches!(*facts.method, Method::GET | Method::HEAD);
        if learned_from(rule) == LearnedFrom::Versions {
            // A POST that reads changes nothing.
            let is_reading = rule.read.as_ref().is_some_and(|read| read.requests.check(facts).is_ok());
            return if is_reading { None } else { Some(exchange.version(facts.method.clone(), key?)) };
        }
        let opened = is_read.then(|| rule.opened_under(facts, key, exchange.client)).flatten()?;
        let subject = Subject::Read { began: exchange.began };
        Some(exchange.observation(Keyspace::Opened, opened, subject))
    }

    /// A request that the rule's `read` selects.
    pub fn of_reading(exchange: &Exchange<'_>, key: Option<KeyHash>) -> Option<Observation> {
        let rule = &exchange.active.rule;
        if learned_from(rule) == LearnedFrom::Versions {
            let names_key = rule.read.as_ref().is_some_and(|read| read.names_key);
            return key.filter(|_| names_key).map(|key| exchange.version(Method::GET, key));
        }
        rule.clear().filter(|clear| clear.is_by_reading())?;
        let opened = rule.opened_under(exchange.facts, key, exchange.client)?;
        let subject = Subject::Read { began: exchange.began };
        Some(exchange.observation(Keyspace::Opened, opened, subject))
    }

    /// A request that the rule is about.
    pub fn of_match(exchange: &Exchange<'_>, key: KeyHash) -> Option<Observation> {
        let LearnedFrom::Holders { lease } = learned_from(&exchange.active.rule) else { return None };
        let subject = Subject::Hold { holder: exchange.client, lease };
        Some(exchange.observation(Keyspace::State, key, subject))
    }

    /// A POST whose path need not fit the rule: where the response names the created resource, and that fits,
    /// its version is learned.
    pub fn of_maker(exchange: &Exchange<'_>) -> Option<Observation> {
        (learned_from(&exchange.active.rule) == LearnedFrom::Versions).then(|| {
            let path = exchange.facts.path.as_ref().into();
            let subject = Subject::Made { path, began: exchange.began };
            exchange.observation(Keyspace::State, KeyHash(0), subject)
        })
    }

    /// A request that the rule's `by` selects, with the key that it refers to.
    pub fn of_referrer(exchange: &Exchange<'_>, key: KeyHash) -> Observation {
        let release = exchange.active.rule.trigger.state().and_then(State::release);
        let ends_by_key = release.is_some_and(|release| !is_path(&release.per));
        let facts = exchange.facts;
        let subject = if ends_by_key {
            Subject::ReferUnnamed
        } else {
            let is_at_path = *facts.method != Method::POST;
            Subject::Refer { path: is_at_path.then(|| facts.path.as_ref().into()) }
        };
        exchange.observation(Keyspace::State, key, subject)
    }

    /// A request that the rule's `release` selects, with its key under `per`.
    pub fn of_release(exchange: &Exchange<'_>, key: KeyHash, per: &Key) -> Observation {
        let (keyspace, subject) = match learned_from(&exchange.active.rule) {
            LearnedFrom::References(_) if is_path(per) => (Keyspace::Referrer, Subject::Detach),
            LearnedFrom::References(_) => (Keyspace::State, Subject::Unrefer),
            _ => (Keyspace::State, Subject::Release),
        };
        exchange.observation(keyspace, key, subject)
    }

    /// Whether it observes that the client has read the resource.
    pub fn is_of_reading(&self) -> bool {
        matches!(self.subject, Subject::Read { .. })
    }

    /// Whether it needs the response's body.
    pub fn reads_response(&self) -> bool {
        let is_version = matches!(self.subject, Subject::Version { .. } | Subject::Made { .. });
        is_version && self.active.rule.version_at().is_some_and(VersionAt::reads_response_body)
    }

    /// The state update for an outcome.
    pub fn command(&self, outcome: &Outcome<'_>) -> Option<StateUpdate> {
        // A read that finds nothing counts as a read: a client that creates the resource next is right to.
        let tells = [StatusCode::NOT_MODIFIED, StatusCode::NOT_FOUND, StatusCode::GONE];
        let is_read = self.is_of_reading() && tells.contains(&outcome.status);
        if !outcome.is_accepted() && !is_read {
            return None;
        }
        let Observation { key, .. } = *self;
        let rule = &self.active.rule;
        Some(match &self.subject {
            Subject::Version { method, query, began } => {
                let version = Version { method, query: query.as_deref(), source: rule.version_at(), outcome };
                let (seen, how) = version.observed()?;
                self.active.counters.versions.see_response(seen.version.is_some() || seen.modified.is_some());
                StateUpdate::Learn { key, seen, how, began: *began }
            }
            Subject::Made { path, began } => {
                let source = rule.version_at();
                let version = Version { method: &Method::POST, query: None, source, outcome };
                let (key, seen, how) = version.made(key, rule, path)?;
                self.active.counters.versions.see_response(seen.version.is_some() || seen.modified.is_some());
                StateUpdate::Learn { key, seen, how, began: *began }
            }
            Subject::Hold { holder, lease } => {
                StateUpdate::One(key, Op::Hold { holder: *holder, lease: *lease })
            }
            Subject::Release => StateUpdate::One(key, Op::Release),
            Subject::Unrefer => StateUpdate::One(key, Op::Unrefer),
            Subject::Read { began } => StateUpdate::Read { key, began: *began },
            Subject::Detach => StateUpdate::Detach { referrer: key },
            Subject::ReferUnnamed => StateUpdate::One(key, Op::Refer),
            Subject::Refer { path } => {
                let made = location(outcome.headers);
                match path.as_deref().map(Cow::Borrowed).or(made) {
                    Some(path) => {
                        let path = KeyHash::of([path.as_bytes()]);
                        StateUpdate::Attach { referrer: key.within(Keyspace::Referrer, path), to: key.key }
                    }
                    None => StateUpdate::One(key, Op::Refer),
                }
            }
        })
    }
}

impl Exchange<'_> {
    fn observation(&self, keyspace: Keyspace, key: KeyHash, subject: Subject) -> Observation {
        let active = Arc::clone(self.active);
        Observation { key: active.key(keyspace, key), active, subject }
    }

    /// The response may tell the version of the key's resource; `method` as it counts.
    fn version(&self, method: Method, key: KeyHash) -> Observation {
        let query = self.facts.query.filter(|query| !query.is_empty()).map(Into::into);
        self.observation(Keyspace::State, key, Subject::Version { method, query, began: self.began })
    }
}

/// Longer versions, in bytes, are not kept: a million of them have to fit into memory.
const LONGEST: usize = 128;

/// Query parameters that ask for a named version: of CouchDB, GitHub, S3, Kubernetes and others.
const OTHER_VERSIONS: [&str; 7] =
    ["rev", "open_revs", "ref", "version", "versionId", "resourceVersion", "at"];

/// A response that may tell a version.
struct Version<'a> {
    method: &'a Method,
    query: Option<&'a str>,
    source: Option<&'a VersionAt>,
    outcome: &'a Outcome<'a>,
}

impl Version<'_> {
    /// The version of the resource at the exchange's own path.
    fn observed(&self) -> Option<(KnownVersion, Learnt)> {
        let seen = self.seen();
        match *self.method {
            Method::GET | Method::HEAD => {
                let is_partial = self.outcome.status == StatusCode::PARTIAL_CONTENT;
                let is_about_it = !is_partial && !self.is_of_a_selection() && seen != KnownVersion::default();
                is_about_it.then_some((seen, Learnt::Read))
            }
            _ if is_safe(self.method) => None,
            // A request that is only accepted (202) changes the resource some time later.
            _ if self.outcome.status == StatusCode::ACCEPTED => {
                Some((KnownVersion::default(), Learnt::Write))
            }
            Method::DELETE => Some((KnownVersion::default(), Learnt::Write)),
            // A tag may be about anything that a POST did, a version field too if that is elsewhere.
            Method::POST if self.source.is_none() || location(self.outcome.headers).is_some() => {
                Some((KnownVersion::default(), Learnt::Write))
            }
            _ => Some((seen, Learnt::Write)),
        }
    }

    /// The version of the resource that a POST to `path` created. The tag of a 201 is about that (RFC 9110 §10.2.2, §15.3.2).
    fn made(&self, own: StateKey, rule: &Rule, path: &str) -> Option<(StateKey, KnownVersion, Learnt)> {
        let made = location(self.outcome.headers).filter(|made| *made != path)?;
        let key = key_of_path(rule, &made)?;
        let is_made = self.outcome.status == StatusCode::CREATED;
        is_made.then(|| (own.within(own.keyspace(), key), self.seen(), Learnt::Write))
    }

    /// Whether a read selected another form, part or age of the resource, which has a version of its own.
    fn is_of_a_selection(&self) -> bool {
        let Some(query) = self.query else { return false };
        let mut names = query.split('&').map(|pair| pair.split_once('=').map_or(pair, |(name, _)| name));
        self.source.is_none() || names.any(|name| OTHER_VERSIONS.contains(&name))
    }

    /// The version that the response tells: the named field, or else a strong `ETag`.
    fn seen(&self) -> KnownVersion {
        let headers = self.outcome.headers;
        let in_body = |at: &VersionAt| at.in_response_body(self.outcome.body?);
        let field: Option<Box<str>> = self.source.and_then(|at| {
            at.in_response_head(headers)
                .map(|found| Box::from(&*found))
                .or_else(|| in_body(at).map(Box::from))
        });
        let tag = || {
            let line = headers.get(header::ETAG)?.as_bytes();
            strong_tags(line).first().map(|tag| Box::from(&**tag))
        };
        let modified = headers.get(header::LAST_MODIFIED).and_then(|date| http_date(date.as_bytes()));
        let version = field.or_else(|| self.source.is_none().then(tag).flatten());
        KnownVersion {
            version: version.filter(|version| version.len() <= LONGEST),
            modified,
            ..KnownVersion::default()
        }
    }
}

/// The path that `Location`, or else `Content-Location`, leads to.
fn location(headers: &HeaderMap) -> Option<Cow<'_, str>> {
    let value = headers.get(header::LOCATION).or_else(|| headers.get(header::CONTENT_LOCATION))?;
    // Clients percent-encode characters beyond ASCII (RFC 3987 §3.1, WHATWG URL).
    let text = match value.to_str() {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => percent_encode(value.as_bytes(), CONTROLS).to_string().into(),
    };
    let path = match text.split_once("://") {
        Some((_, rest)) if !text.starts_with('/') => &rest[rest.find('/')?..],
        _ => &*text,
    };
    let path = path.split(['?', '#']).next()?;
    path.starts_with('/').then(|| decode_unreserved(path).into_owned().into())
}

/// The key of another path under the same rule; `None` where the key is not in the path alone.
fn key_of_path(rule: &Rule, path: &str) -> Option<KeyHash> {
    let captures = rule.requests.path.captures(path)?;
    let mut parts = Vec::with_capacity(rule.per.0.len());
    for part in &rule.per.0 {
        match part {
            KeyPart::Path => parts.push(path.as_bytes()),
            KeyPart::Param(name) => parts.push(captures.get(name)?.as_bytes()),
            _ => return None,
        }
    }
    Some(KeyHash::of(parts))
}

fn learned_from(rule: &Rule) -> LearnedFrom<'_> {
    rule.trigger.state().map_or(LearnedFrom::Nothing, State::learned_from)
}

fn is_path(key: &Key) -> bool {
    key.0 == [KeyPart::Path]
}

/// Methods that change nothing, beside GET and HEAD (the IANA registry's).
fn is_safe(method: &Method) -> bool {
    method.is_safe() || matches!(method.as_str(), "PROPFIND" | "QUERY" | "REPORT" | "SEARCH")
}
