//! No output is written over an input, or over another output, by any path.
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::symlink;

use crate::support::program::{folder, fracas, text};

#[test]
fn a_file_that_would_be_written_over_is_refused_at_the_start_and_stays() {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let (cert, key) = (made.cert.pem(), made.signing_key.serialize_pem());
    let rules = "listen = \"127.0.0.1:0\"\nupstream = \"https://127.0.0.1:9\"\n[tls]\ncert = \"cert.pem\"\nkey = \
                 \"key.pem\"\n[upstream_tls]\nca = \"ca.pem\"\n[[rule]]\nreply = { body_file = \"body.json\" }\n";
    let files = [
        ("rules.toml", rules),
        ("cert.pem", &cert),
        ("key.pem", &key),
        ("ca.pem", &cert),
        ("body.json", "{}"),
    ];
    let cases: &[(&[&str], &str)] = &[
        (&["--journal", "rules.toml"], "the journal and the rules file"),
        (&["--journal", "deep/../rules.toml"], "the journal and the rules file"),
        (&["--journal", "soft"], "the journal and the rules file"),
        (&["--journal", "hard"], "the journal and the rules file"),
        (&["--journal", "deep/soft"], "the journal and the rules file"),
        (&["--report", "html=rules.toml"], "the html report and the rules file"),
        (&["--report", "html=hard"], "the html report and the rules file"),
        (&["--ready-file", "rules.toml"], "the ready file and the rules file"),
        (&["--report", "json=body.json"], "the json report and a `body_file`"),
        (&["--report", "json=cert.pem"], "`cert` of [tls]"),
        (&["--journal", "key.pem"], "`key` of [tls]"),
        (&["--report", "har=ca.pem"], "`ca` of [upstream_tls]"),
        (&["--report", "json=x", "--report", "html=x"], "the html report and the json report"),
        (&["--report", "json=x", "--report", "html=deep/../x"], "the html report and the json report"),
        (&["--report", "json=x", "--report", "html=dangling"], "the html report and the json report"),
        (&["--journal", "x", "--report", "html=x"], "the html report and the journal"),
        (&["--journal", "x", "--ready-file", "x"], "the ready file and the journal"),
        (&["--report", "json=x", "--ready-file", "x"], "the json report and the ready file"),
        (&["--journal", "summary.md", "--report", "markdown"], "the markdown report and the journal"),
    ];
    for command in ["run", "serve"] {
        for (options, said) in cases {
            let folder = folder(&files);
            let at = |name: &str| folder.path().join(name);
            fs::create_dir(at("deep")).expect("a folder");
            symlink("rules.toml", at("soft")).expect("a link");
            symlink("../rules.toml", at("deep/soft")).expect("a link");
            symlink("deep/../x", at("dangling")).expect("a link");
            fs::hard_link(at("rules.toml"), at("hard")).expect("a link");
            let mut run = fracas(folder.path());
            run.arg(command).args(*options).env("GITHUB_STEP_SUMMARY", "summary.md");
            if command == "run" {
                run.args(["--", "true"]);
            }
            let output = run.output().expect("the binary runs");
            let err = text(&output.stderr);
            assert_eq!(output.status.code(), Some(2), "{options:?}: {err}");
            assert!(err.contains("error[same-file]: ") && err.contains(said), "{options:?}: {err}");
            assert!(err.contains(" = help: give the "), "{err}");
            for (name, text) in files {
                assert_eq!(fs::read_to_string(at(name)).expect("text"), text, "{options:?}");
            }
            assert!(!at("x").exists() && !at("summary.md").exists(), "{options:?}");
        }
    }
}

#[test]
fn a_journal_is_appended_to_a_journal_only() {
    for (name, there) in
        [("notes.txt", "my notes\nline 2"), ("r.json", "{\n  \"version\": 1\n}\n"), ("x", "[[rule]]\n")]
    {
        let folder = folder(&[("rules.toml", "[[rule]]\nrate = 1\n"), (name, there)]);
        let mut command = fracas(folder.path());
        command.args(["run", "--journal", name, "--", "true"]);
        let output = command.output().expect("the binary runs");
        let err = text(&output.stderr);
        assert!(output.status.code() == Some(2) && err.contains("error[journal]: "), "{err}");
        assert!(err.contains("that is no journal") && err.contains("a new file"), "{err}");
        assert_eq!(fs::read_to_string(folder.path().join(name)).expect("text"), there);
    }
}

#[test]
fn a_report_is_not_written_over_its_journal_or_the_rules_of_its_run() {
    let folder = folder(&[("rules.toml", "[[rule]]\nrate = 1\n")]);
    let at = |name: &str| folder.path().join(name);
    let run = |arguments: &[&str]| fracas(folder.path()).args(arguments).output().expect("the binary runs");
    run(&["run", "-q", "--min-operations", "0", "--journal", "j.jsonl", "--", "true"]);
    symlink("j.jsonl", at("link")).expect("a link");
    let journal = fs::read_to_string(at("j.jsonl")).expect("a journal");
    for output in ["j.jsonl", "link", "./j.jsonl"] {
        let refused = run(&["report", "j.jsonl", "-o", output]);
        let err = text(&refused.stderr);
        assert!(refused.status.code() == Some(2) && err.contains("error[same-file]: "), "{err}");
        assert_eq!(fs::read_to_string(at("j.jsonl")).expect("a journal"), journal);
    }
    let rules = fs::read_to_string(at("rules.toml")).expect("rules");
    fs::hard_link(at("rules.toml"), at("hard")).expect("a link");
    for output in ["rules.toml", "./rules.toml", "hard"] {
        let refused = run(&["report", "j.jsonl", "--format", "html", "-o", output]);
        let err = text(&refused.stderr);
        assert!(refused.status.code() == Some(2) && err.contains("the report and the rules file"), "{err}");
        assert_eq!(fs::read_to_string(at("rules.toml")).expect("rules"), rules);
    }
    assert_eq!(run(&["report", "j.jsonl", "-o", "report.txt"]).status.code(), Some(0));
}
