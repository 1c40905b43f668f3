//! Keys that say which requests: of a rule, of its `not`, of `release` and `by`.

use super::entry::Fallback::{self, Required, Words};
use super::entry::{Group, KeyEntry, Section, entry};
use super::value::{Form, ValueType};

const PRESENCE: ValueType = ValueType::Any(&[ValueType::OneOrList(Form::TextPattern), ValueType::Boolean]);

pub(super) const HEADERS: ValueType = ValueType::Map { name: "a header's name", value: &PRESENCE };

pub(super) const BODY: ValueType = ValueType::Map { name: "a JSON pointer", value: &ValueType::Scalars };

const METHOD: KeyEntry = entry(
    "method",
    ValueType::OneOrList(Form::Method),
    Words("any but OPTIONS and CONNECT, so that browsers' preflights pass"),
    "The request's method is this one, or one of these. Methods are case-sensitive.",
    "method = [\"PUT\", \"PATCH\"]",
);

const fn path(default: Fallback) -> KeyEntry {
    entry(
        "path",
        ValueType::OneOrList(Form::PathPattern),
        default,
        "The path as forwarded: `{name}` is one segment and captures it, `*` is any run inside a segment, `**` any run \
         of segments. Of a list the first pattern that fits captures, and `param:NAME` takes a name that all of them have.",
        "path = \"/items/{id}\"",
    )
}

/// The keys that a rule and its `not` share.
const MATCH: [KeyEntry; 11] = [
    METHOD,
    path(Words("any")),
    entry(
        "path_regex",
        ValueType::Text(Form::Regex),
        Words("any"),
        "Instead of `path`: a regular expression that the whole path fits; named groups capture.",
        "path_regex = '/items/(?<id>[0-9]+)'",
    ),
    entry(
        "host",
        ValueType::OneOrList(Form::TextPattern),
        Words("any"),
        "The host that the client asked for, without the port, is like this pattern, or like one of these.",
        "host = [\"example.com\", \"*.example.com\"]",
    ),
    entry(
        "header",
        HEADERS,
        Words("any"),
        "The header is like the pattern, or like one of a list; `true`: is there, `false`: is not.",
        "header = { if-match = true, content-type = \"application/json*\" }",
    ),
    entry(
        "query",
        ValueType::Map { name: "a parameter's name", value: &PRESENCE },
        Words("any"),
        "The query parameter is like the pattern, or like one of a list; `true`: is there, `false`: is not.",
        "query = { dry_run = false, status = [\"open\", \"draft*\"] }",
    ),
    entry(
        "cookie",
        ValueType::Map { name: "a cookie's name", value: &PRESENCE },
        Words("any"),
        "The cookie is like the pattern, or like one of a list; `true`: is there, `false`: is not.",
        "cookie = { session = true }",
    ),
    entry(
        "body",
        BODY,
        Words("any"),
        "The JSON body has this value there: text that is like the pattern, or a number that is equal (`1` is `1.0`, and \
         `\"1\"` is text), or one of a list; `true`: has something there, `false`: has nothing. `true` and `false` of JSON \
         are matched by a list, `[true]`. A `*` in the pointer is some element. In NDJSON all of them hold on one line; of \
         more than 256 KiB of it nothing is looked at. A body longer than `body_limit` does not match.",
        "body = { \"/status\" = [\"paid\", \"open*\"], \"/items/*/count\" = 2, \"/draft\" = false }",
    ),
    entry(
        "form",
        ValueType::Map { name: "a field's name", value: &PRESENCE },
        Words("any"),
        "The field of a form (`application/x-www-form-urlencoded` or `multipart/form-data`) is like the pattern, or like \
         one of a list; `true`: is there, `false`: is not. Of a file it is the file's name. A form has at most 4 MiB, and \
         its first 1,000 fields are looked at.",
        "form = { grant_type = \"password\", avatar = [\"*.png\", \"*.jpg\"] }",
    ),
    entry(
        "text",
        ValueType::OneOrList(Form::TextPattern),
        Words("any"),
        "The whole body, whatever its type, is like this pattern, or like one of these.",
        "text = \"*<locked>*\"",
    ),
    entry(
        "client",
        ValueType::OneOrList(Form::Network),
        Words("any"),
        "The client's address is this one, or in this network.",
        "client = [\"10.0.0.0/8\", \"::1\"]",
    ),
];

pub(in crate::rules) static MATCH_KEYS: [KeyEntry; 11] = MATCH;

pub(in crate::rules) static NOT: Section = Section {
    name: "`not`",
    heading: "`not`",
    frame: "[[rule]]\n[rule.not]\n",
    about: "The same keys as those of a rule that say which requests it is about. A request for which all of them \
            hold does not match.",
    groups: &[Group { say: "which requests are left out", entries: &MATCH_KEYS }],
};

pub(in crate::rules) static READ: Section = Section {
    name: "`read`",
    heading: "`read`",
    frame: "[[rule]]\n[rule.read]\n",
    about: "Requests that read the rule's resource, for APIs that read by POST (JSON-RPC, GraphQL, SOAP, `_mget`). \
            GET and HEAD of the rule's path need not be named. The rule refuses no such request; one that succeeds ends \
            `clear = \"refetch\"`, and counts as a read for the checks R1, R2, R15 and R16. It is a read of the resource with the same \
            key under `per`; where it cannot name that, of every resource that the rule has refused to its client. Without `path` \
            and `host`, those of the rule.",
    groups: &[Group { say: "which requests read", entries: &MATCH_KEYS }],
};

pub(in crate::rules) static SELECTOR: Section = Section {
    name: "`release` and `by`",
    heading: "`release` and `by`",
    frame: "[[rule]]\non = \"locked\"\n[rule.release]\n",
    about: "The requests that end an entry of state, or that make one refer to another.",
    groups: &[Group { say: "which requests", entries: &SELECTOR_KEYS }],
};

static SELECTOR_KEYS: [KeyEntry; 3] = [
    entry(
        "method",
        ValueType::OneOrList(Form::Method),
        Words("any but OPTIONS and CONNECT"),
        "The request's method is this one, or one of these.",
        "path = \"/items/{id}\"\nmethod = \"DELETE\"",
    ),
    path(Required),
    entry(
        "per",
        ValueType::OneOrList(Form::Key),
        Words("that of the rule; in `by` it must be given"),
        "Where these requests carry the key of the entry.",
        "path = \"/items/{id}\"\nper = \"param:id\"",
    ),
];
