//! Keys of `[timeouts]`, `[limits]`, `[tls]`, `[upstream_tls]` and `[journal]`.

use std::time::Duration;

use super::Fallback::{Is, Words};
use super::{Form, Group, KeyEntry, Section, ValueType, entry};

/// A day: a longer wait is another problem.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const WAIT: ValueType = ValueType::Duration { least: Duration::from_millis(1), most: DAY };

pub(in crate::rules) static TIMEOUTS: Section = Section {
    name: "`timeouts`",
    heading: "`[timeouts]`",
    frame: "[timeouts]\n",
    about: "Each is from 1 ms to 24 hours; `drain` may be `\"0s\"`.",
    groups: &[
        Group { say: "how long to wait for clients", entries: &CLIENT_WAITS },
        Group { say: "how long to wait for the upstream", entries: &UPSTREAM_WAITS },
        Group { say: "how long connections live", entries: &LIVES },
    ],
};

static CLIENT_WAITS: [KeyEntry; 3] = [
    entry(
        "request_head",
        WAIT,
        Is("\"30s\""),
        "For a client to send a whole request head.",
        "request_head = \"5s\"",
    ),
    entry(
        "request_body",
        WAIT,
        Is("\"60s\""),
        "Without a byte of a request's body.",
        "request_body = \"10s\"",
    ),
    entry("write", WAIT, Is("\"60s\""), "For a client that does not read its response.", "write = \"10s\""),
];

static UPSTREAM_WAITS: [KeyEntry; 3] = [
    entry(
        "connect",
        WAIT,
        Is("\"10s\""),
        "For a connection to the upstream, TLS included.",
        "connect = \"2s\"",
    ),
    entry(
        "response_head",
        WAIT,
        Is("\"60s\""),
        "For the upstream to begin its response once it has the request.",
        "response_head = \"10s\"",
    ),
    entry(
        "response_body",
        ValueType::Any(&[ValueType::Choice(&["off"]), WAIT]),
        Is("\"60s\""),
        "Without a byte of a response's body; `\"off\"` for streams of events that may be quiet for as long as they like.",
        "response_body = \"10s\"",
    ),
];

static LIVES: [KeyEntry; 3] = [
    entry(
        "keep_alive",
        WAIT,
        Is("\"75s\""),
        "A connection without a request, on either side.",
        "keep_alive = \"15s\"",
    ),
    entry(
        "tunnel",
        WAIT,
        Is("\"1h\""),
        "A tunnel, such as a WebSocket, through which nothing passes. One that was idle for ten seconds gives its place \
         to a new client when `limits.connections` leaves no other.",
        "tunnel = \"10m\"",
    ),
    entry(
        "drain",
        ValueType::Duration { least: Duration::ZERO, most: DAY },
        Is("\"10s\""),
        "For requests in flight when the proxy is told to stop.",
        "drain = \"0s\"",
    ),
];

pub(in crate::rules) static LIMITS: Section = Section {
    name: "`limits`",
    heading: "`[limits]`",
    frame: "[limits]\n",
    about: "",
    groups: &[
        Group { say: "what clients may send", entries: &REQUEST_LIMITS },
        Group { say: "what the upstream may send", entries: &RESPONSE_LIMITS },
        Group { say: "how much state is kept", entries: &STATE_LIMITS },
    ],
};

static REQUEST_LIMITS: [KeyEntry; 4] = [
    entry(
        "connections",
        ValueType::Integer { least: 1, most: 1_000_000 },
        Words("10,000, or fewer where the process may not have two file descriptors for each"),
        "Clients' connections at once. A further one waits for half a second, and then gets a 503.",
        "connections = 100",
    ),
    entry(
        "header_bytes",
        // hyper refuses to parse heads in a buffer of less than 8 KiB.
        ValueType::Size { least: 8 * 1024, most: 1024 * 1024 },
        Is("\"64 KiB\""),
        "Bytes of a request's head.",
        "header_bytes = \"16 KiB\"",
    ),
    entry(
        "header_count",
        ValueType::Integer { least: 1, most: 10_000 },
        Is("100"),
        "Header lines of a request.",
        "header_count = 50",
    ),
    entry(
        "uri_bytes",
        ValueType::Size { least: 16, most: 64 * 1024 - 2 },
        Is("\"8 KiB\""),
        "Bytes of a request's URI.",
        "uri_bytes = \"2 KiB\"",
    ),
];

static RESPONSE_LIMITS: [KeyEntry; 2] = [
    entry(
        "response_header_bytes",
        ValueType::Size { least: 8 * 1024, most: 1024 * 1024 },
        Is("\"256 KiB\""),
        "Bytes of a response's head; a longer one becomes a 502.",
        "response_header_bytes = \"64 KiB\"",
    ),
    entry(
        "response_header_count",
        ValueType::Integer { least: 1, most: 10_000 },
        Is("256"),
        "Header lines of a response; one with more becomes a 502.",
        "response_header_count = 1_000",
    ),
];

static STATE_LIMITS: [KeyEntry; 2] = [
    entry(
        "keys",
        ValueType::Integer { least: 1, most: 100_000_000 },
        Is("1_000_000"),
        "Keys of state held at once; the oldest go first, and are counted.",
        "keys = 10_000",
    ),
    entry(
        "key_ttl",
        ValueType::Duration { least: Duration::from_secs(1), most: Duration::from_secs(365 * 24 * 60 * 60) },
        Is("\"1h\""),
        "A state key without a request for this long is evicted.",
        "key_ttl = \"10m\"",
    ),
];

pub(in crate::rules) static TLS: Section = Section {
    name: "`tls`",
    heading: "`[tls]`",
    frame: "[tls]\n",
    about: "Either `cert` and `key`, or `self_signed`. Names of files are relative to the working folder.",
    groups: &[Group { say: "how clients are served", entries: &TLS_KEYS }],
};

static TLS_KEYS: [KeyEntry; 3] = [
    entry(
        "cert",
        ValueType::Text(Form::File),
        Words("none"),
        "A PEM file with the certificate and its chain.",
        "cert = \"cert.pem\"\nkey = \"key.pem\"",
    ),
    entry(
        "key",
        ValueType::Text(Form::File),
        Words("none"),
        "A PEM file with the private key.",
        "cert = \"cert.pem\"\nkey = \"key.pem\"",
    ),
    entry(
        "self_signed",
        ValueType::Boolean,
        Is("false"),
        "Makes a certificate for this run, for localhost and the address listened on. Its SHA-256 is printed; a file of `--ready-file` holds it as `certificate`, for clients to trust.",
        "self_signed = true",
    ),
];

pub(in crate::rules) static UPSTREAM_TLS: Section = Section {
    name: "`upstream_tls`",
    heading: "`[upstream_tls]`",
    frame: "[upstream_tls]\n",
    about: "For https upstreams alone. Names of files are relative to the working folder.",
    groups: &[Group { say: "how an https upstream is spoken to", entries: &UPSTREAM_TLS_KEYS }],
};

static UPSTREAM_TLS_KEYS: [KeyEntry; 4] = [
    entry(
        "ca",
        ValueType::Text(Form::File),
        Words("the system's roots"),
        "A PEM file with the certificates to trust, instead of the system's or those that `SSL_CERT_FILE` and `SSL_CERT_DIR` name: authorities', or the upstream's own (`openssl req -x509`).",
        "ca = \"ca.pem\"",
    ),
    entry(
        "cert",
        ValueType::Text(Form::File),
        Words("none"),
        "A PEM file with the certificate that is shown to an upstream that asks for one, and its chain.",
        "cert = \"client.pem\"\nkey = \"client-key.pem\"",
    ),
    entry(
        "key",
        ValueType::Text(Form::File),
        Words("none"),
        "A PEM file with its private key.",
        "cert = \"client.pem\"\nkey = \"client-key.pem\"",
    ),
    entry(
        "insecure",
        ValueType::Boolean,
        Is("false"),
        "Takes any certificate: a machine in between can read and change everything. Each start warns of it.",
        "insecure = true",
    ),
];

pub(in crate::rules) static JOURNAL: Section = Section {
    name: "`journal`",
    heading: "`[journal]`",
    frame: "[journal]\n",
    about: "",
    groups: &[Group { say: "what is recorded of attempts", entries: &JOURNAL_KEYS }],
};

static JOURNAL_KEYS: [KeyEntry; 3] = [
    entry(
        "file",
        ValueType::Text(Form::File),
        Words("none"),
        "Appended to as JSON Lines.",
        "file = \"journal.jsonl\"",
    ),
    entry(
        "attempts",
        ValueType::Integer { least: 1, most: 10_000_000 },
        Is("100_000"),
        "Attempts kept in memory; the oldest go first.",
        "attempts = 10_000",
    ),
    entry(
        "volatile",
        ValueType::List(Form::Pointer),
        Is("[]"),
        "JSON pointers of body fields that differ between tries of one operation, a timestamp say.",
        "volatile = [\"/sent_at\"]",
    ),
];
