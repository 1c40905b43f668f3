//! Refusals in other words than a 4xx, and conflicts by the upstream's own response.

use super::{Backend, Task};

pub const TASKS: &[Task] = &[
    Task {
        name: "GraphQL refuses in a 200",
        rules: r#"
            [[rule]]
            name = "graphql"
            method = "POST"
            path = "/graphql"
            first = 1
            [rule.reply]
            status = 200
            body = '{"errors":[{"message":"conflict","extensions":{"code":"{kind}"}}],"data":null}'
        "#,
        upstream: Backend::Script {
            replies: &["200\ncontent-type: application/json\n\n{\"data\":{}}"],
            sees: 1,
        },
        steps: &[
            (
                "POST /graphql\n\n{\"query\":\"mutation { a }\"}",
                "200 graphql\ncontent-type: application/json\ncache-control: no-store\n\n\"code\":\"transient\"",
            ),
            ("POST /graphql\n\n{\"query\":\"mutation { a }\"}", "200\n\n{\"data\":{}}"),
        ],
    },
    Task {
        name: "a job that is accepted and refused later says 202",
        rules: "[[rule]]\nname = \"later\"\nmethod = \"POST\"\nreply = { status = 202, body = \"no\" }",
        upstream: Backend::Script { replies: &["200"], sees: 0 },
        steps: &[("POST /jobs", "202 later\n\nno")],
    },
    Task {
        name: "a redirect to a lock page",
        rules: "[[rule]]\nname = \"moved\"\nreply = { status = 303, headers = { location = \"/locked\" } }",
        upstream: Backend::Script { replies: &["200"], sees: 0 },
        steps: &[("GET /page", "303 moved\nlocation: /locked")],
    },
    Task {
        name: "the sample API's own 409 is not a rule's",
        rules: "[[rule]]\nname = \"never\"\npath = \"/orders\"\nevery = 2\nreply = { status = 200 }",
        upstream: Backend::Sample,
        steps: &[
            ("POST /register\n\n{\"username\":\"ann\"}", "201"),
            ("POST /register\n\n{\"username\":\"ann\"}", "409"),
        ],
    },
    Task {
        name: "a 204 has no body",
        rules: "[[rule]]\nname = \"empty\"\nreply = { status = 204 }",
        upstream: Backend::Script { replies: &["200"], sees: 0 },
        steps: &[("DELETE /items/1", "204 empty")],
    },
    Task {
        name: "a 200 that says locked becomes a 409",
        rules: r#"
            [[rule]]
            name = "locked"
            path = "/docs/{id}"
            phase = "after"
            upstream_response = { status = 200, body = { "/locked" = [true] } }
        "#,
        upstream: Backend::Script {
            replies: &[
                "200\ncontent-type: application/json\n\n{\"locked\":true}",
                "200\ncontent-type: application/json\n\n{\"locked\":false}",
            ],
            sees: 2,
        },
        steps: &[
            ("GET /docs/1", "409 locked"),
            ("GET /docs/1", "200\ncontent-type: application/json\n\n{\"locked\":false}"),
        ],
    },
    Task {
        name: "the first response that is like that is refused, whichever request it is",
        rules: r#"
            [[rule]]
            name = "first"
            first = 1
            phase = "after"
            upstream_response = { body = { "/locked" = [true] } }
        "#,
        upstream: Backend::Script {
            replies: &["200\n\n{\"locked\":false}", "200\n\n{\"locked\":true}"],
            sees: 3,
        },
        steps: &[("GET /", "200"), ("GET /", "409 first"), ("GET /", "200\n\n{\"locked\":true}")],
    },
    Task {
        name: "a compressed response is read, and passes as it came",
        rules: r#"
            [[rule]]
            name = "locked"
            phase = "after"
            upstream_response = { body = { "/locked" = [true] } }
        "#,
        upstream: Backend::Script {
            replies: &[
                "200\ncontent-encoding: gzip\n\n{\"locked\":true}",
                "200\ncontent-encoding: gzip\n\n{\"locked\":false}",
            ],
            sees: 2,
        },
        steps: &[("GET /", "409 locked"), ("GET /", "200\ncontent-encoding: gzip")],
    },
    Task {
        name: "a status of the upstream becomes another one",
        rules: r#"
            [[rule]]
            name = "gone"
            phase = "after"
            upstream_response = { status = [404, "5xx"] }
            reply = { status = 409, body = "was {status}" }
        "#,
        upstream: Backend::Script { replies: &["404", "503", "400", "200"], sees: 4 },
        steps: &[("GET /", "409 gone"), ("GET /", "409 gone"), ("GET /", "400"), ("GET /", "200")],
    },
    Task {
        name: "without a status, only a response that accepts",
        rules: r#"
            [[rule]]
            name = "r"
            phase = "after"
            upstream_response = { header = { x-lock = true } }
        "#,
        upstream: Backend::Script { replies: &["423\nx-lock: a", "200", "201\nx-lock: a"], sees: 3 },
        steps: &[("PUT /", "423"), ("PUT /", "200"), ("PUT /", "409 r")],
    },
    Task {
        name: "a response that is like that is lost",
        rules: r#"
            [[rule]]
            name = "r"
            method = "POST"
            phase = "lost"
            first = 1
            upstream_response = { status = 201 }
        "#,
        upstream: Backend::Script { replies: &["200", "201"], sees: 3 },
        steps: &[("POST /", "200"), ("POST /", "nothing"), ("POST /", "201")],
    },
    Task {
        name: "a body longer than body_limit does not match, and passes",
        rules: r#"
            body_limit = "16 B"
            [[rule]]
            name = "r"
            phase = "after"
            upstream_response = { body = { "/locked" = [true] } }
        "#,
        upstream: Backend::Script {
            replies: &["200\n\n{\"locked\":true,\"more\":\"than 16 bytes\"}", "200\n\n{\"locked\":true}"],
            sees: 2,
        },
        steps: &[("GET /", "200\n\n{\"locked\":true,\"more\":\"than 16 bytes\"}"), ("GET /", "409 r")],
    },
    Task {
        name: "a body that is not JSON, or not in its encoding, does not match",
        rules: r#"
            [[rule]]
            name = "r"
            phase = "after"
            upstream_response = { body = { "/locked" = [true] } }
        "#,
        upstream: Backend::Script {
            replies: &["200\n\nlocked", "200\ncontent-encoding: br\n\n{\"locked\":true}", "200"],
            sees: 3,
        },
        steps: &[("GET /", "200\n\nlocked"), ("GET /", "200\n\n{\"locked\":true}"), ("GET /", "200")],
    },
    Task {
        name: "of the rules that wait for the response, the first in the file answers",
        rules: r#"
            [[rule]]
            name = "first"
            phase = "after"
            upstream_response = { body = { "/locked" = [true] } }
            reply = { status = 423 }
            [[rule]]
            name = "second"
            phase = "after"
        "#,
        upstream: Backend::Script {
            replies: &["200\n\n{\"locked\":true}", "200\n\n{\"locked\":false}"],
            sees: 2,
        },
        steps: &[("GET /", "423 first"), ("GET /", "409 second")],
    },
    Task {
        name: "a later rule that refuses before the upstream is asked comes first in time",
        rules: r#"
            [[rule]]
            name = "after"
            phase = "after"
            upstream_response = { status = 200 }
            reply = { status = 423 }
            [[rule]]
            name = "before"
            every = 2
        "#,
        upstream: Backend::Script { replies: &["200"], sees: 1 },
        steps: &[("GET /", "423 after"), ("GET /", "409 before")],
    },
    Task {
        name: "a conflict by a response stays open under clear",
        rules: r#"
            [[rule]]
            name = "r"
            method = "PUT"
            path = "/{id}"
            phase = "after"
            clear = 2
            upstream_response = { header = { x-lock = true } }
        "#,
        upstream: Backend::Script { replies: &["200\nx-lock: a"], sees: 2 },
        steps: &[("PUT /a", "409 r"), ("PUT /a", "409 r")],
    },
    Task {
        name: "a response in chunks that a rule has looked at passes whole",
        rules: r#"
            [[rule]]
            name = "r"
            phase = "after"
            upstream_response = { body = { "/no" = [true] } }
        "#,
        upstream: Backend::Sample,
        steps: &[("GET /bytes/300000?chunked=1", "200"), ("GET /items/1", "200"), ("HEAD /items/1", "200")],
    },
    Task {
        name: "the shipped example of a 200 that says locked",
        rules: include_str!("../../../examples/locked-in-a-200.toml"),
        upstream: Backend::Script {
            replies: &["200\n\n{\"locked\":true}", "200\n\n{\"locked\":false}"],
            sees: 2,
        },
        steps: &[("GET /documents/7", "409 locked\nretry-after: 5"), ("GET /documents/7", "200")],
    },
    Task {
        name: "upstream_response without a phase never fires",
        rules: "[[rule]]\nupstream_response = { status = 200 }",
        upstream: Backend::Script { replies: &["200"], sees: 1 },
        steps: &[("GET /", "200")],
    },
];
