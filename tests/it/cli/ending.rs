//! The end of the process: unread output, ignored signals, a command that must not stay.
#![cfg(unix)]

use std::io::{BufRead as _, BufReader, PipeReader, PipeWriter, Read as _, Write as _};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::channel;

use crate::support::LONG;
use crate::support::http::request;
use crate::support::program::{Serving, folder, fracas, text};
use crate::support::upstream::start;

/// A full pipe without a reader.
fn full_pipe() -> (PipeReader, PipeWriter) {
    use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
    let (reader, mut writer) = std::io::pipe().expect("a pipe");
    let flags = fcntl_getfl(&writer).expect("a pipe");
    fcntl_setfl(&writer, flags | OFlags::NONBLOCK).expect("a pipe");
    while writer.write(&[b'x'; 4096]).is_ok() {}
    while writer.write(b"x").is_ok() {}
    fcntl_setfl(&writer, flags).expect("a pipe");
    (reader, writer)
}

/// Waits for its end, which must come in time.
fn end(mut child: Child) -> ExitStatus {
    let id = child.id();
    let (sender, ended) = channel();
    let waiting = start("waiting", move || sender.send(child.wait().expect("a child")));
    let status = ended.recv_timeout(LONG);
    if status.is_err() {
        kill("KILL", id);
    }
    let _ = waiting.join();
    status.expect("it ends although nobody reads")
}

fn kill(signal: &str, id: u32) {
    let status = Command::new("kill").args([&format!("-{signal}"), &id.to_string()]).status();
    assert!(status.expect("kill").success());
}

/// Standard output and standard error, each full or not.
const FULL: [(bool, bool); 3] = [(true, false), (false, true), (true, true)];

fn fill(command: &mut Command, (out, err): (bool, bool)) -> Vec<PipeReader> {
    let mut readers = Vec::new();
    let mut pipe = || {
        let (reader, writer) = full_pipe();
        readers.push(reader);
        Stdio::from(writer)
    };
    let out = if out { pipe() } else { Stdio::piped() };
    let err = if err { pipe() } else { Stdio::null() };
    command.stdout(out).stderr(err);
    readers
}

fn is_whole_json(file: &Path) -> bool {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    serde_json::from_str::<serde_json::Value>(&text).is_ok()
}

#[test]
fn a_pipe_that_nobody_reads_keeps_no_proxy_alive_and_costs_no_report() {
    for full in FULL {
        let folder = folder(&[("rules.toml", "[[rule]]\nname = \"always\"\n")]);
        let ready = folder.path().join("ready.json");
        let mut command = fracas(folder.path());
        command.args(["-l", "127.0.0.1:0", "--ready-file", "ready.json", "--report", "json=report.json"]);
        command.args(["--report", "json"]);
        let _readers = fill(&mut command, full);
        let mut child = command.spawn().expect("the binary runs");
        let out = child.stdout.take();
        while !is_whole_json(&ready) {
            assert!(child.try_wait().expect("a child").is_none(), "it has not ended");
            std::thread::yield_now();
        }
        let said: serde_json::Value =
            serde_json::from_str(&std::fs::read_to_string(&ready).expect("ready")).expect("JSON");
        let address = said["listen"].as_str().and_then(|text| text.parse().ok()).expect("an address");
        // A line each, which the full pipe does not take.
        for _ in 0..20 {
            assert!(request(address, b"GET /x", "").starts_with("HTTP/1.1 409 "));
        }
        kill("TERM", child.id());
        let status = end(child);
        assert!(is_whole_json(&folder.path().join("report.json")), "{full:?}");
        assert_eq!(status.code(), Some(if full.0 { 2 } else { 0 }), "{full:?}");
        if let Some(mut out) = out {
            let mut report = String::new();
            out.read_to_string(&mut report).expect("UTF-8");
            assert!(serde_json::from_str::<serde_json::Value>(&report).is_ok(), "{full:?}: {report}");
        }
    }
}

#[test]
fn a_pipe_that_nobody_reads_keeps_no_run_alive_and_costs_no_report() {
    for full in FULL {
        let folder = folder(&[]);
        let mut command = fracas(folder.path());
        command.args(["run", "--report", "json=report.json", "--report", "json", "--", "true"]);
        let _readers = fill(&mut command, full);
        let status = end(command.spawn().expect("the binary runs"));
        assert!(is_whole_json(&folder.path().join("report.json")), "{full:?}");
        assert_eq!(status.code(), Some(1), "{full:?}: nothing was tested");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_signal_that_was_ignored_at_the_start_stays_ignored() {
    for (ignored, ends) in [("HUP", "TERM"), ("INT", "QUIT"), ("QUIT", "HUP"), ("TERM", "INT")] {
        let folder = folder(&[]);
        let program = fracas(folder.path());
        let mut command = Command::new("sh");
        command.args(["-c", &format!("trap '' {ignored}; exec \"$0\" \"$@\"")]).arg(program.get_program());
        command.args(["-l", "127.0.0.1:0"]).current_dir(folder.path()).env("TZ", "UTC");
        let serving = Serving::start(command);
        serving.signal(ignored);
        assert!(request(serving.address, b"GET /items/1", "").starts_with("HTTP/1.1 200 "), "{ignored}");
        let status = std::fs::read_to_string(format!("/proc/{}/status", serving.id())).expect("a process");
        let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:\t")).expect("a mask");
        let number = match ignored {
            "HUP" => 1,
            "INT" => 2,
            "QUIT" => 3,
            _ => 15,
        };
        let mask = u64::from_str_radix(mask, 16).expect("a mask");
        assert_eq!(mask >> (number - 1) & 1, 1, "{ignored} is still ignored");
        serving.signal(ends);
        let (code, _, err) = serving.end();
        assert_eq!((code, err.matches("stopping: ").count()), (Some(0), 1), "{ignored}");
    }
}

#[test]
fn a_run_that_is_killed_leaves_nothing_of_its_command() {
    for script in [
        "echo ready; exec sleep 600",
        "sleep 600 & echo ready; wait",
        "trap '' TERM HUP; echo ready; sleep 600; :",
    ] {
        let folder = folder(&[]);
        let mut command = fracas(folder.path());
        command.args(["run", "-q", "--", "sh", "-c", script]).stdout(Stdio::piped());
        let mut child = command.spawn().expect("the binary runs");
        let mut out = BufReader::new(child.stdout.take().expect("piped"));
        let mut line = String::new();
        out.read_line(&mut line).expect("UTF-8");
        assert_eq!(line, "ready\n");
        child.kill().expect("a child");
        child.wait().expect("a child");
        // A process that still runs would hold it open.
        let (sender, ended) = channel();
        start("waiting", move || sender.send(out.read_to_string(&mut line)));
        assert!(ended.recv_timeout(LONG).is_ok(), "it is still there: {script}");
    }
}

#[test]
fn a_command_has_the_soft_limit_of_descriptors_that_was_there_before() {
    let folder = folder(&[]);
    let program = fracas(folder.path());
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -S -n 100 && exec \"$0\" \"$@\""]).arg(program.get_program());
    command.args(["run", "-q", "-w", "1", "--min-operations", "0", "--", "sh", "-c", "ulimit -S -n"]);
    let output = command.current_dir(folder.path()).output().expect("the binary runs");
    assert_eq!(text(&output.stdout), "100\n", "{}", text(&output.stderr));
}

/// Where the system forbids a process with the id 1, there is none to be tested.
#[cfg(target_os = "linux")]
#[test]
fn a_run_that_is_process_1_reaps_orphans() {
    const NEW: [&str; 5] = ["-Ur", "--pid", "--fork", "--mount-proc", "--kill-child"];
    let is_allowed = Command::new("unshare").args(NEW).arg("true").output();
    if !is_allowed.is_ok_and(|output| output.status.success()) {
        assert!(std::env::var_os("FRACAS_FULL").is_none(), "`unshare` is not permitted here");
        return;
    }
    let folder = folder(&[]);
    let program = fracas(folder.path());
    let script = "for n in 1 2 3; do (sh -c 'echo $$ >> ids' &); done
        until test \"$(wc -l < ids)\" -ge 3; do :; done
        for id in $(cat ids); do while test -e /proc/$id; do :; done; done; echo reaped; exit 7";
    let mut command = Command::new("unshare");
    command.args(NEW).arg(program.get_program());
    command.args(["run", "-q", "--min-operations", "0", "--", "sh", "-c", script]);
    command.current_dir(folder.path()).stdin(Stdio::null()).stdout(Stdio::piped());
    let mut child = command.spawn().expect("unshare runs");
    let mut out = child.stdout.take().expect("piped");
    let status = end(child);
    let mut said = String::new();
    out.read_to_string(&mut said).expect("UTF-8");
    assert_eq!((said.as_str(), status.code()), ("reaped\n", Some(7)));
}
