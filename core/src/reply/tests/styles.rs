//! Every style as it looks on the wire; compare with the real APIs' responses before accepting.

use super::*;
use crate::rules::styles::{ShapeBody, Style};

/// The responses of a style to its own requests, by kind: with 409, and with each other status that the API has
/// texts for.
fn show(style: ReplyStyle) -> String {
    let definition = style.style();
    let mut requests = definition.examples;
    if requests.is_empty() {
        requests = &[("PUT", "/items/7", "")];
    }
    let mut shown = String::new();
    let statuses = [409].into_iter().chain(definition.statuses.iter().copied());
    for (status, (method, uri, body)) in
        statuses.flat_map(|status| requests.iter().map(move |of| (status, of)))
    {
        let head = head(
            method,
            uri,
            &[
                ("host", "api.example"),
                ("idempotency-key", "k-1"),
                ("x-ms-client-request-id", "c-1"),
                ("x-ms-version", "2021-12-02"),
            ],
        );
        let asked = Asked { body, version_current: Some("417"), ..Asked::new(&head) };
        // Kinds that are answered alike stand together.
        let mut answers: Vec<(String, String)> = Vec::new();
        for kind in Kind::ALL {
            let mut rule = rule(kind, ReplyBody::Style(style));
            rule.per = Key(vec![KeyPart::Body("/username".into())]);
            rule.reply.status = StatusCode::from_u16(status).expect("a status");
            let wire = wire(&asked.by(&compiled(&rule))).replace(&format!("kind={kind}"), "kind=…");
            match answers.iter_mut().find(|(_, other)| *other == wire) {
                Some((kinds, _)) => kinds.push_str(&format!(", {kind}")),
                None => answers.push((kind.to_string(), wire)),
            }
        }
        for (kinds, wire) in answers {
            shown.push_str(&format!("---- {method} {uri}: {kinds}\n{wire}\n\n"));
        }
    }
    shown
}

#[test]
fn styles() {
    for style in ReplyStyle::ALL {
        insta::assert_snapshot!(style.as_str(), show(*style));
    }
}

/// A style says which statuses beside 409 it has texts for: those under which some kind is answered otherwise
/// than under a status that no API knows.
#[test]
fn every_style_names_the_statuses_that_it_speaks() {
    let texts = |style: ReplyStyle, kind, status| -> Vec<String> {
        let status = StatusCode::from_u16(status).expect("a status");
        let shapes = (style.style().shapes)(kind, status);
        shapes
            .iter()
            .map(|shape| {
                let body = match shape.body {
                    ShapeBody::Text(text) => text,
                    ShapeBody::Rows { row, .. } => row,
                };
                format!(
                    "{:?} {} {:?} {body} {:?}",
                    shape.status, shape.content_type, shape.headers, shape.fills
                )
            })
            .collect()
    };
    for style in ReplyStyle::ALL {
        let own: Vec<u16> = (400..=599)
            .filter(|status| *status != 409)
            .filter(|status| {
                Kind::ALL.iter().any(|kind| texts(*style, *kind, *status) != texts(*style, *kind, 598))
            })
            .collect();
        assert_eq!(own, style.style().statuses, "{style:?}");
    }
}

#[test]
fn every_style_is_known_by_its_word_alone() {
    let mut words = ReplyStyle::WORDS.to_vec();
    words.sort_unstable();
    words.dedup();
    assert_eq!(words.len(), ReplyStyle::ALL.len());
    for style in ReplyStyle::ALL {
        assert_eq!(ReplyStyle::named(style.as_str()), Some(*style));
        let json = serde_json::to_string(style).expect("JSON");
        assert_eq!(json, format!("\"{}\"", style.as_str()));
        assert_eq!(serde_json::from_str::<ReplyStyle>(&json).expect("a style"), *style);
        let Style { title, about, .. } = style.style();
        assert!(!title.is_empty() && about.ends_with('.'), "{style:?}: {title}, {about}");
    }
    assert!(serde_json::from_str::<ReplyStyle>("\"xml\"").is_err());
}

/// Statuses that an API has own words for.
#[test]
fn other_statuses() {
    let mut shown = String::new();
    for (name, style, kind, status) in [
        ("problem", ReplyStyle::Problem, Kind::Idempotency, 422),
        ("problem", ReplyStyle::Problem, Kind::Version, 428),
        ("kubernetes", ReplyStyle::Kubernetes, Kind::Blocked, 429),
        ("s3", ReplyStyle::S3, Kind::Version, 412),
        ("stripe", ReplyStyle::Stripe, Kind::Idempotency, 400),
        ("stripe", ReplyStyle::Stripe, Kind::Lock, 429),
        ("google", ReplyStyle::Google, Kind::Blocked, 429),
        ("azure_storage", ReplyStyle::AzureStorage, Kind::Version, 412),
        ("cosmos", ReplyStyle::Cosmos, Kind::Version, 412),
        ("cosmos", ReplyStyle::Cosmos, Kind::Overlap, 449),
        ("text", ReplyStyle::Text, Kind::Version, 599),
    ] {
        let head = head("PUT", "/items/7", &[("if-match", "\"3\""), ("idempotency-key", "k-1")]);
        let mut rule = rule(kind, ReplyBody::Style(style));
        rule.reply.status = StatusCode::from_u16(status).expect("a status");
        let response = Asked::new(&head).by(&compiled(&rule));
        shown.push_str(&format!("---- {name}, {kind}\n{}\n\n", wire(&response)));
    }
    insta::assert_snapshot!("other_statuses", shown);
}

#[test]
fn couchdb_answers_in_the_type_that_is_accepted() {
    let reply = compiled(&rule(Kind::Version, ReplyBody::Style(ReplyStyle::Couchdb)));
    for (accept, content_type) in [
        (&[][..], "application/json"),
        (&[("accept", "*/*")], "application/json"),
        (&[("accept", "text/html, Application/JSON;q=0.5")], "application/json"),
        (&[("accept", "text/html"), ("accept", "application/*")], "application/json"),
        (&[("accept", "text/html, image/png")], "text/plain; charset=utf-8"),
        (&[("accept", "")], "application/json"),
    ] {
        let head = head("PUT", "/db/doc", accept);
        assert_eq!(Asked::new(&head).by(&reply).headers()["content-type"], content_type, "{accept:?}");
    }
}

#[test]
fn a_bulk_request_that_is_too_long_to_read_is_refused_whole() {
    for (style, path) in [(ReplyStyle::Elasticsearch, "/_bulk"), (ReplyStyle::Couchdb, "/db/_bulk_docs")] {
        let head = head("POST", path, &[]);
        let reply = compiled(&rule(Kind::Version, ReplyBody::Style(style)));
        assert!(reply.reads_body(&facts(&head)), "{path}: the rows are in the body");
        let response = Asked::new(&head).by(&reply);
        assert_eq!(response.status(), 409, "{path}");
        let json: serde_json::Value = serde_json::from_slice(response.body()).expect("JSON");
        assert!(json.get("error").is_some(), "{json}");
    }
}

#[test]
fn bodies_are_read_where_the_answer_tells_what_is_in_them() {
    for (style, method, path, reads) in [
        (ReplyStyle::Kubernetes, "POST", "/api/v1/pods", true),
        (ReplyStyle::Kubernetes, "PUT", "/api/v1/pods/a", false),
        (ReplyStyle::Elasticsearch, "PUT", "/index/_doc/1", false),
        (ReplyStyle::Couchdb, "PUT", "/db/doc", false),
        (ReplyStyle::Github, "PUT", "/repos/o/r/contents/a", true),
        (ReplyStyle::Problem, "POST", "/_bulk", false),
    ] {
        let head = head(method, path, &[]);
        let reply = compiled(&rule(Kind::Version, ReplyBody::Style(style)));
        assert_eq!(reply.reads_body(&facts(&head)), reads, "{style:?} {method} {path}");
    }
}

#[test]
fn a_bucket_in_the_host_is_not_looked_for_in_the_path() {
    let reply = compiled(&rule(Kind::Version, ReplyBody::Style(ReplyStyle::S3)));
    let head =
        head("PUT", "/2026/lamp.jpg", &[("host", "photos.s3.eu-west-1.amazonaws.com"), ("if-match", "x")]);
    let response = Asked::new(&head).by(&reply);
    assert!(body(&response).contains("<Condition>If-Match</Condition><Key>2026/lamp.jpg</Key>"));
}
