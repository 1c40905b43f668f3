//! A run that tested nothing is no pass: every format says so, with the reason and the source of the exit
//! code.
#![cfg(unix)]

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::Stdio;

use serde_json::Value;

use crate::support::program::{Serving, folder, fracas, run, text};
use crate::support::socket::Socket;

/// A client's request: method, path, more header lines, body.
pub(super) type Sent = (&'static str, &'static str, &'static str, &'static str);

/// Every format that a file can take.
pub(super) const REPORTS: [&str; 14] = [
    "--report",
    "json=r.json",
    "--report",
    "junit=r.xml",
    "--report",
    "markdown=r.md",
    "--report",
    "html=r.html",
    "--report",
    "har=r.har",
    "--report",
    "github=r.github",
    "--report",
    "text=r.txt",
];

/// Serves `rules`, sends requests, and gives back the report.
fn served(folder: &Path, requests: &[Sent]) -> Value {
    let mut command = fracas(folder);
    command.args(["-l", "127.0.0.1:0", "--journal", "j.jsonl", "--report", "json=r.json"]);
    let serving = Serving::start(command);
    for (method, path, headers, body) in requests {
        let mut socket = Socket::connect(serving.address);
        let length = body.len();
        socket.send(format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
        ));
        socket.response();
    }
    serving.signal("INT");
    assert_eq!(serving.end().0, Some(0));
    json(folder, "r.json")
}

pub(super) fn json(folder: &Path, name: &str) -> Value {
    serde_json::from_slice(&std::fs::read(folder.join(name)).expect(name)).expect("JSON")
}

#[test]
fn a_rule_that_did_not_fire_says_what_it_lacked_live_and_from_the_journal() {
    const FORM: &str = "Content-Type: application/x-www-form-urlencoded\r\n";
    const JSON: &str = "Content-Type: application/json\r\n";
    let token = "method = \"POST\"\npath = \"/token\"\n";
    for (rule, requests, untested, why) in [
        (
            format!("{token}body = {{ \"/grant_type\" = \"refresh_token\" }}"),
            &[("POST", "/token", FORM, "grant_type=refresh_token"); 3][..],
            "no request matched a rule",
            "the body is not JSON (application/x-www-form-urlencoded): 3 requests",
        ),
        (
            format!("{token}body = {{ \"/grant_type\" = \"refresh_token\" }}"),
            &[("POST", "/token", JSON, "{\"grant_type\":\"password\"}")],
            "no request matched a rule",
            "the body at /grant_type is not \"refresh_token\": 1 request",
        ),
        (
            format!("{token}body = {{ \"/grant_type\" = \"refresh_token\" }}"),
            &[("POST", "/token", "Content-Encoding: gzip\r\n", "{}"); 3],
            "no request matched a rule",
            "the body is not valid gzip: 3 requests",
        ),
        (
            format!("{token}header = {{ x-tenant = true }}"),
            &[("POST", "/token", "Authorization: Bearer s3cret\r\n", "")],
            "no request matched a rule",
            "no header x-tenant: 1 request",
        ),
        (
            format!("{token}header = {{ authorization = \"Bearer other\" }}"),
            &[("POST", "/token", "Authorization: Bearer s3cret\r\n", "")],
            "no request matched a rule",
            "header authorization is not Bearer other: 1 request",
        ),
        (
            format!("{token}query = {{ mode = \"x\" }}"),
            &[("POST", "/token?mode=y", "", "")],
            "no request matched a rule",
            "query mode is not x: 1 request",
        ),
        (
            format!("{token}per = \"header:x-session\""),
            &[("POST", "/token", "", "")],
            "no request matched a rule",
            "the request lacks what `per` names: 1 request",
        ),
        (
            "method = \"PUT\"\npath = \"/api/items/{id}\"".to_owned(),
            &[("PUT", "/api/item/7", "", "{}"), ("PUT", "/api/item/7", "", "{}")],
            "no request matched a rule",
            "2 requests had the method and not the path: nearest PUT /api/item/7",
        ),
        (
            "method = \"PUT\"\npath = \"/items/{id}\"".to_owned(),
            &[("GET", "/items/1", "", "")],
            "no request matched a rule",
            "1 request had the path and not the method: GET /items/1, the rule wants PUT",
        ),
        (
            "every = 5".to_owned(),
            &[("GET", "/items/1", "", "")],
            "no rule fired",
            "1 request matched: it conflicts at each 5th of each key (`per`)",
        ),
        (
            "enabled = false".to_owned(),
            &[("GET", "/a", "", "")],
            "no request matched a rule",
            "it is not enabled: `enabled = false`",
        ),
    ] {
        let folder = folder(&[("rules.toml", &format!("[[rule]]\nname = \"r\"\n{rule}\n"))]);
        let live = served(folder.path(), requests);
        assert_eq!(
            (&live["untested"], &live["verdict"]),
            (&untested.into(), &"undetermined".into()),
            "{rule}"
        );
        assert_eq!(live["rules"][0]["why_not"], why, "{rule}");
        let later = run(folder.path(), &["report", "j.jsonl", "--format", "json"]);
        let later: Value = serde_json::from_slice(&later.stdout).expect("JSON");
        assert_eq!(later, live, "{rule}");
        assert_eq!(live["clients"][0]["verdict"], "undetermined", "{rule}");
        for format in ["text", "markdown", "html", "junit", "github"] {
            let shown = run(folder.path(), &["report", "j.jsonl", "--format", format]);
            let shown = text(&shown.stdout);
            assert!(!shown.contains("PASS") && !shown.contains('✅'), "{rule}: {shown}");
            assert!(shown.contains("Nothing was tested"), "{rule}: {shown}");
        }
        let written = std::fs::read_to_string(folder.path().join("j.jsonl")).expect("a journal");
        assert!(!written.contains("s3cret"), "{written}");
        let later = run(folder.path(), &["report", "j.jsonl"]);
        assert!(text(&later.stdout).starts_with("----  Nothing was tested: "), "{}", text(&later.stdout));
        assert_eq!(later.status.code(), Some(0));
    }
}

#[test]
fn where_there_are_no_rules_it_is_said_so() {
    for (name, text) in
        [("rules.toml", "seed = 1\n"), ("rules.toml", ""), ("rules.toml", "# rules to come\n")]
    {
        let folder = folder(&[(name, text)]);
        let report = served(folder.path(), &[("PUT", "/items/1", "", "{}")]);
        assert_eq!(
            report["untested"], "there are no rules; `fracas init` writes some to begin with",
            "{text}"
        );
        let later = run(folder.path(), &["report", "j.jsonl"]);
        assert!(
            crate::support::program::text(&later.stdout)
                .starts_with("----  Nothing was tested: there are no rules; ")
        );
    }
}

#[test]
fn an_upstream_that_only_failed_is_named() {
    let upstream = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = upstream.local_addr().expect("an address");
    drop(upstream);
    let rules = format!("upstream = \"http://{address}\"\n[[rule]]\nmethod = \"PUT\"\n");
    let folder = folder(&[("rules.toml", &rules)]);
    let report = served(folder.path(), &[("GET", "/a", "", ""), ("GET", "/b", "", "")]);
    let why = format!("the upstream answered no request, is http://{address} the right one, and up?");
    assert_eq!(report["untested"], why.as_str());
    assert_eq!(report["totals"]["unanswered"], 2);
}

#[test]
fn a_rule_beyond_those_that_fired_is_listed_with_its_reason() {
    let rules = "[[rule]]\nname = \"a\"\nmethod = \"PUT\"\n[[rule]]\nname = \"b\"\npath = \"/never\"\n";
    let folder = folder(&[("rules.toml", rules)]);
    let report = served(folder.path(), &[("PUT", "/items/1", "", "{}")]);
    assert_eq!(report["untested"], Value::Null);
    assert_eq!(report["rules"][1]["name"], "b");
    let later = run(folder.path(), &["report", "j.jsonl"]);
    assert!(
        text(&later.stdout).contains("1 rule matched no request: b; `--report json` says what came nearest"),
        "{}",
        text(&later.stdout)
    );
    assert_eq!(
        report["rules"][1]["why_not"],
        "1 request had the method and not the path: nearest PUT /items/1"
    );
}

#[test]
fn thousands_of_rules_that_did_not_fire_are_told_of_in_part() {
    let rules: String = (0..5_000).map(|at| format!("[[rule]]\npath = \"/nothing/{at}\"\n")).collect();
    let folder = folder(&[("rules.toml", &rules)]);
    let report = served(folder.path(), &[("PUT", "/items/1", "", "{}")]);
    assert_eq!(report["rules"].as_array().map(Vec::len), Some(20));
    assert_eq!(report["totals"]["other_rules"], 4_980);
}

/// A run with a command that ends after these requests were sent and their connections closed.
fn played(folder: &Path, options: &[&str], requests: &[Sent]) -> Option<i32> {
    played_until(folder, options, requests, "exit 0")
}

/// As [`played`]; `end` is the last word of the command.
pub(super) fn played_until(folder: &Path, options: &[&str], requests: &[Sent], end: &str) -> Option<i32> {
    let script = format!("echo \"$FRACAS_URL\"; read -r line; {end}");
    let mut command = fracas(folder);
    command.arg("run").args(options).args(["--", "sh", "-c", &script]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut running = command.spawn().expect("the binary runs");
    let mut url = String::new();
    let out = running.stdout.take().expect("a pipe");
    BufReader::new(out).read_line(&mut url).expect("the command's line");
    let address = url.trim().strip_prefix("http://").expect("a URL").parse().expect("an address");
    for (method, path, headers, body) in requests {
        let mut socket = Socket::connect(address);
        let length = body.len();
        socket.send(format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
        ));
        socket.response();
    }
    running.wait().expect("it ends").code()
}

#[test]
fn a_client_that_never_tried_again_is_not_said_to_have_done_well() {
    const ASIDE: &str =
        "1 operation met a conflict: 1 gave up; [expect] recovered = 1 would make that a failure";
    const NOBODY: &str = "Nothing wrong was seen, but nobody tried again.";
    for (rules, headline, has_aside, code) in [
        ("kind = \"referenced\"", NOBODY, true, 0),
        ("kind = \"duplicate\"", NOBODY, true, 0),
        ("kind = \"referenced\"\n[expect]\nmax_tries = 5", "1 expectation met.", true, 0),
        ("kind = \"referenced\"\n[expect]\nrecovered = 1", "Not met: recovered = 1", false, 1),
    ] {
        let rules = format!("[[rule]]\nname = \"r\"\nmethod = \"DELETE\"\n{rules}\n");
        let folder = folder(&[("rules.toml", &rules)]);
        let sent = [("DELETE", "/items/1", "Connection: close\r\n", "")];
        let options = [&["-q"], &REPORTS[..]].concat();
        assert_eq!(played(folder.path(), &options, &sent), Some(code), "{rules}");
        for name in ["r.txt", "r.md", "r.html", "r.github", "r.xml"] {
            let shown = words(&read(folder.path(), name)).replace('`', "");
            assert!(!shown.contains("took their conflicts well"), "{rules}: {name}: {shown}");
            assert!(shown.contains(headline), "{rules}: {name}: {shown}");
            assert_eq!(shown.contains(ASIDE), has_aside, "{rules}: {name}: {shown}");
        }
    }
}

/// The words of a report in one line, without wrapping and escapes.
fn words(text: &str) -> String {
    let mut text = text.replace("<code>", "`").replace("</code>", "`");
    for (escaped, character) in
        [("&#96;", "`"), ("&#45;", "-"), ("&#58;", ":"), ("&#46;", "."), ("&#91;", "["), ("&#93;", "]")]
    {
        text = text.replace(escaped, character);
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A run that tested nothing, in every format.
pub(super) fn reported(options: &[&str], script: &str) -> (Option<i32>, tempfile::TempDir) {
    let folder = folder(&[("rules.toml", "seed = 7\n[[rule]]\nmethod = \"PUT\"\n")]);
    let mut command = fracas(folder.path());
    command.args(["run", "-q"]).args(options).args(REPORTS).args(["--", "sh", "-c", script]);
    let output = command.output().expect("the binary runs");
    (output.status.code(), folder)
}

pub(super) fn read(folder: &Path, name: &str) -> String {
    std::fs::read_to_string(folder.join(name)).expect(name)
}

#[test]
fn every_format_fails_where_too_few_operations_met_a_conflict() {
    for options in [&[][..], &["--min-operations", "1"], &["--min-operations", "9"]] {
        let (code, folder) = reported(options, "true");
        let folder = folder.path();
        assert_eq!(code, Some(1), "{options:?}");
        assert_eq!(json(folder, "r.json")["verdict"], "fail");
        assert_eq!(json(folder, "r.har")["log"]["_fracas"]["verdict"], "fail");
        let junit = quick_junit::Report::deserialize_from_str(&read(folder, "r.xml")).expect("JUnit");
        assert_eq!(junit.failures, 1);
        let (markdown, page) = (read(folder, "r.md"), read(folder, "r.html"));
        // Headlines are alike: nothing was tested, and the expectation is not met.
        assert!(
            markdown.starts_with("## fracas: ⚪ undetermined Nothing was tested: no request came"),
            "{markdown}"
        );
        assert!(markdown.contains("| ❌ fail | <code>--min-operations</code>"), "{markdown}");
        assert!(!markdown.contains('✅') && !markdown.contains('`'), "{markdown}");
        let heading = page.split_once("<h1>").and_then(|(_, rest)| rest.split_once("</h1>")).expect("one").0;
        assert!(heading.contains(">undetermined<") && heading.contains("Nothing was tested: "), "{heading}");
        assert!(page.contains("verdict fail"), "{page}");
        assert!(read(folder, "r.github").contains("::notice title=fracas::----  Nothing was tested: "));
        assert_eq!(
            json(folder, "r.json")["untested"],
            "no request came, is the command's base URL $FRACAS_URL?"
        );
        assert!(!read(folder, "r.xml").contains("undetermined: <"), "an empty reason");
        assert!(read(folder, "r.github").starts_with("::error title=--min-operations = "));
        let said = read(folder, "r.txt");
        assert!(
            said.starts_with("----  Nothing was tested: ")
                && said.contains("FAIL  expected --min-operations")
        );
    }
}

#[test]
fn every_format_says_whose_the_exit_code_is_and_what_was_run() {
    for (script, code, whose) in [
        ("exit 3", 3, "the command exited with 3, and so does the run"),
        ("kill -TERM $$", 143, "the command was ended by signal 15 (143), and so does the run"),
        ("true", 1, "the command exited with 0; exit 1, because `--min-operations` is 1"),
    ] {
        let (exit, folder) = reported(&[], script);
        let folder = folder.path();
        assert_eq!(exit, Some(code));
        let report = json(folder, "r.json");
        assert_eq!((&report["exit"]["code"], &report["exit"]["because"]), (&code.into(), &whose.into()));
        let run = &report["run"];
        let hash = run["rules_sha256"].as_str().expect("a hash");
        assert_eq!((&run["seed"], &run["upstream"], hash.len()), (&7.into(), &"demo".into(), 64));
        assert_eq!(run["command"]["line"], serde_json::json!(["sh", "-c", script]));
        let archive = json(folder, "r.har");
        assert_eq!(archive["log"]["_fracas"]["run"], *run);
        let proxy = run["proxy"].as_str().expect("a URL");
        assert!(proxy.starts_with("http://127.0.0.1:") && !proxy.ends_with(":0"), "{proxy}");
        for entry in archive["log"]["entries"].as_array().expect("a list") {
            let url = entry["request"]["url"].as_str().expect("text");
            assert!(url.strip_prefix(proxy).is_some_and(|path| path.starts_with('/')), "{url}");
        }
        for name in ["r.txt", "r.md", "r.html", "r.github", "r.xml", "r.har"] {
            let text = words(&read(folder, name)).replace("\"sh\",\"-c\"", "sh -c");
            for said in [whose, "rules.toml", "demo", &hash[..12], "seed", env!("CARGO_PKG_VERSION"), "sh -c"]
            {
                assert!(text.contains(said), "{name} lacks {said}: {text}");
            }
        }
    }
}

#[test]
fn rules_say_how_often_they_must_fire() {
    for (expect, sent, verdict, found) in [
        ("expect = { fired = 1 }", 0, "fail", "0 conflicts injected"),
        ("expect = { fired = 1 }", 1, "pass", "1 conflict injected"),
        ("expect = { fired = 3 }", 2, "fail", "2 conflicts injected"),
        ("[expect]\nfired = 2", 2, "pass", "2 conflicts injected"),
        ("[expect]\nfired = 2", 1, "fail", "1 conflict injected"),
    ] {
        let rules = format!("[[rule]]\nname = \"r\"\nmethod = \"PUT\"\n{expect}\n");
        let folder = folder(&[("rules.toml", &rules)]);
        let requests =
            [("GET", "/items/1", "", ""), ("PUT", "/items/1", "", "{}"), ("PUT", "/items/2", "", "{}")];
        let report = served(folder.path(), &requests[..=sent]);
        let expected = &report["expectations"][0];
        assert_eq!((&expected["name"], &expected["found"]), (&"fired".into(), &found.into()), "{expect}");
        assert_eq!(expected["verdict"], verdict, "{expect}");
    }
}

#[test]
fn every_rule_may_be_required_to_fire() {
    let (code, folder) = reported(&["--min-operations", "0", "--require-fired"], "true");
    assert_eq!(code, Some(1));
    let report = json(folder.path(), "r.json");
    assert_eq!(report["expectations"][0]["found"], "1 of 1 did not fire: rule-1");
}
