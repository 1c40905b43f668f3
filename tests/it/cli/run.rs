//! `fracas run` around commands that need no client: their ends, and their environment. Clients are graded in
//! `tests/real`.
#![cfg(unix)]

use std::io::Read as _;
use std::path::Path;
use std::process::{Output, Stdio};

use crate::support::program::{folder, fracas, text};

fn run(folder: &Path, options: &[&str], script: &str) -> Output {
    let mut command = fracas(folder);
    command.arg("run").args(options).args(["--", "sh", "-c", script]);
    command.output().expect("the binary runs")
}

#[test]
fn the_command_s_own_code_is_the_run_s() {
    let folder = folder(&[]);
    for (script, code) in
        [("true", 0), ("exit 3", 3), ("exit 255", 255), ("kill -TERM $$", 143), ("kill -KILL $$", 137)]
    {
        let output = run(folder.path(), &["-q", "--min-operations", "0"], script);
        assert_eq!(output.status.code(), Some(code), "{script}: {}", text(&output.stderr));
    }
    for (command, code, said) in [
        ("no-such-command", 127, "error[cannot-run]: `no-such-command` cannot be run: No such file"),
        ("/", 126, "error[cannot-run]: `/` cannot be run: "),
    ] {
        let output = fracas(folder.path()).args(["run", "--", command]).output().expect("the binary runs");
        let err = text(&output.stderr);
        assert!(output.status.code() == Some(code) && err.contains(said), "{err}");
    }
}

#[test]
fn a_command_needs_no_dashes_before_it_and_the_upstream_may_stand_first() {
    let folder = folder(&[]);
    let run = |arguments: &[&str]| fracas(folder.path()).arg("run").args(arguments).output().expect("runs");
    let output = run(&["-q", "--min-operations", "0", "sh", "-c", "printf %s \"$1\"; exit 4", "-", "-q"]);
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(4), "-q"));
    let output = run(&["http://127.0.0.1:9", "--min-operations", "0", "true"]);
    assert!(text(&output.stderr).contains("  →  http://127.0.0.1:9   "), "{}", text(&output.stderr));
}

#[test]
fn a_report_that_a_program_reads_has_standard_output_to_itself() {
    let folder = folder(&[]);
    for (format, begin) in
        [("junit", "<?xml"), ("json", "{"), ("har", "{"), ("html", "<!doctype"), ("github", "::")]
    {
        let output = run(folder.path(), &["--report", format], "echo '<not & ours>'; printf and-this");
        let (out, err) = (text(&output.stdout), text(&output.stderr));
        assert!(
            out.starts_with(begin)
                && out.lines().all(|line| line != "<not & ours>")
                && err.contains("and-this"),
            "{format}: {out}"
        );
        match format {
            "junit" => assert!(quick_junit::Report::deserialize_from_str(out).is_ok(), "{out}"),
            "json" | "har" => assert!(serde_json::from_str::<serde_json::Value>(out).is_ok(), "{out}"),
            _ => {}
        }
        // To a file, the command's output stays its own.
        let to_file = format!("{format}=a/b/c.{format}");
        let output = run(folder.path(), &["--report", &to_file], "printf and-this");
        assert_eq!(text(&output.stdout), "and-this");
        assert!(folder.path().join(format!("a/b/c.{format}")).exists(), "its folder is made");
    }
}

#[test]
fn its_output_passes_through_and_the_rest_is_talk() {
    let folder = folder(&[("rules.toml", "[[rule]]\nmethod = \"PUT\"\n")]);
    let output = run(folder.path(), &["--min-operations", "0"], "printf 'a\\tb'; printf 'not ours' >&2");
    assert_eq!(text(&output.stdout), "a\tb");
    let err = text(&output.stderr);
    assert!(err.starts_with("fracas 0.1.0   http://127.0.0.1:"), "{err}");
    assert!(err.contains("  →  the built-in sample API   rules.toml: 1 rule, seed 1\n"), "{err}");
    assert!(
        err.contains("not ours----  Nothing was tested: no request came, is the command's base URL"),
        "{err}"
    );
    let quiet = run(folder.path(), &["-q", "--min-operations", "0"], "printf 'not ours' >&2");
    assert_eq!(text(&quiet.stderr), "not ours");
}

#[test]
fn the_command_is_told_where_the_proxy_is_which_serves_by_then() {
    let folder = folder(&[("rules.toml", "listen = \"127.0.0.1:4090\"\n")]);
    let script = "test \"$FRACAS_URL\" = \"$API_URL\" && test \"$OTHER\" = \"$API_URL\" && echo \"$FRACAS_URL\" \
                  && echo \"${FRACAS_ADMIN_URL-none}\" && cat ready.json";
    let options =
        ["-q", "--min-operations", "0", "--env", "API_URL", "--env", "OTHER", "--ready-file", "ready.json"];
    let output = run(folder.path(), &options, script);
    let lines: Vec<&str> = text(&output.stdout).lines().collect();
    let [url, admin, ready] = lines[..] else { panic!("{output:?}") };
    let address = url.strip_prefix("http://").expect(url);
    assert!(!address.ends_with(":4090"), "the file's port is for `serve`");
    assert_eq!(admin, "none");
    assert!(ready.contains(&format!("\"listen\":\"{address}\"")), "{ready}");
    assert!(!folder.path().join("ready.json").exists(), "it goes with the run");
}

#[test]
fn a_run_that_tested_nothing_fails_unless_nothing_is_asked_for() {
    let folder = folder(&[]);
    for options in [&["-q"][..], &["-q", "--min-operations", "1"]] {
        let output = run(folder.path(), options, "true");
        assert_eq!(output.status.code(), Some(1));
        let err = text(&output.stderr);
        for said in [
            "----  Nothing was tested: no request came",
            "FAIL  expected --min-operations = 1: not met; 0 operations met a conflict",
            "the command exited with 0; exit 1, because `--min-operations` is 1",
        ] {
            assert!(err.contains(said), "{err}");
        }
    }
    let failing = run(folder.path(), &["-q"], "exit 3");
    assert_eq!(failing.status.code(), Some(3), "a failing command's own code");
}

#[test]
fn a_signal_is_the_command_s_to_act_on() {
    let folder = folder(&[]);
    for (name, code) in [("TERM", 7), ("INT", 7), ("HUP", 7), ("QUIT", 7)] {
        // A shell's child gets the signal too, and both end.
        let script =
            format!("trap 'exit 7' {name}; echo ready; while :; do read -r _ < fifo || exit 1; done");
        let fifo = std::process::Command::new("mkfifo").arg(folder.path().join("fifo")).status();
        assert!(fifo.expect("mkfifo").success());
        let mut command = fracas(folder.path());
        command.args(["run", "-q", "--", "sh", "-c", &script]).stdout(Stdio::piped());
        let mut child = command.spawn().expect("the binary runs");
        let mut ready = [0; 6];
        let stdout = child.stdout.as_mut().expect("piped");
        stdout.read_exact(&mut ready).expect("it is ready");
        let kill = format!("kill -{name} {}", child.id());
        assert!(std::process::Command::new("sh").args(["-c", &kill]).status().expect("a shell").success());
        assert_eq!(child.wait().expect("an end").code(), Some(code), "{name}");
        std::fs::remove_file(folder.path().join("fifo")).expect("removed");
    }
}

#[test]
fn reports_are_written_where_they_are_asked_for() {
    let folder = folder(&[]);
    let summary = folder.path().join("summary.md");
    std::fs::write(&summary, "# another step\n").expect("written");
    let mut command = fracas(folder.path());
    command.args(["run", "--report", "json=a.json", "--report", "junit=a.xml", "--report", "markdown"]);
    let output = command.args(["--", "true"]).env("GITHUB_STEP_SUMMARY", &summary).output().expect("it runs");
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(1), ""));
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).expect(name);
    let json: serde_json::Value = serde_json::from_str(&read("a.json")).expect("JSON");
    assert_eq!((&json["totals"]["attempts"], &json["exit"]["code"]), (&0.into(), &1.into()));
    assert!(read("a.xml").contains("<testsuites"));
    let markdown = read("summary.md");
    assert!(markdown.starts_with("# another step\n") && markdown.len() > 40, "{markdown}");
    let mut names: Vec<_> = std::fs::read_dir(folder.path()).expect("a folder").flatten().collect();
    names.sort_by_key(std::fs::DirEntry::file_name);
    assert_eq!(names.len(), 3, "nothing else is left: {names:?}");
}
