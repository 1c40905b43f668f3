//! `fracas report`: a journal graded again says what the run said.

use std::fs;
use std::path::Path;

use fracas::journal::{Header, HeaderRule, Tallies};
use fracas::judgement::grading::{Asked, AskedByRule};
use fracas::rules::{Config, Expect};
use fracas::words::{Attempt, Conflict, Fingerprint, Got, Kind, Phase};

use crate::support::program::{folder, run, text};

/// A client that writes the same again and again, 5 ms apart, `tries` times, and is refused each time.
fn blind(tries: u64) -> Vec<Attempt> {
    let attempt = |n: u64| Attempt {
        id: n,
        start: n * 5_000,
        end: n * 5_000 + 1_000,
        agent: Some("blind/1".into()),
        method: "PUT".into(),
        path: "/items/7".into(),
        got: Got { status: Some(409), ..Got::default() },
        conflict: Some(Conflict {
            rule: "r".into(),
            kind: Kind::Version,
            phase: Phase::Before,
            n,
            key: Fingerprint(1),
        }),
        ..Attempt::default()
    };
    (1..=tries).map(attempt).collect()
}

fn header(expect: Expect) -> Header {
    let mut header = Header::new(&Config::builtin(), "2026-01-31T00:00:00Z".to_owned());
    header.rules = vec![HeaderRule {
        disabled: false,
        name: "r".into(),
        kind: Kind::Version,
        asked: "all".into(),
        asked_share: Some(1.0),
    }];
    let own = AskedByRule { rule: "r".into(), expect: Expect::default(), style: None };
    header.asked = Asked { expect, rules: vec![own] };
    header
}

fn lines(header: &Header, attempts: &[Attempt]) -> String {
    let json = |line: &dyn erased::Line| line.json() + "\n";
    let mut text = json(header);
    attempts.iter().for_each(|attempt| text += &json(attempt));
    let count = attempts.len() as u64;
    text + &json(&Tallies { tallies: vec![(0, count, count)], ..Tallies::default() })
}

/// Lines of every kind in one list.
mod erased {
    pub trait Line {
        fn json(&self) -> String;
    }
    impl<T: serde::Serialize> Line for T {
        fn json(&self) -> String {
            serde_json::to_string(self).expect("JSON")
        }
    }
}

fn report(folder: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = run(folder, &[&["report"], arguments].concat());
    (output.status.code(), text(&output.stdout).to_owned(), text(&output.stderr).to_owned())
}

#[test]
fn the_last_run_is_graded_and_its_verdict_is_the_exit_code() {
    let refetch = Expect { refetch: Some(true), ..Expect::default() };
    let generous = Expect { max_tries: std::num::NonZeroU64::new(9), ..Expect::default() };
    let unmet = lines(&header(refetch), &blind(6));
    let met = lines(&header(generous), &blind(6));
    let folder =
        folder(&[("journal.jsonl", &met), ("unmet.jsonl", &unmet), ("both.jsonl", &(unmet.clone() + &met))]);

    let (code, out, err) = report(folder.path(), &[]);
    assert_eq!((code, &*err), (Some(0), ""), "what is expected decides: {out}");
    let (code, out, _) = report(folder.path(), &["unmet.jsonl"]);
    assert!(code == Some(1) && out.contains("R2") && out.contains("blind/1"), "{out}");
    let (code, _, err) = report(folder.path(), &["both.jsonl"]);
    assert_eq!((code, &*err), (Some(0), "the journal holds 2 runs; this is the last one\n"));
}

#[test]
fn a_torn_journal_is_graded_and_its_damage_told() {
    let whole = lines(&header(Expect::default()), &blind(3));
    let torn = format!("{whole}{{\"id\":4,\"sta");
    let folder = folder(&[("journal.jsonl", &torn), ("empty.jsonl", ""), ("rules.toml", "seed = 1\n")]);
    let (code, out, err) = report(folder.path(), &["--format", "json"]);
    assert_eq!(err, "warning: 1 line of the journal cannot be read, and left out\n");
    let json: serde_json::Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!(json["totals"]["attempts"], 3);
    assert_eq!((&json["rules"][0]["matched"], &json["rules"][0]["asked"]), (&3.into(), &"all".into()));
    let is_short = json["verdict"] == "fail";
    assert_eq!(code, Some(i32::from(is_short)));
    for (name, why) in
        [("empty.jsonl", "it is no journal"), ("rules.toml", "no"), ("missing", "No such file")]
    {
        let (code, _, err) = report(folder.path(), &[name]);
        assert!(code == Some(2) && err.contains("error[journal]: ") && err.contains(why), "{err}");
    }
}

#[test]
fn every_format_goes_to_a_file_or_to_standard_output() {
    let folder = folder(&[("journal.jsonl", &lines(&header(Expect::default()), &blind(3)))]);
    for (format, start) in [
        ("text", ""),
        ("json", "{"),
        ("junit", "<?xml"),
        ("markdown", ""),
        ("html", "<!doctype html>"),
        ("har", "{\"log\":"),
    ] {
        let (_, out, _) = report(folder.path(), &["--format", format]);
        assert!(out.to_lowercase().starts_with(start) && out.len() > 100, "{format}: {out}");
        let (_, nothing, _) = report(folder.path(), &["--format", format, "-o", "out"]);
        assert_eq!(
            (nothing, fs::read_to_string(folder.path().join("out")).expect(format)),
            (String::new(), out)
        );
    }
}

#[test]
fn what_is_open_at_the_end_is_unfinished_unless_its_client_is_gone() {
    let open = lines(&header(Expect::default()), &blind(3));
    let gone = Tallies { clients_gone: true, ..Tallies::default() };
    let over = open.clone() + &erased::Line::json(&gone) + "\n";
    let folder = folder(&[("open.jsonl", &open), ("over.jsonl", &over)]);
    for (name, unfinished, gave_up) in [("open.jsonl", 1, 0), ("over.jsonl", 0, 1)] {
        let (_, out, _) = report(folder.path(), &[name, "--format", "json"]);
        let totals = &serde_json::from_str::<serde_json::Value>(&out).expect("JSON")["totals"];
        assert_eq!(
            (&totals["unfinished"], &totals["gave_up"]),
            (&unfinished.into(), &gave_up.into()),
            "{name}"
        );
    }
}
