//! `fracas completions` and `fracas man`: made from the command line's own definition.

use std::process::ExitCode;

use clap::{Command, CommandFactory as _};
use clap_complete::Shell;
use clap_mangen::Man;

use super::arguments::Arguments;
use super::output::result;

/// Prints completions for `shell`.
pub fn completions(shell: Shell) -> ExitCode {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "fracas", &mut script);
    result(String::from_utf8_lossy(&script))
}

/// Prints the manual page: `fracas` itself, and then each command's options.
pub fn man() -> ExitCode {
    let mut page = Vec::new();
    // Writing to memory cannot fail.
    let _ = write_page(&mut page);
    result(String::from_utf8_lossy(&page))
}

fn write_page(page: &mut Vec<u8>) -> std::io::Result<()> {
    let mut command = Arguments::command();
    command.build();
    Man::new(command.clone()).render(page)?;
    let has_own_section = |command: &&Command| !["serve", "help"].contains(&command.get_name());
    for command in command.get_subcommands().filter(has_own_section) {
        let name = command.get_name().to_uppercase();
        page.extend_from_slice(format!(".SH \"FRACAS {name}\"\n").as_bytes());
        let about = command.get_about().map(ToString::to_string).unwrap_or_default();
        page.extend_from_slice(format!("{about}\n").as_bytes());
        Man::new(command.clone()).render_synopsis_section(page)?;
        Man::new(command.clone()).render_options_section(page)?;
    }
    Ok(())
}
