//! Every style as it looks on the wire; compare with the real APIs' answers before accepting.

use super::*;

/// A request that one of the APIs would see, by style; any other style sees the first.
const REQUESTS: &[(&str, &str, &str, &str)] = &[
    ("problem", "PUT", "/items/7", ""),
    ("kubernetes", "PUT", "/apis/apps/v1/namespaces/default/deployments/web", ""),
    ("kubernetes", "POST", "/api/v1/namespaces/default/pods", r#"{"metadata":{"name":"web-0"}}"#),
    ("couchdb", "PUT", "/inventory/lamp", ""),
    ("couchdb", "POST", "/inventory/_bulk_docs", r#"{"docs":[{"_id":"lamp"},{"_id":"desk"}]}"#),
    ("elasticsearch", "PUT", "/products/_doc/1?if_seq_no=362&if_primary_term=2", ""),
    (
        "elasticsearch",
        "POST",
        "/products/_bulk",
        "{\"create\":{\"_id\":\"1\"}}\n{\"a\":1}\n{\"delete\":{\"_id\":\"2\",\"_index\":\"other\",\"if_seq_no\":7}}\n",
    ),
    ("s3", "PUT", "/photos/2026/lamp%20%26%20desk.jpg", ""),
    ("s3", "DELETE", "/photos", ""),
    ("stripe", "POST", "/v1/charges", ""),
    (
        "github",
        "PUT",
        "/repos/o/r/contents/docs/read%20me.md",
        r#"{"sha":"95b966ae1c166bd92f8ae7d1c313e738c731dfc3"}"#,
    ),
    ("google", "POST", "/v1/projects/p:setIamPolicy", ""),
    ("azure_storage", "PUT", "/container/blob", ""),
    (
        "azure_arm",
        "PUT",
        "/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/a",
        "",
    ),
    ("cosmos", "POST", "/dbs/d/colls/c/docs", ""),
    ("postgrest", "POST", "/users", r#"{"username":"ada"}"#),
    ("postgrest", "DELETE", "/users?id=eq.7", ""),
    ("postgrest", "PUT", "/users/7", ""),
    ("docker", "POST", "/v1.43/containers/create?name=web", ""),
    ("docker", "DELETE", "/v1.43/volumes/data", ""),
];

fn show(name: &str, style: ReplyStyle) -> String {
    let mut requests: Vec<_> = REQUESTS.iter().filter(|(of, ..)| *of == name).collect();
    if requests.is_empty() {
        requests = REQUESTS.iter().take(1).collect();
    }
    let mut shown = String::new();
    for (_, method, uri, body) in requests {
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
    for (style, name) in STYLES {
        insta::assert_snapshot!(name, show(name, style));
    }
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
