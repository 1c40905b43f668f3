//! Advice where the command line is not understood: other programs' flags, misplaced words, and missing
//! arguments.

use std::ffi::OsString;

use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::model::sanitize;

/// The error, with a tip on the right spelling.
pub fn advised(mut error: clap::Error, words: &[OsString]) -> clap::Error {
    let text = |at: usize| words.get(at).and_then(|word| word.to_str()).unwrap_or_default();
    let command = if COMMANDS.contains(&text(1)) { text(1) } else { "" };
    if let Some(tip) = tip(&error, command, words) {
        let mut tips = match error.remove(ContextKind::Suggested) {
            Some(ContextValue::StyledStrs(tips)) if error.kind() != ErrorKind::UnknownArgument => tips,
            _ => Vec::new(),
        };
        tips.push(StyledStr::from(tip));
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(tips));
    }
    error
}

/// Commands with options that people mix up.
pub const COMMANDS: [&str; 11] =
    ["serve", "run", "report", "check", "explain", "init", "schema", "completions", "man", "demo", "help"];

fn tip(error: &clap::Error, command: &str, words: &[OsString]) -> Option<String> {
    let context = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.as_str()),
        Some(ContextValue::Strings(texts)) => texts.first().map(String::as_str),
        _ => None,
    };
    let about = context(ContextKind::InvalidArg).unwrap_or_default();
    match error.kind() {
        ErrorKind::UnknownArgument if about.starts_with('-') => unknown_flag(about, command, words),
        ErrorKind::UnknownArgument => stray(about, command),
        ErrorKind::InvalidSubcommand => {
            Some(unknown_command(context(ContextKind::InvalidSubcommand).unwrap_or_default()))
        }
        ErrorKind::ArgumentConflict if context(ContextKind::InvalidSubcommand).is_some() => {
            let command = context(ContextKind::InvalidSubcommand).unwrap_or_default();
            Some(format!("options go after the command: `fracas {command} …`"))
        }
        ErrorKind::ArgumentConflict => Some("leave one of them out".to_owned()),
        ErrorKind::MissingRequiredArgument => Some(missing(command).to_owned()),
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => {
            let is_listed = matches!(error.get(ContextKind::ValidValue), Some(ContextValue::Strings(all)) if !all.is_empty());
            let name = about.split([' ', '=']).next().unwrap_or_default();
            example(name, command).filter(|_| !is_listed).map(|example| format!("for example `{example}`"))
        }
        ErrorKind::TooManyValues | ErrorKind::WrongNumberOfValues => Some("give it once".to_owned()),
        _ => None,
    }
}

/// Flags of other proxies and of HTTP clients, and their equivalents here.
const FLAGS: [(&[&str], &str); 11] = [
    (&["-p", "--listen-port", "--bind", "--addr", "--address", "--host", "-b"], "--listen"),
    (
        &["--target", "--backend", "--url", "--proxy", "--to", "--api", "--server", "-t", "--origin", "-x"],
        "--upstream http://localhost:9000",
    ),
    (&["-c", "--config", "--file", "-f", "--config-file", "--rules-file"], "--rules rules.toml"),
    (
        &["-o", "--output", "--out", "--format", "--reporter", "--junit", "--html", "--json"],
        "--report junit=report.xml",
    ),
    (&["-d", "--debug", "--trace", "-vv", "--log-level"], "--verbose"),
    (&["-s", "--silent"], "--quiet"),
    (&["-j", "-n", "--threads", "--concurrency", "--jobs"], "--workers 2"),
    (&["--log", "--record", "--capture", "--har"], "--journal journal.jsonl"),
    (&["--colour", "--no-color", "--no-colour", "--colors"], "--color never"),
    (&["-e", "--variable", "--base-url"], "--env API_URL"),
    (&["--fail-on-untested", "--min-conflicts", "--require-conflict"], "--min-operations 1"),
];

fn unknown_flag(flag: &str, command: &str, words: &[OsString]) -> Option<String> {
    let name = flag.split('=').next().unwrap_or(flag);
    let command = if command.is_empty() { "fracas".to_owned() } else { format!("fracas {command}") };
    if ["--rate", "--status", "--path", "--method", "--delay", "--probability", "--percentage"]
        .contains(&name)
    {
        let key = name.trim_start_matches('-');
        return Some(format!(
            "`{key}` belongs in a rule of rules.toml; `fracas init` writes one to begin with"
        ));
    }
    let (_, ours) = FLAGS.iter().find(|(names, _)| names.contains(&name))?;
    if *ours != "--listen" {
        return Some(format!("this is `{command} {ours}` here"));
    }
    // `-p 4090`, with the port that was given.
    let given = words.iter().skip_while(|word| word.to_str() != Some(name)).nth(1);
    let port = given.and_then(|word| word.to_str()).filter(|port| port.parse::<u16>().is_ok());
    Some(format!("where clients connect is `{command} --listen {}`", port.unwrap_or("127.0.0.1:4090")))
}

/// A misplaced word.
fn stray(word: &str, command: &str) -> Option<String> {
    let word = sanitize(word, 60);
    Some(match command {
        "init" => "it writes rules.toml into this folder: `fracas init`".to_owned(),
        "demo" => "it takes an address alone: `fracas demo --listen 127.0.0.1:4092`".to_owned(),
        "report" => "it grades one journal at a time; a file to write is `--output FILE`".to_owned(),
        "explain" => {
            format!("a body is `--data '{word}'`, a header `-H 'name: value'`, and what has spaces is quoted")
        }
        _ if word.ends_with(".toml") => format!("a rules file is `fracas {command} --rules {word}`"),
        _ => format!("to run it behind the proxy: `fracas run -- {word}`"),
    })
}

fn unknown_command(word: &str) -> String {
    let shown = sanitize(word, 60);
    if word.ends_with(".toml") {
        return format!("a rules file is `fracas --rules {shown}`; `fracas check {shown}` only reads it");
    }
    if word.ends_with(".jsonl") {
        return format!("a journal is graded by `fracas report {shown}`");
    }
    if ["GET", "PUT", "POST", "PATCH", "DELETE", "HEAD"].contains(&word.to_uppercase().as_str()) {
        return format!(
            "what a request would get is said by `fracas explain {} /items/7`",
            word.to_uppercase()
        );
    }
    match word {
        "start" | "up" | "proxy" | "server" | "listen" => "it serves without a command: `fracas`".to_owned(),
        "validate" | "lint" | "verify" => "that is `fracas check` here".to_owned(),
        "test" | "exec" | "grade" | "watch" => "that is `fracas run -- COMMAND` here".to_owned(),
        "new" | "create" | "generate" | "setup" => "that is `fracas init` here".to_owned(),
        "version" => "that is `fracas --version` here".to_owned(),
        _ => format!("to run it behind the proxy: `fracas run -- {shown}`; the commands: `fracas --help`"),
    }
}

fn missing(command: &str) -> &'static str {
    match command {
        "run" => "the command goes last: `fracas run -- pytest -q`",
        "explain" => "which request, or what: `fracas explain PUT /items/7`, `fracas explain R5`",
        "completions" => "for which shell: `fracas completions bash`",
        _ => "`fracas --help` has examples",
    }
}

/// Usage of a flag.
fn example(flag: &str, command: &str) -> Option<&'static str> {
    Some(match flag {
        "--upstream" => "--upstream http://localhost:9000",
        "--listen" if command == "demo" => "--listen 127.0.0.1:4092",
        "--listen" => "--listen 127.0.0.1:4090",
        "--rules" => "--rules rules.toml",
        "--rule" => "--rule 'PUT /items/{id} first=1'",
        "--from" => "--from openapi.yaml",
        "--output" if command == "init" => "--output rules.toml",
        "--seed" => "--seed 1",
        "--workers" => "--workers 2",
        "--report" => "--report junit=report.xml",
        "--format" => "--format html",
        "--journal" => "--journal journal.jsonl",
        "--ready-file" => "--ready-file ready.json",
        "--env" => "--env API_URL",
        "--min-operations" => "--min-operations 1",
        "--times" => "--times 5",
        "--output" => "--output report.html",
        "--run" => "--run 3f9c0d1e",
        "--header" => "--header 'if-match: \"3\"'",
        "--data" => "--data '{\"name\":\"lamp\"}'",
        "--log-format" => "--log-format json",
        "--color" => "--color never",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;
    use crate::cli::arguments::Arguments;

    #[test]
    fn every_command_is_known_and_no_flag_of_ours_is_anothers() {
        let command = Arguments::command();
        let names: Vec<&str> = command.get_subcommands().map(clap::Command::get_name).collect();
        assert!(names.iter().all(|name| COMMANDS.contains(name)), "{names:?}");
        for (others, ours) in FLAGS {
            let name = ours.split(' ').next().unwrap_or_default();
            let mut all = std::iter::once(&command).chain(command.get_subcommands());
            let has =
                |command: &clap::Command| command.get_arguments().any(|own| own.get_long() == name.get(2..));
            assert!(all.any(has), "{ours} is no flag");
            assert!(!others.contains(&name), "{name}");
        }
    }

    #[test]
    fn every_flag_that_takes_a_value_has_an_example() {
        let command = Arguments::command();
        for command in std::iter::once(&command).chain(command.get_subcommands()) {
            for argument in command.get_arguments().filter(|argument| !argument.is_hide_set()) {
                let Some(name) = argument.get_long() else { continue };
                if argument.get_action().takes_values() {
                    assert!(example(&format!("--{name}"), command.get_name()).is_some(), "--{name}");
                }
            }
        }
    }
}
