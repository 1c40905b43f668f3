//! The commands that README.md and examples/README.md show, run as a reader would run them.
//!
//! - A block of `console` is a terminal in a copy of the repository's rules and examples; the blocks
//!   of a document share it, from top to bottom. The first of README.md is run in an empty folder. A
//!   line `$ COMMAND` is run by bash and has to succeed (a `\` at its end goes on in the next line).
//!   The lines below it, if there are any, are all that it prints; `…` stands for any text, and alone
//!   on its line for any lines.
//! - `$ fracas …` that serves stays in the background until the next one does. It takes a free port,
//!   in place of the document's 4090. A block of `text` shows its output.
//! - A block of `sh` is run by a reader elsewhere: its `fracas` commands are run, each block in an
//!   empty folder; any other command has to be cargo, or a script of the repository.
//! - A block of `toml` is a rules file that `fracas check` accepts.
//!
//! Other blocks are left alone.

mod blocks;
mod terminal;

use std::fs;
use std::path::Path;

use self::blocks::{Block, blocks, commands, is_as_shown};
use self::terminal::Terminal;

#[test]
fn what_the_readme_shows_is_what_happens() {
    follow("README.md");
}

#[test]
fn what_the_examples_show_is_what_happens() {
    follow("examples/README.md");
}

fn follow(document: &str) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(root.join(document)).expect("the document");
    let mut tour = Terminal::new();
    // README.md begins where a reader does: with nothing.
    let mut is_empty = document == "README.md";
    let mut has_files = false;
    let mut commands_run = 0;
    for Block { language, line, text } in blocks(&text) {
        match language {
            "console" => {
                if !std::mem::take(&mut is_empty) && !has_files {
                    tour.copy(root, "rules.toml");
                    tour.copy(root, "examples");
                    has_files = true;
                }
                for (command, shown) in commands(&text) {
                    let place = format!("{document}:{line}: $ {command}");
                    match tour.run(&command).unwrap_or_else(|failure| panic!("{place}\n{failure}")) {
                        Some(printed) => {
                            assert!(is_as_shown(&shown, &printed), "{place}\nprinted instead:\n{printed}");
                        }
                        None => assert!(shown.is_empty(), "{place}\nshow what it prints in a block of text"),
                    }
                    commands_run += 1;
                }
            }
            "sh" => {
                let mut elsewhere = Terminal::new();
                for command in text.lines().map(without_comment).filter(|command| !command.is_empty()) {
                    let place = format!("{document}:{line}: {command}");
                    match command.split(' ').next() {
                        Some("fracas") => {
                            elsewhere.run(command).unwrap_or_else(|failure| panic!("{place}\n{failure}"));
                            commands_run += 1;
                        }
                        Some("cargo") => {}
                        word => assert!(word.is_some_and(|word| root.join(word).is_file()), "{place}"),
                    }
                }
            }
            "toml" => {
                let mut elsewhere = Terminal::new();
                elsewhere.write("rules.toml", &text);
                let checked = elsewhere.run("fracas check");
                checked.unwrap_or_else(|failure| panic!("{document}:{line}\n{failure}"));
                commands_run += 1;
            }
            _ => {}
        }
    }
    assert!(commands_run >= 5, "{document} shows only {commands_run} commands that can be run");
}

fn without_comment(line: &str) -> &str {
    line.split(" #").next().unwrap_or_default().trim()
}
