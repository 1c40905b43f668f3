//! Amazon S3: XML with a code that tells several situations apart.
//!
//! Sources: the service model's documentation, and LocalStack's tests for the XML.

use std::borrow::Cow;

use http::{StatusCode, header};

use super::occasion::{BASE64, RenderContext, UPPER};
use super::resource::{self, segments};
use super::{PlaceholderValue, ResponseShape, Style};
use crate::model::{Facts, Kind};

pub(super) const STYLE: Style = Style {
    word: "s3",
    title: "Amazon S3",
    about: "XML whose `Code` tells the situations apart.",
    statuses: &[412, 503],
    agents: &["boto3/", "aws-"],
    reads_body: |_| false,
    examples: &[("PUT", "/photos/2026/lamp%20%26%20desk.jpg", ""), ("DELETE", "/photos", "")],
    content_type: "application/xml",
    words: &[
        ("s3.bucket", |scene| PlaceholderValue::text(object(scene.occasion.facts).0)),
        ("s3.key", |scene| PlaceholderValue::text(object(scene.occasion.facts).1)),
        ("s3.condition", |scene| PlaceholderValue::text(condition(scene))),
        ("s3.request", |scene| PlaceholderValue::text(scene.occasion.id("s3.request", UPPER, 16))),
        // 57 bytes in base64.
        ("s3.host", |scene| PlaceholderValue::text(scene.occasion.id("s3.host", BASE64, 76))),
    ],
    shapes: |kind, status| match (status, kind) {
        (StatusCode::PRECONDITION_FAILED, _) => vec![error(CONDITION).fills(&[
            ("code", "PreconditionFailed"),
            ("message", "At least one of the pre-conditions you specified did not hold"),
        ])],
        (StatusCode::SERVICE_UNAVAILABLE, _) => {
            vec![error(BARE).fills(&[("code", "SlowDown"), ("message", "Please reduce your request rate.")])]
        }
        // Only objects are written under a condition.
        (_, Kind::Version | Kind::Overlap) => vec![concurrent().when(names_an_object), aborted()],
        (_, Kind::Duplicate) => vec![
            concurrent().when(names_an_object),
            error(BUCKET).fills(&[
                ("code", "BucketAlreadyOwnedByYou"),
                (
                    "message",
                    "Your previous request to create the named bucket succeeded and you already own it.",
                ),
            ]),
        ],
        (_, Kind::Referenced) => vec![error(BUCKET).fills(&[
            ("code", "BucketNotEmpty"),
            ("message", "The bucket you tried to delete is not empty."),
        ])],
        _ => vec![aborted()],
    },
};

const BARE: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{message}</Message><RequestId>{s3.request}</RequestId><HostId>{s3.host}</HostId></Error>";
const BUCKET: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{message}</Message><BucketName>{s3.bucket}</BucketName><RequestId>{s3.request}</RequestId><HostId>{s3.host}</HostId></Error>";
const CONDITION: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{message}</Message><Condition>{s3.condition}</Condition><RequestId>{s3.request}</RequestId><HostId>{s3.host}</HostId></Error>";
const CONCURRENT: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{message}</Message><Condition>{s3.condition}</Condition><Key>{s3.key}</Key><RequestId>{s3.request}</RequestId><HostId>{s3.host}</HostId></Error>";

fn error(body: &'static str) -> ResponseShape {
    ResponseShape::new("application/xml", body).headers(&[
        ("x-amz-request-id", "{s3.request}"),
        ("x-amz-id-2", "{s3.host}"),
        ("server", "AmazonS3"),
    ])
}

fn aborted() -> ResponseShape {
    error(BARE).fills(&[
        ("code", "OperationAborted"),
        (
            "message",
            "A conflicting conditional operation is currently in progress against this resource. Please try \
             again.",
        ),
    ])
}

fn concurrent() -> ResponseShape {
    error(CONCURRENT).fills(&[
        ("code", "ConditionalRequestConflict"),
        (
            "message",
            "The conditional request cannot succeed due to a conflicting operation against this resource.",
        ),
    ])
}

fn names_an_object(facts: &Facts<'_>) -> bool {
    !object(facts).1.is_empty()
}

fn condition(scene: &RenderContext<'_>) -> &'static str {
    if scene.occasion.facts.headers.contains_key(header::IF_MATCH) { "If-Match" } else { "If-None-Match" }
}

/// Bucket and key, from `bucket.s3.…` in the host or from the path's first segment.
fn object<'r>(facts: &'r Facts<'_>) -> (Cow<'r, str>, Cow<'r, str>) {
    let path = facts.path.trim_start_matches('/');
    if let Some(at) = facts.host().find(".s3.").or_else(|| facts.host().find(".s3-")) {
        return (facts.host().get(..at).unwrap_or_default().into(), resource::decode(path));
    }
    let bucket = segments(facts).next().unwrap_or_default();
    let key = path.split_once('/').map_or("", |(_, key)| key);
    (resource::decode(bucket), resource::decode(key))
}
