//! Plays a client through `fracas run`, as a user would, and reads the report.

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::table::{Plays, Row};
use crate::client::command;
use crate::conflicts::stage::Server;

/// The report on a row's client.
pub fn report(row: &Row) -> Value {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let home = folder.path();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let report = home.join("report.json");
    let mut run = Command::new(env!("CARGO_BIN_EXE_fracas"));
    run.arg("run").arg(format!("--report=json={}", report.display()));
    let (client, _server) = match row.plays {
        Plays::Script(runs, script) => (command(runs, script, home), None),
        Plays::Reqwest => (Command::new(root.join("target/clients/debug/reqwest-client")), None),
        Plays::Before(runs, script, server, rules) => {
            let server = Server::start(runs, server);
            let file = home.join("rules.toml");
            std::fs::write(&file, rules).expect("the rules can be written");
            run.arg("--rules").arg(file).args(["--upstream", &server.url]);
            (command(runs, script, home), Some(server))
        }
    };
    if !matches!(row.plays, Plays::Before(..)) {
        run.arg("--rules").arg(root.join("tests/real/truth/rules.toml"));
    }
    run.arg("--").arg(client.get_program()).args(client.get_args());
    if !matches!(row.plays, Plays::Reqwest) && !row.situations.is_empty() {
        run.arg(row.name);
    }
    run.args(row.situations);
    run.env_clear().envs(client.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let ended = run.current_dir(home).stdin(Stdio::null()).output().expect("it is built");
    let said = String::from_utf8_lossy(&ended.stderr);
    let text = std::fs::read_to_string(&report)
        .unwrap_or_else(|error| panic!("{}: no report: {error}; {}\n{said}", row.name, ended.status));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}\n{text}", row.name))
}
