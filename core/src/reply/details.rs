//! `{detail}`: the conflict, and the right next move.

use http::StatusCode;

use crate::model::Kind;

/// One or two sentences for the client's developer.
pub(super) fn detail(kind: Kind, status: StatusCode) -> &'static str {
    match (status, kind) {
        (StatusCode::PRECONDITION_REQUIRED, _) => {
            "This resource is only changed by conditional requests: read it, then send the change again with \
             its version in If-Match."
        }
        // A status below 400 says nothing of its own.
        (status, Kind::Idempotency) if status == StatusCode::CONFLICT || status.as_u16() < 400 => {
            "A request with the same idempotency key is still running: wait, then send this one again with the \
             same key and body."
        }
        (_, Kind::Idempotency) => {
            "This idempotency key was used with another payload: repeat the first payload, or use a new key for \
             a new request."
        }
        (_, Kind::Transient) => {
            "The request met a passing conflict: wait a moment, then send it again as it is."
        }
        (_, Kind::Version) => {
            "The resource has changed since the version you have: read it again, apply your change to what you \
             get, and send it with the new version."
        }
        (_, Kind::Overlap) => {
            "Another request is changing this resource right now: wait a moment, then send yours again."
        }
        (_, Kind::Duplicate) => {
            "A resource with these values exists already: use that one, or choose other values. Sending the \
             same again will not help."
        }
        (_, Kind::Referenced) => {
            "Other resources still refer to this one: remove or detach them first. Sending the same again will \
             not help."
        }
        (_, Kind::Session) => {
            "The session has ended: log in again, then repeat the request with the new credential."
        }
        (_, Kind::Lock) => {
            "Somebody else holds the lock on this resource: wait until it is released, then send the request \
             again."
        }
        (_, Kind::Blocked) => {
            "Requests from this client are refused for now: slow down, wait before each further try, and give \
             up after a few."
        }
    }
}
