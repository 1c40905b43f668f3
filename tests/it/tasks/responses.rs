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
];
