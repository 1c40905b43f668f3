//! Responses: JSON, HTML, nothing, or a problem.

use std::borrow::Cow;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, StatusCode, header};
use serde_json::json;

use super::body::SampleBody;

/// Result of a handler.
pub(super) type HandlerResult = Result<Response<SampleBody>, Problem>;

/// A failure, told as problem details (RFC 9457).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Problem {
    pub status: StatusCode,
    detail: Cow<'static, str>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Problem {
    /// A problem of this status; `detail` is a sentence that helps.
    pub fn new(status: StatusCode, detail: impl Into<Cow<'static, str>>) -> Problem {
        Problem { status, detail: detail.into(), headers: Vec::new() }
    }

    /// A bound of the service is reached.
    pub fn full(what: &str) -> Problem {
        Problem::new(StatusCode::INSUFFICIENT_STORAGE, format!("This service holds no more {what}."))
    }

    /// The same problem with one more header.
    pub fn with(mut self, name: HeaderName, value: HeaderValue) -> Problem {
        self.headers.push((name, value));
        self
    }

    /// The problem as a response.
    pub fn into_response(self) -> Response<SampleBody> {
        let title = self.status.canonical_reason().unwrap_or_default();
        let document = json!({"title": title, "status": self.status.as_u16(), "detail": self.detail});
        let mut response = typed(self.status, "application/problem+json", document.to_string());
        response.headers_mut().extend(self.headers);
        response
    }
}

/// A response with a JSON document.
pub(super) fn json(status: StatusCode, document: impl Into<Bytes>) -> Response<SampleBody> {
    typed(status, "application/json", document)
}

/// A response with an HTML page.
pub(super) fn html(page: String) -> Response<SampleBody> {
    typed(StatusCode::OK, "text/html; charset=utf-8", page)
}

/// A response without a body.
pub(super) fn empty(status: StatusCode) -> Response<SampleBody> {
    let mut response = Response::new(SampleBody::whole(Bytes::new()));
    *response.status_mut() = status;
    response
}

fn typed(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Response<SampleBody> {
    let mut response = Response::new(SampleBody::whole(body.into()));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

/// A header value of text that the service made: a path, a number, a checked host.
pub(super) fn value(text: impl Into<String>) -> Result<HeaderValue, Problem> {
    HeaderValue::try_from(text.into())
        .map_err(|_| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "A header came out wrong."))
}
