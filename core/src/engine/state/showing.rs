//! The newest representations of resources, for replies with `{current}` (RFC 9110 §15.5.10).

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{self, HeaderMap};
use http::{Method, StatusCode};

use super::StateUpdate;
use super::observation::accepts;
use crate::engine::active_rule::ActiveRule;
use crate::engine::decision::Conflict;
use crate::engine::operation::{Learnt, StateKey, StoredResponse};
use crate::model::{BodyFacts, Facts, Json, Moment};
use crate::rules::VersionSource;

/// An exchange whose response may show the resource at its path, or that changes it.
#[derive(Clone)]
pub struct Showing {
    active: Arc<ActiveRule>,
    key: StateKey,
    method: Method,
    path: Box<str>,
    began: Moment,
}

impl Showing {
    /// `None` for a request that neither shows nor changes the resource. One with a query is of a selection, or of
    /// another resource.
    pub fn of(active: &Arc<ActiveRule>, facts: &Facts<'_>, began: Moment) -> Option<Showing> {
        let is_whole = facts.query.is_none_or(str::is_empty);
        let is_get = *facts.method == Method::GET && is_whole;
        (is_get || !facts.method.is_safe()).then(|| Showing {
            active: Arc::clone(active),
            key: active.shown_at(&facts.path),
            method: facts.method.clone(),
            path: facts.path.as_ref().into(),
            began,
        })
    }

    /// The update after a response with this head; `body` is `None` where it was too long to keep.
    pub fn update(
        &self,
        status: StatusCode,
        headers: &HeaderMap,
        body: Option<&Bytes>,
    ) -> Option<StateUpdate> {
        let is_gone = matches!(status, StatusCode::NOT_FOUND | StatusCode::GONE);
        let how = match self.method {
            Method::GET if status == StatusCode::OK || is_gone => Learnt::Read,
            Method::GET => return None,
            _ if accepts(status, headers) => Learnt::Write,
            _ => return None,
        };
        let shows = match how {
            Learnt::Read => status == StatusCode::OK,
            Learnt::Write => self.is_shown_by_write(status, headers),
        };
        let response = body.filter(|_| shows).and_then(|body| self.kept(status, headers, body));
        Some(StateUpdate::Show { key: self.key, response, how, began: self.began })
    }

    /// Whether the response to a write is the resource's new representation (RFC 9110 §8.7, §9.3.4).
    fn is_shown_by_write(&self, status: StatusCode, headers: &HeaderMap) -> bool {
        let is_here =
            headers.get(header::CONTENT_LOCATION).is_some_and(|at| at.as_bytes() == self.path.as_bytes());
        let is_answered = matches!(status, StatusCode::OK | StatusCode::CREATED);
        let replaces = matches!(self.method, Method::PUT | Method::PATCH);
        is_answered && (is_here || replaces && headers.contains_key(header::ETAG))
    }

    fn kept(&self, status: StatusCode, headers: &HeaderMap, body: &Bytes) -> Option<Arc<StoredResponse>> {
        let read = BodyFacts::read(body.clone()).decoded(headers, Json::QUICK as u64);
        let BodyFacts::Read { bytes, .. } = read else { return None };
        let mut names = vec![header::CONTENT_TYPE, header::ETAG];
        let places = self.active.rule.version_at().map(|at| at.responses.as_slice()).unwrap_or_default();
        names.extend(places.iter().filter_map(|place| match place {
            VersionSource::Header(name) => Some(name.clone()),
            VersionSource::Query(_) | VersionSource::Body(_) => None,
        }));
        let mut few = HeaderMap::new();
        for name in names {
            few.extend(headers.get(&name).map(|value| (name.clone(), value.clone())));
        }
        // Of a larger body, a part.
        let body = Bytes::copy_from_slice(&bytes);
        Some(Arc::new(StoredResponse { connection: 0, status, headers: few, body }))
    }
}

impl Conflict {
    /// Shows the newest representation, and with it the version in it, unless one is known already.
    pub(in crate::engine) fn show(&mut self, shown: Arc<StoredResponse>) {
        if self.versions.current.is_none() {
            let at = self.active.rule.version_at();
            let field = at.and_then(|at| {
                let in_head = at.in_response_head(&shown.headers).map(Cow::into_owned);
                in_head.or_else(|| at.in_response_body(&Json::read_quickly(&shown.body)?))
            });
            let tag = || shown.headers.get(header::ETAG)?.to_str().ok().map(str::to_owned);
            self.versions.current = field.or_else(tag).map(Into::into);
        }
        self.current = Some(shown);
    }
}
