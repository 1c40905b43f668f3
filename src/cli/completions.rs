//! `fracas completions`: made from the command line's own definition.

use std::process::ExitCode;

use clap::CommandFactory as _;
use clap_complete::Shell;

use super::arguments::Arguments;
use super::output::result;

/// Prints completions for `shell`.
pub fn completions(shell: Shell) -> ExitCode {
    let mut script = Vec::new();
    let mut command = Arguments::command();
    clap_complete::generate(shell, &mut command, "fracas", &mut script);
    result(without_hidden(&String::from_utf8_lossy(&script), &command))
}

/// Removes hidden flags from the lists of words: the generator for bash offers them too.
fn without_hidden(script: &str, command: &clap::Command) -> String {
    let hidden: Vec<String> = command
        .get_arguments()
        .filter(|argument| argument.is_hide_set())
        .flat_map(|argument| {
            let long = argument.get_long().map(|long| format!("--{long}"));
            [long, argument.get_short().map(|short| format!("-{short}"))]
        })
        .flatten()
        .collect();
    let mut kept = String::new();
    for line in script.split_inclusive('\n') {
        match line.trim_start().strip_prefix("opts=\"") {
            Some(words) => {
                let words = words.split(' ').filter(|word| !hidden.iter().any(|hidden| hidden == word));
                kept.push_str("opts=\"");
                kept.push_str(&words.collect::<Vec<_>>().join(" "));
            }
            None => kept.push_str(line),
        }
    }
    kept
}
