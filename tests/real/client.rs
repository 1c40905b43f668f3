//! Clients that are not Rust, and their runtimes.

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

/// Runtime of a client.
#[derive(Clone, Copy, Debug)]
pub enum Runs {
    /// The Python of .venv.
    Python,
    Node,
    Bash,
}

/// Runs a client to its end; its output is JSON.
pub fn run(runs: Runs, script: &str, arguments: &[&str]) -> Value {
    let home = tempfile::tempdir().expect("a temporary folder");
    let output = command(runs, script, home.path()).args(arguments).output();
    let output = output.unwrap_or_else(|error| panic!("{script}: {error}; tests/run installs it"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script}: {}\n{said}", output.status);
    let printed = String::from_utf8_lossy(&output.stdout);
    serde_json::from_str(&printed).unwrap_or_else(|error| panic!("{script}: {error}\n{printed}\n{said}"))
}

/// A script of `tests/real/clients`, to be run in the folder `home` in an environment without proxies
/// and preferences of the user's.
pub fn command(runs: Runs, script: &str, home: &Path) -> Command {
    command_of(runs, &format!("tests/real/clients/{script}"), home)
}

/// As [`command`], for any script of the repository.
pub fn command_of(runs: Runs, file: &str, home: &Path) -> Command {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut command = match runs {
        Runs::Python => Command::new(root.join(".venv/bin/python")),
        Runs::Node => Command::new("node"),
        Runs::Bash => Command::new("bash"),
    };
    command
        .arg(root.join(file))
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", home)
        .env("LANG", "C.UTF-8")
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .current_dir(home)
        .stdin(Stdio::null());
    command
}
