//! A folder in which commands are run, and the proxy that one of them may have left running.

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::binary::start;

/// The port that documents show.
const SHOWN: &str = ":4090";

/// The commands of `fracas` that end by themselves.
const ENDING: [&str; 12] = [
    "check",
    "completions",
    "explain",
    "help",
    "init",
    "man",
    "report",
    "run",
    "schema",
    "--help",
    "--version",
    "-V",
];

/// A terminal. Programs that it left running end with it.
pub struct Terminal {
    folder: TempDir,
    /// The proxy that serves, and its port with a colon before it.
    serving: Option<(Child, String)>,
}

impl Terminal {
    /// A terminal in an empty folder.
    pub fn new() -> Terminal {
        Terminal { folder: tempfile::tempdir().expect("a temporary folder"), serving: None }
    }

    /// Copies a file or a folder of files, if it is there.
    pub fn copy(&self, root: &Path, name: &str) {
        let (from, to) = (root.join(name), self.folder.path().join(name));
        if from.is_dir() {
            fs::create_dir(&to).expect("a new folder");
            for entry in fs::read_dir(&from).expect("a folder").map(|entry| entry.expect("an entry")) {
                self.copy(root, &format!("{name}/{}", entry.file_name().to_string_lossy()));
            }
        } else if from.is_file() {
            fs::copy(from, to).expect("it can be copied");
        }
    }

    /// Writes a file.
    pub fn write(&self, name: &str, text: &str) {
        fs::write(self.folder.path().join(name), text).expect("it can be written");
    }

    /// Runs a command: its output, or `None` for a proxy that now serves; the error tells why it failed.
    pub fn run(&mut self, command: &str) -> Result<Option<String>, String> {
        let mut words = command.split_whitespace();
        let serves =
            words.next() == Some("fracas") && words.next().is_none_or(|word| !ENDING.contains(&word));
        if serves {
            self.stop();
            // `exec`, so that the process is the proxy itself.
            let bash = self.bash(&format!("exec {command}"));
            let (child, ready) = start(bash, self.folder.path());
            let address = ready["listen"].as_str().expect("an address");
            let (_, port) = address.rsplit_once(':').expect("a port");
            self.serving = Some((child, format!(":{port}")));
            return Ok(None);
        }
        let port = self.serving.as_ref().map_or(SHOWN, |(_, port)| port);
        let mut bash = self.bash(&format!("exec 2>&1\n{}", command.replace(SHOWN, port)));
        let output = bash.stdin(Stdio::null()).output().expect("bash can be started");
        let printed = String::from_utf8_lossy(&output.stdout).replace(port, SHOWN);
        if output.status.success() { Ok(Some(printed)) } else { Err(format!("{}\n{printed}", output.status)) }
    }

    fn bash(&self, script: &str) -> Command {
        let binary = Path::new(env!("CARGO_BIN_EXE_fracas"));
        let mut path = OsString::from(binary.parent().expect("a folder"));
        // A reader has the packages that an example asks for.
        path.push(concat!(":", env!("CARGO_MANIFEST_DIR"), "/.venv/bin:"));
        path.push(std::env::var_os("PATH").unwrap_or_default());
        let mut bash = Command::new("bash");
        bash.args(["-o", "pipefail", "-c", script])
            .env_clear()
            .env("PATH", path)
            .env("HOME", self.folder.path())
            .env("LANG", "C.UTF-8")
            .env("FRACAS_LISTEN", "127.0.0.1:0")
            .current_dir(self.folder.path());
        bash
    }

    fn stop(&mut self) {
        if let Some((mut child, _)) = self.serving.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.stop();
    }
}
