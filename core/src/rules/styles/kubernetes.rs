//! Kubernetes: a `Status` object; its `reason` tells clients the meaning of 409.
//!
//! Sources: apimachinery `errors.NewConflict`, `errors.NewAlreadyExists`. client-go retries reason
//! `Conflict` and never `AlreadyExists`.

use std::borrow::Cow;

use http::{Method, StatusCode};

use super::resource::{self, Resource, segments};
use super::{PlaceholderValue, ResponseShape, Style};
use crate::model::{Facts, Kind};

pub(super) const STYLE: Style = Style {
    word: "kubernetes",
    title: "Kubernetes",
    about: "A `Status` object, whose `reason` tells clients what 409 means.",
    statuses: &[429, 503, 504],
    agents: &["kubectl/"],
    reads_body: |facts| *facts.method == Method::POST,
    examples: &[
        ("PUT", "/apis/apps/v1/namespaces/default/deployments/web", ""),
        ("POST", "/api/v1/namespaces/default/pods", r#"{"metadata":{"name":"web-0"}}"#),
    ],
    content_type: "application/json",
    words: &[
        ("k8s.resource", |scene| PlaceholderValue::text(object(scene.occasion.facts).resource)),
        ("k8s.group", |scene| PlaceholderValue::text(object(scene.occasion.facts).group)),
        ("k8s.qualified", |scene| {
            let object = object(scene.occasion.facts);
            let dot = if object.group.is_empty() { "" } else { "." };
            PlaceholderValue::text(format!("{}{dot}{}", object.resource, object.group))
        }),
        ("k8s.name", |scene| PlaceholderValue::text(object(scene.occasion.facts).name)),
    ],
    shapes: |kind, status| {
        let fills: &'static [_] = match (status, kind) {
            (StatusCode::CONFLICT, Kind::Duplicate) => &[
                ("message", r#"{k8s.qualified} \"{k8s.name}\" already exists"#),
                ("reason", "AlreadyExists"),
            ],
            (StatusCode::CONFLICT, Kind::Referenced) => &[
                (
                    "message",
                    r#"Operation cannot be fulfilled on {k8s.qualified} \"{k8s.name}\": other objects still depend on it; remove them first"#,
                ),
                ("reason", "Conflict"),
            ],
            (StatusCode::CONFLICT, _) => &[
                (
                    "message",
                    r#"Operation cannot be fulfilled on {k8s.qualified} \"{k8s.name}\": the object has been modified; please apply your changes to the latest version and try again"#,
                ),
                ("reason", "Conflict"),
            ],
            (StatusCode::TOO_MANY_REQUESTS, _) => {
                &[("message", "Too many requests, please try again later."), ("reason", "TooManyRequests")]
            }
            (StatusCode::SERVICE_UNAVAILABLE, _) => &[
                ("message", "the server is currently unable to handle the request"),
                ("reason", "ServiceUnavailable"),
            ],
            (StatusCode::GATEWAY_TIMEOUT, _) => &[
                ("message", "the server was unable to return a response in the time allotted"),
                ("reason", "Timeout"),
            ],
            _ => &[("message", "{detail}"), ("reason", "")],
        };
        vec![
            status_object(GROUPED).fills(fills).when(|facts| !object(facts).group.is_empty()),
            status_object(CORE).fills(fills),
        ]
    },
};

const GROUPED: &str = r#"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"{message}","reason":"{reason}","details":{"name":"{k8s.name}","group":"{k8s.group}","kind":"{k8s.resource}"},"code":{status}}"#;

/// Without a group: `omitempty` leaves the core group's empty name out.
const CORE: &str = r#"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"{message}","reason":"{reason}","details":{"name":"{k8s.name}","kind":"{k8s.resource}"},"code":{status}}"#;

fn status_object(body: &'static str) -> ResponseShape {
    ResponseShape::new("application/json", body).headers(&[("audit-id", "{uuid}")])
}

struct Object<'r> {
    /// Empty for the core group, and for paths that are not Kubernetes'.
    group: Cow<'r, str>,
    resource: Cow<'r, str>,
    name: Cow<'r, str>,
}

/// `/api/v1/…` is the core group, `/apis/{group}/{version}/…` any other, each with
/// `namespaces/{namespace}/` in front of a namespaced resource.
fn object<'r>(facts: &'r Facts<'_>) -> Object<'r> {
    let all: Vec<&str> = segments(facts).collect();
    let (group, rest) = match all.as_slice() {
        ["api", _, rest @ ..] => ("", rest),
        ["apis", group, _, rest @ ..] => (*group, rest),
        _ => return named(facts, "".into(), resource::resource(facts)),
    };
    let rest = match rest {
        ["namespaces", _, inside @ ..] if !inside.is_empty() => inside,
        rest => rest,
    };
    let found = Resource {
        collection: resource::decode(rest.first().copied().unwrap_or_default()),
        id: rest.get(1).copied().map(resource::decode),
    };
    named(facts, resource::decode(group), found)
}

/// A POST names its object in the body only, which may not have been read.
fn named<'r>(facts: &'r Facts<'_>, group: Cow<'r, str>, found: Resource<'r>) -> Object<'r> {
    let name = found.id.or_else(|| resource::body(facts, "/metadata/name"));
    Object { group, resource: found.collection, name: name.unwrap_or("unknown".into()) }
}
