//! A journal that could not be written: told in the summary, in the report, in the exit code, and in the
//! file itself as soon as writing works again.
#![cfg(unix)]

use std::path::Path;
use std::process::Command;

use crate::support::program::{Serving, folder, fracas, run, text};
use crate::support::socket::Socket;

const RULES: &str = "listen = \"127.0.0.1:0\"\n[expect]\nmax_tries = 50\n[[rule]]\nmethod = \"PUT\"\nfirst = 1\n\
                     per = \"path\"\n";

fn talk(serving: &Serving, requests: usize) {
    let mut socket = Socket::connect(serving.address);
    for n in 0..requests {
        socket.send(format!(
            "PUT /items/{} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{{}}",
            n / 2
        ));
        socket.response();
    }
}

fn pipe(folder: &Path) {
    assert!(Command::new("mkfifo").arg(folder.join("pipe")).status().expect("a shell").success());
}

fn json(path: &Path) -> serde_json::Value {
    serde_json::from_str(&std::fs::read_to_string(path).expect("a report")).expect("JSON")
}

/// Lines that were lost, by an error's words.
fn told(err: &str) -> u64 {
    let (_, rest) = err.split_once("error: ").expect(err);
    let (lines, _) = rest.split_once(" line").expect(err);
    lines.replace(',', "").parse().expect(err)
}

#[test]
fn what_is_lost_is_told_and_is_the_exit_code_of_serve_and_run() {
    let journals: &[&str] = if cfg!(target_os = "linux") { &["/dev/full", "pipe"] } else { &["pipe"] };
    for journal in journals {
        for quiet in [&[][..], &["-q"]] {
            let folder = folder(&[("rules.toml", RULES)]);
            pipe(folder.path());
            let options = [&["--journal", journal, "--report", "json=r.json"], quiet].concat();

            // A quiet proxy prints nothing at its start: its ready file is the event to wait for.
            let mut command = fracas(folder.path());
            command.args(["run"]).args(&options).args(["--min-operations", "0", "--", "true"]);
            let output = command.output().expect("the binary runs");
            let err = text(&output.stderr);
            assert_eq!(output.status.code(), Some(2), "{journal}: {err}");
            assert!(err.contains("of the journal could not be written"), "{journal}: {err}");
            let report = json(&folder.path().join("r.json"));
            assert_eq!(report["totals"]["lost_lines"], told(err), "{journal}: {err}");

            if quiet.is_empty() {
                let mut command = fracas(folder.path());
                command.args(&options);
                let serving = Serving::start(command);
                talk(&serving, 20);
                serving.signal("TERM");
                let (code, out, err) = serving.end();
                assert_eq!(code, Some(2), "{journal}: {err}");
                assert!(out.contains("warning: the journal lost "), "{journal}: {out}");
                let report = json(&folder.path().join("r.json"));
                assert_eq!(report["totals"]["lost_lines"], told(&err), "{journal}: {err}");
                // Every attempt, the header, the rules' counts, and the end mark.
                assert!(told(&err) >= 20 + 3, "{journal}: {err}");
                // The attempts that the file lacks were graded all the same.
                let attempts = &report["totals"]["attempts"];
                assert_eq!((attempts, &report["verdict"]), (&20.into(), &"pass".into()), "{journal}");
            }
        }
    }
}

/// A limit on the size of files stands for a full disk: writes beyond it fail, and it can be raised.
#[cfg(target_os = "linux")]
#[test]
fn a_disk_that_was_full_for_a_while_leaves_a_journal_that_says_what_it_lost() {
    use rustix::process::{Pid, Resource, Rlimit, prlimit};

    let folder = folder(&[("rules.toml", RULES)]);
    let limited = fracas(folder.path());
    let mut command = Command::new("sh");
    command.args(["-c", "trap '' XFSZ; ulimit -S -f 8; exec \"$0\" \"$@\""]).arg(limited.get_program());
    command
        .args(["--journal", "journal.jsonl"])
        .current_dir(folder.path())
        .stdin(std::process::Stdio::null());
    let mut serving = Serving::start(command);
    talk(&serving, 100);
    while !serving.line().contains("the journal cannot be written, its lines are lost: ") {}
    let everything = Rlimit { current: None, maximum: None };
    prlimit(Pid::from_raw(serving.id() as i32), Resource::Fsize, everything).expect("a limit");
    talk(&serving, 4);
    serving.signal("TERM");
    let (code, out, err) = serving.end();
    assert!(code == Some(2) && out.contains("warning: the journal lost "), "{err}");

    let journal = std::fs::read_to_string(folder.path().join("journal.jsonl")).expect("a journal");
    let mark = journal.lines().last().expect("a line");
    assert!(mark.contains("\"ended\":true") && mark.contains(&format!("\"lost\":{}", told(&err))), "{mark}");
    assert!(journal.matches("\"lost\":").count() >= 2, "told as soon as it could be, and at the end");
    let output = run(folder.path(), &["report", "--format", "json"]);
    assert_eq!(output.status.code(), Some(2), "{}", text(&output.stderr));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(report["totals"]["lost_lines"], told(&err));
    assert_eq!((&report["totals"]["incomplete"], &report["verdict"]), (&true.into(), &"undetermined".into()));
}

#[test]
fn a_journal_is_one_runs_at_a_time_and_says_which_run_a_line_is_of() {
    let folder = folder(&[("rules.toml", RULES)]);
    let command = || {
        let mut command = fracas(folder.path());
        command.args(["--journal", "journal.jsonl"]);
        command
    };
    let first = Serving::start(command());
    let second = command().output().expect("the binary runs");
    assert_eq!(second.status.code(), Some(2));
    let err = text(&second.stderr);
    assert!(
        err.contains("another run of fracas is writing it") && err.contains("journal of its own"),
        "{err}"
    );
    talk(&first, 2);
    first.signal("TERM");
    assert_eq!(first.end().0, Some(0));
    let third = Serving::start(command());
    talk(&third, 4);
    third.signal("TERM");
    assert_eq!(third.end().0, Some(0));

    let report = |arguments: &[&str]| {
        let output = run(folder.path(), &[&["report", "--format", "json"], arguments].concat());
        let reports = serde_json::Deserializer::from_slice(&output.stdout).into_iter();
        let attempts = |report: Result<serde_json::Value, _>| {
            report.expect("JSON")["totals"]["attempts"].as_u64().expect("a number")
        };
        (reports.map(attempts).collect::<Vec<_>>(), text(&output.stderr).to_owned())
    };
    let (last, err) = report(&[]);
    assert_eq!(last, [4]);
    let (_, ids) = err.split_once("each: ").expect("ids");
    let (first, second) = ids.trim_end_matches(")\n").split_once(", ").expect(ids);
    assert_ne!(first, second);
    assert_eq!(report(&["--run", first]), (vec![2], String::new()));
    assert_eq!(report(&["--run", second]), (vec![4], String::new()));
    assert_eq!(report(&["--all-runs"]).0, [2, 4]);
}
