//! The status of a gRPC call: HTTP's status is 200 even when the call fails.

use http::{HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};

/// A status of gRPC, from 0 to 16.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct GrpcStatus(pub u8);

impl GrpcStatus {
    /// Field of the status: in a response's trailers, or in its head when there is no body.
    pub const NAME: HeaderName = HeaderName::from_static("grpc-status");
    /// Field beside it: milliseconds until the next try (gRPC proposal A6, "Pushback"); negative forbids one.
    pub const PUSHBACK: HeaderName = HeaderName::from_static("grpc-retry-pushback-ms");
    /// Also stands for unknown codes (gRPC, "Status codes and their use").
    const UNKNOWN: GrpcStatus = GrpcStatus(2);

    /// Parses the value of a header.
    pub fn of(value: &HeaderValue) -> GrpcStatus {
        let code = value.to_str().ok().and_then(|text| text.parse().ok());
        code.filter(|code| *code <= 16).map_or(GrpcStatus::UNKNOWN, GrpcStatus)
    }

    /// Whether the call has succeeded.
    pub fn is_ok(self) -> bool {
        self.0 == 0
    }

    /// The equivalent HTTP status (google.rpc.Code).
    pub fn http(self) -> u16 {
        match self.0 {
            0 => 200,
            // INVALID_ARGUMENT, FAILED_PRECONDITION, OUT_OF_RANGE.
            3 | 9 | 11 => 400,
            // UNAUTHENTICATED.
            16 => 401,
            // PERMISSION_DENIED.
            7 => 403,
            // NOT_FOUND.
            5 => 404,
            // ALREADY_EXISTS, ABORTED.
            6 | 10 => 409,
            // RESOURCE_EXHAUSTED.
            8 => 429,
            // CANCELLED.
            1 => 499,
            // UNIMPLEMENTED.
            12 => 501,
            // UNAVAILABLE.
            14 => 503,
            // DEADLINE_EXCEEDED.
            4 => 504,
            // UNKNOWN, INTERNAL, DATA_LOSS.
            _ => 500,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_status_is_an_unknown_one() {
        for (text, code) in
            [("0", 0), ("10", 10), ("16", 16), ("17", 2), ("999", 2), ("-1", 2), ("", 2), ("ok", 2)]
        {
            let status = GrpcStatus::of(&HeaderValue::from_static(text));
            assert_eq!(status, GrpcStatus(code), "{text:?}");
        }
    }
}
