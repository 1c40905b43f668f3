//! `fracas report`: a journal graded again gives the run's verdicts.

use std::fs;
use std::path::Path;

use fracas::grading::{CommandEnd, Criteria, RuleCriteria};
use fracas::journal::{Ending, Header, HeaderRule, RuleCounts};
use fracas::model::{Attempt, Fingerprint, InjectedConflict, Kind, Phase, ResponseRecord};
use fracas::rules::{Config, Expect};

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
        got: ResponseRecord { status: Some(409), ..ResponseRecord::default() },
        conflict: Some(InjectedConflict {
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
    let own = RuleCriteria {
        rule: "r".into(),
        expect: Expect::default(),
        style: None,
        version: None,
        names_read: false,
    };
    header.asked = Criteria { expect, rules: vec![own] };
    header
}

fn lines(header: &Header, attempts: &[Attempt]) -> String {
    let json = |line: &dyn erased::Line| line.json() + "\n";
    let mut text = json(header);
    attempts.iter().for_each(|attempt| text += &json(attempt));
    let count = attempts.len() as u64;
    text + &json(&RuleCounts { tallies: vec![(0, count, count)], ended: true, ..RuleCounts::default() })
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
    assert!(code == Some(0) && err.starts_with("the journal holds 2 runs; this is the last one ("), "{err}");
}

/// A run of `tries`, which asks for at most `most`, and may lack its end.
fn run_of(id: &str, tries: u64, most: u64) -> String {
    let expect = Expect { max_tries: std::num::NonZeroU64::new(most), ..Expect::default() };
    lines(&Header { run: id.to_owned(), ..header(expect) }, &blind(tries))
}

#[test]
fn runs_of_one_journal_are_graded_each_by_itself() {
    let journal = run_of("a1", 2, 5) + &run_of("b2", 9, 5) + &run_of("c3", 3, 5);
    let folder = folder(&[("journal.jsonl", &journal)]);
    let verdicts = |arguments: &[&str]| {
        let (code, out, err) = report(folder.path(), &[&["--format", "json"], arguments].concat());
        let reports: Vec<serde_json::Value> =
            serde_json::Deserializer::from_str(&out).into_iter().map(|json| json.expect("JSON")).collect();
        let told = |json: &serde_json::Value| {
            (json["totals"]["attempts"].as_u64(), json["verdict"].as_str().map(str::to_owned))
        };
        (code, reports.iter().map(told).collect::<Vec<_>>(), err)
    };
    let told = |attempts, verdict: &str| (Some(attempts), Some(verdict.to_owned()));
    let (code, last, err) = verdicts(&[]);
    assert_eq!((code, last), (Some(0), vec![told(3, "pass")]));
    assert!(err.contains("a1, b2, c3"), "{err}");
    assert_eq!(verdicts(&["--run", "a1"]), (Some(0), vec![told(2, "pass")], String::new()));
    assert_eq!(verdicts(&["--run", "b2"]), (Some(1), vec![told(9, "fail")], String::new()));
    let (code, all, err) = verdicts(&["--all-runs"]);
    assert_eq!((code, all), (Some(1), vec![told(2, "pass"), told(9, "fail"), told(3, "pass")]));
    assert_eq!(err.matches("run ").count(), 3, "{err}");
    let (code, none, err) = verdicts(&["--run", "d4"]);
    assert_eq!((code, none), (Some(2), Vec::new()));
    assert!(err.contains("no run `d4`") && err.contains("it holds a1, b2, c3"), "{err}");
    for format in ["junit", "html", "har"] {
        let (code, _, err) = report(folder.path(), &["--all-runs", "--format", format]);
        assert!(code == Some(2) && err.contains("--run ID"), "{err}");
    }
}

#[test]
fn an_incomplete_run_never_passes_and_says_why() {
    let whole = run_of("a1", 3, 5);
    let all: Vec<&str> = whole.lines().collect();
    let without = |range: std::ops::Range<usize>| {
        let kept = all.iter().enumerate().filter(|(at, _)| !range.contains(at)).map(|(_, line)| *line);
        kept.collect::<Vec<_>>().join("\n") + "\n"
    };
    let with_tallies = |tallies: RuleCounts| without(4..5) + &erased::Line::json(&tallies) + "\n";
    let ended = RuleCounts { ended: true, ..RuleCounts::default() };
    let cases = [
        ("no end mark", without(4..5)),
        ("1 line of it is lost", whole.clone() + "{\"id\":4,\"sta"),
        ("1 line of it is lost", all[..3].join("\n") + "\n{\"id\":3,\"st\n" + &all[3..].join("\n")),
        ("7 lines of it are lost", with_tallies(RuleCounts { lost: 7, ..ended.clone() })),
        ("8 attempts came too fast", with_tallies(RuleCounts { dropped: 8, ..ended.clone() })),
        // Told once, and not revoked by later lines.
        (
            "7 lines",
            with_tallies(RuleCounts { lost: 7, ..RuleCounts::default() }) + &erased::Line::json(&ended),
        ),
    ];
    for (why, journal) in cases {
        let folder = folder(&[("journal.jsonl", &journal)]);
        let (code, out, err) = report(folder.path(), &["--format", "json"]);
        let json: serde_json::Value = serde_json::from_str(&out).expect("JSON");
        assert_eq!((code, &json["verdict"]), (Some(2), &"undetermined".into()), "{why}");
        assert_eq!(json["totals"]["incomplete"], true, "{why}");
        assert!(!out.contains("\"pass\""), "{why}: {out}");
        assert!(err.contains("the record of run a1 is incomplete: ") && err.contains(why), "{why}: {err}");
        let (_, out, _) = report(folder.path(), &[]);
        assert!(out.contains("nothing passes by it"), "{out}");
    }
    // A fault that was seen stays one.
    let folder = folder(&[("journal.jsonl", &run_of("a1", 9, 5).replace("\"ended\":true", "\"lost\":3"))]);
    assert_eq!(report(folder.path(), &[]).0, Some(1));
    // A header written again, because its arrival was unknown, begins no run.
    let twice = format!("{}\n{whole}", all[0]);
    let folder = self::folder(&[("journal.jsonl", &twice)]);
    assert_eq!((report(folder.path(), &[]).0, report(folder.path(), &[]).2), (Some(0), String::new()));
}

#[test]
fn a_torn_journal_is_graded_and_its_damage_told() {
    let whole = lines(&header(Expect::default()), &blind(3));
    let torn = format!("{whole}{{\"id\":4,\"sta");
    let folder = folder(&[("journal.jsonl", &torn), ("empty.jsonl", ""), ("rules.toml", "seed = 1\n")]);
    let (code, out, err) = report(folder.path(), &["--format", "json"]);
    assert!(err.contains("is incomplete: 1 line of it is lost"), "{err}");
    let json: serde_json::Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!(json["totals"]["attempts"], 3);
    assert_eq!((&json["rules"][0]["matched"], &json["rules"][0]["asked"]), (&3.into(), &"all".into()));
    assert_eq!(code, Some(if json["verdict"] == "fail" { 1 } else { 2 }));
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
    let gone = RuleCounts { clients_gone: true, ..RuleCounts::default() };
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

#[test]
fn a_journal_says_whether_the_command_was_killed_while_a_client_was_still_trying() {
    let mut tries = blind(6);
    for (attempt, at) in tries.iter_mut().zip(1..) {
        (attempt.start, attempt.end) = (at * 500_000, at * 500_000 + 1_000);
    }
    let open = lines(&header(Expect::default()), &tries);
    for (what, code, ended, is_failed) in [
        ("killed in its wait", 143, Some(3_300_000), true),
        ("killed at once", 143, Some(3_003_000), false),
        ("killed long after", 143, Some(9_000_000), false),
        ("it came to its own end", 0, Some(3_300_000), false),
        ("by Ctrl-C", 130, Some(3_300_000), false),
        ("nobody knows when", 143, None, false),
    ] {
        let command = Some(CommandEnd { code, signal: None });
        let ending = Some(Ending { command, command_ended: ended, ..Ending::default() });
        let journal =
            open.clone() + &erased::Line::json(&RuleCounts { ending, ..RuleCounts::default() }) + "\n";
        let folder = folder(&[("journal.jsonl", &journal)]);
        let (_, out, _) = report(folder.path(), &["--format", "json"]);
        let report: serde_json::Value = serde_json::from_str(&out).expect("JSON");
        let findings = report["clients"][0]["findings"].as_array().expect("findings");
        let finding = findings.iter().find(|found| found["check"] == "R10" && found["rule"].is_null());
        let is_fail = finding.is_some_and(|found| found["verdict"] == "fail");
        assert_eq!(is_fail, is_failed, "{what}: {finding:?}");
    }
}
