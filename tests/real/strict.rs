//! A client made of hyper-h2 breaks the rules of HTTP/2 frame by frame: the cases of h2spec, and more, from
//! its scripts. A second opinion beside `tests/it/wire/http2/strict/`, where the frames are ours.

use serde_json::Value;

use crate::binary::Fracas;
use crate::client::{Runs, run};

/// `/hang` leaves a stream without a response.
const HANG: &str = "[[rule]]\npath = \"/hang\"\nreply = { delay = \"1h\" }\n";
/// With fewer, a table of theirs was not read.
const CASES: usize = 200;

/// Plays every case. Each must end as RFC 9113 says, or, where h2 is known to depart from it, as h2 does:
/// a departure that is gone is told as well.
fn play(rules: &str, scheme: &str) {
    // The cases name hosts of their own.
    let fracas = Fracas::start(&format!("allowed_hosts = [\"*\"]\n{rules}{HANG}"));
    let Value::Array(cases) = run(Runs::Python, "strict/play.py", &[&fracas.address().to_string(), scheme])
    else {
        panic!("an array")
    };
    assert!(cases.len() >= CASES, "only {} cases", cases.len());
    let wrong: Vec<&Value> = cases
        .iter()
        .filter(|case| match &case["known"] {
            Value::Null => !case["must"].as_array().expect("what may come").contains(&case["seen"]),
            known => known["seen"] != case["seen"],
        })
        .collect();
    assert!(wrong.is_empty(), "{scheme}: {} of {}: {wrong:#?}", wrong.len(), cases.len());
}

#[test]
fn c39_hyper_h2_finds_every_rule_kept_with_prior_knowledge() {
    play("", "http");
}

#[test]
fn c39_hyper_h2_finds_every_rule_kept_behind_tls() {
    play("tls = { self_signed = true }\n", "https");
}
