//! Styles of no API in particular: problem details, JSON, text and HTML.

use http::StatusCode;

use super::{ResponseShape, Style};
use crate::model::Kind;

/// RFC 9457. With `about:blank`, the title is the status's own phrase (§4.2.1).
pub(super) const PROBLEM: Style = Style {
    word: "problem",
    title: "Problem details",
    about: "A problem document (RFC 9457); for an idempotency key the words of its draft.",
    statuses: &[422],
    agents: &[],
    reads_body: |_| false,
    examples: &[("PUT", "/items/7", "")],
    content_type: "application/problem+json",
    words: &[],
    shapes: |kind, status| {
        vec![match (kind, status) {
            // The words of the Idempotency-Key draft (draft-ietf-httpapi-idempotency-key-header §2.7).
            (Kind::Idempotency, StatusCode::CONFLICT) => problem(&[
                ("problem.type", DRAFT),
                ("problem.title", "A request is outstanding for this Idempotency-Key"),
                (
                    "problem.detail",
                    "A request with the same Idempotency-Key for the same operation is being processed or is \
                     outstanding. Wait, then send it again with the same key and body.",
                ),
            ])
            .headers(&[("content-language", "en")]),
            (Kind::Idempotency, StatusCode::UNPROCESSABLE_ENTITY) => problem(&[
                ("problem.type", DRAFT),
                ("problem.title", "Idempotency-Key is already used"),
                (
                    "problem.detail",
                    "This operation is idempotent and it requires correct usage of Idempotency Key. \
                     Idempotency Key MUST not be reused across different payloads of this operation.",
                ),
            ])
            .headers(&[("content-language", "en")]),
            _ => problem(&[
                ("problem.type", "about:blank"),
                ("problem.title", "{reason}"),
                ("problem.detail", "{detail}"),
            ]),
        }]
    },
};

/// The least that a JSON API says.
pub(super) const JSON: Style = Style {
    word: "json",
    title: "JSON",
    about: "The least that a JSON API says: `status`, `error`, `kind` and `message`.",
    statuses: &[],
    agents: &[],
    reads_body: |_| false,
    examples: &[],
    content_type: "application/json",
    words: &[],
    shapes: |_, _| {
        vec![ResponseShape::new(
            "application/json",
            r#"{"status":{status},"error":"{reason}","kind":"{kind}","message":"{detail}"}"#,
        )]
    },
};

/// For people, without markup.
pub(super) const TEXT: Style = Style {
    word: "text",
    title: "Text",
    about: "For people, without markup.",
    statuses: &[],
    agents: &[],
    reads_body: |_| false,
    examples: &[],
    content_type: "text/plain; charset=utf-8",
    words: &[],
    shapes: |_, _| vec![ResponseShape::new("text/plain; charset=utf-8", "{status} {reason}\n\n{detail}\n")],
};

/// For people, in a browser.
pub(super) const HTML: Style = Style {
    word: "html",
    title: "HTML",
    about: "For people, in a browser.",
    statuses: &[],
    agents: &[],
    reads_body: |_| false,
    examples: &[],
    content_type: "text/html; charset=utf-8",
    words: &[],
    shapes: |_, _| {
        vec![ResponseShape::new(
            "text/html; charset=utf-8",
            "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>{status} {reason}</title></head>\n\
             <body>\n<h1>{reason}</h1>\n<p>{detail}</p>\n<p><code>{method} {path}</code></p>\n</body>\n</html>\n",
        )]
    },
};

const DRAFT: &str = "https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/";

fn problem(fills: &'static [(&'static str, &'static str)]) -> ResponseShape {
    ResponseShape::new(
        "application/problem+json",
        r#"{"type":"{problem.type}","title":"{problem.title}","status":{status},"detail":"{problem.detail}","instance":"{path}"}"#,
    )
    .fills(fills)
}
