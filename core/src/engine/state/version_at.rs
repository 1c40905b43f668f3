//! Where a rule finds versions: in requests, and in responses.

use std::borrow::Cow;

use http::header::{self, HeaderMap};

use super::scalar;
use crate::model::{Facts, Json, text_of};
use crate::rules::{Rule, VersionAt, VersionSource};

impl Rule {
    /// Where versions are, if not in `If-Match` and `ETag`.
    pub fn version_at(&self) -> Option<&VersionAt> {
        self.version.as_ref().filter(|version| !version.is_usual())
    }
}

impl VersionAt {
    /// Whether it names the default places.
    fn is_usual(&self) -> bool {
        let is_tag = |source: &VersionSource| matches!(source, VersionSource::Header(name) if *name == header::IF_MATCH || *name == header::ETAG);
        is_tag(&self.request) && self.responses.iter().all(is_tag)
    }

    /// The version of a request.
    pub fn in_request<'r>(&self, facts: &Facts<'r>) -> Option<Cow<'r, str>> {
        let in_body = || facts.body.json().and_then(|json| self.in_request_body(json));
        self.in_request_head(facts).or_else(|| in_body().map(Cow::Owned))
    }

    /// The version of a request, if its head has it. CouchDB has two names for one: `_rev` in bodies is `rev`
    /// in queries.
    pub fn in_request_head<'r>(&self, facts: &Facts<'r>) -> Option<Cow<'r, str>> {
        match &self.request {
            VersionSource::Header(name) => facts.header(name).map(text_of),
            VersionSource::Query(name) => facts.queries(name).next(),
            VersionSource::Body(pointer) => facts.queries(pointer.strip_prefix("/_")?).next(),
        }
    }

    /// The version of a request, if its body has it.
    pub fn in_request_body(&self, body: &Json) -> Option<String> {
        match &self.request {
            VersionSource::Header(_) => None,
            VersionSource::Query(name) => at(body, &format!("/_{name}")),
            VersionSource::Body(pointer) => at(body, pointer),
        }
    }

    /// Whether a request's body may have it.
    pub fn reads_request_body(&self) -> bool {
        matches!(self.request, VersionSource::Body(_))
    }

    /// Whether a response's body may have it.
    pub fn reads_response_body(&self) -> bool {
        self.in_responses().iter().any(|source| !matches!(source, VersionSource::Header(_)))
    }

    /// The version that a response's head shows.
    pub fn in_response_head<'a>(&self, headers: &'a HeaderMap) -> Option<Cow<'a, str>> {
        self.in_responses().iter().find_map(|source| match source {
            VersionSource::Header(name) => headers.get(name).map(|value| text_of(value.as_bytes())),
            VersionSource::Query(_) | VersionSource::Body(_) => None,
        })
    }

    /// The version that a response's body shows.
    pub fn in_response_body(&self, body: &Json) -> Option<String> {
        self.in_responses().iter().find_map(|source| match source {
            VersionSource::Header(_) => None,
            VersionSource::Body(pointer) if self.responses.is_empty() => in_body(body, pointer),
            VersionSource::Body(pointer) => at(body, pointer),
            VersionSource::Query(name) => {
                // Elasticsearch's `if_seq_no` is called `_seq_no` in responses.
                let name = name.strip_prefix("if_").unwrap_or(name);
                in_body(body, &format!("/{name}"))
            }
        })
    }

    fn in_responses(&self) -> &[VersionSource] {
        if self.responses.is_empty() { std::slice::from_ref(&self.request) } else { &self.responses }
    }
}

/// As the rules file writes it.
impl std::fmt::Display for VersionSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            VersionSource::Header(name) => write!(f, "header:{name}"),
            VersionSource::Query(name) => write!(f, "query:{name}"),
            VersionSource::Body(pointer) => write!(f, "body:{pointer}"),
        }
    }
}

/// The value at `pointer`, or at its other spelling: CouchDB responds with `rev` where documents have
/// `_rev`, Elasticsearch with `_seq_no` to `if_seq_no`, GitHub puts a file's `sha` below `content`.
fn in_body(body: &Json, pointer: &str) -> Option<String> {
    let (parent, name) = pointer.rsplit_once('/')?;
    let other = match name.strip_prefix('_') {
        Some(bare) => format!("{parent}/{bare}"),
        None => format!("{parent}/_{name}"),
    };
    [pointer, &other, &format!("/content{pointer}")].into_iter().find_map(|pointer| at(body, pointer))
}

fn at(body: &Json, pointer: &str) -> Option<String> {
    body.pointer(pointer).and_then(|found| scalar(&found))
}
