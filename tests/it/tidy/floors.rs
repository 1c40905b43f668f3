//! The floors: a module uses only its own floor and those below, and the lower ones are pure.

use super::source::Source;

/// The floors from the lowest, and the modules of each.
const FLOORS: [&[&str]; 5] = [
    &["words"],
    &["matching", "rules"],
    &["judgement"],
    &["clock", "demo", "journal", "proxy", "rules_file", "store"],
    &["cli", "main", "reports"],
];

/// The floors below this one decide: what they decide with, they are given.
const FIRST_WITH_IO: usize = 3;

/// What a floor that decides may not name: runtimes, sockets, clocks, chance, the world outside.
const NOT_WHERE_DECIDED: [&str; 24] = [
    "eprintln!",
    "getrandom",
    "hyper",
    "hyper_util",
    "Instant",
    "jiff::Timestamp::now",
    "jiff::Zoned::now",
    "println!",
    "rand",
    "RandomState",
    "rustls",
    "socket2",
    "std::env",
    "std::fs",
    "std::process",
    "std::thread",
    "SystemTime::now",
    "TcpListener",
    "TcpStream",
    "tokio",
    "tokio_util",
    "UdpSocket",
    "UnixListener",
    "UnixStream",
];

/// What is wrong with a file's floor.
pub fn complaints(source: &Source) -> Vec<String> {
    let Some(module) = module(&source.path) else { return Vec::new() };
    let Some(own) = floor(module) else {
        return vec![format!("{}: `{module}` has no floor; give it one in tests/it/tidy", source.path)];
    };
    let mut complaints = Vec::new();
    for (number, line) in source.product() {
        let mut complain = |what: String| complaints.push(format!("{}:{number}: {what}", source.path));
        for used in crate_paths(&line) {
            match floor(used) {
                Some(floor) if floor <= own => {}
                Some(floor) => complain(format!("floor {own} uses `{used}` of floor {floor}")),
                None => complain(format!("`crate::{used}` is on no floor")),
            }
        }
        if own < FIRST_WITH_IO {
            let named = NOT_WHERE_DECIDED.iter().find(|word| names(&line, word));
            named.into_iter().for_each(|word| complain(format!("floor {own} names `{word}`")));
        }
    }
    complaints
}

/// The first folder or file below src; `None` for the map, which names all.
fn module(path: &str) -> Option<&str> {
    let module = path.strip_prefix("src/")?.split('/').next()?.trim_end_matches(".rs");
    (module != "lib").then_some(module)
}

fn floor(module: &str) -> Option<usize> {
    FLOORS.iter().position(|modules| modules.contains(&module))
}

/// The modules that a line names as `crate::module`, or `fracas::module` as the binary does.
fn crate_paths(line: &str) -> Vec<&str> {
    let mut paths = Vec::new();
    for root in ["crate::", "fracas::"] {
        for (at, _) in line.match_indices(root).filter(|(at, _)| is_start(line, *at)) {
            paths.push(word(&line[at + root.len()..]));
        }
    }
    paths
}

/// Whether `line` has `word` as a word of its own, or as the start of a path.
fn names(line: &str, word: &str) -> bool {
    let is_end = |end: usize| {
        word.ends_with('!') || !line[end..].starts_with(|next: char| next.is_alphanumeric() || next == '_')
    };
    line.match_indices(word).any(|(at, _)| is_start(line, at) && is_end(at + word.len()))
}

fn is_start(line: &str, at: usize) -> bool {
    !line[..at].ends_with(|before: char| before.is_alphanumeric() || before == '_')
}

fn word(text: &str) -> &str {
    text.split(|next: char| !next.is_alphanumeric() && next != '_').next().unwrap_or_default()
}

#[test]
fn a_use_of_a_higher_floor_or_of_the_world_is_found() {
    let of = |path: &str, line: &str| {
        complaints(&Source {
            path: path.to_owned(),
            text: format!("// {line}\n{line}\n#[cfg(test)]\nmod tests {{\n{line}\n"),
        })
    };
    for (path, line, expected) in [
        ("src/words/key.rs", "use crate::words::Facts;", None),
        ("src/words/key.rs", "use crate::rules::Rule;", Some("floor 0 uses `rules` of floor 1")),
        ("src/matching/mod.rs", "use crate::rules::Rule;", None),
        ("src/judgement/mod.rs", "let a = crate::store::Store;", Some("floor 2 uses `store` of floor 3")),
        ("src/judgement/mod.rs", "use crate::{words, store};", Some("`crate::` is on no floor")),
        ("src/proxy/mod.rs", "use crate::cli::Options;", Some("floor 3 uses `cli` of floor 4")),
        ("src/proxy/mod.rs", "use tokio::net::TcpStream;", None),
        ("src/main.rs", "fracas::cli::main()", None),
        ("src/words/moment.rs", "use std::time::Instant;", Some("floor 0 names `Instant`")),
        ("src/words/dice.rs", "let strands = hyperbole;", None),
        ("src/rules/read.rs", "let now = SystemTime::now();", Some("floor 1 names `SystemTime::now`")),
        ("src/rules/read.rs", "println!(\"x\");", Some("floor 1 names `println!`")),
        ("src/news.rs", "", Some("`news` has no floor")),
        ("src/lib.rs", "pub mod news;", None),
    ] {
        let found = of(path, line);
        assert_eq!(found.len(), usize::from(expected.is_some()), "{path} {line}: {found:?}");
        assert!(found.iter().all(|found| found.contains(expected.unwrap_or_default())), "{path}: {found:?}");
    }
}
