//! Conflicts of web frameworks and media types: Spring, Django REST framework, SCIM
//! and JSON:API.

use super::iso::{Digits, iso};
use super::{PlaceholderValue, ResponseShape, Style};
use crate::model::Kind;

/// Spring Data REST for its repositories' refusals, Spring Boot's error page for the rest.
pub(super) const SPRING: Style = Style {
    word: "spring",
    title: "Spring",
    about: "Spring Data REST for what its repositories refuse, Spring Boot's error page for the rest.",
    statuses: &[],
    agents: &[],
    reads_body: |_| false,
    examples: &[],
    content_type: "application/json",
    words: &[("spring.time", |scene| {
        PlaceholderValue::text(iso(scene.occasion.now, Digits::ThreeWithOffset))
    })],
    shapes: |kind, _| {
        vec![ResponseShape::new(
            "application/json",
            match kind {
                Kind::Version | Kind::Duplicate | Kind::Referenced => {
                    r#"{"message":"Could not commit changes!"}"#
                }
                _ => r#"{"timestamp":"{spring.time}","status":{status},"error":"{reason}","path":"{path}"}"#,
            },
        )]
    },
};

/// Django REST framework, with the headers of Django's own middleware.
pub(super) const DJANGO: Style = Style {
    word: "django",
    title: "Django REST framework",
    about: "`detail`, with the headers of Django's own middleware.",
    statuses: &[],
    agents: &[],
    reads_body: |_| false,
    examples: &[],
    content_type: "application/json",
    words: &[],
    shapes: |_, _| {
        vec![ResponseShape::new("application/json", r#"{"detail":"{detail}"}"#).headers(&[
            ("vary", "Accept, Cookie"),
            ("x-frame-options", "DENY"),
            ("x-content-type-options", "nosniff"),
        ])]
    },
};

/// RFC 7644 §3.12: the status is a string, and only a duplicate has a `scimType` under 409.
pub(super) const SCIM: Style = Style {
    word: "scim",
    title: "SCIM",
    about: "RFC 7644 §3.12: the status is a string, and a duplicate has `scimType`.",
    statuses: &[],
    agents: &[],
    reads_body: |_| false,
    examples: &[],
    content_type: "application/scim+json",
    words: &[],
    shapes: |kind, _| {
        vec![ResponseShape::new(
            "application/scim+json",
            match kind {
                Kind::Duplicate => {
                    r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"scimType":"uniqueness","detail":"{detail}","status":"{status}"}"#
                }
                _ => {
                    r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"detail":"{detail}","status":"{status}"}"#
                }
            },
        )]
    },
};

/// JSON:API 1.1, "Error Objects".
pub(super) const JSONAPI: Style = Style {
    word: "jsonapi",
    title: "JSON:API",
    about: "An error object (JSON:API 1.1) with an id of its own.",
    statuses: &[],
    agents: &[],
    reads_body: |_| false,
    examples: &[],
    content_type: "application/vnd.api+json",
    words: &[],
    shapes: |kind, _| {
        vec![ResponseShape::new(
            "application/vnd.api+json",
            match kind {
                // The resource that has the client-generated id.
                Kind::Duplicate => {
                    r#"{"errors":[{"id":"{uuid}","status":"{status}","code":"{kind}","title":"{reason}","detail":"{detail}","source":{"pointer":"/data/id"}}]}"#
                }
                _ => {
                    r#"{"errors":[{"id":"{uuid}","status":"{status}","code":"{kind}","title":"{reason}","detail":"{detail}"}]}"#
                }
            },
        )]
    },
};
