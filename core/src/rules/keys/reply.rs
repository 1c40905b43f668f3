//! Keys of a rule's `reply`.

use std::time::Duration;

use super::Fallback::{Is, Required, Words};
use super::{Form, Group, KeyEntry, Section, ValueType, entry};
use crate::rules::ReplyStyle;

/// Of `Retry-After`, in whole seconds (RFC 9110 §10.2.3).
const RETRY: ValueType =
    ValueType::Duration { least: Duration::ZERO, most: Duration::from_secs(24 * 60 * 60) };

/// As long as the conflict lasts.
pub(in crate::rules) const REMAINING: &str = "remaining";

pub(in crate::rules) static REPLY: Section = Section {
    name: "`reply`",
    heading: "`reply`",
    frame: "[[rule]]\nduring = { for = \"24h\" }\n[rule.reply]\n",
    about: "The response to a refused client. `body`, the text of `body_file` and the values of `headers` may hold \
            placeholders, listed at the end.",
    groups: &[
        Group { say: "what the answer is", entries: &ANSWER },
        Group { say: "when the client may come back", entries: &COMING_BACK },
    ],
};

pub(in crate::rules) static REPLIES: Section = Section {
    name: "`replies`",
    heading: "`replies`",
    frame: "[[rule]]\nduring = { for = \"24h\" }\n[[rule.replies]]\n",
    about: "Several responses to refused clients, in the place of `reply`; at most 100. The first conflict of a key \
            (`per`) gets the first, the second one the second, and so on; the last one stays. Conflicts are counted, not \
            requests: tries under an open conflict (`clear`) are, those that the upstream refused in the phases `after` and \
            `lost` are not. With `weight`, each conflict draws one, from the seed, the rule's name, the key and the request's \
            number, which is the `n` of the `Fracas` header. Texts and values are as in `reply`.",
    groups: &[
        Group { say: "which of them is taken", entries: &TAKEN },
        Group { say: "what the answer is", entries: &ANSWER },
        Group { say: "when the client may come back", entries: &COMING_BACK },
    ],
};

static TAKEN: [KeyEntry; 2] = [
    entry(
        "weight",
        ValueType::Integer { least: 0, most: 1_000_000 },
        Words("the replies are taken in turn; beside others with a weight, 0: it is never taken"),
        "This reply's part in the sum of all weights.",
        "weight = 3",
    ),
    entry(
        "pass",
        ValueType::Boolean,
        Is("false"),
        "Instead of a response: the rule leaves the request alone, as if it had not fired. It takes its turn, and is no \
         conflict.",
        "pass = true\n[[rule.replies]]\nstatus = 409",
    ),
];

static ANSWER: [KeyEntry; 5] = [
    entry(
        "status",
        ValueType::Integer { least: 200, most: 599 },
        Words("409; with `phase = \"lost\"` none: the connection just ends"),
        "The status. GraphQL and bulk endpoints refuse with a 200; whatever the status, the checks take the response for \
         a refusal. With `phase = \"lost\"` it is that of a gateway, from 500 on.",
        "status = 412",
    ),
    entry(
        "style",
        ValueType::Choice(ReplyStyle::WORDS),
        Is("\"problem\""),
        "The API that the response imitates. With a `body` it lends only the content type.",
        "style = \"json\"",
    ),
    entry(
        "body",
        ValueType::Text(Form::Template),
        Words("that of the style"),
        "The response's own text, at most 1 MiB.",
        "body = '{\"error\":\"{kind} conflict\"}'",
    ),
    entry(
        "body_file",
        ValueType::Text(Form::File),
        Words("none"),
        "A file with the response's text, at most 1 MiB of UTF-8, below the folder of the rules file.",
        "body_file = \"conflict.json\"",
    ),
    entry(
        "headers",
        ValueType::Map { name: "a header's name", value: &ValueType::Text(Form::Template) },
        Is("{}"),
        "Sent over those of the style. Headers that frame a message or belong to one connection are fracas's own.",
        "headers = { etag = '\"7\"' }",
    ),
];

static COMING_BACK: [KeyEntry; 3] = [
    entry(
        "retry_after",
        ValueType::Any(&[RETRY, ValueType::Choice(&[REMAINING]), ValueType::Table(&DATE)]),
        Words("none"),
        "`Retry-After`, in whole seconds up to 24 hours, or as a date. `\"remaining\"` gives the rest of the conflict, \
         rounded up: of the time in `clear`, until there is room below the rate in `above`, until `during` is over, \
         until the lock's `lease` is.",
        "retry_after = \"2s\"",
    ),
    entry(
        "retry_after_jitter",
        ValueType::Duration { least: Duration::from_secs(1), most: Duration::from_secs(24 * 60 * 60) },
        Words("none"),
        "Up to this much, in whole seconds, is added to `retry_after`, drawn for each conflict.",
        "retry_after = \"2s\"\nretry_after_jitter = \"3s\"",
    ),
    entry(
        "delay",
        ValueType::Duration { least: Duration::ZERO, most: Duration::from_secs(60 * 60) },
        Is("\"0s\""),
        "The delay before the response is sent, at most an hour.",
        "delay = \"300ms\"",
    ),
];

pub(in crate::rules) static DATE: Section = Section {
    name: "`retry_after`",
    heading: "`retry_after` as a date",
    frame: "[[rule]]\nduring = { for = \"24h\" }\n[rule.reply.retry_after]\n",
    about: "",
    groups: &[Group { say: "when the client may come back", entries: &DATE_KEYS }],
};

static DATE_KEYS: [KeyEntry; 1] = [entry(
    "date",
    ValueType::Any(&[RETRY, ValueType::Choice(&[REMAINING])]),
    Required,
    "The date this long after the response, as an HTTP date. `\"remaining\"`: the date at which the conflict ends.",
    "date = \"2s\"",
)];
