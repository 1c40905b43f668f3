//! One run has one verdict: every format that people read has the same headline, every format that machines read the
//! same verdict, and where these differ, because nothing was tested, people see the expectation that failed, too.
#![cfg(unix)]

use std::path::Path;

use super::untested::{REPORTS, Sent, json, played_until, read, reported};
use crate::support::program::{folder, fracas};

const RULES: &str = "[[rule]]\nname = \"always\"\nmethod = \"PUT\"\nkind = \"version\"\n";
const REFUSED: Sent = ("PUT", "/items/1", "If-Match: \"1\"\r\n", "{}");
const BLIND: [Sent; 2] = [REFUSED, REFUSED];
const READS: [Sent; 1] = [("GET", "/items", "", "")];

/// Its name, options, requests, the end of the command, its exit code, and the headline's verdict and the other.
type Case<'a> = (&'a str, &'a [&'a str], &'a [Sent], &'a str, i32, [&'a str; 2]);

/// The headline's word in each format that people read.
fn headlines(folder: &Path) -> Vec<(&'static str, &'static str)> {
    let first_line = |name: &str| read(folder, name).lines().next().unwrap_or_default().to_owned();
    let page = read(folder, "r.html");
    let heading =
        page.split_once("<h1>").and_then(|(_, rest)| rest.split_once("</h1>")).expect("one heading").0;
    let github = read(folder, "r.github");
    let notice =
        github.lines().find_map(|line| line.strip_prefix("::notice title=fracas::")).expect("a notice");
    [
        ("text", first_line("r.txt")),
        ("markdown", first_line("r.md")),
        ("html", heading.into()),
        ("github", notice.into()),
    ]
    .map(|(format, line)| (format, word(&line)))
    .into()
}

/// The first verdict that a line names.
fn word(line: &str) -> &'static str {
    let words = [
        ("pass", ["PASS ", "\u{2705} pass ", ">pass<"]),
        ("warn", ["WARN ", "warn ", ">warn<"]),
        ("fail", ["FAIL ", "\u{274c} fail ", ">fail<"]),
        ("undetermined", ["---- ", "\u{26aa} undetermined ", ">undetermined<"]),
    ];
    let place = |spellings: &[&str; 3]| spellings.iter().filter_map(|spelling| line.find(spelling)).min();
    let found = words.iter().filter_map(|(verdict, spellings)| Some((place(spellings)?, *verdict)));
    found.min().unwrap_or_else(|| panic!("no verdict: {line}")).1
}

/// Holds all formats of one report against the verdict that people see and the one that machines do.
fn are_one(about: &str, folder: &Path, headline: &str, verdict: &str) {
    for (format, said) in headlines(folder) {
        assert_eq!(said, headline, "{about}: {format}");
    }
    assert_eq!(json(folder, "r.json")["verdict"], verdict, "{about}: json");
    let archive = json(folder, "r.har");
    assert_eq!(archive["log"]["_fracas"]["verdict"], verdict, "{about}: har");
    let junit = quick_junit::Report::deserialize_from_str(&read(folder, "r.xml")).expect("JUnit");
    let has_failed = verdict == "fail";
    assert_eq!(junit.failures > 0, has_failed, "{about}: junit");
    for (name, mark) in
        [("r.txt", "FAIL  "), ("r.md", "\u{274c} fail"), ("r.html", "verdict fail"), ("r.github", "::error ")]
    {
        assert_eq!(read(folder, name).contains(mark), has_failed, "{about}: {name}");
    }
}

#[test]
fn every_format_of_a_run_has_the_same_verdict() {
    let cases: [Case; 8] = [
        ("no request", &[], &[], "exit 0", 1, ["undetermined", "fail"]),
        ("no conflict", &[], &READS, "exit 0", 1, ["undetermined", "fail"]),
        ("no conflict asked for", &["--min-operations", "0"], &READS, "exit 0", 0, ["undetermined"; 2]),
        ("too few operations", &["--min-operations", "5"], &[REFUSED], "exit 0", 1, ["fail"; 2]),
        ("all unfinished", &[], &[REFUSED], "kill -TERM $$", 143, ["undetermined"; 2]),
        ("the command failed", &[], &[REFUSED], "exit 3", 3, ["pass"; 2]),
        ("a check failed", &[], &BLIND, "exit 0", 1, ["fail"; 2]),
        ("both failed", &[], &BLIND, "exit 3", 3, ["fail"; 2]),
    ];
    for (about, options, requests, end, code, [headline, verdict]) in cases {
        let folder = folder(&[("rules.toml", RULES)]);
        let options = [&["-q"], options, &REPORTS[..]].concat();
        assert_eq!(played_until(folder.path(), &options, requests, end), Some(code), "{about}");
        are_one(about, folder.path(), headline, verdict);
    }
}

#[test]
fn every_format_of_an_incomplete_journal_has_the_same_verdict() {
    for (about, requests, is_cut, expected) in [
        ("whole", &[REFUSED][..], false, "pass"),
        ("cut off", &[REFUSED], true, "undetermined"),
        ("cut off, and failed", &BLIND, true, "fail"),
    ] {
        let folder = folder(&[("rules.toml", RULES)]);
        played_until(folder.path(), &["-q", "--journal", "j.jsonl"], requests, "exit 0");
        if is_cut {
            let journal = read(folder.path(), "j.jsonl");
            let last = journal.trim_end().rfind('\n').expect("lines");
            std::fs::write(folder.path().join("j.jsonl"), &journal[..=last]).expect("a file");
        }
        for named in REPORTS.iter().filter_map(|option| option.split_once('=')) {
            let (format, file) = named;
            let mut command = fracas(folder.path());
            command.args(["report", "j.jsonl", "--format", format, "-o", file]);
            command.output().expect("the binary runs");
        }
        are_one(about, folder.path(), expected, expected);
    }
}

#[test]
fn nothing_asked_for_is_no_failure_and_no_pass_either() {
    let (code, folder) = reported(&["--min-operations", "0"], "true");
    let folder = folder.path();
    assert_eq!(code, Some(0));
    assert_eq!(json(folder, "r.json")["verdict"], "undetermined");
    assert!(!read(folder, "r.github").contains("::error"));
    for name in ["r.txt", "r.md", "r.html", "r.github"] {
        let text = read(folder, name);
        assert!(
            text.contains("Nothing was tested") && !text.contains("PASS") && !text.contains('✅'),
            "{text}"
        );
    }
}
