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
    Task {
        name: "a password grant, and not a refresh, in a form",
        rules: r#"
            [[rule]]
            name = "token"
            method = "POST"
            path = "/token"
            form = { grant_type = ["password", "client_*"], scope = false }
        "#,
        upstream: accepts(3),
        steps: &[
            (
                "POST /token\ncontent-type: application/x-www-form-urlencoded\n\ngrant_type=password&user=a%20b",
                "409 token",
            ),
            (
                "POST /token\ncontent-type: application/x-www-form-urlencoded\n\nx=1&grant_type=client_credentials",
                "409 token",
            ),
            (
                "POST /token\ncontent-type: application/x-www-form-urlencoded\n\ngrant_type=refresh_token",
                "200",
            ),
            (
                "POST /token\ncontent-type: application/x-www-form-urlencoded\n\ngrant_type=password&scope=all",
                "200",
            ),
            ("POST /token\ncontent-type: application/json\n\n{\"grant_type\":\"password\"}", "200"),
        ],
    },
    Task {
        name: "once for each user of a form",
        rules: r#"
            [[rule]]
            name = "once"
            method = "POST"
            first = 1
            per = "form:user"
        "#,
        upstream: accepts(3),
        steps: &[
            ("POST /a\ncontent-type: application/x-www-form-urlencoded\n\nuser=ada&n=1", "409 once"),
            ("POST /a\ncontent-type: application/x-www-form-urlencoded\n\nuser=ada&n=2", "200"),
            ("POST /a\ncontent-type: application/x-www-form-urlencoded\n\nuser=bob", "409 once"),
            ("POST /a\ncontent-type: application/x-www-form-urlencoded\n\nname=ada", "200"),
            (
                "POST /a\ncontent-type: multipart/form-data; boundary=b\n\n--b\r\nContent-Disposition: form-data; name=\"user\"\r\n\r\nada\r\n--b--\r\n",
                "200",
            ),
        ],
    },
    Task {
        name: "an upload of a picture, by the name of its file and a field beside it",
        rules: r#"
            [[rule]]
            name = "upload"
            method = "POST"
            form = { file = "*.png", album = "7" }
        "#,
        upstream: accepts(2),
        steps: &[
            (
                "POST /photos\ncontent-type: multipart/form-data; boundary=\"x y\"\n\n--x y\r\nContent-Disposition: form-data; name=\"album\"\r\n\r\n7\r\n--x y\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.png\"\r\nContent-Type: image/png\r\n\r\n\u{1}\r\n--x y--\r\n",
                "409 upload",
            ),
            (
                "POST /photos\ncontent-type: multipart/form-data; boundary=x\n\n--x\r\nContent-Disposition: form-data; name=\"album\"\r\n\r\n7\r\n--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.gif\"\r\n\r\n\r\n--x--\r\n",
                "200",
            ),
            ("POST /photos\ncontent-type: multipart/form-data; boundary=x\n\n--x\r\nbroken", "200"),
        ],
    },
    Task {
        name: "a bulk write in which some line updates item 7",
        rules: r#"
            [[rule]]
            name = "bulk"
            method = "POST"
            path = "/_bulk"
            body = { "/update/_id" = "7", "/update/_index" = "items" }
        "#,
        upstream: accepts(3),
        steps: &[
            (
                "POST /_bulk\ncontent-type: application/x-ndjson\n\n{\"index\":{\"_id\":\"1\"}}\n{}\n{\"update\":{\"_index\":\"items\",\"_id\":\"7\"}}\n{\"doc\":{}}\n",
                "409 bulk",
            ),
            (
                "POST /_bulk\ncontent-type: application/json\n\n{\"update\":{\"_index\":\"items\",\"_id\":\"7\"}}\n{}\n",
                "409 bulk",
            ),
            (
                "POST /_bulk\ncontent-type: application/x-ndjson\n\n{\"update\":{\"_index\":\"items\",\"_id\":\"7\"}}",
                "409 bulk",
            ),
            (
                "POST /_bulk\ncontent-type: application/x-ndjson\n\n{\"update\":{\"_id\":\"7\"}}\n{\"update\":{\"_index\":\"items\"}}\n",
                "200",
            ),
            (
                "POST /_bulk\ncontent-type: application/x-ndjson\n\nbroken\n{\"index\":{\"_id\":\"7\"}}\n",
                "200",
            ),
            (
                "POST /_bulk\ncontent-type: text/plain\n\n{\"update\":{\"_index\":\"items\",\"_id\":\"7\"}}\n{}\n",
                "200",
            ),
        ],
    },
    Task {
        name: "a GraphQL mutation by its operation's name",
        rules: r#"
            [[rule]]
            name = "save"
            method = "POST"
            path = "/graphql"
            body = { "/operationName" = ["Save*", "Rename"] }
        "#,
        upstream: accepts(2),
        steps: &[
            (
                "POST /graphql\ncontent-type: application/json\n\n{\"operationName\":\"SaveOrder\",\"query\":\"\"}",
                "409 save",
            ),
            (
                "POST /graphql\ncontent-type: application/json\n\n{\"operationName\":\"Orders\",\"query\":\"SaveOrder\"}",
                "200",
            ),
            ("POST /graphql\ncontent-type: application/json\n\n{\"query\":\"mutation Save { a }\"}", "200"),
        ],
    },
    Task {
        name: "XML that asks for a lock, as text",
        rules: "[[rule]]\nname = \"dav\"\ntext = [\"*<D:exclusive/>*\", \"*<exclusive/>*\"]\n",
        upstream: accepts(1),
        steps: &[
            (
                "LOCK /a\ncontent-type: application/xml\n\n<D:lockinfo>\n<D:lockscope><D:exclusive/></D:lockscope></D:lockinfo>",
                "409 dav",
            ),
            ("LOCK /a\ncontent-type: application/xml\n\n<lockinfo><shared/></lockinfo>", "200"),
        ],
    },
    Task {
        name: "some item of an order, whatever its place",
        rules: r#"
            [[rule]]
            name = "sold-out"
            method = "POST"
            body = { "/items/*/sku" = ["tea-*", "mug"], "/items/*/count" = 2 }
        "#,
        upstream: accepts(2),
        steps: &[
            (
                "POST /orders\n\n{\"items\":[{\"sku\":\"pot\",\"count\":2.0},{\"sku\":\"tea-green\",\"count\":1}]}",
                "409 sold-out",
            ),
            ("POST /orders\n\n{\"items\":{\"x\":{\"sku\":\"mug\",\"count\":2}}}", "409 sold-out"),
            ("POST /orders\n\n{\"items\":[{\"sku\":\"pot\",\"count\":2}]}", "200"),
            ("POST /orders\n\n{\"items\":[{\"sku\":\"mug\",\"count\":\"2\"}]}", "200"),
        ],
    },
    Task {
        name: "a field that is there, one that is not, and a boolean",
        rules: "[[rule]]\nname = \"draft\"\nbody = { \"/id\" = false, \"/title\" = true, \"/draft\" = [true] }\n",
        upstream: accepts(3),
        steps: &[
            ("POST /posts\n\n{\"title\":null,\"draft\":true}", "409 draft"),
            ("POST /posts\n\n{\"title\":\"a\",\"draft\":\"true\"}", "200"),
            ("POST /posts\n\n{\"title\":\"a\",\"draft\":true,\"id\":null}", "200"),
            ("POST /posts\n\n{\"draft\":true}", "200"),
        ],
    },
    Task {
        name: "once for the first item of each order",
        rules: "[[rule]]\nname = \"once\"\nfirst = 1\nper = \"body:/items/*/id\"\n",
        upstream: accepts(3),
        steps: &[
            ("POST /orders\n\n{\"items\":[{\"n\":1},{\"id\":\"a\"},{\"id\":\"b\"}]}", "409 once"),
            ("POST /orders\n\n{\"items\":[{\"id\":\"a\"}]}", "200"),
            ("POST /orders\n\n{\"items\":[{\"id\":\"b\"}]}", "409 once"),
            ("POST /orders\n\n{\"items\":[]}", "200"),
            (
                "POST /orders\ncontent-type: application/x-ndjson\n\n{\"x\":1}\n{\"items\":[{\"id\":\"a\"}]}\n",
                "200",
            ),
        ],
    },
    Task {
        name: "a star that is a member's own name",
        rules: "[[rule]]\nname = \"star\"\nbody = { \"/~2\" = 1 }\n",
        upstream: accepts(1),
        steps: &[("POST /\n\n{\"*\":1}", "409 star"), ("POST /\n\n{\"a\":1}", "200")],
    },
    Task {
        name: "a field of a compressed body",
        rules: "[[rule]]\nname = \"gzip\"\nbody = { \"/status\" = \"paid\" }\n",
        upstream: accepts(2),
        steps: &[
            ("POST /\ncontent-encoding: gzip\n\n{\"status\":\"paid\"}", "409 gzip"),
            ("POST /\ncontent-encoding: gzip\n\n{\"status\":\"new\"}", "200"),
            ("POST /\ncontent-encoding: br\n\n{\"status\":\"paid\"}", "200"),
        ],
    },
    Task {
        name: "a compressed form",
        rules: "[[rule]]\nname = \"gzip-form\"\nform = { a = \"1\" }\n",
        upstream: accepts(1),
        steps: &[
            (
                "POST /\ncontent-type: application/x-www-form-urlencoded\ncontent-encoding: gzip\n\na=1",
                "409 gzip-form",
            ),
            ("POST /\ncontent-type: application/x-www-form-urlencoded\ncontent-encoding: gzip\n\na=2", "200"),
        ],
    },
    Task {
        name: "the example about bodies",
        rules: include_str!("../../../examples/bodies.toml"),
        upstream: accepts(2),
        steps: &[
            (
                "POST /token\ncontent-type: application/x-www-form-urlencoded\n\ngrant_type=password&username=ada",
                "409 login",
            ),
            (
                "POST /albums/1/photos\ncontent-type: multipart/form-data; boundary=b\n\n--b\r\nContent-Disposition: form-data; name=file; filename=a.jpg\r\n\r\n\r\n--b--\r\n",
                "409 upload",
            ),
            ("POST /orders\n\n{\"items\":[{\"sku\":\"pot\"},{\"sku\":\"mug\"}]}", "409 tea-sold-out"),
            ("POST /orders\n\n{\"items\":[{\"sku\":\"pot\"}]}", "200"),
            (
                "POST /_bulk\ncontent-type: application/x-ndjson\n\n{\"index\":{}}\n{}\n{\"update\":{\"_index\":\"items\"}}\n",
                "409 bulk",
            ),
            ("POST /graphql\n\n{\"operationName\":\"SaveOrder\"}", "409 graphql"),
            ("LOCK /a\n\n<exclusive/>", "409 dav"),
            (
                "POST /token\ncontent-type: application/x-www-form-urlencoded\n\ngrant_type=refresh_token",
                "200",
            ),
        ],
    },
];
