//! Stripe: an idempotency key in use, an object lock, and the header that overrules its SDKs.
//!
//! Sources: the codes of stripe-python and Stripe's documentation.

use http::StatusCode;

use super::occasion::ALPHANUMERIC;
use super::{PlaceholderValue, ResponseShape, Style};
use crate::model::Kind;

pub(super) const STYLE: Style = Style {
    word: "stripe",
    title: "Stripe",
    about: "A key in use or a lock, with the header that tells its SDKs whether to retry.",
    statuses: &[429],
    agents: &["stripe/"],
    reads_body: |_| false,
    examples: &[("POST", "/v1/charges", "")],
    content_type: "application/json",
    words: &[("stripe.request", |scene| {
        PlaceholderValue::text(format!("req_{}", scene.occasion.id("stripe.request", ALPHANUMERIC, 14)))
    })],
    shapes: |kind, status| {
        let again = matches!(kind, Kind::Transient | Kind::Overlap | Kind::Idempotency | Kind::Lock);
        vec![match (status, kind) {
            (StatusCode::TOO_MANY_REQUESTS, Kind::Blocked) => coded(again).fills(&[
                ("code", "rate_limit"),
                ("page", "rate-limit"),
                (
                    "message",
                    "Request rate limit exceeded. Learn more about rate limits here https://stripe.com/docs/rate-limits.",
                ),
            ]),
            (StatusCode::CONFLICT, Kind::Idempotency | Kind::Transient | Kind::Session | Kind::Blocked) => {
                coded(again).fills(&[
                    ("code", "idempotency_key_in_use"),
                    ("page", "idempotency-key-in-use"),
                    (
                        "message",
                        "There is currently another in-progress request using this Idempotent Key (that \
                         probably means you submitted twice, and the other request is still going through): \
                         {header.idempotency-key}. Please try again later.",
                    ),
                ])
            }
            // The same key with other parameters: 400 at Stripe.
            (_, Kind::Idempotency) => shape(
                r#"{"error":{"message":"Keys for idempotent requests can only be used with the same parameters they were first used with. Try using a key other than '{header.idempotency-key}' if you meant to execute a different request.","type":"idempotency_error"}}"#,
                false,
            ),
            (_, Kind::Duplicate) => coded(again).fills(&[
                ("code", "resource_already_exists"),
                ("page", "resource-already-exists"),
                ("message", "A resource with that ID already exists."),
            ]),
            (_, Kind::Referenced) => shape(
                r#"{"error":{"message":"This object is still in use by another object and cannot be deleted.","type":"invalid_request_error"}}"#,
                again,
            ),
            (_, _) => coded(again).fills(&[
                ("code", "lock_timeout"),
                ("page", "lock-timeout"),
                (
                    "message",
                    "This object cannot be accessed right now because another API request or Stripe process \
                     is currently accessing it. If you see this error intermittently, retry the request. If \
                     you see this error frequently and are making multiple concurrent requests to a single \
                     object, make your requests serially or at a lower rate.",
                ),
            ]),
        }]
    },
};

fn coded(again: bool) -> ResponseShape {
    shape(
        r#"{"error":{"code":"{code}","doc_url":"https://stripe.com/docs/error-codes/{page}","message":"{message}","type":"invalid_request_error"}}"#,
        again,
    )
}

/// `again`: the header that tells the SDKs whether to send the same request once more.
fn shape(body: &'static str, again: bool) -> ResponseShape {
    ResponseShape::new("application/json", body).headers(if again {
        &[("request-id", "{stripe.request}"), ("stripe-should-retry", "true")]
    } else {
        &[("request-id", "{stripe.request}"), ("stripe-should-retry", "false")]
    })
}
