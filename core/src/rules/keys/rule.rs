//! Keys of a rule, and of its `during`.

use std::time::Duration;

use super::Fallback::{self, Is, Words};
use super::requests::MATCH_KEYS;
use super::value::YEAR;
use super::{
    EXPECT, Form, Group, KeyEntry, NOT, PASS, READ, REPLIES, REPLY, Section, UPSTREAM_RESPONSE, ValueType,
    entry,
};
use crate::rules::triggers;

pub(in crate::rules) static RULE: Section = Section {
    name: "a rule",
    heading: "`[[rule]]`",
    frame: "[[rule]]\n",
    about: "Every key that says which requests the rule is about must hold. At most one key says which of them conflict; \
            without one, every matching request does.",
    groups: &[
        Group { say: "what the rule is", entries: &RULE_KEYS },
        Group { say: "which requests it is about", entries: &MATCH_KEYS },
        Group { say: "which requests it leaves out", entries: &NOT_KEY },
        Group { say: "which requests conflict", entries: triggers::KEYS },
        Group { say: "what `on` goes by", entries: triggers::COMPANIONS },
        Group { say: "where versions are, and what reads them", entries: &VERSIONS },
        Group { say: "what is counted, and when", entries: &AROUND },
        Group { say: "what the conflict is", entries: &CONFLICT },
        Group { say: "what befalls requests that pass", entries: &PASSING },
    ],
};

static RULE_KEYS: [KeyEntry; 2] = [
    entry(
        "name",
        ValueType::Text(Form::Name),
        Words("`rule-N` by position, from 1"),
        "Unique in the file: 1 to 64 of `A-Z a-z 0-9 _ . -`. It is in the `Fracas` header and decides the dice.",
        "name = \"flaky-writes\"",
    ),
    entry(
        "enabled",
        ValueType::Boolean,
        Is("true"),
        "A rule that is not enabled never matches.",
        "enabled = false",
    ),
];

static NOT_KEY: [KeyEntry; 1] = [entry(
    "not",
    ValueType::Table(&NOT),
    Words("none"),
    "Requests for which all of these hold do not match.",
    "not = { header = { x-test = true } }",
)];

static VERSIONS: [KeyEntry; 2] = [
    entry(
        "version",
        ValueType::Any(&[ValueType::Text(Form::Version), ValueType::Table(&VERSION)]),
        Words("`If-Match` and `ETag`, or `If-Unmodified-Since` and `Last-Modified`"),
        "With `on = \"stale\"` or `kind = \"version\"`: where requests and responses carry the version, or where each of them \
         does. Versions are compared within this place only. In a body it is found in plain JSON of up to `body_limit`.",
        "on = \"stale\"\nversion = \"body:/rev\"",
    ),
    entry(
        "read",
        ValueType::Table(&READ),
        Words("GET and HEAD of the rule's path"),
        "Requests that read the rule's resource, beside GET and HEAD of its path.",
        "path = \"/rpc\"\nread = { method = \"POST\", body = { \"/method\" = \"item.get\" } }",
    ),
];

pub(in crate::rules) static VERSION: Section = Section {
    name: "`version`",
    heading: "`version`",
    frame: "[[rule]]\non = \"stale\"\n[rule.version]\n",
    about: "Where requests and responses have two places for one version. A text instead of the table names both: CouchDB's \
            `_rev` is `rev` in queries and responses, Elasticsearch's `if_seq_no` is `_seq_no` in responses, and GitHub's `sha` \
            stands below `content` in the response to a write.",
    groups: &[Group { say: "where the version is", entries: &VERSION_KEYS }],
};

static VERSION_KEYS: [KeyEntry; 2] = [
    entry(
        "request",
        ValueType::Text(Form::Version),
        Fallback::Required,
        "Where requests say which version they are based on.",
        "request = \"query:ifGenerationMatch\"\nresponse = \"body:/generation\"",
    ),
    entry(
        "response",
        ValueType::OneOrList(Form::Version),
        Fallback::Required,
        "Where responses show it, in a header or a body; of a list, the first that a response has.",
        "request = \"query:ifGenerationMatch\"\nresponse = [\"body:/generation\", \"header:x-goog-generation\"]",
    ),
];

static AROUND: [KeyEntry; 3] = [
    entry(
        "per",
        ValueType::OneOrList(Form::Key),
        Words(
            "`\"rule\"`; with `on` or `clear` `\"path\"`, but `\"client\"` for `expired` and `[\"client\", \"header:idempotency-key\"]` for `key_in_use`",
        ),
        "The scope of counters and state. A request that lacks a part of it does not match.",
        "per = [\"client\", \"path\"]",
    ),
    entry(
        "during",
        ValueType::Table(&DURING),
        Words("always"),
        "When the rule is awake, counted from the start of the proxy.",
        "during = { after = \"30s\", for = \"10s\", every = \"1m\" }",
    ),
    entry(
        "limit",
        ValueType::Integer { least: 1, most: u64::MAX },
        Words("no limit"),
        "How many conflicts the rule injects in all.",
        "limit = 100",
    ),
];

static CONFLICT: [KeyEntry; 7] = [
    entry(
        "kind",
        ValueType::Choice(&[
            "transient",
            "version",
            "overlap",
            "duplicate",
            "referenced",
            "session",
            "idempotency",
            "lock",
            "blocked",
        ]),
        Words("`\"transient\"`; `on` implies its own"),
        "The situation that the conflict plays. It decides the default reply and the client's right next move.",
        "kind = \"version\"",
    ),
    entry(
        "phase",
        ValueType::Choice(&["before", "after", "lost"]),
        Is("\"before\""),
        "`before`: the upstream never sees the request; `after`: it applied it, and the client is refused; `lost`: it \
         applied it, and the connection ends without an answer.",
        "phase = \"lost\"",
    ),
    entry(
        "upstream_response",
        ValueType::Table(&UPSTREAM_RESPONSE),
        Words("any that accepts the request"),
        "With `phase = \"after\"` or `\"lost\"`: the conflict happens when the upstream's own response is like this.",
        "phase = \"after\"\nupstream_response = { status = 200, body = { \"/locked\" = [true] } }",
    ),
    entry(
        "clear",
        ValueType::Any(&[
            ValueType::Choice(&["refetch", "new_version", "never"]),
            ValueType::Duration { least: Duration::from_millis(1), most: YEAR },
            ValueType::Integer { least: 1, most: u64::MAX },
        ]),
        Words("every request is decided on its own"),
        "When a conflict ends for its key and client: after a GET or HEAD of the resource that succeeds or \
         finds nothing there, with another validator, after a time, after that many refused tries, or never.",
        "clear = \"refetch\"",
    ),
    entry(
        "reply",
        ValueType::Table(&REPLY),
        Words("a problem document with status 409"),
        "The response to a refused client.",
        "reply = { status = 409, retry_after = \"2s\" }",
    ),
    entry(
        "replies",
        ValueType::Tables(&REPLIES),
        Words("`reply` alone"),
        "Several responses, in turn or by weight.",
        "replies = [{ status = 409, retry_after = \"1s\" }, { status = 503 }, { pass = true }]",
    ),
    entry(
        "expect",
        ValueType::Table(&EXPECT),
        Words("that of the top level"),
        "The demands on clients under this rule, over the top level's.",
        "expect = { max_tries = 3 }",
    ),
];

static PASSING: [KeyEntry; 1] = [entry(
    "pass",
    ValueType::Table(&PASS),
    Words("requests that fire are refused"),
    "Faults of the upstream's response, in the place of a refusal.",
    "pass = { delay = \"800ms\", jitter = \"200ms\" }",
)];

pub(in crate::rules) static DURING: Section = Section {
    name: "`during`",
    heading: "`during`",
    frame: "[[rule]]\n[rule.during]\n",
    about: "Counted from the start of the proxy; each at most a year.",
    groups: &[Group { say: "when a rule is awake", entries: &DURING_KEYS }],
};

static DURING_KEYS: [KeyEntry; 3] = [
    entry(
        "after",
        ValueType::Duration { least: Duration::ZERO, most: YEAR },
        Is("\"0s\""),
        "Asleep before this.",
        "after = \"30s\"",
    ),
    entry(
        "for",
        ValueType::Duration { least: Duration::from_millis(1), most: YEAR },
        Words("to the end"),
        "Awake for this long.",
        "for = \"10s\"",
    ),
    entry(
        "every",
        ValueType::Duration { least: Duration::from_millis(1), most: YEAR },
        Words("once"),
        "Wakes again each time this has passed; longer than `for`.",
        "for = \"10s\"\nevery = \"1m\"",
    ),
];
