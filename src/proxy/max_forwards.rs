//! `Max-Forwards` (RFC 9110 §7.6.2): the remaining hops of an OPTIONS. TRACE, its other method, is not served.

use http::header::{self, HeaderValue};
use http::request::Parts;
use http::{Method, Response, StatusCode};

use super::body::response::ResponseSource;
use super::error_response::SERVED_METHODS;

/// Counts this hop; `Some` is the response to a request that may go no further.
pub fn count(head: &mut Parts) -> Option<Response<ResponseSource>> {
    if head.method != Method::OPTIONS {
        return None;
    }
    let said = head.headers.get(header::MAX_FORWARDS)?;
    // A value that is no number passes unchanged.
    let hops: u64 = std::str::from_utf8(said.as_bytes()).ok()?.trim().parse().ok()?;
    if let Some(left) = hops.checked_sub(1) {
        head.headers.insert(header::MAX_FORWARDS, HeaderValue::from(left));
        return None;
    }
    let mut response = Response::new(ResponseSource::Own(None));
    *response.status_mut() = StatusCode::NO_CONTENT;
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(SERVED_METHODS));
    Some(response)
}
