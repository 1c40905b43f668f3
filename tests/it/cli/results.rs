//! Commands that print a result and end.

use crate::support::program::{folder, fracas, run, text};

#[test]
fn help_names_every_command_and_variable() {
    let folder = folder(&[]);
    let help = run(folder.path(), &["--help"]);
    assert!(help.status.success());
    let help = text(&help.stdout);
    for word in [
        "serve",
        "check",
        "explain",
        "init",
        "schema",
        "completions",
        "man",
        "demo",
        "-r, --rules",
        "-u, --upstream",
        "-l, --listen",
        "-s, --seed",
        "-w, --workers",
        "--ready-file",
        "--log-format",
        "-q, --quiet",
        "-v, --verbose",
        "FRACAS_RULES",
        "FRACAS_UPSTREAM",
        "FRACAS_LISTEN",
        "FRACAS_SEED",
        "FRACAS_WORKERS",
        "FRACAS_READY_FILE",
        "FRACAS_LOG_FORMAT",
        "Exit codes",
    ] {
        assert!(help.contains(word), "{word} is not in\n{help}");
    }
    for word in ["--watch", "--admin", "FRACAS_ADMIN", "\x1b"] {
        assert!(!help.contains(word), "{word} is in\n{help}");
    }
    assert!(help.lines().all(|line| line.chars().count() <= 100), "{help}");
}

#[test]
fn what_init_writes_passes_check() {
    let folder = folder(&[]);
    assert_eq!(run(folder.path(), &["init"]).status.code(), Some(0));
    let check = run(folder.path(), &["check"]);
    assert_eq!(text(&check.stdout), "rules.toml: 8 rules, no mistakes\n");
    assert_eq!(check.status.code(), Some(0));
    let rules = std::fs::read_to_string(folder.path().join("rules.toml")).expect("rules");
    let schema =
        rules.lines().next().and_then(|line| line.strip_prefix("#:schema ./")).expect("a schema line");
    let schema = std::fs::read(folder.path().join(schema)).expect("a schema");
    assert_eq!(text(&schema), text(&run(folder.path(), &["schema"]).stdout));
    assert!(serde_json::from_slice::<serde_json::Value>(&schema).is_ok_and(|schema| schema.is_object()));
}

#[test]
fn reports_have_a_schema_of_their_own() {
    let folder = folder(&[]);
    let schema = run(folder.path(), &["schema", "report"]);
    let published = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/report.schema.json");
    assert_eq!(text(&schema.stdout), std::fs::read_to_string(published).expect("it is published"));
}

#[test]
fn init_overwrites_only_when_forced() {
    let folder = folder(&[("rules.toml", "seed = 9\n")]);
    let rules = || std::fs::read_to_string(folder.path().join("rules.toml")).expect("rules");
    let refused = run(folder.path(), &["init"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused.stderr).starts_with("error[file-exists]: rules.toml is already there\n"));
    assert_eq!(rules(), "seed = 9\n");
    assert_eq!(run(folder.path(), &["init", "--force"]).status.code(), Some(0));
    assert!(rules().starts_with("#:schema"));
}

#[test]
fn check_reports_every_mistake_on_standard_output() {
    let folder = folder(&[("bad.toml", "[[rule]]\nevry = 5\n\n[[rule]]\nrate = 25\n")]);
    let check = run(folder.path(), &["check", "bad.toml"]);
    let out = text(&check.stdout);
    assert_eq!(check.status.code(), Some(1));
    assert!(out.contains("error[unknown-key]") && out.contains("error[out-of-range]"), "{out}");
    assert!(out.ends_with("\nbad.toml: 2 mistakes\n") && !out.contains('\x1b'), "{out}");
    assert!(check.stderr.is_empty());
    let missing = run(folder.path(), &["check"]);
    assert_eq!(missing.status.code(), Some(2));
    assert!(text(&missing.stderr).starts_with("error[missing-file]"));
}

const RULES: &str = r#"
[[rule]]
name = "first-write"
method = "PUT"
path = "/items/{id}"
first = 1
per = "path"

[[rule]]
name = "on-pattern"
method = ["PUT", "POST"]
pattern = ".x"

[[rule]]
name = "orders"
method = "POST"
path = "/orders"
per = "header:idempotency-key"
limit = 1

[[rule]]
name = "off"
enabled = false
"#;

#[test]
fn explain_says_what_the_next_requests_would_get_and_why() {
    let folder = folder(&[("rules.toml", RULES)]);
    let explain = |arguments: &[&str]| {
        let output = fracas(folder.path()).arg("explain").args(arguments).output().expect("runs");
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        text(&output.stdout).to_owned()
    };
    assert_eq!(
        explain(&["PUT", "/items/7", "--times", "3"]),
        "   rule         says
 1 first-write  matches; first 1 per path (/items/7): CONFLICT, passes, passes (n = 1, 2, 3)
 2 on-pattern   matches; pattern .x: not reached, passes, CONFLICT (n = 1, 2)
 3 orders       no: method is PUT, the rule wants POST
 4 off          no: it is not enabled
 → 1st: 409 by first-write · 2nd: upstream · 3rd: 409 by on-pattern
"
    );
    assert_eq!(
        explain(&["POST", "/orders"]),
        "   rule         says
 1 first-write  no: method is POST, the rule wants PUT
 2 on-pattern   matches; pattern .x: passes (n = 1)
 3 orders       no: the request lacks header:idempotency-key, which the rule counts per
 4 off          no: it is not enabled
 → upstream
"
    );
    let many = explain(&["POST", "/orders", "-H", "idempotency-key: a", "--times", "100"]);
    assert!(many.contains("on-pattern   matches; pattern .x: CONFLICT 50 times, passes 50\n"), "{many}");
    assert!(many.contains("every time per header:idempotency-key (a), at most 1: CONFLICT 1 times, passes 49, not reached 50\n"), "{many}");
    assert!(
        many.ends_with(
            " → of 100 requests: 49 to the upstream · 50 × 409 by on-pattern · 1 × 409 by orders\n"
        ),
        "{many}"
    );
}

#[test]
fn explain_shows_state_what_is_counted_and_what_would_clear_it() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    for (rules, arguments, expected) in [
        (
            "version-mismatch.toml",
            &["PUT", "/items/7", "-H", "if-match: \"3\""][..],
            " 1 stale-version      matches; stale per path (/items/7): passes, passes (n = 1, 2); conflicts once a newer version than the request's was seen
 2 somebody-else-won  matches; first 1 per path (/items/7): CONFLICT, CONFLICT (still open) (n = 1); until this client reads the resource again
 → 1st: 409 by somebody-else-won · 2nd: 409 by somebody-else-won",
        ),
        (
            "duplicate.toml",
            &["POST", "/register", "-d", "{\"username\":\"ada\"}"],
            " 1 username-taken  matches; duplicate per body:/username (ada): passes, CONFLICT (n = 1, 2); for good
 → 1st: upstream · 2nd: 409 by username-taken",
        ),
        (
            "referenced.toml",
            &["DELETE", "/orders/5"],
            " 1 item-has-orders  no: path /orders/5 does not fit /items/{id}\n → 1st: upstream · 2nd: upstream",
        ),
        (
            "lost-acknowledgement.toml",
            &["POST", "/orders"],
            ", after the upstream accepted it, without an answer: CONFLICT, passes (n = 1, 2)
 → 1st: no answer, by lost-acknowledgement · 2nd: upstream",
        ),
        (
            "idempotency-key.toml",
            &["POST", "/orders", "-H", "idempotency-key: k"],
            " → 1st: upstream · 2nd: the stored answer, by key-in-use",
        ),
    ] {
        let rules = root.join("examples").join(rules);
        let folder = folder(&[]);
        let mut command = fracas(folder.path());
        command.arg("explain").arg("--rules").arg(&rules).args(arguments).args(["--times", "2"]);
        let output = command.output().expect("runs");
        let said = text(&output.stdout);
        assert!(said.trim_end().ends_with(expected), "{rules:?} says\n{said}{}", text(&output.stderr));
    }
}

#[test]
fn explain_knows_of_requests_whose_answer_an_earlier_rule_withholds() {
    let rules = r#"
[[rule]]
name = "lost"
method = "POST"
first = 1
phase = "lost"

[[rule]]
name = "key"
method = "POST"
on = "key_in_use"
"#;
    let folder = folder(&[("rules.toml", rules)]);
    let output =
        run(folder.path(), &["explain", "POST", "/orders", "-H", "idempotency-key: k", "--times", "2"]);
    let said = text(&output.stdout);
    assert!(said.ends_with(" → 1st: no answer, by lost · 2nd: the stored answer, by key\n"), "{said}");
}

#[test]
fn completions_and_the_manual_come_from_the_command_line() {
    let folder = folder(&[]);
    for shell in ["bash", "zsh", "fish"] {
        let output = run(folder.path(), &["completions", shell]);
        assert!(output.status.success() && text(&output.stdout).contains("ready-file"), "{shell}");
    }
    let man = run(folder.path(), &["man"]);
    let page = text(&man.stdout);
    assert!(
        page.starts_with(".ie") && page.contains("fracas\\-explain") && page.contains("ready\\-file"),
        "{page}"
    );
    let page = run(folder.path(), &["man", "explain"]);
    assert!(text(&page.stdout).contains(".TH fracas-explain 1"), "{}", text(&page.stdout));
    assert_eq!(run(folder.path(), &["man", "nothing"]).status.code(), Some(2));
    for shell in ["bash", "zsh", "fish"] {
        let script = run(folder.path(), &["completions", shell]);
        let script = text(&script.stdout);
        for format in ["junit", "markdown", "github"] {
            assert!(script.contains(format), "{shell} offers {format}");
        }
    }
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let folder = folder(&[]);
    let mut command = fracas(folder.path());
    let mut child = command.arg("schema").stdout(std::process::Stdio::piped()).spawn().expect("runs");
    drop(child.stdout.take());
    assert_eq!(child.wait().expect("an end").code(), Some(0));
}
