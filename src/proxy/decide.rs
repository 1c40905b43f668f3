//! The disposition of a request: a session's decision, with the response of the rule that refuses.

use std::convert::Infallible;
use std::rc::Rc;
use std::sync::Arc;

use bytes::Bytes;
use http::request::Parts;
use http::{Request, Response};
use http_body::Body;

use super::body::looked;
use super::body::request::RequestBody;
use super::body::response::ResponseSource;
use super::downstream::client::Client;
use super::error::Failure;
use super::owed::Owed;
use super::request_origin::RequestOrigin;
use super::shared::Shared;
use super::snapshot::Snapshot;
use super::worker::Worker;
use crate::content_coding::UndecodableBody;
use crate::engine::{self, Conflict, Replay, RuleSet, Session, UpstreamResponse};
use crate::model::{BodyFacts, Facts, Json};
use crate::reply::{PathCaptures, ReplyContext, allow_cors};
use crate::rules::Settings;

/// The disposition of a request.
pub enum Disposition {
    /// It goes to the upstream; rules may decide by the response.
    Forward(Option<Box<LateRequest>>),
    /// The upstream never sees it.
    Refuse(Box<RuleResponse>),
    /// It has had a response before.
    Replay(Replay),
}

/// A conflict, and the client's response.
pub struct RuleResponse {
    pub conflict: Conflict,
    pub response: Response<Bytes>,
}

/// Decides a request. The body is read, up to `body_limit`, only if a rule that could still match
/// needs it; no other step can fail.
pub async fn decide(
    worker: &Rc<Worker>,
    snapshot: &Snapshot,
    origin: RequestOrigin,
    head: &Parts,
    body: &mut RequestBody,
    owed: &mut Owed,
) -> Result<Disposition, Failure> {
    if snapshot.rules.is_empty() {
        return Ok(Disposition::Forward(None));
    }
    let shared = &*worker.shared;
    let settings = &shared.settings;
    let RequestOrigin { address, who, began, .. } = origin;
    let mut facts = Facts { who: Some(who), ..Facts::new(head, address) };
    // An empty body needs no wait.
    if body.is_end_stream() {
        facts.body = BodyFacts::read(Bytes::new());
    }
    let ticket = worker.tickets.next();
    let identity = &settings.client_id;
    let mut session = Session::new(&snapshot.rules, identity, &mut facts, &mut owed.effects, began, ticket);
    let look = async || {
        let limit = settings.body_limit;
        let sent = Box::pin(body.look(limit)).await.map_err(|_| Failure::BadBody)?;
        let mut looked = sent.decoded(&head.headers, limit.min(Json::QUICK as u64));
        let is_long = matches!(looked, BodyFacts::Undecodable { why: UndecodableBody::TooLong, .. });
        if sent.is_slow() || looked.is_slow() || is_long {
            looked = Box::pin(look_through(&worker.shared, &snapshot.rules, origin, head, sent)).await?;
        }
        Ok((looked, shared.clock.now()))
    };
    Ok(match shared.state.decide(&mut session, look, |_| {}).await? {
        engine::Decision::Forward => {
            drop(session);
            let is_late = owed.effects.awaits_response();
            Disposition::Forward(is_late.then(|| Box::new(LateRequest::new(head, facts.body, origin))))
        }
        engine::Decision::Refuse(conflict) => {
            let response = response(settings, shared.clock.wall(), session.facts(), &conflict);
            // Boxed: it is big, and nearly no request has one.
            Disposition::Refuse(Box::new(RuleResponse { conflict, response }))
        }
        engine::Decision::Replay(replay) => Disposition::Replay(replay),
    })
}

/// A request that rules look at again when its response is there: a copy of all that they read of it.
pub struct LateRequest {
    head: Parts,
    body: BodyFacts,
    origin: RequestOrigin,
}

impl LateRequest {
    fn new(head: &Parts, body: BodyFacts, origin: RequestOrigin) -> LateRequest {
        let (mut copy, ()) = Request::new(()).into_parts();
        (copy.method, copy.uri) = (head.method.clone(), head.uri.clone());
        copy.headers.clone_from(&head.headers);
        LateRequest { head: copy, body, origin }
    }

    /// Decides by the upstream's response, of which no more is read than a rule looks at. Returns the conflict that takes
    /// its place, if one does.
    pub async fn decide(
        self,
        worker: &Rc<Worker>,
        snapshot: &Snapshot,
        client: &Client,
        response: &mut http::Response<ResponseSource>,
        owed: &mut Owed,
    ) -> Option<Box<RuleResponse>> {
        let shared = &*worker.shared;
        let settings = &shared.settings;
        let RequestOrigin { address, who, .. } = self.origin;
        let mut facts = Facts { who: Some(who), body: self.body, ..Facts::new(&self.head, address) };
        let status = response.status();
        let headers = response.headers().clone();
        let mut late = UpstreamResponse { status, headers: &headers, body: BodyFacts::Unread };
        let (rules, identity, now) = (&snapshot.rules, &settings.client_id, shared.clock.now());
        let mut session = Session::after(rules, identity, &mut facts, &mut owed.effects, now, &mut late);
        let source = response.body_mut();
        let look = async || {
            let body = looked::look(source, &headers, settings.body_limit, client).await;
            Ok::<_, Infallible>((body, shared.clock.now()))
        };
        let Ok(decision) = shared.state.decide(&mut session, look, |_| {}).await;
        let engine::Decision::Refuse(conflict) = decision else { return None };
        let response = self::response(settings, shared.clock.wall(), session.facts(), &conflict);
        Some(Box::new(RuleResponse { conflict, response }))
    }
}

/// Maximum number of long bodies inspected at once; the others wait as bytes.
pub const LONG_LOOKS: usize = 4;

/// Inspects a long body on a thread of its own, so that the worker's other clients need not wait.
async fn look_through(
    shared: &Arc<Shared>,
    rules: &Arc<RuleSet>,
    origin: RequestOrigin,
    head: &Parts,
    body: BodyFacts,
) -> Result<BodyFacts, Failure> {
    let permit = Arc::clone(&shared.long_looks).acquire_owned().await;
    let (shared, rules, head) = (Arc::clone(shared), Arc::clone(rules), head.clone());
    let looking = tokio::task::spawn_blocking(move || {
        let _permit = permit;
        let body = body.decoded(&head.headers, shared.settings.body_limit);
        let mut facts = Facts { who: Some(origin.who), body, ..Facts::new(&head, origin.address) };
        rules.look_through(&facts, &shared.settings.client_id);
        std::mem::take(&mut facts.body)
    });
    looking.await.map_err(|_| Failure::BadBody)
}

fn response(
    settings: &Settings,
    now: jiff::Timestamp,
    facts: &Facts<'_>,
    conflict: &Conflict,
) -> Response<Bytes> {
    let occasion = ReplyContext {
        facts,
        captures: PathCaptures::Of(&conflict.active.rule.requests.path),
        n: conflict.n,
        key: conflict.key,
        identity: &settings.client_id,
        now,
        dice: conflict.active.dice,
        remaining: conflict.remaining,
        status: conflict.status,
        version_sent: conflict.versions.sent.as_deref(),
        version_current: conflict.versions.current.as_deref(),
        current: conflict.current.as_deref().map(|shown| &shown.body),
    };
    let mut response = conflict.active.reply_at(conflict.choice).render(&occasion);
    if settings.cors
        && let Some(origin) = facts.headers.get(http::header::ORIGIN)
    {
        allow_cors(response.headers_mut(), origin);
    }
    response
}
