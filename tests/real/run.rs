//! `fracas run` around real test suites: what a client does wrong is named, and decides the exit code.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use crate::http2::{CONFLICTS, Server};

const RULES: &str = r#"
[[rule]]
name   = "somebody-else-won"
method = "PUT"
path   = "/items/1"
first  = 1
kind   = "version"
clear  = "refetch"

[[rule]]
name   = "busy"
method = "PUT"
path   = "/items/2"
first  = 3
reply  = { retry_after = "1s" }

[[rule]]
name   = "lost-acknowledgement"
method = "POST"
path   = "/orders"
first  = 1
phase  = "lost"
"#;

/// Runs a suite behind the proxy: how it ended, and the report.
fn graded(client: &str, options: &[&str], suite: &[&str]) -> (Output, Value) {
    graded_by(RULES, client, options, suite)
}

/// As [`graded`], by other rules.
fn graded_by(rules: &str, client: &str, options: &[&str], suite: &[&str]) -> (Output, Value) {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("rules.toml"), rules).expect("written");
    let mut command = Command::new(env!("CARGO_BIN_EXE_fracas"));
    command
        .args(["run", "--env", "SHOP_URL", "--report", "json=report.json"])
        .args(options)
        .arg("--")
        .args(suite)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", folder.path())
        .env("LANG", "C.UTF-8")
        .env("CLIENT", client)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .current_dir(folder.path());
    let output = command.output().expect("the binary runs");
    let report = std::fs::read(folder.path().join("report.json"));
    (output, report.map_or(Value::Null, |text| serde_json::from_slice(&text).expect("JSON")))
}

fn script(name: &str) -> String {
    format!("{}/tests/real/clients/run/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// pytest's own arguments, so that it leaves nothing behind and needs no configuration.
fn pytest(client: &str, options: &[&str]) -> (Output, Value) {
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join(".venv/bin/python");
    let suite = script("test_shop.py");
    let line =
        [python.to_str().expect("UTF-8"), "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir=."];
    graded(client, options, &[&line[..], &[&suite]].concat())
}

/// Ids of checks whose word over all rules is `verdict`.
fn checks(report: &Value, verdict: &str) -> Vec<String> {
    let clients = report["clients"].as_array().expect("clients");
    let findings = clients.iter().flat_map(|client| client["findings"].as_array().expect("findings"));
    let over_all = findings.filter(|finding| finding["rule"].is_null() && finding["verdict"] == verdict);
    over_all.map(|finding| finding["check"].as_str().expect("an id").to_owned()).collect()
}

fn shown(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn a_suite_with_a_good_client_passes() {
    let (output, report) = pytest("good", &["--min-operations", "3"]);
    assert_eq!(output.status.code(), Some(0), "{}", shown(&output));
    assert!(checks(&report, "fail").is_empty(), "{report:#}");
    assert!(shown(&output).contains("3 passed"), "its own output passes through");
    assert_eq!((&report["totals"]["conflicted"], &report["totals"]["recovered"]), (&3.into(), &3.into()));
}

#[test]
fn a_suite_with_a_bad_client_fails_by_the_check_that_says_why() {
    for (client, check) in [("hot", "R5"), ("blind", "R2"), ("keys", "R4")] {
        let (output, report) = pytest(client, &[]);
        let shown = shown(&output);
        assert!(shown.contains("3 passed"), "{client}: the suite itself is content: {shown}");
        assert_eq!(output.status.code(), Some(1), "{client}: {shown}");
        let failed = checks(&report, "fail");
        assert!(failed.iter().any(|id| id == check), "{client}: {failed:?}\n{shown}");
        assert!(shown.contains(&format!("FAIL  {check} ")), "{client}: {shown}");
        for other in ["R5", "R2", "R4"].iter().filter(|other| **other != check) {
            assert!(!failed.iter().any(|id| id == other), "{client} is accused of {other}: {shown}");
        }
    }
}

#[test]
fn a_suite_in_node_is_graded_too() {
    let suite = script("shop.test.mjs");
    let (output, report) = graded("good", &["--min-operations", "1"], &["node", "--test", &suite]);
    assert_eq!(output.status.code(), Some(0), "{}", shown(&output));
    assert_eq!(report["clients"][0]["agent"], "node");
}

#[test]
fn a_loop_of_curl_that_replays_is_told_so() {
    let hot = "for n in 1 2 3; do curl -s -o /dev/null -X PUT $SHOP_URL/items/1 -d '{}'; done";
    let (output, report) = graded("", &[], &["bash", "-c", hot]);
    assert_eq!(output.status.code(), Some(1), "{}", shown(&output));
    assert!(checks(&report, "fail").iter().any(|id| id == "R2"), "{report:#}");
}

#[test]
fn a_client_of_grpc_is_graded_by_what_grpc_says() {
    let server = Server::start();
    let rules = format!("upstream = \"h2c://127.0.0.1:{}\"\n{CONFLICTS}", server.port);
    let root = env!("CARGO_MANIFEST_DIR");
    let client =
        format!("{root}/.venv/bin/python {root}/tests/real/clients/grpc_client.py ${{SHOP_URL#http://}}");
    let (output, report) = graded_by(&rules, "", &[], &["bash", "-c", &client]);
    // All of it is HTTP 200. A rule refuses two calls once each, the server a third one both times.
    let totals = &report["totals"];
    assert_eq!((&totals["conflicted"], &totals["recovered"]), (&2.into(), &2.into()), "{}", shown(&output));
    let operations = report["operations"].as_array().expect("operations");
    let statuses: Vec<String> = operations
        .iter()
        .map(|operation| operation["tries"].as_array().expect("tries"))
        .map(|tries| tries.iter().map(|tried| tried["status"].to_string()).collect::<Vec<_>>().join(" "))
        .collect();
    assert_eq!(statuses, ["409 200", "409 200", "404", "404"], "{}", shown(&output));
}

#[test]
fn a_suite_that_fails_has_its_own_code_whatever_the_verdict() {
    // pytest's code for a run in which no test was collected.
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join(".venv/bin/python");
    let line = [python.to_str().expect("UTF-8"), "-m", "pytest", "-q", "-p", "no:cacheprovider", "."];
    let (output, _) = graded("good", &["--min-operations", "1"], &line);
    assert_eq!(output.status.code(), Some(5), "{}", shown(&output));
}
