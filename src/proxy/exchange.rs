//! The life of one request, top to bottom.

use std::pin::pin;
use std::rc::Rc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::request::Parts;
use http::{Request, Response, StatusCode, Version};
use hyper::body::Incoming;

use super::access_log::AccessLog;
use super::admit::admit;
use super::body::request::RequestBody;
use super::body::response::{self, ResponseBody, ResponseSource};
use super::decide::{Disposition, RuleResponse, decide};
use super::downstream::client::Client;
use super::downstream::deadlines::Wait;
use super::downstream::http2;
use super::error::{Failure, Late, Scarce};
use super::error_response::error_response;
use super::faults::afflict;
use super::headers::{self, Present};
use super::max_forwards;
use super::owed::Owed;
use super::record::RequestRecorder;
use super::request_origin::RequestOrigin;
use super::rewrite::cookies;
use super::worker::Worker;
use crate::engine::{Replay, StoredResponse};
use crate::reply::allow_cors;

/// Responds to one request: by the rules, or else by the upstream.
pub async fn exchange(
    worker: Rc<Worker>,
    client: Rc<Client>,
    request: Request<Incoming>,
) -> Result<Response<ResponseBody>, ResponseLost> {
    let shared = &*worker.shared;
    shared.counters.requests.fetch_add(1, Relaxed);
    let vitals = &client.vitals;
    let snapshot = worker.snapshot.get(&shared.snapshots);

    let (mut head, body) = request.into_parts();
    let translated = match head.version {
        Version::HTTP_2 => http2::translate(&mut head, shared.settings.limits.header_count),
        _ => Ok(()),
    };
    // Before a rule, or the journal, looks at them.
    cookies::restore(&mut head.headers, &worker.forwarder.upstream);
    let present = Present::in_headers(&head.headers);
    let is_last = headers::says_close(head.version, &head.headers);
    let is_http_10 = head.version < Version::HTTP_11;
    let address = client.address_behind(&head.headers, &shared.settings.trusted);
    let who = client.who(&head.headers, address, &shared.settings, worker.recorder.key);
    let connection = client.connection;
    let origin = RequestOrigin { connection, address, who, began: shared.clock.now() };
    let record = RequestRecorder::begin(&worker.recorder, snapshot, &head, origin);
    // The head may be gone when there is a failure to be told.
    let origin_header = head.headers.get(header::ORIGIN).filter(|_| shared.settings.cors).cloned();
    let mut body = RequestBody::new(body, vitals, &worker.tasks, &record);
    let shown = AccessLog::of(&record, shared.clock);
    // Rare branches are boxed: hyper moves this future on every request.
    let answering = pin!(async {
        translated?;
        response(&worker, &client, &mut head, present, &mut body, origin, &record).await
    });
    let answered = match vitals.within(answering).await {
        Ok(answered) => answered,
        Err(Wait::RequestBody) => Err(Failure::TimedOut(Late::RequestBody)),
        Err(_) => Err(Failure::TimedOut(Late::Answer)),
    };
    vitals.end(Wait::Answer);

    let failed = answered.as_ref().err().map(Failure::status);
    let mut response = match answered {
        Ok(Answered::ByRule(response)) => response,
        Ok(Answered::Not) => {
            record.withhold();
            return Err(ResponseLost);
        }
        Ok(Answered::ByUpstream(response)) => {
            shown.log_response(response.status());
            response
        }
        Err(failure) if failure.status().is_client_error() => {
            record.fail(failure.word());
            shown.log_response(failure.status());
            closing(error_response(&failure))
        }
        Err(failure) => {
            shared.counters.failures.fetch_add(1, Relaxed);
            record.fail(failure.word());
            shown.log_failure(&failure, worker.forwarder.help(&failure));
            error_response(&failure)
        }
    };
    if let (Some(failed), Some(page)) = (failed, origin_header)
        && failed != StatusCode::MISDIRECTED_REQUEST
    {
        allow_cors(response.headers_mut(), &page);
    }
    if (worker.is_draining.get() || client.is_surplus())
        && response.status() != StatusCode::SWITCHING_PROTOCOLS
    {
        response = closing(response);
    }
    if is_last || headers::says_close(Version::HTTP_11, response.headers()) {
        vitals.set_last(true);
    }
    record.response(&response);
    Ok(response.map(|source| ResponseBody::new(source, &client, is_http_10, Rc::clone(&record))))
}

/// The source of the response.
enum Answered {
    ByRule(Response<ResponseSource>),
    ByUpstream(Response<ResponseSource>),
    /// The response is withheld.
    Not,
}

async fn response(
    worker: &Rc<Worker>,
    client: &Rc<Client>,
    head: &mut Parts,
    present: Present,
    body: &mut RequestBody,
    origin: RequestOrigin,
    record: &RequestRecorder,
) -> Result<Answered, Failure> {
    let shared = &worker.shared;
    let shown = AccessLog::of(record, shared.clock);
    if client.is_surplus() {
        return Err(Failure::Exhausted(Scarce::Connections));
    }
    admit(head, present, shared.settings.limits.uri_bytes)?;
    if present.via && shared.via.as_ref().is_some_and(|via| via.is_in(&head.headers)) {
        return Err(Failure::Loop);
    }
    // A client of HTTP/1.0 that sends no Host is no browser.
    if let (Some(allowed), Some(host)) = (&record.snapshot().allowed_hosts, head.headers.get(header::HOST))
        && !allowed.contains(host.as_bytes())
    {
        shown.log_misdirected(host);
        return Err(Failure::Misdirected);
    }
    let mut owed = Owed::new(&worker.settler);
    let late = match decide(worker, record.snapshot(), origin, head, body, &mut owed).await? {
        Disposition::Refuse(answered) => {
            drop(owed);
            return Ok(Answered::ByRule(refuse(answered, head, &shown, body, record).await));
        }
        Disposition::Replay(replay) => return Ok(Answered::ByUpstream(give_again(client, &replay))),
        Disposition::Forward(late) => late,
    };
    let fault = owed.effects.take_fault();
    record.read_for(owed.effects.readings());
    if let Some(response) = max_forwards::count(head) {
        return Ok(Answered::ByUpstream(response));
    }
    let mut response = worker.forwarder.forward(head, present, body, client).await?;
    record.hear_upstream(response.status());
    let conflict = match late {
        None => None,
        Some(late) => {
            Box::pin(late.decide(worker, record.snapshot(), client, &mut response, &mut owed)).await
        }
    };
    if !owed.effects.is_settled() {
        let (status, headers) = (response.status(), response.headers());
        Box::pin(owed.settle(client.connection, status, headers, conflict.is_some())).await;
    }
    if !owed.effects.is_settled() {
        response.body_mut().watch(owed);
    }
    match (conflict, fault) {
        (Some(answered), _) => Ok(Box::pin(disturb(worker, answered, response, &shown, record)).await),
        (None, None) => Ok(Answered::ByUpstream(response)),
        (None, Some(fault)) => {
            let passing = Box::pin(afflict(worker, client, fault, response, &shown, record));
            Ok(Answered::ByUpstream(passing.await))
        }
    }
}

/// The response is withheld: the connection ends without a byte of it.
#[derive(Debug)]
pub struct ResponseLost;

impl std::fmt::Display for ResponseLost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the response was lost on purpose")
    }
}

impl std::error::Error for ResponseLost {}

/// The conflict's response, after its delay.
async fn refuse(
    answered: Box<RuleResponse>,
    head: &Parts,
    shown: &AccessLog<'_>,
    body: &RequestBody,
    record: &RequestRecorder,
) -> Response<ResponseSource> {
    let RuleResponse { conflict, response } = *answered;
    record.play(&conflict);
    record.refuse_with(&conflict, response.body());
    pause(conflict.active.rule.response_at(conflict.choice).delay).await;
    shown.log_conflict(&conflict, response.status());
    let response = own(response);
    // A client that waits for a 100 and gets a response instead may not send its body at all: the next
    // bytes on the connection would be ambiguous (RFC 9110 §10.1.1).
    if head.headers.contains_key(header::EXPECT) && !body.is_read() { closing(response) } else { response }
}

/// Puts the conflict in place of the upstream's response.
async fn disturb(
    worker: &Worker,
    answered: Box<RuleResponse>,
    of_upstream: Response<ResponseSource>,
    shown: &AccessLog<'_>,
    record: &RequestRecorder,
) -> Answered {
    let RuleResponse { conflict, response } = *answered;
    record.play(&conflict);
    worker.tasks.spawn(response::drain(of_upstream.into_body(), worker.shared.clock));
    pause(conflict.active.rule.response_at(conflict.choice).delay).await;
    shown.log_conflict(&conflict, response.status());
    let is_withheld = conflict.active.rule.withholds(conflict.choice);
    if is_withheld { Answered::Not } else { Answered::ByRule(own(response)) }
}

/// Replays the response to an earlier request with the same idempotency key.
fn give_again(client: &Client, replay: &Replay) -> Response<ResponseSource> {
    let StoredResponse { connection, status, headers, body } = &*replay.response;
    let mut response = own(Response::new(body.clone()));
    *response.status_mut() = *status;
    response.headers_mut().clone_from(headers);
    // A rule's `per` may give one client's response to another: never its session.
    if *connection != client.connection {
        response.headers_mut().remove(header::SET_COOKIE);
    }
    // Stripe's header, the only one for replays that most clients know.
    response.headers_mut().insert("idempotent-replayed", HeaderValue::from_static("true"));
    tracing::debug!(rule = &*replay.active.rule.name, n = replay.n, "gave the stored answer again");
    response
}

fn own(response: Response<Bytes>) -> Response<ResponseSource> {
    response.map(|bytes| ResponseSource::Own(Some(bytes).filter(|bytes| !bytes.is_empty())))
}

async fn pause(delay: Duration) {
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
}

fn closing(mut response: Response<ResponseSource>) -> Response<ResponseSource> {
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}
