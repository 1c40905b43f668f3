//! The shapes of well-known APIs' conflicts, as data: what each answers, by kind and status.
//!
//! A style is written as the API writes it, with the placeholders of a rule's own texts plus
//! words of its own (`{k8s.group}`, `{s3.key}` …), which are taken from the request. Under 409 it
//! says what that API says with 409, even where the kind has a better status there (S3 and Azure
//! refuse a stale version with 412): a rule asks for that with `status = 412`.

mod azure;
mod couchdb;
mod docker;
mod elasticsearch;
mod frameworks;
mod github;
mod google;
mod kubernetes;
mod plain;
mod postgrest;
mod resource;
mod s3;
mod stripe;

use http::{Method, StatusCode};

use super::occasion::Word;
use super::rows::Row;
use crate::rules::ReplyStyle;
use crate::words::{Facts, Kind};

/// How one API refuses.
pub(super) struct Style {
    /// Lent to a rule's own text.
    pub content_type: &'static str,
    /// Values that only this style has.
    pub words: &'static [(&'static str, Word)],
    /// The shapes for a kind and a status. The first whose condition holds is the answer; the last
    /// has none.
    pub shapes: fn(Kind, StatusCode) -> Vec<Shape>,
}

/// One answer of an API.
pub(super) struct Shape {
    /// Which requests it is for; `None`: all.
    pub when: Option<fn(&Facts<'_>) -> bool>,
    /// In place of the reply's own; for bulk answers, whose rows carry the conflict.
    pub status: Option<StatusCode>,
    pub content_type: &'static str,
    /// A header whose value comes out empty is left out.
    pub headers: &'static [(&'static str, &'static str)],
    pub body: Body,
    /// Texts for the words of the body that depend on the kind.
    pub fills: &'static [(&'static str, &'static str)],
}

/// What a shape's body is.
#[derive(Clone, Copy)]
pub(super) enum Body {
    Text(&'static str),
    /// A text before the rows, one for each row with commas between, and one after.
    Rows {
        before: &'static str,
        row: &'static str,
        after: &'static str,
        rows: fn(&Facts<'_>) -> Vec<Row>,
    },
}

impl Shape {
    /// An answer for every request, without headers of its own.
    fn new(content_type: &'static str, body: &'static str) -> Shape {
        Shape { when: None, status: None, content_type, headers: &[], body: Body::Text(body), fills: &[] }
    }

    fn headers(self, headers: &'static [(&'static str, &'static str)]) -> Shape {
        Shape { headers, ..self }
    }

    fn fills(self, fills: &'static [(&'static str, &'static str)]) -> Shape {
        Shape { fills, ..self }
    }

    fn when(self, when: fn(&Facts<'_>) -> bool) -> Shape {
        Shape { when: Some(when), ..self }
    }
}

/// Whether a style's answer to this request tells what is in its body: the rows of a bulk request,
/// the name of what a POST would make, the version that a PUT is based on.
pub(super) fn quotes_body(name: ReplyStyle, facts: &Facts<'_>) -> bool {
    match name {
        ReplyStyle::Couchdb => couchdb::is_bulk(facts),
        ReplyStyle::Elasticsearch => elasticsearch::is_bulk(facts),
        ReplyStyle::Kubernetes => *facts.method == Method::POST,
        ReplyStyle::Github => !matches!(*facts.method, Method::GET | Method::HEAD),
        _ => false,
    }
}

/// The style behind the name.
pub(super) fn style(name: ReplyStyle) -> &'static Style {
    match name {
        ReplyStyle::Problem => &plain::PROBLEM,
        ReplyStyle::Json => &plain::JSON,
        ReplyStyle::Text => &plain::TEXT,
        ReplyStyle::Html => &plain::HTML,
        ReplyStyle::Kubernetes => &kubernetes::STYLE,
        ReplyStyle::Couchdb => &couchdb::STYLE,
        ReplyStyle::Elasticsearch => &elasticsearch::STYLE,
        ReplyStyle::S3 => &s3::STYLE,
        ReplyStyle::Stripe => &stripe::STYLE,
        ReplyStyle::Github => &github::STYLE,
        ReplyStyle::Google => &google::STYLE,
        ReplyStyle::AzureStorage => &azure::STORAGE,
        ReplyStyle::AzureArm => &azure::ARM,
        ReplyStyle::Cosmos => &azure::COSMOS,
        ReplyStyle::Postgrest => &postgrest::STYLE,
        ReplyStyle::Docker => &docker::STYLE,
        ReplyStyle::Spring => &frameworks::SPRING,
        ReplyStyle::Django => &frameworks::DJANGO,
        ReplyStyle::Scim => &frameworks::SCIM,
        ReplyStyle::Jsonapi => &frameworks::JSONAPI,
    }
}
