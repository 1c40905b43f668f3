//! Google APIs: `ABORTED` and `ALREADY_EXISTS` both travel as 409 (AIP-193, AIP-194).

use http::StatusCode;

use super::{PlaceholderValue, ResponseShape, Style};
use crate::model::Kind;

pub(super) const STYLE: Style = Style {
    word: "google",
    title: "Google APIs",
    about: "`ABORTED` or `ALREADY_EXISTS` (AIP-193, AIP-194).",
    statuses: &[400, 429, 503],
    agents: &["gcloud-", "google-"],
    reads_body: |_| false,
    examples: &[("POST", "/v1/projects/p:setIamPolicy", "")],
    content_type: "application/json; charset=UTF-8",
    words: &[("google.domain", |scene| {
        let host = scene.occasion.facts.host();
        PlaceholderValue::text(if host.ends_with(".googleapis.com") {
            host
        } else {
            "example.googleapis.com"
        })
    })],
    shapes: |kind, status| {
        vec![
            ResponseShape::new(
                "application/json; charset=UTF-8",
                r#"{"error":{"code":{status},"message":"{message}","status":"{google.status}","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"{why}","domain":"{google.domain}"}]}}"#,
            )
            .fills(fills(kind, status)),
        ]
    },
};

/// By the mapping of `google.rpc.Code` to HTTP; an unmapped status is `ABORTED`.
fn fills(kind: Kind, status: StatusCode) -> &'static [(&'static str, &'static str)] {
    match (status, kind) {
        (StatusCode::TOO_MANY_REQUESTS, _) => &[
            ("message", "Resource has been exhausted (e.g. check quota)."),
            ("google.status", "RESOURCE_EXHAUSTED"),
            ("why", "RATE_LIMIT_EXCEEDED"),
        ],
        (StatusCode::SERVICE_UNAVAILABLE, _) => &[
            ("message", "The service is currently unavailable."),
            ("google.status", "UNAVAILABLE"),
            ("why", "SERVICE_UNAVAILABLE"),
        ],
        (StatusCode::BAD_REQUEST, _) => &[
            ("message", "Precondition check failed."),
            ("google.status", "FAILED_PRECONDITION"),
            ("why", "FAILED_PRECONDITION"),
        ],
        (_, Kind::Duplicate) => &[
            ("message", "Requested entity already exists"),
            ("google.status", "ALREADY_EXISTS"),
            ("why", "ALREADY_EXISTS"),
        ],
        (_, Kind::Version) => &[
            (
                "message",
                "There were concurrent policy changes. Please retry the whole read-modify-write with \
                 exponential backoff.",
            ),
            ("google.status", "ABORTED"),
            ("why", "CONCURRENT_CHANGE"),
        ],
        (_, Kind::Referenced) => &[
            ("message", "The resource is in use by another resource."),
            ("google.status", "ABORTED"),
            ("why", "RESOURCE_IN_USE_BY_ANOTHER_RESOURCE"),
        ],
        _ => &[
            ("message", "The operation was aborted."),
            ("google.status", "ABORTED"),
            ("why", "CONCURRENT_OPERATION"),
        ],
    }
}
