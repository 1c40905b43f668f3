//! What log lines show of a request, which is on its way by then. No query, no body: they may hold
//! secrets.

use http::request::Parts;
use http::{HeaderValue, Method, StatusCode, Uri, header};

use super::decide::Conflict;
use super::error::Failure;
use super::shared::Shared;
use crate::clock::Clock;
use crate::words::Moment;

/// One request, for the log.
pub struct Shown {
    method: Method,
    uri: Uri,
    agent: Option<HeaderValue>,
    clock: Clock,
    /// Only for those who watch every request.
    since: Option<Moment>,
}

impl Shown {
    /// The request that arrived now. What is kept of it shares its memory.
    pub fn of(head: &Parts, clock: Clock) -> Shown {
        Shown {
            method: head.method.clone(),
            uri: head.uri.clone(),
            agent: head.headers.get(header::USER_AGENT).cloned(),
            clock,
            since: tracing::enabled!(target: "fracas::request", tracing::Level::DEBUG).then(|| clock.now()),
        }
    }

    /// An injected conflict. Where the client gets no answer there is no status.
    pub fn log_conflict(&self, shared: &Shared, conflict: &Conflict) {
        let Some(active) = shared.rules.get(conflict.rule) else { return };
        let rule = &active.rule;
        tracing::info!(
            target: "fracas::conflict",
            status = (!rule.withholds_answers()).then(|| conflict.answer.status().as_u16()),
            method = %self.method,
            path = self.uri.path(),
            rule = &*rule.name,
            kind = rule.kind.as_str(),
            phase = rule.phase.as_str(),
            n = conflict.n,
            client = self.client(),
        );
    }

    /// The beginning of any other answer, for those who watch every request.
    pub fn log_answer(&self, status: StatusCode) {
        let Some(since) = self.since else { return };
        tracing::debug!(
            target: "fracas::request",
            status = status.as_u16(),
            method = %self.method,
            path = self.uri.path(),
            milliseconds = self.clock.now().since(since).as_micros() as f64 / 1_000.0,
            client = self.client(),
        );
    }

    /// An answer that the upstream did not give.
    pub fn log_failure(&self, failure: Failure) {
        tracing::warn!(
            target: "fracas::failure",
            status = failure.status().as_u16(),
            method = %self.method,
            path = self.uri.path(),
            error = failure.word(),
            "{failure}",
        );
    }

    /// The first product of the client's `User-Agent`.
    fn client(&self) -> &str {
        let agent = self.agent.as_ref().and_then(|agent| agent.to_str().ok()).unwrap_or("-");
        agent.split(' ').next().unwrap_or(agent)
    }
}
