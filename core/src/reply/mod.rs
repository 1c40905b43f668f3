//! Responses to refused clients.
//!
//! A rule's reply is compiled once: placeholders are resolved, everything that is the same on every
//! occasion is written, and a response without anything else is kept whole, so that giving it is
//! copying handles. [`CompiledReply::render`] fills in the rest.

mod cors;
mod details;
mod escape;
mod grpc;
mod marker;
mod text;
mod times;
mod variant;

pub use crate::rules::styles::{PathCaptures, ReplyContext};
pub use cors::allow_cors;
pub use marker::{FRACAS, Marker};

use bytes::Bytes;
use http::{Response, StatusCode};

use crate::model::{Facts, Key, Kind, Phase};
use crate::rules::styles::RenderContext;
use crate::rules::template::{TemplateMistake, TemplateScope};
use crate::rules::{ReplyBody, ReplyStyle, Rule, State, Trigger};
use times::RetryAfterValue;
use variant::ResponseVariant;

/// The responses of one rule, ready to be given.
#[derive(Clone)]
pub struct CompiledReply {
    /// `None` when injected responses are not marked.
    marker: Option<Marker>,
    kind: Kind,
    per: Key,
    wait: Option<RetryAfterValue>,
    /// `None` for a text of the rule's own.
    style: Option<ReplyStyle>,
    /// The reply's own status first, then those that the trigger names.
    answers: Vec<Answer>,
}

/// The responses under one status.
#[derive(Clone)]
struct Answer {
    status: StatusCode,
    /// The first that suits the request is given.
    variants: Vec<ResponseVariant>,
}

impl CompiledReply {
    /// Compiles the reply of `rule`; with `mark`, its responses carry the [`FRACAS`] header.
    ///
    /// # Errors
    /// Every placeholder of the body and the headers that means nothing, or that this rule cannot
    /// fill. Reading a rules file finds the same mistakes with `rules::template::check`.
    pub fn new(rule: &Rule, mark: bool) -> Result<CompiledReply, Vec<TemplateMistake>> {
        CompiledReply::with_params(rule, &rule.requests.path.names(), mark)
    }

    fn with_params(rule: &Rule, params: &[&str], mark: bool) -> Result<CompiledReply, Vec<TemplateMistake>> {
        let reply = &rule.reply;
        let wait = RetryAfterValue::of(reply);
        let scope = TemplateScope {
            params,
            retry_after: wait.is_some(),
            limit: rule.trigger.limit(),
            is_late: rule.phase() != Phase::Before,
        };
        let mut statuses = vec![reply.status];
        statuses.extend(trigger_status(&rule.trigger).filter(|status| *status != reply.status));
        let mut answers = Vec::with_capacity(statuses.len());
        for status in statuses {
            answers.push(Answer { status, variants: variant::compile(rule, status, wait, scope)? });
        }
        let marker = mark.then(|| Marker::new(&rule.name, rule.kind, rule.phase()));
        let style = match reply.body {
            ReplyBody::Style(style) => Some(style),
            ReplyBody::Text { .. } => None,
        };
        Ok(CompiledReply { marker, kind: rule.kind, per: rule.per.clone(), wait, style, answers })
    }

    /// Whether the response to this request uses the request's body.
    pub fn reads_body(&self, facts: &Facts<'_>) -> bool {
        self.style.is_some_and(|style| (style.style().reads_body)(facts))
    }

    /// The response on this occasion.
    ///
    /// It has its whole body and a `Content-Length`; for HEAD the caller leaves the body out and
    /// lets the length stand. A gRPC request gets one of trailers only, with its headers alone. Neither the reply's delay nor CORS is in it: see [`allow_cors`].
    pub fn render(&self, occasion: &ReplyContext<'_>) -> Response<Bytes> {
        let scene = RenderContext {
            occasion,
            per: &self.per,
            wait: self.wait.map(|wait| wait.seconds(occasion)),
            row: None,
        };
        let own = self.answers.first();
        let asked = self.answers.iter().find(|response| Some(response.status) == occasion.status).or(own);
        let variant =
            asked.and_then(|response| response.variants.iter().find(|variant| variant.suits(occasion.facts)));
        let mut response = match (variant, grpc::content_type(occasion.facts.headers)) {
            (Some(variant), Some(content_type)) => {
                let wait = self.wait.map(|wait| wait.exactly(occasion));
                grpc::response(content_type, self.kind, variant.status(), wait)
            }
            (Some(variant), None) => variant.render(&scene, self.wait),
            (None, _) => Response::new(Bytes::new()),
        };
        if let Some(marker) = &self.marker {
            response.headers_mut().insert(FRACAS, marker.value(occasion.n));
        }
        response
    }

    /// How long this occasion's `Retry-After` tells the client to wait, in the whole seconds that
    /// it says; `None` when the reply has none.
    pub fn retry_after(&self, occasion: &ReplyContext<'_>) -> Option<std::time::Duration> {
        self.wait.map(|wait| std::time::Duration::from_secs(wait.seconds(occasion)))
    }
}

/// The status that a state trigger gives to its second situation.
fn trigger_status(trigger: &Trigger) -> impl Iterator<Item = StatusCode> {
    match trigger {
        Trigger::On(state) => match **state {
            State::Stale { missing, .. } => missing,
            State::KeyInUse { mismatch } => Some(mismatch),
            _ => None,
        },
        Trigger::Counted(_) => None,
    }
    .into_iter()
}

#[cfg(test)]
mod tests;
