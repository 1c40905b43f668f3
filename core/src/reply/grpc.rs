//! Conflicts as gRPC clients know them: a response of trailers only, with the conflict as its status
//! (gRPC over HTTP/2, "Responses").

use std::time::Duration;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use super::details::detail;
use crate::model::{GrpcStatus, Kind};

const MESSAGE: HeaderName = HeaderName::from_static("grpc-message");

/// The content type of a gRPC request.
pub(super) fn content_type(headers: &HeaderMap) -> Option<&HeaderValue> {
    headers.get(CONTENT_TYPE).filter(|value| {
        value.as_bytes().get(..GRPC.len()).is_some_and(|start| start.eq_ignore_ascii_case(GRPC))
    })
}

/// Whether this is gRPC as browsers cannot speak it.
pub(super) fn is_native(headers: &HeaderMap) -> bool {
    content_type(headers).is_some_and(|value| {
        !value.as_bytes().get(..WEB.len()).is_some_and(|start| start.eq_ignore_ascii_case(WEB))
    })
}

const WEB: &[u8] = b"application/grpc-web";
const GRPC: &[u8] = b"application/grpc";

/// The response to a gRPC request: HTTP knows of no mistake, and there is no message.
pub(super) fn response(
    content_type: &HeaderValue,
    kind: Kind,
    status: StatusCode,
    wait: Option<Duration>,
) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, content_type.clone());
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(GrpcStatus::NAME, HeaderValue::from(code(kind, status)));
    if let Ok(message) = HeaderValue::try_from(encoded(detail(kind, status))) {
        headers.insert(MESSAGE, message);
    }
    if let Some(wait) = wait {
        // A signed number of 32 bits, which 24 days do not fill.
        let milliseconds = i32::try_from(wait.as_millis()).unwrap_or(i32::MAX);
        headers.insert(GrpcStatus::PUSHBACK, HeaderValue::from(milliseconds));
    }
    response
}

/// The status of gRPC: for 409 the situation's own, for others their standard mapping
/// (google.rpc.Code).
fn code(kind: Kind, status: StatusCode) -> u16 {
    match status {
        StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY => INVALID_ARGUMENT,
        StatusCode::UNAUTHORIZED => UNAUTHENTICATED,
        StatusCode::FORBIDDEN => PERMISSION_DENIED,
        StatusCode::NOT_FOUND => NOT_FOUND,
        StatusCode::PRECONDITION_FAILED | StatusCode::PRECONDITION_REQUIRED => FAILED_PRECONDITION,
        StatusCode::TOO_MANY_REQUESTS => RESOURCE_EXHAUSTED,
        StatusCode::SERVICE_UNAVAILABLE => UNAVAILABLE,
        StatusCode::GATEWAY_TIMEOUT => DEADLINE_EXCEEDED,
        _ => match kind {
            Kind::Duplicate => ALREADY_EXISTS,
            Kind::Referenced => FAILED_PRECONDITION,
            Kind::Session => UNAUTHENTICATED,
            Kind::Blocked => RESOURCE_EXHAUSTED,
            Kind::Transient | Kind::Version | Kind::Overlap | Kind::Idempotency | Kind::Lock => ABORTED,
        },
    }
}

const INVALID_ARGUMENT: u16 = 3;
const DEADLINE_EXCEEDED: u16 = 4;
const NOT_FOUND: u16 = 5;
const ALREADY_EXISTS: u16 = 6;
const PERMISSION_DENIED: u16 = 7;
const RESOURCE_EXHAUSTED: u16 = 8;
const FAILED_PRECONDITION: u16 = 9;
const ABORTED: u16 = 10;
const UNAVAILABLE: u16 = 14;
const UNAUTHENTICATED: u16 = 16;

/// Bytes escaped in a message beside non-ASCII: all but visible characters and spaces, and the percent sign
/// itself.
const ESCAPED: &AsciiSet = &CONTROLS.add(b'%');

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, ESCAPED).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_situation_has_its_status() {
        let of = |kind| code(kind, StatusCode::CONFLICT);
        assert_eq!(Kind::ALL.map(of), [10, 10, 10, 6, 9, 16, 10, 10, 8]);
        assert_eq!(code(Kind::Version, StatusCode::PRECONDITION_REQUIRED), 9);
        assert_eq!(code(Kind::Transient, StatusCode::SERVICE_UNAVAILABLE), 14);
    }

    #[test]
    fn only_grpc_is_answered_so() {
        for (given, is_grpc, is_browsers) in [
            ("application/grpc", true, false),
            ("application/grpc+proto", true, false),
            ("Application/gRPC-web", true, true),
            ("application/grpc-web-text", true, true),
            ("application/json", false, true),
            ("application/gr", false, true),
        ] {
            let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(given))]);
            assert_eq!(content_type(&headers).is_some(), is_grpc, "{given}");
            assert_eq!(is_native(&headers), !is_browsers, "{given}");
        }
    }

    #[test]
    fn messages_are_percent_encoded_and_waits_in_milliseconds() {
        assert_eq!(encoded("100 % é\n"), "100 %25 %C3%A9%0A");
        let content_type = HeaderValue::from_static("application/grpc");
        let wait = Some(Duration::from_millis(1_500));
        let response = response(&content_type, Kind::Lock, StatusCode::CONFLICT, wait);
        assert_eq!(
            (response.status(), &response.headers()[GrpcStatus::PUSHBACK]),
            (StatusCode::OK, &HeaderValue::from(1_500))
        );
        assert!(
            response.headers()[MESSAGE].to_str().expect("text").starts_with("Somebody else holds the lock")
        );
    }
}
