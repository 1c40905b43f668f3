//! Keys of `upstream_response`.

use super::Fallback::Words;
use super::{Form, Group, KeyEntry, Section, ValueType, entry};

/// A status of the upstream's, or a class of them.
const STATUS: ValueType =
    ValueType::Any(&[ValueType::Integer { least: 200, most: 599 }, ValueType::Text(Form::StatusClass)]);

pub(in crate::rules) static UPSTREAM_RESPONSE: Section = Section {
    name: "`upstream_response`",
    heading: "`upstream_response`",
    frame: "[[rule]]\nphase = \"after\"\n[rule.upstream_response]\n",
    about: "Which of the upstream's responses become conflicts; all given keys must hold. Such a rule counts the exchanges \
            whose response is like that and no other: `first = 1` is about the first such response. It decides when the \
            response is there; a later rule that refuses the request before the upstream sees it comes first in time. Of the \
            rules that wait for the response, the first in the file that fires answers. A body is looked at in JSON of up to \
            `body_limit`, through gzip, deflate, br and zstd. The response waits for it; a longer one, an event stream and one \
            that cannot be decoded do not match, are counted, and pass as they came.",
    groups: &[Group { say: "what the response is like", entries: &KEYS }],
};

static KEYS: [KeyEntry; 3] = [
    entry(
        "status",
        ValueType::OneOrMore(&STATUS),
        Words("any 2xx, as others accept nothing"),
        "The status is this one, in this class, or one of these.",
        "status = [200, \"4xx\"]",
    ),
    entry(
        "header",
        super::requests::HEADERS,
        Words("any"),
        "The header is like the pattern; `true`: is there, `false`: is not.",
        "header = { x-locked = true }",
    ),
    entry(
        "body",
        super::requests::BODY,
        Words("any"),
        "The JSON body has this value there, as in a rule's own `body`.",
        "body = { \"/locked\" = [true], \"/lock/kind\" = \"exclusive\" }",
    ),
];
