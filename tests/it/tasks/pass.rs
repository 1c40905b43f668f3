//! Faults of traffic that passes.

use super::{Backend, Task};

pub const TASKS: &[Task] = &[
    Task {
        name: "the first read of each item is late",
        rules: "[[rule]]\nname = \"slow\"\nmethod = \"GET\"\npath = \"/items/{id}\"\nfirst = 1\nper = \"path\"\n\
                pass = { delay = \"1ms\" }",
        upstream: Backend::Script { replies: &["200\n\nlamp"], sees: 3 },
        steps: &[
            ("GET /items/1", "200 slow\nfracas: rule=\"slow\", pass=(delay), n=1\n\nlamp"),
            ("GET /items/1", "200\n\nlamp"),
            ("GET /items/2", "200 slow\nfracas: rule=\"slow\", pass=(delay), n=1\n\nlamp"),
        ],
    },
    Task {
        name: "a slow link",
        rules: "[[rule]]\nname = \"modem\"\npass = { rate = \"1 MiB/s\" }",
        upstream: Backend::Script { replies: &["200\n\nlamp"], sees: 1 },
        steps: &[("GET /items/1", "200 modem\nfracas: rule=\"modem\", pass=(rate), n=1\n\nlamp")],
    },
    Task {
        name: "a stall within the body",
        rules: "[[rule]]\nname = \"pause\"\npass = { stall = \"1ms\" }",
        upstream: Backend::Script { replies: &["200\n\nlamp"], sees: 1 },
        steps: &[("GET /items/1", "200 pause\n\nlamp")],
    },
    Task {
        name: "errors of the upstream have faults too",
        rules: "[[rule]]\nname = \"slow\"\npass = { delay = \"1ms\", rate = \"1 MiB/s\" }",
        upstream: Backend::Script { replies: &["503\nretry-after: 1\n\nbusy"], sees: 1 },
        steps: &[(
            "GET /",
            "503 slow\nretry-after: 1\nfracas: rule=\"slow\", pass=(delay rate), n=1\n\nbusy",
        )],
    },
    Task {
        name: "refusals go first, and the rest is slow",
        rules: "[[rule]]\nname = \"refuse\"\nfirst = 1\n[[rule]]\nname = \"slow\"\npass = { delay = \"1ms\" }",
        upstream: Backend::Script { replies: &["200"], sees: 1 },
        steps: &[("PUT /items/1", "409 refuse"), ("PUT /items/1", "200 slow")],
    },
    Task {
        name: "a rule that lets pass answers like any other",
        rules: "[[rule]]\nname = \"slow\"\nfirst = 1\npass = { delay = \"1ms\" }\n[[rule]]\nname = \"refuse\"\nfirst = 1",
        upstream: Backend::Script { replies: &["200"], sees: 2 },
        steps: &[("PUT /items/1", "200 slow"), ("PUT /items/1", "409 refuse"), ("PUT /items/1", "200")],
    },
    Task {
        name: "beyond a rate it becomes slow instead of refused",
        rules: "[[rule]]\nname = \"crowded\"\nabove = \"2/h\"\npass = { delay = \"1ms\" }",
        upstream: Backend::Script { replies: &["200"], sees: 3 },
        steps: &[("GET /", "200"), ("GET /", "200"), ("GET /", "200 crowded")],
    },
    Task {
        name: "a limit of faults",
        rules: "[[rule]]\nname = \"slow\"\nlimit = 1\npass = { delay = \"1ms\" }",
        upstream: Backend::Script { replies: &["200"], sees: 2 },
        steps: &[("GET /", "200 slow"), ("GET /", "200")],
    },
    Task {
        name: "a stale write reaches the upstream, late",
        rules: "[[rule]]\nname = \"late\"\nmethod = \"PUT\"\npath = \"/items/{id}\"\non = \"stale\"\n\
                pass = { delay = \"1ms\" }",
        upstream: Backend::Sample,
        steps: &[
            ("GET /items/1", "200\netag: \"1\""),
            ("PUT /items/1\nif-match: \"0\"\n\n{\"name\":\"desk\"}", "412 late"),
            ("PUT /items/1\nif-match: \"1\"\n\n{\"name\":\"desk\"}", "200"),
        ],
    },
    Task {
        name: "a read that is cut clears no conflict",
        rules: "[[rule]]\nname = \"cut\"\nmethod = \"GET\"\nfirst = 1\npass = { cut = \"1 B\" }\n\
                [[rule]]\nname = \"changed\"\nmethod = \"PUT\"\npath = \"/items/{id}\"\nfirst = 1\nper = \"path\"\n\
                kind = \"version\"\nclear = \"refetch\"",
        upstream: Backend::Script { replies: &["200\n\nlamp"], sees: 3 },
        steps: &[
            ("PUT /items/1", "409 changed"),
            ("GET /items/1", "cut 200 cut\n\nl"),
            ("PUT /items/1", "409 changed"),
            ("GET /items/1", "200\n\nlamp"),
            ("PUT /items/1", "200"),
        ],
    },
    Task {
        name: "a read that is shorter than the cut clears",
        rules: "[[rule]]\nname = \"cut\"\nmethod = \"GET\"\npass = { cut = \"4 B\" }\n\
                [[rule]]\nname = \"changed\"\nmethod = \"PUT\"\npath = \"/items/{id}\"\nfirst = 1\nper = \"path\"\n\
                kind = \"version\"\nclear = \"refetch\"",
        upstream: Backend::Script { replies: &["200\n\nlamp"], sees: 2 },
        steps: &[
            ("PUT /items/1", "409 changed"),
            ("GET /items/1", "200 cut\n\nlamp"),
            ("PUT /items/1", "200"),
        ],
    },
];
