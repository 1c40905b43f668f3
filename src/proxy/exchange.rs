//! One request's life, top to bottom.

use std::convert::Infallible;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use http::header::{self, HeaderValue};
use http::request::Parts;
use http::{HeaderMap, Method, Request, Response, StatusCode, Version};
use hyper::body::Incoming;

use super::admit::admit;
use super::answer_body::{AnswerBody, Source};
use super::client::Client;
use super::decide::{Conflict, decide};
use super::error::{Failure, Late};
use super::request_body::RequestBody;
use super::vitals::Wait;
use super::worker::Worker;
use crate::clock::Clock;
use crate::words::Moment;

/// Answers one request: by the rules, or else by the upstream.
pub async fn exchange(
    worker: Rc<Worker>,
    client: Rc<Client>,
    request: Request<Incoming>,
) -> Result<Response<AnswerBody>, Infallible> {
    let shared = &*worker.shared;
    shared.counters.requests.fetch_add(1, Relaxed);
    let vitals = &client.vitals;

    let (head, body) = request.into_parts();
    let is_http_10 = head.version < Version::HTTP_11;
    let body = RequestBody::new(body, Arc::clone(vitals), Rc::clone(&worker.tasks));
    let shown = Shown::of(&head, shared.clock);
    let answered = match vitals.within(answer(&worker, &client, head, body)).await {
        Ok(answered) => answered,
        Err(Wait::RequestBody) => Err(Failure::TimedOut(Late::RequestBody)),
        Err(_) => Err(Failure::TimedOut(Late::Answer)),
    };
    vitals.end(Wait::Answer);

    let mut answer = match answered {
        Ok(Answered::ByRule(answer)) => answer,
        Ok(Answered::ByUpstream(answer)) => {
            shown.log_answer(answer.status());
            answer
        }
        Err(failure) if failure.status().is_client_error() => {
            shown.log_answer(failure.status());
            closing(failure.answer())
        }
        Err(failure) => {
            shared.counters.failures.fetch_add(1, Relaxed);
            shown.log_failure(failure);
            failure.answer()
        }
    };
    if worker.is_draining.get() && answer.status() != StatusCode::SWITCHING_PROTOCOLS {
        answer = closing(answer);
    }
    Ok(answer.map(|source| AnswerBody::new(source, Arc::clone(vitals), is_http_10)))
}

/// Who answered.
enum Answered {
    ByRule(Response<Source>),
    ByUpstream(Response<Source>),
}

async fn answer(
    worker: &Worker,
    client: &Rc<Client>,
    mut head: Parts,
    mut body: RequestBody,
) -> Result<Answered, Failure> {
    admit(&mut head, worker.shared.settings.limits.uri_bytes)?;
    if let Some(conflict) = decide(&worker.shared, client, &head, &mut body).await? {
        return Ok(Answered::ByRule(inject(conflict, &head, &body).await));
    }
    worker.forwarder.forward(head, body, client).await.map(Answered::ByUpstream)
}

/// The conflict's answer, once its delay is over.
async fn inject(conflict: Conflict<'_>, head: &Parts, body: &RequestBody) -> Response<Source> {
    let Conflict { rule, n, answer, delay } = conflict;
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
    tracing::info!(
        target: "fracas::conflict",
        status = answer.status().as_u16(),
        method = %head.method,
        path = head.uri.path(),
        rule = &*rule.rule.name,
        kind = rule.rule.kind.as_str(),
        phase = rule.rule.phase.as_str(),
        n,
        client = user_agent(&head.headers),
    );
    let answer = answer.map(|bytes| Source::Own(Some(bytes).filter(|bytes| !bytes.is_empty())));
    // A client that waits for a 100 and gets an answer instead may not send its body at all: what
    // comes next on the connection would be anyone's guess (RFC 9110 §10.1.1).
    if head.headers.contains_key(header::EXPECT) && !body.is_read() { closing(answer) } else { answer }
}

fn closing(mut answer: Response<Source>) -> Response<Source> {
    answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    answer
}

fn user_agent(headers: &HeaderMap) -> &str {
    let agent = headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or("-");
    agent.split(' ').next().unwrap_or(agent)
}

/// What a log line shows of a request that is gone by then.
struct Shown {
    method: Method,
    uri: http::Uri,
    /// Only for those who watch every request.
    watched: Option<Watched>,
}

struct Watched {
    client: Box<str>,
    clock: Clock,
    since: Moment,
}

impl Shown {
    fn of(head: &Parts, clock: Clock) -> Shown {
        let watched = tracing::enabled!(target: "fracas::request", tracing::Level::DEBUG).then(|| Watched {
            client: user_agent(&head.headers).into(),
            clock,
            since: clock.now(),
        });
        Shown { method: head.method.clone(), uri: head.uri.clone(), watched }
    }

    /// Logs an answer's beginning.
    fn log_answer(&self, status: StatusCode) {
        let Some(Watched { client, clock, since }) = &self.watched else { return };
        tracing::debug!(
            target: "fracas::request",
            status = status.as_u16(),
            method = %self.method,
            path = self.uri.path(),
            milliseconds = clock.now().since(*since).as_micros() as f64 / 1_000.0,
            client = &**client,
        );
    }

    fn log_failure(&self, failure: Failure) {
        let status: StatusCode = failure.status();
        tracing::warn!(
            target: "fracas::failure",
            status = status.as_u16(),
            method = %self.method,
            path = self.uri.path(),
            error = failure.word(),
            "{failure}",
        );
    }
}
