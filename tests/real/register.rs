//! A conversation with a registration service: conflicts that pass when tried again, and one that
//! does not, because the username is taken.

use serde_json::json;

use crate::binary::Fracas;
use crate::client::{Runs, run};

/// Two conflicts for every username, before it reaches the service.
const RULES: &str = r#"
[[rule]]
name   = "taken-at-first"
method = "POST"
path   = "/register"
first  = 2
per    = "body:/username"
kind   = "duplicate"
reply  = { retry_after = "1s", body = '{"error":"Username already exists."}' }
"#;

/// Has a client register three times: with tries enough, with too few, and a name that is taken.
fn converse(runs: Runs, script: &str) {
    let fracas = Fracas::start(RULES);
    let url = format!("http://{}", fracas.address());
    let register = |username: &str, retries: &str| run(runs, script, &[&url, username, retries]);
    let upstream_saw = || fracas.upstream_saw("POST /register");

    let patient = register("ada", "5");
    assert_eq!(patient["statuses"], json!([409, 409, 201]), "{patient}");
    assert_eq!(patient["fracas"], json!(null), "the upstream's own answer carries no mark");
    // Each try waits for the second that Retry-After asks for; curl for its own --retry-delay.
    assert!(patient["seconds"].as_f64().expect("a number") >= 1.9, "{patient}");
    assert_eq!(upstream_saw(), (1, 1), "a conflict before the upstream is not seen there");

    let hasty = register("grace", "1");
    assert_eq!(hasty["statuses"], json!([409, 409]), "{hasty}");
    let mark = hasty["fracas"].as_str().expect("an injected answer says so");
    assert_eq!(mark, r#"rule="taken-at-first", kind=duplicate, phase=before, n=2"#);
    assert_eq!(upstream_saw(), (1, 1), "a client that gives up has changed nothing");

    let taken = register("ada", "1");
    assert_eq!(taken["statuses"], json!([409, 409]), "{taken}");
    assert_eq!(taken["fracas"], json!(null), "this conflict is the service's own");
    assert_eq!(upstream_saw(), (3, 1), "a username is registered once");
}

#[test]
fn python_httpx_with_a_loop_of_its_own() {
    converse(Runs::Python, "register_httpx.py");
}

#[test]
fn python_requests_with_urllib3_retries() {
    converse(Runs::Python, "register_requests.py");
}

#[test]
fn node_fetch_with_a_loop_of_its_own() {
    converse(Runs::Node, "register_fetch.mjs");
}

#[test]
fn curl_with_retry_all_errors() {
    converse(Runs::Bash, "register_curl.sh");
}
