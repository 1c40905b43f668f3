//! Slow, long, echoed and streamed responses.

use std::time::Duration;

use http::{HeaderValue, Request, Response, StatusCode, header};
use hyper::body::Incoming;

use super::body::SampleBody;
use super::request::query_number;
use super::response::{HandlerResult, Problem, json};

/// The longest wait that a request can ask for, in milliseconds.
pub(super) const MAX_WAIT: u64 = 60_000;

/// The most events of one stream.
const MAX_EVENTS: u64 = 100_000;

/// The longest body of `/bytes/{n}`: 4 GiB.
const MAX_BYTES: u64 = 4 << 30;

/// `GET /slow`.
pub(super) async fn slow<B>(request: &Request<B>) -> HandlerResult {
    let ms = query_number(request, "ms", 1000, MAX_WAIT)?;
    tokio::time::sleep(Duration::from_millis(ms)).await;
    Ok(json(StatusCode::OK, format!("{{\"waited_ms\":{ms}}}")))
}

/// `GET /bytes/{n}`.
pub(super) fn bytes<B>(n: u64, request: &Request<B>) -> HandlerResult {
    if n > MAX_BYTES {
        return Err(Problem::new(StatusCode::NOT_FOUND, format!("There are at most {MAX_BYTES} bytes.")));
    }
    let sized = query_number(request, "chunked", 0, 1)? == 0;
    Ok(streamed("application/octet-stream", SampleBody::Pattern { at: 0, end: n, sized }))
}

/// Any method of `/echo`.
pub(super) fn echo(request: Request<Incoming>) -> Response<SampleBody> {
    let (mut head, body) = request.into_parts();
    let mut response = streamed("application/octet-stream", SampleBody::Echo(body));
    if let Some(content_type) = head.headers.remove(header::CONTENT_TYPE) {
        response.headers_mut().insert(header::CONTENT_TYPE, content_type);
    }
    // A body that a foreign page posts here must not become a page of this origin.
    response.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// `GET /events`.
pub(super) fn events<B>(request: &Request<B>) -> HandlerResult {
    let count = query_number(request, "n", 5, MAX_EVENTS)?;
    let pause = Duration::from_millis(query_number(request, "ms", 100, MAX_WAIT)?);
    let mut response = streamed("text/event-stream", SampleBody::events(count, pause));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

fn streamed(content_type: &'static str, body: SampleBody) -> Response<SampleBody> {
    let mut response = Response::new(body);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
