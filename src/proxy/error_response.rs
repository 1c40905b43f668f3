//! The one place where the proxy's own failures become HTTP.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, header};

use super::body::response::ResponseSource;
use super::error::Failure;

/// The header of responses that are not the upstream's; says why.
pub const MARKER: HeaderName = HeaderName::from_static("fracas");

/// The methods that are forwarded, as `Allow` says them.
pub const SERVED_METHODS: &str = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";

/// The response to a request that failed. Nothing of the request is echoed.
pub fn error_response(failure: &Failure) -> Response<ResponseSource> {
    let status = failure.status();
    let title = status.canonical_reason().unwrap_or("Error");
    let problem = serde_json::json!({
        "type": "about:blank",
        "title": title,
        "status": status.as_u16(),
        "detail": failure.to_string(),
    });
    let mut response = Response::new(ResponseSource::Own(Some(Bytes::from(problem.to_string()))));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Ok(marker) = HeaderValue::try_from(format!("error={}", failure.word())) {
        headers.insert(MARKER, marker);
    }
    if *failure == Failure::Method {
        headers.insert(header::ALLOW, HeaderValue::from_static(SERVED_METHODS));
    }
    response
}
