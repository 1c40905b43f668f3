//! `fracas man`: manual pages, made from the command line's own definition.

use std::fmt::Write as _;
use std::process::ExitCode;

use clap::{Command, CommandFactory as _};
use clap_mangen::Man;

use super::arguments::Arguments;
use super::output::result;
use super::startup_error::StartupError;

/// Prints the page of `fracas`, or of one of its commands.
pub fn man(command: Option<&str>) -> ExitCode {
    match page(command) {
        Some(page) => result(String::from_utf8_lossy(&page)),
        None => {
            let title = format!("there is no command `{}`", command.unwrap_or_default());
            StartupError::new("no-such-command", title, "`fracas help` lists the commands").report_alone()
        }
    }
}

/// The page; `None` for a command that there is not.
fn page(named: Option<&str>) -> Option<Vec<u8>> {
    let mut command = Arguments::command();
    command.build();
    let command = match named {
        Some(name) => command.find_subcommand(name)?.clone(),
        None => command,
    };
    let mut page = Vec::new();
    // Writing to memory cannot fail.
    write_page(&mut page, &command).ok()?;
    Some(page)
}

fn write_page(page: &mut Vec<u8>, command: &Command) -> std::io::Result<()> {
    // clap_mangen's rendering of the text after the options would run the lines of examples together.
    let man = Man::new(command.clone().after_help("").after_long_help(""));
    man.render_title(page)?;
    man.render_name_section(page)?;
    man.render_synopsis_section(page)?;
    man.render_description_section(page)?;
    man.render_options_section(page)?;
    if command.has_subcommands() {
        man.render_subcommands_section(page)?;
    }
    let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    page.extend_from_slice(environment(command).as_bytes());
    page.extend_from_slice(paragraphs(&help).as_bytes());
    match command.get_version() {
        Some(_) => man.render_version_section(page),
        None => Ok(()),
    }
}

/// Environment variables of options.
fn environment(command: &Command) -> String {
    let mut text = String::new();
    for argument in command.get_arguments().filter(|argument| !argument.is_hide_set()) {
        let (Some(variable), Some(long)) = (argument.get_env(), argument.get_long()) else { continue };
        if text.is_empty() {
            text.push_str(".SH ENVIRONMENT\n");
        }
        let _ = writeln!(text, ".TP\n\\fB{}\\fR", roff(&variable.to_string_lossy()));
        let _ = writeln!(text, "Stands for {}, which beats it.", roff(&format!("--{long}")));
    }
    text
}

/// The text after the options: paragraphs, each with its heading before a colon. Examples keep their lines.
fn paragraphs(help: &str) -> String {
    let mut text = String::new();
    for paragraph in help.split("\n\n").filter(|paragraph| !paragraph.trim().is_empty()) {
        let (heading, rest) = paragraph.split_once(':').unwrap_or(("Notes", paragraph));
        let _ = writeln!(text, ".SH \"{}\"", roff(&heading.to_uppercase()));
        let is_laid_out = rest.starts_with('\n');
        let lines: Vec<String> = rest.trim_matches('\n').lines().map(roff).collect();
        let lines = lines.join("\n");
        let _ = match is_laid_out {
            true => writeln!(text, ".nf\n{lines}\n.fi"),
            false => writeln!(text, "{}", lines.trim_start()),
        };
    }
    text
}

/// Text without markup.
fn roff(text: &str) -> String {
    let escaped = text.replace('\\', "\\e").replace('-', "\\-").replace('\'', "\\(aq");
    if escaped.starts_with('.') { format!("\\&{escaped}") } else { escaped }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(command: Option<&str>) -> String {
        String::from_utf8(page(command).expect("a page")).expect("text")
    }

    #[test]
    fn examples_stand_as_they_are_written() {
        let page = text(None);
        let examples = page.split_once(".SH \"EXAMPLES\"\n.nf\n").expect("examples").1;
        let lines: Vec<&str> = examples.lines().take_while(|line| *line != ".fi").collect();
        assert_eq!(lines.len(), 6, "{page}");
        assert!(lines[1].starts_with("  fracas \\-u http://localhost:9000   "), "{}", lines[1]);
        assert!(page.contains(".SH \"EXIT CODES\"\n0 fine;"), "{page}");
    }

    #[test]
    fn variables_are_named_and_what_is_hidden_is_not() {
        let page = text(Some("run"));
        assert!(page.contains(".SH ENVIRONMENT\n"), "{page}");
        for variable in ["FRACAS_UPSTREAM", "FRACAS_LISTEN", "FRACAS_SEED", "FRACAS_RULES", "FRACAS_JOURNAL"]
        {
            assert!(page.contains(&format!("\\fB{variable}\\fR")), "{variable}");
        }
        for hidden in ["FRACAS_ADMIN", "admin", "watch"] {
            assert!(!page.contains(hidden), "{hidden}");
        }
    }

    #[test]
    fn every_command_has_a_page() {
        for command in Arguments::command().get_subcommands() {
            let page = text(Some(command.get_name()));
            let name = format!("fracas\\-{}", command.get_name());
            assert!(page.contains(".TH") && page.contains(&name), "{page}");
        }
        assert!(page(Some("nothing")).is_none());
    }
}
