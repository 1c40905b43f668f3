//! Conflicts by the state of what is asked for.

use super::{Backend, Task};

const OK: Backend = Backend::Script { replies: &["200"], sees: 1 };

pub const TASKS: &[Task] = &[
    Task {
        name: "one tab of a session has the lock, and another meets it",
        rules: r#"
            client_id = ["header:x-tab"]
            [[rule]]
            name = "one-tab-at-a-time"
            on = "locked"
            per = "cookie:session"
        "#,
        upstream: OK,
        steps: &[
            ("PUT /draft\ncookie: session=s\nx-tab: 1", "200"),
            ("PUT /draft\ncookie: session=s\nx-tab: 2", "409 one-tab-at-a-time"),
        ],
    },
    Task {
        name: "who is known by the session has its lock",
        rules: r#"
            [[rule]]
            name = "one-tab-at-a-time"
            on = "locked"
            per = "cookie:session"
        "#,
        upstream: Backend::Script { replies: &["200"], sees: 2 },
        steps: &[
            ("PUT /draft\ncookie: session=s\nx-tab: 1", "200"),
            ("PUT /draft\ncookie: session=s\nx-tab: 2", "200"),
        ],
    },
];
