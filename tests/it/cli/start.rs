//! How a proxy starts, or says why it does not.

use std::net::TcpListener;

use crate::support::program::{Serving, folder, fracas, run, text};

/// Rules that refuse every write.
const RULES: &str = "seed = 2\n[[rule]]\nname = \"writes\"\nmethod = \"PUT\"\npath = \"/items/{id}\"\n";

#[test]
fn the_banner_says_what_runs_and_what_to_try() {
    for (files, upstream, rules, command) in [
        (
            &[("rules.toml", RULES)][..],
            "the built-in sample API",
            "rules.toml: 1 rule, seed 2",
            "curl -i -X PUT http://ADDRESS/items/1 -d '{\"name\":\"lamp\"}'",
        ),
        (
            &[],
            "the built-in sample API",
            "those of `fracas init`, as there is no rules.toml here: 8 rules, seed 1",
            "curl -i -X PUT http://ADDRESS/items/1 -d '{\"name\":\"lamp\"}'",
        ),
    ] {
        let folder = folder(files);
        let mut command_line = fracas(folder.path());
        command_line.args(["-l", "127.0.0.1:0"]);
        let serving = Serving::start(command_line);
        let version = env!("CARGO_PKG_VERSION");
        let expected = [
            format!("fracas {version}   http://ADDRESS  →  {upstream}"),
            format!("rules          {rules}"),
            String::new(),
            format!("try            {command}"),
        ];
        let address = serving.address.to_string();
        let start: Vec<String> = serving.start.iter().map(|line| line.replace(&address, "ADDRESS")).collect();
        assert_eq!(start, expected);
    }
}

#[test]
fn addresses_and_upstreams_are_taken_as_people_write_them() {
    let folder = folder(&[("rules.toml", RULES)]);
    for arguments in
        [&["-l", "0"][..], &["-l", ":0"], &["-l", "localhost:0"], &["--port", "0"], &["--port=0"]]
    {
        let mut command = fracas(folder.path());
        command.args(arguments);
        let serving = Serving::start(command);
        assert!(serving.address.ip().is_loopback() && serving.address.port() != 0, "{arguments:?}");
    }
    for arguments in [&["http://127.0.0.1:9"][..], &["serve", "http://127.0.0.1:9"]] {
        let mut command = fracas(folder.path());
        command.args(arguments).args(["-l", "0"]);
        let serving = Serving::start(command);
        assert!(serving.start[0].ends_with("→  http://127.0.0.1:9"), "{:?}", serving.start);
    }
}

#[test]
fn what_is_not_built_yet_is_not_offered() {
    for arguments in [&["--help"][..], &["run", "--help"], &["man"], &["completions", "bash"]] {
        let output = run(folder(&[]).path(), arguments);
        // Of a script for bash, the words that it offers.
        let is_offered =
            |line: &&str| arguments[0] != "completions" || line.trim_start().starts_with("opts=");
        let said: String = text(&output.stdout).lines().filter(is_offered).collect();
        assert!(!said.contains("--watch") && !said.contains("--admin") && !said.contains("ADMIN"), "{said}");
    }
}

#[test]
fn a_flag_beats_a_variable_which_beats_the_file() {
    let folder = folder(&[("rules.toml", RULES), ("other.toml", "seed = 7\n")]);
    for (variables, flags, rules) in [
        (&[][..], &[][..], "rules.toml: 1 rule, seed 2"),
        (&[("FRACAS_SEED", "3")], &[], "rules.toml: 1 rule, seed 3"),
        (&[("FRACAS_SEED", "")], &[], "rules.toml: 1 rule, seed 2"),
        (&[("FRACAS_SEED", "3")], &["--seed", "4"], "rules.toml: 1 rule, seed 4"),
        (&[("FRACAS_RULES", "other.toml")], &[], "other.toml: 0 rules, seed 7"),
        (&[("FRACAS_RULES", "other.toml")], &["-r", "rules.toml"], "rules.toml: 1 rule, seed 2"),
        (&[("FRACAS_LISTEN", "nowhere")], &[], "rules.toml: 1 rule, seed 2"),
    ] {
        let mut command = fracas(folder.path());
        command.args(["serve", "-l", "127.0.0.1:0"]).envs(variables.iter().copied()).args(flags);
        let serving = Serving::start(command);
        assert_eq!(serving.start[1], format!("rules          {rules}"), "{variables:?} {flags:?}");
    }
}

#[test]
fn the_ready_file_is_there_once_it_serves() {
    let folder = folder(&[("ready.json", r#"{"pid":1,"listen":"old","admin":null,"upstream":"old"}"#)]);
    let path = folder.path().join("ready.json");
    let mut command = fracas(folder.path());
    command.args(["-l", "127.0.0.1:0", "--ready-file", "ready.json"]);
    let serving = Serving::start(command);
    let ready: serde_json::Value =
        serde_json::from_slice(&std::fs::read(&path).expect("a ready file")).expect("whole");
    assert_eq!(ready["listen"], serving.address.to_string());
    assert_eq!(ready["admin"], serde_json::Value::Null);
    assert!(ready["upstream"].as_str().is_some_and(|url| url.starts_with("http://127.0.0.1:")));
    assert!(ready["pid"].is_u64());
    #[cfg(unix)]
    {
        serving.signal("INT");
        assert_eq!(serving.end().0, Some(0));
        assert!(!path.exists());
    }
}

#[test]
fn an_upstream_that_is_the_proxy_itself_is_found_by_its_address() {
    let folder = folder(&[]);
    // The kernel does not hand out a port again so soon after it was free.
    let free =
        TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port");
    let port = free.port();
    // The resolver takes it for 127.0.0.1 (inet_aton).
    let host = "0x7f.1";
    for listen in ["127.0.0.1", "0.0.0.0"] {
        let arguments = ["-l", &format!("{listen}:{port}"), "-u", &format!("http://{host}:{port}")];
        let output = run(folder.path(), &arguments);
        assert_eq!(output.status.code(), Some(2), "{listen}");
        let err = text(&output.stderr);
        assert!(err.contains("error[own-listener]: the upstream is this proxy itself"), "{listen}: {err}");
    }
}

#[test]
fn a_failed_start_says_why_and_exits_with_2() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let taken = taken.local_addr().expect("an address").to_string();
    let bad = "[[rule]]\nrate = 25\n";
    let folder = folder(&[("bad.toml", bad), ("good.toml", "seed = 1\n"), ("notes.txt", "mine\n")]);
    for (arguments, said) in [
        (&["--unknown"][..], "unexpected argument '--unknown'"),
        (&["-q", "-v"], "cannot be used with"),
        (&["run"], "required arguments were not provided"),
        (&["run", "--env", "A=B", "--", "true"], "a variable has no such name"),
        (&["-l", &taken], "error[port-taken]: port "),
        (&["-l", &taken], "--listen 127.0.0.1:0`"),
        (&["-l", "192.0.2.1:0"], "error[no-such-address]: 192.0.2.1 is not an address of this machine"),
        (&["-l", "example.com:80"], "error[bad-address]: "),
        (&["--port", "many"], "error[bad-address]: "),
        (&["localhost:9000"], "did you mean \"http://localhost:9000\"?"),
        (&["serve", "ftp://a"], "error[bad-url]: "),
        (&["-l", "127.0.0.1:5000", "-u", "http://localhost:5000"], "error[own-listener]: "),
        (&["-u", "localhost:9000"], "did you mean \"http://localhost:9000\"?"),
        (&["-u", "ftp://a", "-s", "x", "-r", "bad.toml"], "\n3 mistakes; nothing was started\n"),
        (&["-r", "missing.toml"], "error[missing-file]: there is no file `missing.toml`"),
        (&["-r", "bad.toml"], "\n1 mistake; nothing was started\n"),
        (&["-r", "good.toml", "-w", "0"], "error[out-of-range]: "),
        (
            &["--journal", "no/such/folder/j.jsonl"],
            "error[journal]: the journal no/such/folder/j.jsonl cannot be",
        ),
        (&["--report", "jsn"], "a report is one of text, json"),
        (
            &["--report", "json=notes.txt/r.json"],
            "error[report]: the report notes.txt/r.json has no folder, and none can be made: ",
        ),
        (&["--watch"], "error[not-yet]: "),
        (&["--admin", "127.0.0.1:0"], "error[not-yet]: "),
        (&["-l", "127.0.0.1:0", "--ready-file", "notes.txt"], "error[ready-file]: "),
        (&["-l", "127.0.0.1:0", "--ready-file", "no/such/ready"], "error[ready-file]: "),
    ] {
        let output = run(folder.path(), arguments);
        let err = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {err}");
        assert!(err.contains(said) && !err.contains('\x1b'), "{arguments:?}: {err}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
    }
    assert_eq!(std::fs::read_to_string(folder.path().join("notes.txt")).expect("still there"), "mine\n");
}

#[test]
fn a_mistake_in_a_variable_names_the_variable() {
    let folder = folder(&[]);
    let output = fracas(folder.path()).env("FRACAS_UPSTREAM", "nowhere").output().expect("runs");
    let err = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2));
    assert!(err.contains("--> FRACAS_UPSTREAM:1:"), "{err}");
}

#[test]
fn an_upstream_that_may_be_anybody_is_warned_of() {
    let rules = "upstream = \"https://127.0.0.1:9\"\n[upstream_tls]\ninsecure = true\n";
    let folder = folder(&[("rules.toml", rules)]);
    let mut command = fracas(folder.path());
    command.args(["-l", "127.0.0.1:0"]);
    let serving = Serving::start(command);
    let warning = "warning[insecure]: the upstream's certificate is not checked";
    assert!(serving.start.iter().any(|line| line == warning), "{:#?}", serving.start);
}
