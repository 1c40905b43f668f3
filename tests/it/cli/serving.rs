//! Output of `fracas serve` while it runs and when it ends.
#![cfg(unix)]

use crate::support::http::{Upstream, request, request_in_background};
use crate::support::program::{Serving, folder, fracas, text};

const RULES: &str = r#"
[[rule]]
name = "flaky-writes"
method = "PUT"
path = "/items/**"
"#;

fn serve(arguments: &[&str]) -> (Serving, tempfile::TempDir) {
    let folder = folder(&[("rules.toml", RULES)]);
    let mut command = fracas(folder.path());
    command.args(["-l", "127.0.0.1:0"]).args(arguments);
    (Serving::start(command), folder)
}

#[test]
fn a_conflict_is_one_line_and_the_summary_counts_it() {
    let (mut serving, _folder) = serve(&[]);
    for _ in 0..2 {
        let response = request(serving.address, b"PUT /items/7", "User-Agent: curl/8.5 more\r\n");
        assert!(response.starts_with("HTTP/1.1 409 Conflict\r\n"), "{response}");
    }
    assert!(request(serving.address, b"GET /items/7", "").starts_with("HTTP/1.1 200 OK\r\n"));
    assert_eq!(
        serving.event(),
        "409  PUT /items/7         flaky-writes          transient    n=1           curl/8.5"
    );
    assert_eq!(
        serving.event(),
        "409  PUT /items/7         flaky-writes          transient    n=2           curl/8.5"
    );
    serving.signal("TERM");
    let (code, out, err) = serving.end();
    assert_eq!(code, Some(0));
    assert_eq!(
        out,
        "
rule          matched  fired  should fire  did fire
flaky-writes        2      2          all   100.0 %

client    met a conflict  recovered  gave up  unfinished  worst finding
curl/8.5               1          0        0           1  –

3 requests, 2 conflicts
"
    );
    assert_eq!(err, "stopping: requests in flight may end; once more stops at once\n");
}

#[test]
fn an_operation_that_recovers_is_a_line_and_one_that_does_not_stays_open() {
    let rules = "[[rule]]\nname = \"won\"\nmethod = \"PUT\"\nper = \"path\"\nfirst = 1\nclear = \"refetch\"\n\
                 kind = \"version\"\n";
    let folder = folder(&[("rules.toml", rules)]);
    let mut command = fracas(folder.path());
    command.args(["-l", "127.0.0.1:0"]);
    let mut serving = Serving::start(command);
    let agent = "User-Agent: curl/8.5\r\n";
    // The head's end becomes the body's.
    let body = format!("{agent}Content-Length: 4\r\n\r\n{{}}");
    for (line, status) in
        [("PUT /items/7", 409), ("GET /items/7", 200), ("PUT /items/7", 200), ("PUT /items/8", 409)]
    {
        let response =
            request(serving.address, line.as_bytes(), if line.starts_with("PUT") { &body } else { agent });
        assert!(response.starts_with(&format!("HTTP/1.1 {status} ")), "{line}: {response}");
    }
    let line = loop {
        let line = serving.event();
        if line.starts_with("ok ") {
            break line;
        }
    };
    let (what, client) = line.split_at(line.rfind(' ').expect("columns") + 1);
    assert!(what.starts_with("ok   PUT /items/7         recovered after 2 tries, "), "{line}");
    assert_eq!(client, "curl/8.5");
    serving.signal("TERM");
    let (_, out, _) = serving.end();
    let rows: Vec<Vec<&str>> = out.lines().map(|line| line.split_whitespace().collect()).collect();
    let heads = out.lines().nth(1).unwrap_or_default();
    assert_eq!(heads, "rule  matched  fired  should fire  did fire  still open", "{out}");
    assert_eq!(rows[2][..3], ["won", "3", "2"], "{out}");
    assert_eq!(rows[2].last(), Some(&"1"), "/items/8 is still open: {out}");
    assert_eq!(rows[5][..4], ["curl/8.5", "2", "1", "0"], "{out}");
}

#[test]
fn what_a_client_sends_never_steers_the_terminal() {
    let (mut serving, _folder) = serve(&[]);
    // CSI, the C1 form of ESC [, in UTF-8.
    request(serving.address, b"PUT /items/\xc2\x9b31m", "User-Agent: a\x1b[2Jb\r\n");
    request(serving.address, b"PUT /items/plain", "");
    // The request may be refused, and the refusal is logged as well.
    loop {
        let line = serving.event();
        assert!(!line.contains(['\u{9b}', '\u{1b}']), "{line:?}");
        if line.contains("/items/plain") {
            break;
        }
        assert!(line.contains("/items/\\u{9b}31m") || line.contains("could not be read"), "{line:?}");
    }
}

#[test]
fn every_request_is_shown_on_demand() {
    let (mut serving, _folder) = serve(&["-v"]);
    request(serving.address, b"GET /items/7", "User-Agent: curl/8.5\r\n");
    let line = loop {
        let line = serving.event();
        if !line.starts_with("debug") {
            break line;
        }
    };
    let words: Vec<&str> = line.split_whitespace().collect();
    assert!(matches!(words[..], ["200", "GET", "/items/7", _, "ms", "curl/8.5"]), "{line}");
}

#[test]
fn an_upstream_that_is_not_up_is_a_warning_and_a_502_for_each_request() {
    let upstream = Upstream::listen();
    let url = upstream.url();
    drop(upstream);
    let (mut serving, _folder) = serve(&["-u", &url]);
    let warning = serving.event();
    assert_eq!(
        warning,
        format!("warn  the upstream {url} refuses connections; until it is up, requests get 502")
    );
    assert!(request(serving.address, b"GET /a", "").starts_with("HTTP/1.1 502 "));
    assert_eq!(serving.event(), "502  GET /a               the upstream refused the connection: is it up?");
    serving.signal("INT");
    let (code, out, _) = serving.end();
    assert_eq!(code, Some(0));
    assert!(out.ends_with("\n1 request, 0 conflicts, 1 without an answer from the upstream\n"), "{out}");
}

#[test]
fn a_signal_lets_what_is_in_flight_end() {
    // A terminal that is closed sends HUP.
    for signal in ["TERM", "INT", "HUP", "QUIT"] {
        let mut upstream = Upstream::listen();
        let (mut serving, _folder) = serve(&["-u", &upstream.url()]);
        let address = serving.address;
        let client = request_in_background(address, b"GET /slow");
        assert!(upstream.receive().starts_with("GET /slow HTTP/1.1\r\n"));
        serving.signal(signal);
        assert!(serving.line().is_empty());
        assert!(serving.line().starts_with("stopping: "), "{signal}");
        upstream.response();
        let response = client.join().expect("a client");
        assert!(response.starts_with("HTTP/1.1 200 OK\r\n") && response.ends_with("done"), "{response}");
        let (code, out, _) = serving.end();
        assert_eq!(code, Some(0), "{signal}");
        assert!(out.ends_with("\n1 request, 0 conflicts\n"), "{out}");
    }
}

#[test]
fn a_line_says_what_the_client_got_and_whether_the_upstream_applied_the_request() {
    let rules = r#"
[[rule]]
name = "refused"
path = "/items"
phase = "after"
[[rule]]
name = "lost"
path = "/pages/1"
phase = "lost"
[[rule]]
name = "gone"
path = "/pages/2"
phase = "lost"
reply = { status = 504 }
"#;
    let folder = folder(&[("rules.toml", rules)]);
    let mut command = fracas(folder.path());
    command.args(["-l", "127.0.0.1:0"]);
    let mut serving = Serving::start(command);
    for path in ["/items", "/pages/1", "/pages/2"] {
        request(serving.address, format!("GET {path}").as_bytes(), "User-Agent: curl/8.5\r\n");
    }
    let lines = [(); 3].map(|()| serving.event());
    assert_eq!(
        lines,
        [
            "409  GET /items           refused               transient    n=1, applied  curl/8.5",
            "lost GET /pages/1         lost                  transient    n=1, applied  curl/8.5",
            "504  GET /pages/2         gone                  transient    n=1, applied  curl/8.5",
        ]
    );
}

#[test]
fn bounds_on_the_rules_work_are_told_once() {
    let rules = r#"
body_limit = "10 B"
[limits]
keys = 1
[[rule]]
name = "by-body"
method = "PUT"
body = { "/a" = 1 }
[[rule]]
name = "counted"
every = 1000
per = "path"
"#;
    let folder = folder(&[("rules.toml", rules)]);
    let mut command = fracas(folder.path());
    command.args(["-l", "127.0.0.1:0"]);
    let serving = Serving::start(command);
    let long = "Content-Length: 12\r\n\r\n{\"a\": 1    }";
    for _ in 0..2 {
        request(serving.address, b"PUT /items/1", long);
        request(serving.address, b"GET /items/2", "");
    }
    serving.signal("TERM");
    let (_, _, err) = serving.end();
    let lines: Vec<&str> = err.lines().filter(|line| line.contains("  warn  ")).collect();
    assert_eq!(lines.len(), 2, "{err}");
    assert!(lines[0].ends_with(
        "warn  the rule by-body leaves alone what has a body longer than body_limit: it cannot look at it"
    ));
    assert!(lines[1].ends_with(
        "warn  the state has no room for another key and forgets the oldest, whose counts begin again; raise limits.keys"
    ));
}

#[test]
fn a_second_signal_ends_at_once() {
    let mut upstream = Upstream::listen();
    let (mut serving, _folder) = serve(&["-u", &upstream.url()]);
    let address = serving.address;
    let client = request_in_background(address, b"GET /never");
    upstream.receive();
    serving.signal("INT");
    assert!(serving.line().is_empty());
    assert!(serving.line().starts_with("stopping: "));
    serving.signal("TERM");
    assert_eq!(serving.end().0, Some(0));
    assert_eq!(client.join().expect("a client"), "");
}

#[test]
fn json_lines_are_whole_objects() {
    let (mut serving, _folder) = serve(&["--log-format", "json"]);
    let parse = |line: &str| serde_json::from_str::<serde_json::Value>(line).expect(line);
    let start = parse(&serving.start[0]);
    assert_eq!(start["target"], "fracas::start");
    assert_eq!(start["rules"], 1);
    request(serving.address, b"PUT /items/7", "User-Agent: curl/8.5\r\n");
    let conflict = parse(&serving.line());
    for (key, value) in [
        ("target", "fracas::conflict".into()),
        ("level", "INFO".into()),
        ("status", serde_json::Value::from(409)),
        ("method", "PUT".into()),
        ("path", "/items/7".into()),
        ("rule", "flaky-writes".into()),
        ("kind", "transient".into()),
        ("phase", "before".into()),
        ("n", 1.into()),
        ("client", "curl/8.5".into()),
    ] {
        assert_eq!(conflict[key], value, "{key}");
    }
    let time = conflict["timestamp"].as_str().expect("a time");
    assert!(time.len() == 24 && time.ends_with('Z'), "{time}");
    serving.signal("TERM");
    let (code, out, err) = serving.end();
    assert_eq!((code, err.as_str()), (Some(0), ""));
    let summary = parse(&out);
    assert_eq!((&summary["requests"], &summary["rules"][0]["fired"]), (&1.into(), &1.into()));
}

#[test]
fn the_sample_api_serves_alone() {
    let folder = folder(&[]);
    let mut command = fracas(folder.path());
    command.args(["demo", "--listen", "127.0.0.1:0"]);
    let serving = Serving::start_saying(command, "sample API");
    assert!(request(serving.address, b"GET /items/1", "").starts_with("HTTP/1.1 200 OK\r\n"));
    serving.signal("TERM");
    assert_eq!(serving.end().0, Some(0));
}

#[test]
fn a_report_that_a_program_reads_has_standard_output_to_itself_under_serve() {
    for (format, begin) in [
        ("junit", "<?xml"),
        ("json", "{"),
        ("har", "{"),
        ("html", "<!doctype"),
        ("github", "::"),
        ("markdown", "##"),
    ] {
        let (serving, folder) = serve(&["--report", format, "--report", "text=r.txt", "-v"]);
        assert!(request(serving.address, b"PUT /items/7", "").starts_with("HTTP/1.1 409 Conflict\r\n"));
        serving.signal("INT");
        let (code, out, err) = serving.end();
        assert_eq!(code, Some(0), "{err}");
        assert!(out.starts_with(begin) && !out.contains("1 request, 1 conflict"), "{format}: {out}");
        assert!(err.contains("1 request, 1 conflict"), "the summary is talk: {err}");
        assert!(folder.path().join("r.txt").is_file());
        match format {
            "junit" => {
                let report = quick_junit::Report::deserialize_from_str(&out).expect("JUnit");
                assert!(report.tests > 0);
            }
            "json" | "har" => drop(serde_json::from_str::<serde_json::Value>(&out).expect("JSON")),
            "github" => assert!(out.lines().all(|line| line.starts_with("::")), "{out}"),
            "html" => assert!(out.trim_end().ends_with("</html>"), "{out}"),
            _ => {}
        }
    }
}

#[test]
fn two_reports_on_standard_output_are_refused() {
    for (reports, is_refused) in [
        (["--report=junit", "--report=json"], true),
        (["--report=text", "--report=junit"], true),
        (["--report=json", "--report=json"], true),
        (["--report=junit", "--report=json=r.json"], false),
    ] {
        for command in [&["run", "-q", "--min-operations", "0"][..], &["serve", "-l", "0"]] {
            if command[0] == "serve" && !is_refused {
                continue;
            }
            let folder = folder(&[("rules.toml", RULES)]);
            let mut program = fracas(folder.path());
            program.args(command).args(reports).args((command[0] == "run").then_some("true"));
            let output = program.output().expect("the binary runs");
            let err = text(&output.stderr);
            assert_eq!(output.status.code(), Some(if is_refused { 2 } else { 0 }), "{reports:?}: {err}");
            assert_eq!(err.contains("give one of them a file: `--report "), is_refused, "{err}");
        }
    }
}
