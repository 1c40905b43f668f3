//! The access log: a request's lines while it is on its way, from the journal's facts. No query, no body:
//! they may hold secrets.

use http::{HeaderValue, StatusCode};

use super::error::Failure;
use super::record::RequestRecorder;
use crate::clock::Clock;
use crate::engine::{Conflict, PassingFault};
use crate::model::Attempt;

/// One request, for the log.
pub struct AccessLog<'r> {
    record: &'r RequestRecorder,
    clock: Clock,
}

impl AccessLog<'_> {
    pub fn of(record: &RequestRecorder, clock: Clock) -> AccessLog<'_> {
        AccessLog { record, clock }
    }

    /// An injected conflict. Without a response to the client there is no status.
    pub fn log_conflict(&self, conflict: &Conflict, status: StatusCode) {
        let rule = &conflict.active.rule;
        let attempt = self.record.attempt();
        tracing::info!(
            target: "fracas::conflict",
            status = (!rule.withholds(conflict.choice)).then(|| status.as_u16()),
            method = %attempt.method,
            path = &*attempt.path,
            rule = &*rule.name,
            kind = rule.kind.as_str(),
            phase = rule.phase().as_str(),
            n = conflict.n,
            reply = conflict.choice.map(|choice| choice + 1),
            client = client(&attempt),
        );
    }

    /// The beginning of a response that passes with faults.
    pub fn log_fault(&self, fault: &PassingFault, status: StatusCode) {
        let attempt = self.record.attempt();
        tracing::info!(
            target: "fracas::fault",
            status = status.as_u16(),
            method = %attempt.method,
            path = &*attempt.path,
            rule = &*fault.active.rule.name,
            faults = fault.settings().map(tracing::field::display),
            n = fault.n,
            client = client(&attempt),
        );
    }

    /// The beginning of any other response, at the level that shows every request.
    pub fn log_response(&self, status: StatusCode) {
        if !tracing::enabled!(target: "fracas::request", tracing::Level::DEBUG) {
            return;
        }
        let attempt = self.record.attempt();
        let microseconds = (self.clock.now().0 / 1_000).saturating_sub(attempt.start);
        tracing::debug!(
            target: "fracas::request",
            status = status.as_u16(),
            method = %attempt.method,
            path = &*attempt.path,
            milliseconds = microseconds as f64 / 1_000.0,
            client = client(&attempt),
        );
    }

    /// A `Host` that is not served here.
    pub fn log_misdirected(&self, host: &HeaderValue) {
        let attempt = self.record.attempt();
        let host = String::from_utf8_lossy(host.as_bytes());
        tracing::warn!(
            target: "fracas::failure",
            status = Failure::Misdirected.status().as_u16(),
            method = %attempt.method,
            path = &*attempt.path,
            error = Failure::Misdirected.word(),
            "Host is {host}, which a loopback address does not serve: write allowed_hosts = [\"{}\"] to serve it",
            host.split(':').next().unwrap_or_default(),
        );
    }

    /// A response that is not the upstream's, and advice.
    pub fn log_failure(&self, failure: &Failure, help: Option<String>) {
        let attempt = self.record.attempt();
        let reason = failure.reason().map_or_else(String::new, |reason| format!(": {reason}"));
        tracing::warn!(
            target: "fracas::failure",
            status = failure.status().as_u16(),
            method = %attempt.method,
            path = &*attempt.path,
            error = failure.word(),
            help,
            "{failure}{reason}",
        );
    }
}

/// The first product of the client's `User-Agent`.
fn client(attempt: &Attempt) -> &str {
    attempt.agent.as_deref().unwrap_or("-")
}
