//! Rules that look into requests: lists of patterns, and bodies by their media types.

use super::{Backend, Task};

/// An upstream that accepts everything, and sees so many requests.
const fn accepts(sees: usize) -> Backend {
    Backend::Script { replies: &["200\n\nok"], sees }
}

pub const TASKS: &[Task] = &[
    Task {
        name: "one of several paths, and what the one that fits captures",
        rules: r#"
            [[rule]]
            name = "either"
            path = ["/items/{id}", "/v*/items/{id}"]
            per = "param:id"
            first = 1
            reply = { body = "{param.id}" }
        "#,
        upstream: accepts(3),
        steps: &[
            ("PUT /items/7", "409 either\n\n7"),
            ("PUT /v2/items/7", "200"),
            ("PUT /v2/items/8", "409 either\n\n8"),
            ("PUT /items/8", "200"),
            ("PUT /orders/9", "200"),
        ],
    },
    Task {
        name: "one of several hosts, header, query and cookie values",
        rules: r#"
            [[rule]]
            name = "one-of"
            host = ["other.test", "*.test"]
            header = { x-tenant = ["blue", "g*"] }
            query = { state = ["open", "draft*"] }
            cookie = { lang = ["de", "fr"] }
        "#,
        upstream: accepts(3),
        steps: &[
            ("GET /?state=draft-2\nx-tenant: green\ncookie: lang=fr", "409 one-of"),
            ("GET /?state=open\nx-tenant: blue\ncookie: lang=de", "409 one-of"),
            ("GET /?state=closed\nx-tenant: blue\ncookie: lang=de", "200"),
            ("GET /?state=open\nx-tenant: red\ncookie: lang=de", "200"),
            ("GET /?state=open\nx-tenant: blue\ncookie: lang=en", "200"),
        ],
    },
];
