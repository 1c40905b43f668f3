//! Rules from standard input and from pipes.

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use super::{refusing, tree};
use crate::support::program::{fracas, text};

/// Runs a command line of bash in which `fracas` is the binary.
fn bash(files: &[(&str, &str)], line: &str) -> Output {
    let folder = tree(files);
    let program = fracas(folder.path()).get_program().to_owned();
    let mut command = Command::new("bash");
    command.arg("-c").arg(line.replace("fracas", &program.to_string_lossy())).current_dir(folder.path());
    command.env_remove("FRACAS_RULES").stdin(Stdio::null()).output().expect("bash")
}

#[test]
fn rules_come_through_pipes() {
    let (a, b) = (refusing("a", 409), refusing("b", 409));
    let files = [("a.toml", &*a), ("b.toml", &*b)];
    for (line, said) in [
        ("cat a.toml | fracas check -", "standard input: 1 rule, no mistakes\n"),
        ("fracas check <(cat a.toml) b.toml", ": 2 rules, no mistakes\n"),
        ("cat a.toml | fracas check -r - -r b.toml", "standard input, b.toml: 2 rules, no mistakes\n"),
        ("mkfifo pipe; cat a.toml > pipe & fracas check pipe", "pipe: 1 rule, no mistakes\n"),
        ("fracas check /dev/null", "/dev/null: 0 rules, no mistakes\n"),
    ] {
        let output = bash(&files, line);
        assert!(text(&output.stdout).ends_with(said), "{line}: {output:?}");
        assert_eq!(output.status.code(), Some(0), "{line}");
    }
}

#[test]
fn what_comes_through_pipes_is_bounded_and_its_mistakes_have_places() {
    for (line, code, said) in [
        ("echo 'evry = 5' | fracas check -", 1, "--> standard input:1:1"),
        ("fracas check - - < /dev/null", 1, "`standard input` is given twice"),
        ("mkfifo pipe; cat a.toml > pipe & fracas check pipe pipe", 1, "`pipe` is given twice"),
        ("fracas check /dev/zero", 1, "a rules file is at most 16 MiB"),
        ("cat /dev/zero | fracas check -", 1, "a rules file is at most 16 MiB"),
        ("printf 'include = [\"b.toml\"]' | fracas check -", 0, "standard input: 1 rule"),
        ("printf 'caf\\xe9' | fracas check -", 1, "the byte 0xE9"),
        ("fracas check .", 2, "it is a folder"),
    ] {
        let a = refusing("a", 409);
        let output = bash(&[("a.toml", &a), ("b.toml", &refusing("b", 409))], line);
        let said_all = format!("{}{}", text(&output.stdout), text(&output.stderr));
        assert!(said_all.contains(said), "{line}: {said_all}");
        assert_eq!(output.status.code(), Some(code), "{line}: {said_all}");
    }
}

#[test]
fn standard_input_is_read_to_its_end() {
    let folder = tree(&[]);
    let mut child = fracas(folder.path())
        .args(["check", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    let mut stdin = child.stdin.take().expect("piped");
    stdin.write_all(refusing("a", 409).as_bytes()).expect("written");
    stdin.write_all(refusing("b", 409).as_bytes()).expect("written");
    drop(stdin);
    let output = child.wait_with_output().expect("an end");
    assert_eq!(text(&output.stdout), "standard input: 2 rules, no mistakes\n");
}
