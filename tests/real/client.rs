//! The clients in `tests/real/clients`, and what they run on.

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

/// What a client is written for.
#[derive(Clone, Copy, Debug)]
pub enum Runs {
    /// The Python of .venv.
    Python,
    Node,
    Bash,
}

/// Runs a client to its end, in an environment without proxies and preferences of the user's; what
/// it prints is JSON.
pub fn run(runs: Runs, script: &str, arguments: &[&str]) -> Value {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let home = tempfile::tempdir().expect("a temporary folder");
    let mut command = match runs {
        Runs::Python => Command::new(root.join(".venv/bin/python")),
        Runs::Node => Command::new("node"),
        Runs::Bash => Command::new("bash"),
    };
    command
        .arg(root.join("tests/real/clients").join(script))
        .args(arguments)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", home.path())
        .env("LANG", "C.UTF-8")
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .current_dir(home.path())
        .stdin(Stdio::null());
    let output = command.output().unwrap_or_else(|error| panic!("{script}: {error}; tests/run installs it"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script}: {}\n{said}", output.status);
    let printed = String::from_utf8_lossy(&output.stdout);
    serde_json::from_str(&printed).unwrap_or_else(|error| panic!("{script}: {error}\n{printed}\n{said}"))
}
