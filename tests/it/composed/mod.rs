//! Rules from several files, from pipes, from the command line and from the environment, through the binary.
#![cfg(unix)]

mod command_line;
mod drafts;
mod files;
mod pipes;
mod variables;

use std::fs;
use std::path::Path;

use tempfile::TempDir;

/// A folder with these files, in folders of their own where their names have a slash.
fn tree(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, text).expect("written");
    }
    folder
}

/// A rule of this name that refuses each PUT of `/items/{id}` with `status`.
fn refusing(name: &str, status: u16) -> String {
    format!(
        "[[rule]]\nname = \"{name}\"\nmethod = \"PUT\"\npath = \"/items/{{id}}\"\nfirst = 1\nreply = {{ status = {status} }}\n"
    )
}

/// The names of rules in the order in which they are tried, as `explain` lists them.
fn order(folder: &Path, arguments: &[&str]) -> Vec<String> {
    let mut line = vec!["explain", "PUT", "/items/7"];
    line.extend(arguments);
    let output = crate::support::program::run(folder, &line);
    let said = crate::support::program::text(&output.stdout).to_owned();
    assert_eq!(output.status.code(), Some(0), "{said}{}", String::from_utf8_lossy(&output.stderr));
    let rows = said.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        words.next()?.parse::<u32>().ok()?;
        words.next().map(str::to_owned)
    });
    rows.collect()
}
