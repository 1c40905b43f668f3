//! Elasticsearch and OpenSearch: a version conflict that names both sequence numbers.

use std::borrow::Cow;

use http::StatusCode;

use super::occasion::{BASE64_URL, RenderContext};
use super::resource::{self, segments};
use super::{PlaceholderValue, ResponseShape, ShapeBody, Style, rows};
use crate::model::{Facts, Kind};

pub(super) const STYLE: Style = Style {
    word: "elasticsearch",
    title: "Elasticsearch and OpenSearch",
    about: "`version_conflict_engine_exception` with both sequence numbers; a row for each write of `_bulk`.",
    statuses: &[],
    agents: &["elasticsearch-", "elastic-transport", "opensearch-"],
    reads_body: is_bulk,
    examples: &[
        ("PUT", "/products/_doc/1?if_seq_no=362&if_primary_term=2", ""),
        (
            "POST",
            "/products/_bulk",
            "{\"create\":{\"_id\":\"1\"}}\n{\"a\":1}\n{\"delete\":{\"_id\":\"2\",\"_index\":\"other\",\"if_seq_no\":7}}\n",
        ),
    ],
    content_type: "application/json; charset=UTF-8",
    words: &[
        ("es.index", |scene| PlaceholderValue::text(index(scene))),
        ("es.index_uuid", |scene| {
            // A property of the index: the same in every response about it.
            PlaceholderValue::text(scene.occasion.id_of(&index(scene), BASE64_URL, 22))
        }),
        ("es.id", |scene| PlaceholderValue::text(id(scene))),
        ("es.required", |scene| PlaceholderValue::Number(numbers(scene).0)),
        ("es.current", |scene| PlaceholderValue::Number(numbers(scene).1)),
        ("es.term", |scene| PlaceholderValue::Number(query(scene, "if_primary_term").unwrap_or(1))),
        ("es.row.action", |scene| {
            PlaceholderValue::text(scene.row.map_or("update", |row| row.action.as_str()))
        }),
        ("es.row.reason", |scene| {
            let id = id(scene);
            PlaceholderValue::text(if scene.row.is_some_and(|row| row.action == "create") {
                format!("[{id}]: version conflict, document already exists (current version [1])")
            } else {
                let (required, current) = numbers(scene);
                format!(
                    "[{id}]: version conflict, required seqNo [{required}], primary term [1]. \
                     current document has seqNo [{current}] and primary term [1]"
                )
            })
        }),
    ],
    shapes: |kind, status| {
        let mut shapes = Vec::new();
        if status == StatusCode::CONFLICT {
            shapes.push(ResponseShape {
                when: Some(|facts| is_bulk(facts) && rows::are_known(facts)),
                status: Some(StatusCode::OK),
                content_type: CONTENT_TYPE,
                headers: HEADERS,
                body: ShapeBody::Rows {
                    before: r#"{"took":3,"errors":true,"items":["#,
                    row: ROW,
                    after: "]}",
                    rows: rows::elasticsearch,
                },
                fills: &[],
            });
        }
        let error = || ResponseShape::new(CONTENT_TYPE, ERROR).headers(HEADERS);
        if kind == Kind::Duplicate {
            shapes.push(error().fills(EXISTS));
        } else {
            shapes.push(error().fills(EXISTS).when(|facts| segments(facts).any(|part| part == "_create")));
            shapes.push(error().fills(CHANGED));
        }
        shapes
    },
};

const CONTENT_TYPE: &str = "application/json; charset=UTF-8";
/// Its clients refuse to speak to a server that does not say this.
const HEADERS: &[(&str, &str)] = &[("x-elastic-product", "Elasticsearch")];

const ERROR: &str = r#"{"error":{"root_cause":[{"type":"version_conflict_engine_exception","reason":"{es.reason}","index_uuid":"{es.index_uuid}","shard":"0","index":"{es.index}"}],"type":"version_conflict_engine_exception","reason":"{es.reason}","index_uuid":"{es.index_uuid}","shard":"0","index":"{es.index}"},"status":{status}}"#;
const ROW: &str = r#"{"{es.row.action}":{"_index":"{es.index}","_id":"{es.id}","status":{status},"error":{"type":"version_conflict_engine_exception","reason":"{es.row.reason}","index_uuid":"{es.index_uuid}","shard":"0","index":"{es.index}"}}}"#;

const CHANGED: &[(&str, &str)] = &[(
    "es.reason",
    "[{es.id}]: version conflict, required seqNo [{es.required}], primary term [{es.term}]. current document has seqNo [{es.current}] and primary term [{es.term}]",
)];
const EXISTS: &[(&str, &str)] =
    &[("es.reason", "[{es.id}]: version conflict, document already exists (current version [1])")];

fn is_bulk(facts: &Facts<'_>) -> bool {
    resource::last(facts) == "_bulk"
}

/// `/{index}/_doc/{id}`, `/{index}/_bulk`; any other path is a collection and an id.
fn index<'s>(scene: &'s RenderContext<'s>) -> Cow<'s, str> {
    let facts = scene.occasion.facts;
    if let Some(index) = scene.row.and_then(|row| row.index.as_deref()) {
        return index.into();
    }
    match api(facts) {
        Some(at) if at > 0 => resource::decode(segments(facts).nth(at - 1).unwrap_or_default()),
        Some(_) => "index".into(),
        None => resource::resource(facts).collection,
    }
}

fn id<'s>(scene: &'s RenderContext<'s>) -> Cow<'s, str> {
    let facts = scene.occasion.facts;
    if let Some(row) = scene.row {
        return row.id.as_deref().unwrap_or("1").into();
    }
    match api(facts) {
        Some(at) => segments(facts).nth(at + 1).map(resource::decode).unwrap_or("1".into()),
        None => resource::resource(facts).id.unwrap_or("1".into()),
    }
}

/// Where the path's first segment with an underscore is.
fn api(facts: &Facts<'_>) -> Option<usize> {
    segments(facts).position(|segment| segment.starts_with('_'))
}

/// The required and the current sequence number: those sent and seen, as far as they are known.
fn numbers(scene: &RenderContext<'_>) -> (u64, u64) {
    let number = |text: &str| text.trim_matches('"').parse::<u64>().ok();
    let current = scene.occasion.version_current.and_then(number);
    let sent = match scene.row {
        Some(row) => row.version,
        None => query(scene, "if_seq_no").or_else(|| scene.occasion.version_sent().and_then(number)),
    };
    match (sent, current) {
        (Some(sent), Some(current)) => (sent, current),
        (Some(sent), None) => (sent, sent.saturating_add(1)),
        (None, Some(current)) => (current.saturating_sub(1), current),
        (None, None) => (0, 1),
    }
}

fn query(scene: &RenderContext<'_>, name: &str) -> Option<u64> {
    scene.occasion.facts.queries(name).next()?.parse().ok()
}
