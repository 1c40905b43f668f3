//! Keys of the top level.

use super::Fallback::{Is, Words};
use super::{
    EXPECT, Form, Group, JOURNAL, KeyEntry, LIMITS, RULE, Section, TIMEOUTS, TLS, UPSTREAM_TLS, ValueType,
    entry,
};

pub(in crate::rules) static TOP: Section = Section {
    name: "the top level",
    heading: "Top level",
    frame: "",
    about: "A flag on the command line beats an environment variable (`FRACAS_LISTEN` …), which beats the file.",
    groups: &[
        Group { say: "where the proxy listens and sends to", entries: &PLACES },
        Group { say: "how it works", entries: &WORKINGS },
        Group { say: "what it knows of clients", entries: &CLIENTS },
        Group { say: "which tables there are", entries: &TABLES },
    ],
};

static PLACES: [KeyEntry; 9] = [
    entry(
        "listen",
        ValueType::Text(Form::Socket),
        Is("\"127.0.0.1:4090\""),
        "Where clients connect. Port 0 takes any free one, which is printed.",
        "listen = \"127.0.0.1:4090\"",
    ),
    entry(
        "upstream",
        ValueType::Any(&[ValueType::Choice(&["demo"]), ValueType::Text(Form::HttpUrl)]),
        Is("\"demo\""),
        "Where requests go: a URL, whose path is put before every request's, or the built-in sample API. An \
         `https` upstream is spoken to in HTTP/2 if it offers that, an `h2c` one always.",
        "upstream = \"https://staging.example:8443/api\"",
    ),
    entry(
        "admin",
        ValueType::Any(&[ValueType::Choice(&["off"]), ValueType::Text(Form::Socket)]),
        Words("none yet; `127.0.0.1:4091` is kept free for it"),
        "Where the dashboard and its API listen; `\"off\"` for neither.",
        "admin = \"127.0.0.1:4091\"",
    ),
    entry(
        "host",
        ValueType::Choice(&["upstream", "client"]),
        Is("\"upstream\""),
        "Which `Host` the upstream sees: its own, or the one that the client sent. With `\"upstream\"`, what names the \
         proxy in a request's other headers (`Origin`, `Referer`, `Destination` …) names the upstream too, below its \
         base path; names of other sites stay. `\"client\"` is the better choice for an upstream that goes by \
         `X-Forwarded-Host` (Django with `USE_X_FORWARDED_HOST`), that serves several hosts, or whose clients sign \
         the `Host` that they send (AWS Signature Version 4).",
        "host = \"client\"",
    ),
    entry(
        "allowed_hosts",
        ValueType::List(Form::TextPattern),
        Is("[]"),
        "Names in `Host` that are served on a loopback address beside IP addresses, names under `localhost`, the \
         upstream's own and those of rules' `host`; `*` is any run, `[\"*\"]` serves every name. A page of another \
         site could otherwise read the upstream's answers by letting its own name lead to 127.0.0.1. On other \
         addresses every name is served.",
        "allowed_hosts = [\"shop.test\", \"*.shop.test\"]",
    ),
    entry(
        "upgrades",
        ValueType::List(Form::Protocol),
        Is("[\"websocket\"]"),
        "Protocols to which a connection may be upgraded (RFC 9110 §7.8). Its bytes pass both ways then, unseen by the \
         rules. Docker's `attach` and `exec` are `\"tcp\"`.",
        "upgrades = [\"websocket\", \"tcp\"]",
    ),
    entry(
        "rewrite_bodies",
        ValueType::Boolean,
        Is("false"),
        "Whether URLs of the upstream (`http://up/a`, `//up/a`, `http:\\/\\/up`) become the proxy's in responses of HTML, \
         JSON and XML, so that a client that follows them stays inside. Bodies stream; gzip, deflate, br and zstd are decoded and \
         sent plain, and the upstream is asked for gzip, deflate and br alone. `Content-Length` and digests go, as they hold of \
         the upstream's bytes; `ETag` stays as it is, so that `If-Match` works: the same bytes are always rewritten \
         alike. `Range` is not sent up, as parts of two texts would not fit together. Request bodies, \
         percent-encoded URLs, and text in UTF-16 or UTF-32 stay as they are. Without it, reports count the responses \
         whose first 64 KiB hold the upstream's origin, and say whose they were; bodies in other \
         encodings than these four are not looked at.",
        "rewrite_bodies = true",
    ),
    entry(
        "via",
        ValueType::Boolean,
        Is("true"),
        "Whether the proxy adds itself to `Via`, by a name that it takes at its start and by which it finds requests \
         that go round (508). Some upstreams leave compression or strong ETags off when they see a `Via` (nginx's \
         `gzip_proxied`): for them, `false`.",
        "via = false",
    ),
    entry(
        "replay",
        ValueType::Boolean,
        Is("true"),
        "Whether a GET, HEAD or OPTIONS without a body is sent once more, on a fresh connection, when its reused \
         one had been closed unanswered. Nothing else is ever sent twice. Such replays are counted; `false` leaves \
         every retry to the client.",
        "replay = false",
    ),
];

static WORKINGS: [KeyEntry; 6] = [
    entry(
        "seed",
        ValueType::Integer { least: 0, most: u64::MAX },
        Is("1"),
        "The same seed gives the same decisions, at any interleaving of requests.",
        "seed = 42",
    ),
    entry(
        "workers",
        ValueType::Integer { least: 1, most: 1024 },
        Words("one per core"),
        "Threads that serve.",
        "workers = 2",
    ),
    entry(
        "state",
        ValueType::Any(&[ValueType::Choice(&["memory"]), ValueType::Text(Form::RedisUrl)]),
        Is("\"memory\""),
        "Where counters and state are kept; several proxies share them in a Redis.",
        "state = \"redis://127.0.0.1:6379\"",
    ),
    entry(
        "body_limit",
        ValueType::Size { least: 1, most: 64 * 1024 * 1024 },
        Is("\"64 KiB\""),
        "How much of a body a rule may look at. A longer body makes a rule that reads bodies not match. Of a JSON body of more than 4 MiB nothing is looked at; of one of more than 256 KiB the journal keeps no hash to compare tries by, and in a response of that length no version is looked for.",
        "body_limit = \"1 MiB\"",
    ),
    entry(
        "mark",
        ValueType::Boolean,
        Is("true"),
        "Whether injected responses carry the `Fracas` header, which names the rule.",
        "mark = false",
    ),
    entry(
        "cors",
        ValueType::Boolean,
        Is("true"),
        "Whether a page of another origin may read injected responses.",
        "cors = false",
    ),
];

static CLIENTS: [KeyEntry; 2] = [
    entry(
        "client_id",
        ValueType::List(Form::Identity),
        Is("[\"header:authorization\", \"cookie:session\", \"address+user-agent\"]"),
        "The client id: the first of these that a request has.",
        "client_id = [\"header:x-api-key\", \"address\"]",
    ),
    entry(
        "trusted",
        ValueType::List(Form::Network),
        Is("[]"),
        "Trusted peers: their `X-Forwarded-For` is believed.",
        "trusted = [\"10.0.0.0/8\"]",
    ),
];

static TABLES: [KeyEntry; 8] = [
    entry(
        "include",
        ValueType::List(Form::Files),
        Is("[]"),
        "Files whose rules and settings belong to this file, as if they stood here: their rules are tried before the \
         file's own. `*` is any run of characters in a name, but does not begin with a dot; the files of one pattern \
         are taken in the order of their names. Each lies below the folder of the file that names it, links resolved, \
         and is read once. Names of files in an included file (`body_file`, certificates, `include`) are looked up \
         from its own folder.",
        "include = [\"rules.d/*.toml\"]",
    ),
    entry(
        "rule",
        ValueType::Tables(&RULE),
        Words("no rule: every request goes upstream"),
        "One rule. Rules are tried in file order; the first one that matches and fires responds. At most 100,000.",
        "[[rule]]\nmethod = \"PUT\"\nrate = 0.25",
    ),
    entry(
        "timeouts",
        ValueType::Table(&TIMEOUTS),
        Words("as below"),
        "Deadlines.",
        "timeouts = { connect = \"2s\" }",
    ),
    entry("limits", ValueType::Table(&LIMITS), Words("as below"), "Bounds.", "limits = { keys = 10_000 }"),
    entry(
        "tls",
        ValueType::Table(&TLS),
        Words("clients are served without TLS"),
        "How clients are served.",
        "tls = { self_signed = true }",
    ),
    entry(
        "upstream_tls",
        ValueType::Table(&UPSTREAM_TLS),
        Words("an https upstream has to have a certificate that the system trusts"),
        "How an https upstream is spoken to.",
        "upstream = \"https://staging.example\"\nupstream_tls = { ca = \"ca.pem\" }",
    ),
    entry(
        "expect",
        ValueType::Table(&EXPECT),
        Words("nothing is asked of clients"),
        "The demands on clients.",
        "expect = { max_tries = 5 }",
    ),
    entry(
        "journal",
        ValueType::Table(&JOURNAL),
        Words("as below"),
        "The record of attempts: methods, paths and versions as they are, hashes of keys and credentials, no queries \
         and no bodies.",
        "journal = { attempts = 10_000 }",
    ),
];
