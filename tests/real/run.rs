//! `fracas run` around real test suites: a client's errors are named, and decide the exit code.

mod right_moves;
mod versions;

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

/// The line that runs a script by the Python of .venv.
fn python(name: &str) -> [String; 2] {
    [format!("{}/.venv/bin/python", env!("CARGO_MANIFEST_DIR")), script(name)]
}

/// pytest's own arguments, so that it leaves nothing behind and needs no configuration.
fn pytest(client: &str, options: &[&str]) -> (Output, Value) {
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join(".venv/bin/python");
    let suite = script("test_shop.py");
    let line =
        [python.to_str().expect("UTF-8"), "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir=."];
    graded(client, options, &[&line[..], &[&suite]].concat())
}

/// Ids of checks with this `verdict` over all rules.
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

/// Every write is refused, for ever.
const HOPELESS: &str = "admin = \"off\"\n[[rule]]\nname = \"always\"\nmethod = \"PUT\"\n";
/// Twelve tries: more than any client should have.
const TRIES: &str = "for i in 1 2 3 4 5 6 7 8 9 10 11 12; do \
                     curl -s -o /dev/null -X PUT -d a $FRACAS_URL/items/1; done";

/// Verdicts of R9 and R10, and how many operations were given up and how many are open.
fn ends(report: &Value) -> (Vec<String>, Value, Value) {
    let of = |check: &str| {
        let findings = report["clients"][0]["findings"].as_array().expect("findings");
        let finding = findings.iter().find(|found| found["check"] == check && found["rule"].is_null());
        finding.map_or_else(String::new, |found| found["verdict"].as_str().expect("a verdict").to_owned())
    };
    let totals = &report["totals"];
    (vec![of("R9"), of("R10")], totals["gave_up"].clone(), totals["unfinished"].clone())
}

#[test]
fn a_client_that_was_ended_has_not_given_up() {
    for end in ["exit 124", "exit 137", "exit 143", "exit 130", "exit 139", "kill -KILL $$", "kill -TERM $$"]
    {
        let script = format!("{TRIES}; {end}");
        let (output, report) = graded_by(HOPELESS, "", &[], &["sh", "-c", &script]);
        let expected = (vec!["fail".to_owned(), "fail".to_owned()], 0.into(), 1.into());
        assert_eq!(ends(&report), expected, "{end}: {}", shown(&output));
        assert!(shown(&output).contains("the command was ended from outside"), "{}", shown(&output));
    }
    let endless = "while :; do curl -s -o /dev/null -X PUT -d a $FRACAS_URL/items/1; done";
    let (output, report) = graded_by(HOPELESS, "", &[], &["timeout", "2", "sh", "-c", endless]);
    let (verdicts, gave_up, unfinished) = ends(&report);
    assert!(!verdicts.contains(&"pass".to_owned()), "{verdicts:?}: {}", shown(&output));
    assert_eq!((output.status.code(), gave_up, unfinished), (Some(124), 0.into(), 1.into()));

    for end in ["exit 0", "exit 3", "exit 123", "exit 255"] {
        let script = format!("{TRIES}; {end}");
        let (_, report) = graded_by(HOPELESS, "", &[], &["sh", "-c", &script]);
        let expected = (vec!["fail".to_owned(), "pass".to_owned()], 1.into(), 0.into());
        assert_eq!(ends(&report), expected, "{end}");
    }
}

#[test]
fn a_client_that_is_still_trying_when_its_command_is_killed_does_not_give_up() {
    // On one connection, and as long as it is asked to wait: one call, however busy the machine is.
    let rules = format!("{HOPELESS}reply = {{ retry_after = \"1s\" }}\n");
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join(".venv/bin/python");
    let endless = format!("{} {}", python.to_str().expect("UTF-8"), script("endless.py"));
    let said = |report: &Value| {
        let findings = report["clients"][0]["findings"].as_array().expect("findings").iter();
        let finding = { findings }.find(|found| found["check"] == "R10" && found["rule"].is_null());
        finding.map(|found| (found["verdict"].clone(), found["measured"].to_string()))
    };
    let (output, report) = graded_by(&rules, "", &[], &["timeout", "9", "sh", "-c", &endless]);
    let (verdict, measured) = said(&report).expect("R10");
    assert_eq!((output.status.code(), verdict), (Some(124), "fail".into()), "{}", shown(&output));
    assert!(measured.contains("still trying when the command was ended: "), "{measured}");

    // A person who pressed Ctrl-C may have seen enough.
    let ended = format!("{endless} & sleep 9; kill $!; kill -INT $$");
    let killed = format!("{endless} & sleep 9; kill $!; kill -TERM $$");
    for (script, expected) in [(ended, false), (killed, true)] {
        let (output, report) = graded_by(&rules, "", &[], &["sh", "-c", &script]);
        let failed = said(&report).is_some_and(|(verdict, _)| verdict == "fail");
        assert_eq!(failed, expected, "{script}: {}", shown(&output));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn what_the_command_leaves_in_the_background_may_still_try_again() {
    let put = "curl -s -o /dev/null -X PUT -d a $FRACAS_URL/items/1";
    // It holds a connection, and nothing else tells that it is the command's.
    let holds = "host=${FRACAS_URL#http://}; env -i setsid bash -c \
                 'exec 3<>/dev/tcp/'${host%:*}/${host#*:}'; echo >ready; sleep 5' >/dev/null 2>&1 & \
                 until [ -e ready ]; do sleep 0.05; done";
    for (what, left, is_open) in [
        ("a child", "sleep 5 >/dev/null 2>&1 &".to_owned(), true),
        ("one that has left the group", "setsid sleep 5 >/dev/null 2>&1 &".to_owned(), true),
        ("one without this run's environment", "env -i sleep 5 >/dev/null 2>&1 &".to_owned(), true),
        ("one that is known by its connection", holds.to_owned(), true),
        ("one that has ended", "true & wait".to_owned(), false),
        ("nothing", String::new(), false),
    ] {
        let script = format!("{put}\n{left}\nexit 0");
        let (output, report) = graded_by(HOPELESS, "", &[], &["sh", "-c", &script]);
        let (_, gave_up, unfinished) = ends(&report);
        let expected = (u64::from(!is_open).into(), u64::from(is_open).into());
        assert_eq!((gave_up, unfinished), expected, "{what}: {}", shown(&output));
        let said =
            shown(&output).contains("when the command ended") || shown(&output).contains("when it ended");
        assert_eq!(said, is_open, "{what}: {}", shown(&output));
    }
}
