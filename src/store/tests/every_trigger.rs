//! Every trigger from the text of a rule to its verdicts: a shortest trace of each.

use super::playback::Playback;
use crate::rules::{BodyFileError, Rule, read, trigger_examples};

const ITEM: &str = "path = \"/items/{id}\"";

/// The word of a trigger, a rule with it, and requests of which one at least conflicts.
const TRACES: &[(&str, &str, &str)] = &[
    (
        "rate",
        "rate = 1.0",
        "A PUT /items/1                             | conflict
         A GET /x -> 200",
    ),
    (
        "first",
        "first = 1",
        "A PUT /items/1                             | conflict
         A PUT /items/1 -> 200                      | pass",
    ),
    (
        "every",
        "every = 2",
        "A PUT /items/1 -> 200                      | pass
         A PUT /items/1                             | conflict
         A PUT /items/1 -> 200                      | pass",
    ),
    (
        "pattern",
        "pattern = \".x\"",
        "A PUT /items/1 -> 200                      | pass
         A PUT /items/1                             | conflict
         A PUT /items/1 -> 200                      | pass",
    ),
    (
        "above",
        "above = \"1/s\"",
        "A PUT /items/1 -> 200                      | pass
         A PUT /items/1                             | conflict
         +1s
         A PUT /items/1 -> 200                      | pass",
    ),
    (
        "stale",
        "on = \"stale\"",
        "A GET /items/1 -> 200 etag:\"2\"            | pass
         A PUT /items/1 if-match:\"1\"              | conflict \"1\" not \"2\"
         A PUT /items/1 if-match:\"2\" -> 200       | pass",
    ),
    (
        "overlap",
        "on = \"overlap\"",
        "1: A PUT /items/1                          | admit
         B PUT /items/1                             | conflict
         1 -> 200
         B PUT /items/1 -> 200                      | admit",
    ),
    (
        "duplicate",
        "on = \"duplicate\"",
        "A PUT /items/1 -> 201                      | pass
         B PUT /items/1                             | conflict",
    ),
    (
        "referenced",
        "on = \"referenced\"\nby = { method = \"POST\", path = \"/orders/{item}\", per = \"param:item\" }\nper = \"param:id\"",
        "A DELETE /items/1 -> 204                   | pass
         A POST /orders/1 -> 201
         A DELETE /items/1                          | conflict",
    ),
    (
        "expired",
        "on = \"expired\"\nmax_requests = 1",
        "A PUT /items/1 -> 200                      | pass
         A PUT /items/1                             | conflict",
    ),
    (
        "key_in_use",
        "on = \"key_in_use\"",
        "1: A PUT /items/1 idempotency-key:k        | admit
         A PUT /items/1 idempotency-key:k           | conflict
         1 -> 200 {\"id\":1}
         A PUT /items/1 idempotency-key:k           | replay {\"id\":1}",
    ),
    (
        "locked",
        "on = \"locked\"\nlease = \"10s\"",
        "A PUT /items/1 -> 200                      | pass
         B PUT /items/1                             | conflict
         +11s
         B PUT /items/1 -> 200                      | pass",
    ),
];

fn rule(lines: &str) -> Rule {
    let text = format!("[[rule]]\n{ITEM}\n{lines}\n");
    let accepted = read("rules.toml", &text, &|_| Err(BodyFileError::Missing));
    accepted.unwrap_or_else(|mistakes| panic!("{mistakes}")).config.rules.remove(0)
}

#[test]
fn every_trigger_has_a_trace() {
    for (word, _) in trigger_examples() {
        let (_, lines, trace) = TRACES
            .iter()
            .find(|(traced, ..)| *traced == word)
            .unwrap_or_else(|| panic!("`{word}` has no trace"));
        assert!(trace.contains("| conflict"), "{word}");
        Playback::new(rule(lines)).play(trace);
    }
    assert_eq!(TRACES.len(), trigger_examples().count());
}
