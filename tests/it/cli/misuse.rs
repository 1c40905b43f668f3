//! Command lines that are not understood: each message ends in advice.
#![cfg(unix)]

use crate::support::program::{folder, fracas, text};

/// The command line, in a folder with only a rules file; the exit code; the advice.
const MISUSES: &[(&str, i32, &str)] = &[
    ("-p 4090", 2, "where clients connect is `fracas --listen 4090`"),
    ("serve -p 4090", 2, "where clients connect is `fracas serve --listen 4090`"),
    ("--bind 0.0.0.0", 2, "where clients connect is `fracas --listen 127.0.0.1:4090`"),
    ("--target http://localhost:9000", 2, "this is `fracas --upstream http://localhost:9000` here"),
    ("run --url http://localhost:9000 true", 2, "this is `fracas run --upstream http://localhost:9000` here"),
    ("--config rules.toml", 2, "this is `fracas --rules rules.toml` here"),
    ("-c rules.toml", 2, "this is `fracas --rules rules.toml` here"),
    ("run -o report.xml true", 2, "this is `fracas run --report junit=report.xml` here"),
    ("--json", 2, "this is `fracas --report junit=report.xml` here"),
    ("--debug", 2, "this is `fracas --verbose` here"),
    ("--threads 4", 2, "this is `fracas --workers 2` here"),
    ("--no-color", 2, "this is `fracas --color never` here"),
    ("--rate 0.5", 2, "`rate` belongs in a rule of rules.toml"),
    ("--status=409", 2, "`status` belongs in a rule of rules.toml"),
    ("rules.toml", 2, "a rules file is `fracas --rules rules.toml`"),
    ("serve rules.toml", 2, "a rules file is `fracas serve --rules rules.toml`"),
    ("serve extra", 2, "to run it behind the proxy: `fracas run -- extra`"),
    ("journal.jsonl", 2, "a journal is graded by `fracas report journal.jsonl`"),
    ("PUT /items/7", 2, "what a request would get is said by `fracas explain PUT /items/7`"),
    ("get /items/7", 2, "`fracas explain GET /items/7`"),
    ("start", 2, "it serves without a command: `fracas`"),
    ("validate", 2, "that is `fracas check` here"),
    ("test pytest", 2, "that is `fracas run -- COMMAND` here"),
    ("version", 2, "that is `fracas --version` here"),
    ("pytest -q", 2, "to run it behind the proxy: `fracas run -- pytest`"),
    ("runn pytest", 2, "a similar subcommand exists: 'run'"),
    ("--quite", 2, "a similar argument exists: '--quiet'"),
    ("--quiet run true", 2, "options go after the command: `fracas run …`"),
    ("-q -v", 2, "leave one of them out"),
    ("report --all-runs --run 1", 2, "leave one of them out"),
    ("run", 2, "the command goes last: `fracas run -- pytest -q`"),
    ("explain", 2, "`fracas explain PUT /items/7`, `fracas explain R5`"),
    ("completions", 2, "`fracas completions bash`"),
    ("completions fishy", 2, "[possible values: bash"),
    ("schema foo", 2, "[possible values: rules, report]"),
    ("--color sometimes", 2, "[possible values: auto, always, never]"),
    ("--log-format xml", 2, "[possible values: text, json]"),
    ("-u", 2, "for example `--upstream http://localhost:9000`"),
    ("run --rules", 2, "for example `--rules rules.toml`"),
    ("--report", 2, "[possible values: text, json, junit"),
    ("--report pdf", 2, "a report is one of text, json, junit"),
    ("--report json=", 2, "for example `--report junit=report.xml`"),
    ("report --format pdf", 2, "for example `--format html`"),
    ("run --min-operations x true", 2, "for example `--min-operations 1`"),
    ("run --env A=B true", 2, "for example `--env API_URL`"),
    ("explain PUT /x --times 0", 2, "for example `--times 5`"),
    ("explain PUT /x {}", 2, "a body is `--data '{}'`"),
    ("demo -l foo", 2, "for example `--listen 127.0.0.1:4092`"),
    ("demo 4092", 2, "`fracas demo --listen 127.0.0.1:4092`"),
    ("init here.toml", 2, "it writes rules.toml into this folder"),
    ("help foo", 2, "`fracas --help`"),
    ("man foo", 2, "`fracas help` lists the commands"),
    ("-u localhost:9000", 2, "did you mean \"http://localhost:9000\"?"),
    ("-l foo", 2, "for example `listen = \"127.0.0.1:4090\"`"),
    ("--port 99999", 2, "the port is a number from 0 to 65535"),
    ("-w 0", 2, "a whole number from 1 to 1,024"),
    ("--seed x", 2, "for example `seed = 42`"),
    ("-r nothere.toml", 2, "`fracas init` writes one to begin with"),
    ("check nothere.toml", 2, "`fracas init` writes one to begin with"),
    ("report", 2, "give a file that `fracas --journal FILE` wrote"),
    ("report rules.toml", 2, "give a file that `fracas --journal FILE` wrote"),
    ("explain PUT", 2, "the path comes after it: `fracas explain PUT /items/7`"),
    ("explain R99", 2, "checks are R1 to R17"),
    ("explain PUT /x -H nocolon", 2, "write it as HTTP does"),
    ("explain put /items/7", 0, "methods are in capitals: `fracas explain PUT /items/7`"),
    ("--watch", 2, "leave `--watch` out"),
    ("-l 1.2.3.4:1", 2, "listen on 127.0.0.1:1 for this machine alone"),
    ("--ready-file /nope/x -l 0", 2, "give `--ready-file` a new file in a folder"),
    ("--journal /nope/x -l 0", 2, "give `--journal` a file in a folder"),
    ("--report html=/proc/x/y.html -l 0", 2, "give `--report` a file in a folder"),
    ("run missing-command", 127, "is it installed, and on the PATH?"),
    ("run ./missing", 127, "is that its path from this folder"),
    ("run cd", 127, "the words of a shell need one: `fracas run -- sh -c '…'`"),
    ("run -- A=1 pytest", 127, "the words of a shell need one"),
    ("run /", 126, "is it a program?"),
    ("run ./rules.toml", 126, "`chmod +x ./rules.toml` makes a file one"),
];

#[test]
fn every_command_line_that_is_not_understood_is_told_what_to_do_next() {
    for (line, code, next) in MISUSES {
        let folder = folder(&[("rules.toml", "listen = \"127.0.0.1:0\"\n[[rule]]\nmethod = \"PUT\"\n")]);
        let output = fracas(folder.path()).args(line.split(' ')).output().expect("the binary runs");
        let said = format!("{}{}", text(&output.stdout), text(&output.stderr));
        let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(output.status.code(), Some(*code), "fracas {line}: {said}");
        assert!(said.contains(next), "fracas {line}: {said}");
    }
}

#[test]
fn files_in_each_other_s_place_are_told_apart() {
    let folder =
        folder(&[("rules.toml", "[[rule]]\nmethod = \"PUT\"\n"), ("empty", ""), ("notes", "my notes\n")]);
    std::fs::create_dir(folder.path().join("deep")).expect("a folder");
    let run = |line: &str| fracas(folder.path()).args(line.split(' ')).output().expect("the binary runs");
    assert_eq!(run("run -q --min-operations 0 --journal j.jsonl true").status.code(), Some(0));
    for (line, next) in [
        ("-r j.jsonl", "it begins as a journal does: `fracas report FILE` grades one"),
        ("check j.jsonl", "it begins as a journal does: `fracas report FILE` grades one"),
        ("-r deep", "a rules file is a plain file: name another one with `--rules FILE`"),
        ("report rules.toml", "give a file that `fracas --journal FILE` wrote"),
        ("report empty", "give a file that `fracas --journal FILE` wrote"),
        ("report notes", "give a file that `fracas --journal FILE` wrote"),
        ("report deep", "give a file that `fracas --journal FILE` wrote"),
        ("run --journal notes true", "give `--journal` a new file"),
        ("run --journal x --report html=x true", "give the html report a file of its own"),
        ("run --report html=x --report json=./x true", "give the json report a file of its own"),
        ("run --report html=rules.toml true", "give the html report a file of its own"),
        ("run --report html=notes/x.html true", "give `--report` a file in a folder"),
        ("run --ready-file deep true", "give `--ready-file` a new file"),
    ] {
        let output = run(line);
        let said = format!("{}{}", text(&output.stdout), text(&output.stderr));
        assert!(matches!(output.status.code(), Some(1 | 2)) && said.contains(next), "fracas {line}: {said}");
    }
    assert_eq!(run("run -q --min-operations 0 --report html=new/deep/x.html true").status.code(), Some(0));
    assert!(folder.path().join("new/deep/x.html").is_file());
}

#[test]
fn a_quoted_command_line_is_told_apart_from_a_missing_one() {
    let folder = folder(&[]);
    let output = fracas(folder.path()).args(["run", "pytest -q"]).output().expect("the binary runs");
    let said = text(&output.stderr);
    assert!(said.contains("`fracas run -- pytest -q`, without quotes"), "{said}");
}

#[test]
fn colours_are_as_asked_for_before_and_after_the_command() {
    /// Whether something is coloured, by flag and by environment; neither of these is a terminal.
    type Case = (&'static [&'static str], &'static [(&'static str, &'static str)], bool);
    const CASES: &[Case] = &[
        (&[], &[], false),
        (&[], &[("CLICOLOR_FORCE", "1")], true),
        (&[], &[("CLICOLOR_FORCE", "")], false),
        (&[], &[("NO_COLOR", "1")], false),
        (&[], &[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")], false),
        (&["--color", "auto"], &[("CLICOLOR_FORCE", "1")], true),
        (&["--color", "always"], &[], true),
        (&["--color=always"], &[("NO_COLOR", "1")], true),
        (&["--color", "never"], &[("CLICOLOR_FORCE", "1")], false),
        (&["--color=never"], &[], false),
    ];
    let folder =
        folder(&[("rules.toml", "evry = 5\n[[rule]]\nmethod = \"PUT\"\n"), ("good.toml", "seed = 1\n")]);
    for (flag, variables, is_coloured) in CASES {
        for (command, options) in [
            ("check", &[][..]),
            ("explain", &["PUT", "/items/1"]),
            ("run", &["true"]),
            ("run", &["-r", "good.toml", "true"]),
            ("serve", &[]),
        ] {
            for is_before in [true, false] {
                let words: Vec<&str> = match is_before {
                    true => flag.iter().copied().chain([command]).chain(options.iter().copied()).collect(),
                    false => [command]
                        .into_iter()
                        .chain(flag.iter().copied())
                        .chain(options.iter().copied())
                        .collect(),
                };
                let mut program = fracas(folder.path());
                program.args(&words).envs(variables.iter().copied());
                let output = program.output().expect("the binary runs");
                let said = format!("{}{}", text(&output.stdout), text(&output.stderr));
                assert_eq!(said.contains('\u{1b}'), *is_coloured, "{variables:?} fracas {words:?}: {said:?}");
                assert!(!said.contains("cannot be used with"), "{words:?}: {said}");
            }
        }
    }
}
