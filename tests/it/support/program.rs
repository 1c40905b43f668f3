//! Shared parts of tests of the real binary. Everything waits for an event: a line, an end of file, the end
//! of a process.

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Output, Stdio};

use tempfile::TempDir;

/// A folder of its own with these files.
pub fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).expect("written");
    }
    folder
}

/// The binary in `folder`, without anything of the surroundings that it listens to.
pub fn fracas(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fracas"));
    let ours = std::env::vars_os()
        .map(|(name, _)| name)
        .filter(|name| name.to_string_lossy().starts_with("FRACAS_"));
    for name in ours {
        command.env_remove(name);
    }
    command.env_remove("NO_COLOR").env_remove("CLICOLOR_FORCE").env("TZ", "UTC").env("COLUMNS", "100");
    command.current_dir(folder).stdin(Stdio::null());
    command
}

/// Runs a command to its end.
pub fn run(folder: &Path, arguments: &[&str]) -> Output {
    fracas(folder).args(arguments).output().expect("the binary runs")
}

/// Output of a process.
pub fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("UTF-8")
}

/// A proxy that serves. It is killed when dropped.
pub struct Serving {
    child: Child,
    stderr: BufReader<ChildStderr>,
    /// The lines of the banner, or the one line of a JSON log.
    pub start: Vec<String>,
    pub address: SocketAddr,
}

impl Serving {
    /// Starts `command`, and waits until it prints its address and its hint.
    pub fn start(command: Command) -> Serving {
        Serving::start_saying(command, "try ")
    }

    /// Starts `command`, and waits for a line that begins with `last`, or for one of JSON.
    pub fn start_saying(mut command: Command, last: &str) -> Serving {
        let mut child =
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary runs");
        let stderr = BufReader::new(child.stderr.take().expect("piped"));
        let address = SocketAddr::from(([0, 0, 0, 0], 0));
        let mut serving = Serving { child, stderr, start: Vec::new(), address };
        loop {
            let mut line = String::new();
            let read = serving.stderr.read_line(&mut line).expect("UTF-8");
            assert!(read > 0, "it ended instead: {:#?}", serving.start);
            let is_last = line.starts_with(last) || line.starts_with('{');
            serving.start.push(line.trim_end().to_owned());
            if is_last {
                break;
            }
        }
        // Warnings may come before it.
        let first = serving.start.iter().find(|line| line.contains("127.0.0.1:")).expect("an address");
        let at = first.find("127.0.0.1:").expect(first);
        let end = first[at..].find([' ', '"']).expect(first);
        serving.address = first[at..at + end].parse().expect(first);
        serving
    }

    /// The next line of its talk, without the line break.
    pub fn line(&mut self) -> String {
        let mut line = String::new();
        self.stderr.read_line(&mut line).expect("UTF-8");
        line.trim_end_matches('\n').to_owned()
    }

    /// The next line that is not empty, without its time of day.
    pub fn event(&mut self) -> String {
        loop {
            let line = self.line();
            if !line.is_empty() {
                let (time, rest) = line.split_at(line.len().min(12));
                assert!(time.len() == 12 && time.as_bytes()[8] == b'.', "no time: {line}");
                return rest.trim_start().to_owned();
            }
        }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends it a signal by name.
    #[cfg(unix)]
    pub fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().expect("a shell").success());
    }

    /// Waits for its end: the exit code, its results, and the rest of its talk.
    pub fn end(mut self) -> (Option<i32>, String, String) {
        let (mut out, mut err) = (String::new(), String::new());
        self.stderr.read_to_string(&mut err).expect("UTF-8");
        self.child.stdout.take().expect("piped").read_to_string(&mut out).expect("UTF-8");
        (self.child.wait().expect("an end").code(), out, err)
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
