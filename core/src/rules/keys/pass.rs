//! Keys of a rule's `pass`.

use std::time::Duration;

use super::Fallback::Words;
use super::{Form, Group, KeyEntry, Section, ValueType, entry};

const HOUR: Duration = Duration::from_secs(60 * 60);

pub(in crate::rules) static PASS: Section = Section {
    name: "`pass`",
    heading: "`pass`",
    frame: "[[rule]]\n[rule.pass]\n",
    about: "Faults of traffic that passes, in the place of a refusal: the request goes to the upstream, and the response has \
            the faults on its way to the client. Such a rule answers like any other: the first rule in file order that \
            matches and fires decides, so that a rule with `pass` belongs behind those that refuse. It goes with every \
            trigger that counts, and with `on = \"stale\"`, `\"duplicate\"`, `\"referenced\"` and `\"expired\"`. The response \
            carries `Fracas: rule=\"slow\", pass=(delay), n=3`. A delayed response is no conflict to the checks; one that was \
            cut may be retried, and counts as no read.",
    groups: &[
        Group { say: "when the response comes", entries: &TIMES },
        Group { say: "what befalls its body", entries: &BODY },
    ],
};

static TIMES: [KeyEntry; 2] = [
    entry(
        "delay",
        ValueType::Duration { least: Duration::from_millis(1), most: HOUR },
        Words("none"),
        "The wait before the response's head is sent, once the upstream's has come.",
        "delay = \"800ms\"",
    ),
    entry(
        "jitter",
        ValueType::Duration { least: Duration::from_millis(1), most: HOUR },
        Words("none"),
        "Up to this much is added to `delay`, drawn from the seed, the rule's name, the key and the request's number.",
        "delay = \"800ms\"\njitter = \"200ms\"",
    ),
];

static BODY: [KeyEntry; 3] = [
    entry(
        "rate",
        ValueType::Text(Form::ByteRate),
        Words("as fast as it goes"),
        "Bytes of the body per second. The upstream is read no faster.",
        "rate = \"4 KiB/s\"",
    ),
    entry(
        "cut",
        ValueType::Size { least: 0, most: 1 << 40 },
        Words("never"),
        "After so many bytes of the body the connection closes, or over HTTP/2 the stream is reset. A body that is no longer \
         passes whole.",
        "cut = \"1 KiB\"",
    ),
    entry(
        "stall",
        ValueType::Duration { least: Duration::from_millis(1), most: HOUR },
        Words("none"),
        "A wait within the body, before the rest: after the bytes of `cut`, or else after the first byte.",
        "stall = \"30s\"",
    ),
];
