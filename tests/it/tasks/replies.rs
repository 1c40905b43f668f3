//! Several replies of one rule, in turn or by weight.

use super::{Backend, Task};

const OK: Backend = Backend::Script { replies: &["200\n\nfine"], sees: 1 };

pub const TASKS: &[Task] = &[
    Task {
        name: "a client goes through 409, 409, 503, 200",
        rules: r#"
            [[rule]]
            name = "turns"
            first = 3
            per = "path"
            replies = [{ retry_after = "1s" }, { body = "twice" }, { status = 503 }]
        "#,
        upstream: OK,
        steps: &[
            ("PUT /a", "409 turns\nretry-after: 1"),
            ("PUT /a", "409 turns\n\ntwice"),
            ("PUT /a", "503 turns"),
            ("PUT /a", "200\n\nfine"),
        ],
    },
    Task {
        name: "the last reply stays",
        rules: "[[rule]]\nname = \"r\"\nreplies = [{ status = 423 }, { status = 410 }]",
        upstream: Backend::Script { replies: &["200"], sees: 0 },
        steps: &[("GET /a", "423 r"), ("GET /b", "410 r"), ("GET /c", "410 r")],
    },
    Task {
        name: "each key has its own turn",
        rules: r#"
            [[rule]]
            name = "r"
            per = "query:id"
            replies = [{ status = 423 }, { status = 410 }]
        "#,
        upstream: Backend::Script { replies: &["200"], sees: 0 },
        steps: &[("GET /?id=1", "423 r"), ("GET /?id=2", "423 r"), ("GET /?id=1", "410 r")],
    },
    Task {
        name: "a turn is a conflict, and not a request",
        rules: r#"
            [[rule]]
            name = "r"
            every = 2
            replies = [{ status = 423 }, { status = 410 }]
        "#,
        upstream: Backend::Script { replies: &["200"], sees: 2 },
        steps: &[("GET /", "200"), ("GET /", "423 r"), ("GET /", "200"), ("GET /", "410 r")],
    },
    Task {
        name: "a turn may pass, and is no conflict then",
        rules: r#"
            [[rule]]
            name = "r"
            limit = 2
            replies = [{}, { pass = true }, { status = 503 }]
        "#,
        upstream: Backend::Script { replies: &["200"], sees: 2 },
        steps: &[("GET /", "409 r"), ("GET /", "200"), ("GET /", "503 r"), ("GET /", "200")],
    },
    Task {
        name: "a turn that passes leaves the request to the next rule",
        rules: r#"
            [[rule]]
            name = "first"
            replies = [{ pass = true }, { status = 410 }]
            [[rule]]
            name = "second"
            first = 1
        "#,
        upstream: Backend::Script { replies: &["200"], sees: 0 },
        steps: &[("GET /", "409 second"), ("GET /", "410 first")],
    },
    Task {
        name: "each try under an open conflict takes a turn",
        rules: r#"
            [[rule]]
            name = "r"
            method = "PUT"
            path = "/{id}"
            first = 1
            clear = 2
            replies = [{ status = 409 }, { status = 423 }, { status = 503 }]
        "#,
        upstream: Backend::Script { replies: &["200"], sees: 1 },
        steps: &[("PUT /a", "409 r"), ("PUT /a", "423 r"), ("PUT /a", "200")],
    },
    Task {
        name: "a state trigger has replies, too",
        rules: r#"
            [[rule]]
            name = "taken"
            method = "POST"
            on = "duplicate"
            per = "body:/name"
            replies = [{ style = "django" }, { status = 422, body = "still taken" }]
        "#,
        upstream: Backend::Script { replies: &["201"], sees: 1 },
        steps: &[
            ("POST /users\n\n{\"name\":\"ann\"}", "201"),
            ("POST /users\n\n{\"name\":\"ann\"}", "409 taken\n\ndetail"),
            ("POST /users\n\n{\"name\":\"ann\"}", "422 taken\n\nstill taken"),
        ],
    },
    Task {
        name: "after the upstream, a refusal of its own takes no turn",
        rules: r#"
            [[rule]]
            name = "r"
            phase = "after"
            replies = [{ status = 423 }, { status = 503 }]
        "#,
        upstream: Backend::Script { replies: &["422", "200"], sees: 3 },
        steps: &[("POST /", "422"), ("POST /", "423 r"), ("POST /", "503 r")],
    },
    Task {
        name: "after the upstream, a turn that passes gives its response",
        rules: r#"
            [[rule]]
            name = "r"
            phase = "after"
            replies = [{ pass = true }, { status = 503 }]
        "#,
        upstream: Backend::Script { replies: &["200\n\ndone"], sees: 2 },
        steps: &[("POST /", "200\n\ndone"), ("POST /", "503 r")],
    },
    Task {
        name: "a lost response is no response, or a gateway's",
        rules: r#"
            [[rule]]
            name = "r"
            phase = "lost"
            first = 2
            replies = [{}, { status = 504 }]
        "#,
        upstream: Backend::Script { replies: &["200"], sees: 3 },
        steps: &[("POST /", "nothing"), ("POST /", "504 r"), ("POST /", "200")],
    },
    Task {
        name: "by weight, one that weighs all is always drawn",
        rules: r#"
            [[rule]]
            name = "r"
            replies = [{ status = 503, weight = 0 }, { status = 423, weight = 9 }]
        "#,
        upstream: Backend::Script { replies: &["200"], sees: 0 },
        steps: &[("GET /", "423 r"), ("GET /", "423 r"), ("GET /", "423 r")],
    },
    Task {
        name: "a refusal shows the newest representation",
        rules: r#"
            [[rule]]
            name = "r"
            method = "PUT"
            path = "/items/{id}"
            reply = { body = '{"current":{current},"rev":{current./rev},"as":"{current./name}"}' }
        "#,
        upstream: Backend::Script {
            replies: &["200\ncontent-type: application/json\n\n{\"name\":\"la\\\"mp\",\"rev\":7}"],
            sees: 2,
        },
        steps: &[
            ("PUT /items/1", "409 r\n\n{\"current\":null,\"rev\":null,\"as\":\"\"}"),
            ("GET /items/1", "200"),
            (
                "PUT /items/1",
                "409 r\n\n{\"current\":{\"name\":\"la\\\"mp\",\"rev\":7},\"rev\":7,\"as\":\"la\\\"mp\"}",
            ),
            ("GET /items/1?fields=rev", "200"),
            ("PUT /items/2", "409 r\n\n{\"current\":null,\"rev\":null,\"as\":\"\"}"),
        ],
    },
    Task {
        name: "a write of which nothing is known makes the representation unknown, one that shows it renews it",
        rules: r#"
            [[rule]]
            name = "r"
            method = "PATCH"
            path = "/items/{id}"
            reply = { body = '{current}' }
        "#,
        upstream: Backend::Script {
            replies: &[
                "200\n\n{\"a\":1}",
                "204",
                "200\netag: \"2\"\ncontent-encoding: gzip\n\n{\"a\":2}",
                "404",
            ],
            sees: 4,
        },
        steps: &[
            ("GET /items/1", "200"),
            ("PATCH /items/1", "409 r\n\n{\"a\":1}"),
            ("PUT /items/1", "204"),
            ("PATCH /items/1", "409 r\ncontent-length: 0"),
            ("PUT /items/1", "200"),
            ("PATCH /items/1", "409 r\n\n{\"a\":2}"),
            ("DELETE /items/1", "404"),
            ("PATCH /items/1", "409 r\n\n{\"a\":2}"),
        ],
    },
    Task {
        name: "a limiter says its limit, what is left and when there is room",
        rules: r#"
            [[rule]]
            name = "limiter"
            above = "1/h"
            kind = "blocked"
            [rule.reply]
            status = 429
            body = '{"limit":{limit},"left":{remaining}}'
            headers = { x-ratelimit-limit = "{limit}", x-ratelimit-remaining = "{remaining}", x-ratelimit-reset = "{reset}" }
        "#,
        upstream: OK,
        steps: &[
            ("GET /", "200"),
            (
                "GET /",
                "429 limiter\nx-ratelimit-limit: 1\nx-ratelimit-remaining: 0\nx-ratelimit-reset: 3600\n\n{\"limit\":1,\"left\":0}",
            ),
        ],
    },
    Task {
        name: "stacked rules share the traffic as the reference says",
        rules: STACKED,
        upstream: Backend::Script { replies: &["200"], sees: 2 },
        steps: &[
            ("GET /", "200"),
            ("GET /", "409 half"),
            ("GET /", "503 half-of-the-rest"),
            ("GET /", "409 half"),
            ("GET /", "200"),
            ("GET /", "409 half"),
            ("GET /", "503 half-of-the-rest"),
            ("GET /", "409 half"),
        ],
    },
    Task {
        name: "the shipped example of replies in turn",
        rules: include_str!("../../../examples/replies-in-turn.toml"),
        upstream: Backend::Sample,
        steps: &[
            ("PUT /items/1\n\n{\"name\":\"desk\"}", "409 in-turn\nretry-after: 1"),
            ("PUT /items/1\n\n{\"name\":\"desk\"}", "409 in-turn\nretry-after: 2"),
            ("PUT /items/1\n\n{\"name\":\"desk\"}", "503 in-turn"),
            ("PUT /items/1\n\n{\"name\":\"desk\"}", "200"),
        ],
    },
];

/// The example of `docs/RULES.md`.
const STACKED: &str = r#"[[rule]]
name  = "half"
every = 2

[[rule]]
name  = "half-of-the-rest"
every = 2
reply = { status = 503 }
"#;

#[test]
fn the_example_of_stacked_rules_is_the_one_in_the_reference() {
    assert!(fracas::rules::reference().contains(&format!("```toml\n{STACKED}```\n")));
}

#[test]
fn the_version_that_a_refusal_shows_counts_as_shown() {
    let body = "{\"name\":\"lamp\",\"rev\":7}";
    let reply = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let upstream = crate::support::upstream::Upstream::answering(reply);
    let proxy = crate::support::proxy::before(upstream.address)
        .file(
            r#"
            [[rule]]
            method = "PUT"
            path = "/items/{id}"
            kind = "version"
            version = "body:/rev"
            reply = { body = '{"status":409,"current":{current}}', style = "json" }
            "#,
        )
        .start();
    for request in ["GET /items/1", "PUT /items/1\ncontent-type: application/json\n\n{\"rev\":6}"] {
        super::ask(&proxy, request).expect("a response");
    }
    let attempts = proxy.attempts();
    let refused = attempts.iter().find(|attempt| attempt.conflict.is_some()).expect("a conflict");
    let sent = refused.sent.version.as_ref().expect("a version");
    assert_eq!(refused.got.shown.at(sent.place()).map(ToString::to_string).as_deref(), Some("7"));
}
