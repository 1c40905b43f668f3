//! One request's life, top to bottom.

use std::rc::Rc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::request::Parts;
use http::{Method, Request, Response, Version};
use hyper::body::Incoming;

use super::body::{self, AnswerBody, RequestBody};
use super::decide::{Conflict, Decision, Replay, decide};
use super::error::Failure;
use super::headers;
use super::shown::Shown;
use super::worker::{Client, Shared, Worker};
use crate::judgement::StoredAnswer;
use crate::rules::LostAnswer;
use crate::words::Phase;

/// Answers one request: by the rules, or else by the upstream.
pub async fn exchange(
    worker: Rc<Worker>,
    client: Rc<Client>,
    request: Request<Incoming>,
) -> Result<Response<AnswerBody>, Lost> {
    let shared = &worker.shared;
    shared.counters.requests.fetch_add(1, Relaxed);
    let (head, body) = request.into_parts();
    let mut body = RequestBody::new(body, Rc::clone(&worker.tasks));

    let shown = Shown::of(&head, shared.clock);
    if let Err(failure) = admit(&head, shared.settings.limits.uri_bytes) {
        shown.log_answer(failure.status());
        return Ok(closing(failure.answer()));
    }
    let (conflict, passage) = match decide(shared, &client, &head, &mut body).await {
        Decision::Refuse(conflict) => return Ok(refuse(shared, conflict, &head, &shown, &body).await),
        Decision::Replay(replay) => return Ok(give_again(shared, replay, &shown)),
        Decision::Disturb(conflict, passage) => (Some(conflict), passage),
        Decision::Forward(passage) => (None, passage),
    };
    let mut answer = match worker.forwarder.forward(head, body, &client).await {
        Ok(answer) => answer,
        Err(failure) => {
            shared.counters.failures.fetch_add(1, Relaxed);
            shown.log_failure(failure);
            return Ok(failure.answer());
        }
    };
    passage.settle(shared, &mut answer).await;
    match conflict {
        Some(conflict) => disturb(&worker, conflict, answer, &shown).await,
        None => {
            shown.log_answer(answer.status());
            Ok(answer)
        }
    }
}

/// The answer is withheld: the connection ends without a byte of it.
#[derive(Debug)]
pub struct Lost;

impl std::fmt::Display for Lost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the answer was lost on purpose")
    }
}

impl std::error::Error for Lost {}

/// Refuses what cannot be understood in one way only, before any rule sees it.
fn admit(head: &Parts, uri_bytes: usize) -> Result<(), Failure> {
    if head.method == Method::CONNECT {
        return Err(Failure::Connect);
    }
    if head.uri.path_and_query().is_some_and(|target| target.as_str().len() > uri_bytes) {
        return Err(Failure::UriTooLong);
    }
    headers::check_request(&head.method, head.version < Version::HTTP_11, &head.headers)
        .map_err(Failure::BadRequest)
}

/// The conflict's answer, once its delay is over.
async fn refuse(
    shared: &Shared,
    conflict: Conflict,
    head: &Parts,
    shown: &Shown,
    body: &RequestBody,
) -> Response<AnswerBody> {
    pause(conflict.delay).await;
    shown.log_conflict(shared, &conflict);
    let answer = own(conflict.answer);
    // A client that waits for a 100 and gets an answer instead may not send its body at all: what
    // comes next on the connection would be anyone's guess (RFC 9110 §10.1.1).
    if head.headers.contains_key(header::EXPECT) && !body.is_read() { closing(answer) } else { answer }
}

/// What the client is told in place of the upstream's answer, if that was a success; any other
/// passes.
async fn disturb(
    worker: &Worker,
    conflict: Conflict,
    answer: Response<AnswerBody>,
    shown: &Shown,
) -> Result<Response<AnswerBody>, Lost> {
    let shared = &worker.shared;
    let (Some(active), Some(tally)) =
        (shared.rules.get(conflict.rule), shared.tallies.get(conflict.rule as usize))
    else {
        return Ok(answer);
    };
    let rule = &active.rule;
    let fires = answer.status().is_success()
        && conflict.claim.play(&shared.store, tally, rule.limit, shared.clock.now());
    if !fires {
        shown.log_answer(answer.status());
        return Ok(answer);
    }
    worker.tasks.spawn(body::drain(answer.into_body()));
    pause(conflict.delay).await;
    shown.log_conflict(shared, &conflict);
    match (rule.phase, rule.reply.lost) {
        (Phase::Lost, LostAnswer::Closed) => Err(Lost),
        _ => Ok(own(conflict.answer)),
    }
}

/// The answer that a request with the same idempotency key got.
fn give_again(shared: &Shared, replay: Replay, shown: &Shown) -> Response<AnswerBody> {
    let StoredAnswer { status, headers, body } = &*replay.answer;
    let mut answer = Response::new(AnswerBody::Own(Some(body.clone()).filter(|body| !body.is_empty())));
    *answer.status_mut() = *status;
    answer.headers_mut().clone_from(headers);
    // As Stripe says it; most clients know no other word for it.
    answer.headers_mut().insert("idempotent-replayed", HeaderValue::from_static("true"));
    shown.log_answer(*status);
    if let Some(active) = shared.rules.get(replay.rule) {
        tracing::debug!(rule = &*active.rule.name, n = replay.n, "gave the stored answer again");
    }
    answer
}

fn own(answer: Response<Bytes>) -> Response<AnswerBody> {
    answer.map(|bytes| AnswerBody::Own(Some(bytes).filter(|bytes| !bytes.is_empty())))
}

async fn pause(delay: Duration) {
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
}

fn closing(mut answer: Response<AnswerBody>) -> Response<AnswerBody> {
    answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    answer
}
