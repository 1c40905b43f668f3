//! CouchDB: every refused write is the same conflict, told in the type the client accepts.
//!
//! Source: chttpd. All of its JSON ends with a line break.

use http::{StatusCode, header};

use super::occasion::HEX;
use super::{PlaceholderValue, ResponseShape, ShapeBody, Style, resource, rows};
use crate::model::Facts;

pub(super) const STYLE: Style = Style {
    word: "couchdb",
    title: "CouchDB",
    about: "`conflict` for every refused write, in the type that the client accepts; a row for each write of `_bulk_docs`.",
    statuses: &[],
    agents: &[],
    reads_body: is_bulk,
    examples: &[
        ("PUT", "/inventory/lamp", ""),
        ("POST", "/inventory/_bulk_docs", r#"{"docs":[{"_id":"lamp"},{"_id":"desk"}]}"#),
    ],
    content_type: "application/json",
    words: &[
        ("couch.request", |scene| PlaceholderValue::text(scene.occasion.id("couch.request", HEX, 10))),
        ("row.id", |scene| match scene.row.and_then(|row| row.id.as_deref()) {
            Some(id) => PlaceholderValue::text(id),
            None => PlaceholderValue::text(scene.occasion.id("row", HEX, 32)),
        }),
    ],
    shapes: |_, status| {
        let mut shapes = Vec::new();
        if status == StatusCode::CONFLICT {
            shapes.push(ResponseShape {
                when: Some(|facts| is_bulk(facts) && rows::are_known(facts)),
                status: Some(StatusCode::CREATED),
                content_type: "application/json",
                headers: HEADERS,
                body: ShapeBody::Rows {
                    before: "[",
                    row: r#"{"id":"{row.id}","error":"conflict","reason":"Document update conflict."}"#,
                    after: "]\n",
                    rows: rows::couchdb,
                },
                fills: &[],
            });
        }
        shapes.push(
            ResponseShape::new("text/plain; charset=utf-8", CONFLICT).headers(HEADERS).when(refuses_json),
        );
        shapes.push(ResponseShape::new("application/json", CONFLICT).headers(HEADERS));
        shapes
    },
};

const CONFLICT: &str = "{\"error\":\"conflict\",\"reason\":\"Document update conflict.\"}\n";
const HEADERS: &[(&str, &str)] = &[("x-couch-request-id", "{couch.request}")];

fn is_bulk(facts: &Facts<'_>) -> bool {
    resource::last(facts) == "_bulk_docs"
}

/// Whether there is an `Accept` that takes no JSON.
fn refuses_json(facts: &Facts<'_>) -> bool {
    let mut ranges = facts
        .headers
        .get_all(header::ACCEPT)
        .iter()
        .flat_map(|line| line.as_bytes().split(|byte| *byte == b','))
        .filter_map(|range| range.split(|byte| *byte == b';').next())
        .map(<[u8]>::trim_ascii)
        .filter(|range| !range.is_empty())
        .peekable();
    ranges.peek().is_some()
        && !ranges.any(|range| {
            ["application/json", "application/*", "*/*"]
                .iter()
                .any(|known| range.eq_ignore_ascii_case(known.as_bytes()))
        })
}
