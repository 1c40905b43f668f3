//! The command line's grammar. Values that a rules file may hold too stay text here: `load.rs` reads them by
//! the file's rules.

mod rules;

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr as _;

use clap::parser::ValueSource;
use clap::{ArgMatches, Args, Parser, Subcommand, ValueEnum};

pub use self::rules::{CheckArguments, ExplainArguments, InitArguments, Rules};
use super::reporting::Wanted;
use super::spelling::{OneOfFormats, listen_address};
use crate::report::Format;

/// An HTTP conflict simulator: a reverse proxy that responses 409 Conflict by rule
#[derive(Debug, Parser)]
#[command(
    name = "fracas",
    version,
    args_conflicts_with_subcommands = true,
    after_help = EXAMPLES,
    long_about = "An HTTP conflict simulator: a reverse proxy that forwards to your service while rules \
        inject 409 Conflict, so that a client's retry logic can be exercised and watched.\n\n\
        Without a command it serves. A flag beats an environment variable, which beats the rules file."
)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Option<Command>,
    #[command(flatten)]
    pub serve: ServeArguments,
    /// Whether the output has colours: `auto` asks the terminal, and NO_COLOR and CLICOLOR_FORCE
    #[arg(long, value_name = "WHEN", value_enum, default_value_t, global = true, help_heading = "Output")]
    pub color: When,
}

/// When something is done that suits a terminal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum When {
    #[default]
    Auto,
    Always,
    Never,
}

impl From<When> for anstream::ColorChoice {
    fn from(when: When) -> anstream::ColorChoice {
        match when {
            When::Auto => anstream::ColorChoice::Auto,
            When::Always => anstream::ColorChoice::Always,
            When::Never => anstream::ColorChoice::Never,
        }
    }
}

const EXAMPLES: &str = "\
Examples:
  fracas                                          rules.toml in front of the built-in sample API
  fracas -u http://localhost:9000                 the same rules in front of your service
  fracas -l 127.0.0.1:0 --ready-file ready.json   any free port, written where a script finds it
  fracas --rule 'PUT /items/{id} first=1'         a first try without a file
  fracas explain PUT /items/7 --times 5           what the next five requests would get, and why
  fracas run -- pytest -q                         a test suite behind it, graded

Exit codes: 0 fine; 1 `check` found mistakes, or the client fell short of `[expect]` (`run`, `report`);
2 usage, or rules that cannot be used.";

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the proxy (the default)
    Serve(ServeArguments),
    /// Run a command behind the proxy, grade its retries, and exit with the verdict
    Run(RunArguments),
    /// Grade the clients of a journal
    Report(ReportArguments),
    /// Report every mistake in a rules file
    Check(CheckArguments),
    /// Say which rules match a request, which do not and why, and what the next ones would get
    Explain(ExplainArguments),
    /// Write a rules.toml to start from, and the schema that editors complete it with
    Init(InitArguments),
    /// Print the JSON Schema of rules files, or of reports
    Schema {
        /// Of what
        #[arg(value_enum, default_value_t = SchemaOf::Rules)]
        of: SchemaOf,
    },
    /// Print completions for a shell
    #[command(
        after_help = "Example:\n  fracas completions bash > ~/.local/share/bash-completion/completions/fracas"
    )]
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page, of `fracas` or of one of its commands
    #[command(
        after_help = "Examples:\n  fracas man > fracas.1 && man ./fracas.1\n  fracas man run > fracas-run.1"
    )]
    Man {
        /// The command; `fracas` itself unless given
        command: Option<String>,
    },
    /// Run the built-in sample API alone
    Demo(DemoArguments),
}

/// Subjects of a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SchemaOf {
    /// Rules files
    Rules,
    /// Reports as JSON
    Report,
}

#[derive(Args, Debug)]
pub struct ServeArguments {
    #[command(flatten)]
    pub rules: Rules,

    /// Where requests go: a URL, or `demo` for the built-in sample API
    #[arg(short, long, value_name = "URL", env = "FRACAS_UPSTREAM", hide_env_values = true)]
    pub upstream: Option<String>,
    /// Where clients connect: an address and a port, or a port alone; port 0 takes a free one
    #[arg(
        short,
        long,
        alias = "port",
        value_name = "ADDRESS",
        env = "FRACAS_LISTEN",
        hide_env_values = true
    )]
    pub listen: Option<String>,
    // Known, so that it is refused with a reason.
    #[arg(short, long, value_name = "ADDRESS", env = "FRACAS_ADMIN", hide_env_values = true, hide = true)]
    pub admin: Option<String>,
    /// Threads that serve; one per core unless given
    #[arg(short, long, value_name = "N", env = "FRACAS_WORKERS", hide_env_values = true)]
    pub workers: Option<String>,

    /// Write the addresses here as JSON once they are served; removed at the end
    #[arg(long, value_name = "FILE", env = "FRACAS_READY_FILE", hide_env_values = true)]
    #[arg(help_heading = "Output")]
    pub ready_file: Option<PathBuf>,
    /// How log lines look
    #[arg(long, value_name = "FORMAT", env = "FRACAS_LOG_FORMAT", hide_env_values = true)]
    #[arg(value_enum, default_value_t, help_heading = "Output")]
    pub log_format: LogFormat,
    /// Say nothing but errors
    #[arg(short, long, conflicts_with = "verbose", help_heading = "Output")]
    pub quiet: bool,
    /// Show every request, not only conflicts
    #[arg(short, long, help_heading = "Output")]
    pub verbose: bool,

    /// Append every attempt to this file as JSON Lines, for `fracas report`
    #[arg(long, value_name = "FILE", env = "FRACAS_JOURNAL", hide_env_values = true)]
    #[arg(help_heading = "Output")]
    pub journal: Option<PathBuf>,

    /// Grade the clients at the end, in this format, to a file or to standard output, which is then the
    /// report's alone; may be repeated
    #[arg(long, value_name = "FORMAT[=FILE]", help_heading = "Output")]
    #[arg(value_parser = OneOfFormats(Wanted::from_str))]
    pub report: Vec<Wanted>,

    // Known, so that it is refused with a reason.
    #[arg(long, hide = true)]
    pub watch: bool,
}

impl ServeArguments {
    /// Where the ready file goes; an empty variable asks for none.
    pub fn ready_file(&self) -> Option<&Path> {
        self.ready_file.as_deref().filter(|path| !path.as_os_str().is_empty())
    }

    /// The first flag that parses and has no behaviour yet.
    pub fn not_yet(&self) -> Option<&'static str> {
        match self {
            ServeArguments { watch: true, .. } => Some("--watch"),
            _ => None,
        }
    }
}

#[derive(Args, Debug)]
#[command(after_help = RUN_HELP)]
pub struct RunArguments {
    #[command(flatten)]
    pub serve: ServeArguments,

    /// Another variable that holds the proxy's URL, beside FRACAS_URL; may be repeated
    #[arg(long, value_name = "NAME", value_parser = variable)]
    pub env: Vec<String>,
    /// Fail when fewer operations met a conflict: a run that tested nothing is no success; 0 asks for nothing
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub min_operations: u64,
    /// Fail when a rule did not fire
    #[arg(long)]
    pub require_fired: bool,
    /// The command and its arguments; `--` before it is only needed where it begins with a dash
    #[arg(trailing_var_arg = true, required = true, value_name = "COMMAND")]
    pub command: Vec<OsString>,
}

const RUN_HELP: &str = "\
Examples:
  fracas run -- pytest -q
  fracas run -u http://localhost:9000 --env API_URL --report junit=fracas.xml -- npm test

Exit codes: the command's own when it fails (128 and the signal's number when one ended it, 126 when it
cannot be run, 127 when there is none); else 1 when the client fell short of `[expect]`, fewer
operations met a conflict than `--min-operations` asks, or a rule did not fire under `--require-fired`; 2 usage, or rules that cannot be used.";

#[derive(Args, Debug)]
#[command(after_help = "Example:\n  fracas report journal.jsonl --format html -o report.html\n\n\
    Exit codes: 0 fine, 1 the client fell short of `[expect]`, 2 no journal that can be read,\n    \
    or one that is incomplete.")]
pub struct ReportArguments {
    /// A file that `--journal` wrote; `-` for standard input
    #[arg(value_name = "JOURNAL", default_value = "journal.jsonl")]
    pub journal: PathBuf,
    /// How it is written
    #[arg(long, value_name = "FORMAT", default_value = "text", value_parser = OneOfFormats(Format::from_str))]
    pub format: Format,
    /// Grade this run of the journal, instead of its last one
    #[arg(long, value_name = "ID", conflicts_with = "all_runs")]
    pub run: Option<String>,
    /// Grade each run of the journal by itself
    #[arg(long)]
    pub all_runs: bool,
    /// Where it goes, instead of standard output
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// A name that a variable may have.
fn variable(name: &str) -> Result<String, &'static str> {
    if name.is_empty() || name.contains(['=', '\0']) {
        Err("a variable has no such name")
    } else {
        Ok(name.to_owned())
    }
}

#[derive(Args, Debug)]
pub struct DemoArguments {
    /// Where the sample API listens; port 0 takes a free one
    #[arg(short, long, alias = "port", value_name = "ADDRESS", default_value = "127.0.0.1:4092")]
    #[arg(value_parser = |text: &str| listen_address(text).parse::<SocketAddr>())]
    pub listen: SocketAddr,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people
    // An empty variable gives nothing.
    #[value(alias = "")]
    #[default]
    Text,
    /// One JSON object a line
    Json,
}

/// A value of a rules file that was given outside of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingOverride {
    /// The key that it stands for.
    pub key: &'static str,
    /// Source of the value: `--listen`, or `FRACAS_LISTEN`.
    pub by: String,
    pub text: String,
}

impl SettingOverride {
    const KEYS: [&'static str; 5] = ["upstream", "listen", "admin", "seed", "workers"];

    /// Everything given in `options`. An empty variable gives nothing.
    pub fn from(options: &ArgMatches) -> Vec<SettingOverride> {
        let given = |key: &'static str| {
            let text = options.try_get_one::<String>(key).ok().flatten()?.clone();
            let by = match options.value_source(key)? {
                ValueSource::EnvVariable if text.is_empty() => return None,
                ValueSource::EnvVariable => format!("FRACAS_{}", key.to_ascii_uppercase()),
                _ => format!("--{key}"),
            };
            Some(SettingOverride { key, by, text })
        };
        SettingOverride::KEYS.into_iter().filter_map(given).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn a_command_needs_no_dashes_before_it() {
        for (line, command) in [
            ("fracas run pytest -q --port 1", "pytest -q --port 1"),
            ("fracas run -- pytest -q", "pytest -q"),
            ("fracas run -q -- sh -c true", "sh -c true"),
            ("fracas run -q npm test -- --watch", "npm test -- --watch"),
        ] {
            let arguments = Arguments::try_parse_from(line.split(' ')).expect(line);
            let Some(Command::Run(run)) = arguments.command else { panic!("{line}") };
            assert_eq!(run.command.join(OsStr::new(" ")), OsString::from(command), "{line}");
        }
        assert!(Arguments::try_parse_from(["fracas", "run", "--quite", "pytest"]).is_err());
    }

    #[test]
    fn the_options_of_serve_stand_with_and_without_its_name() {
        for line in [&["fracas", "-l", "127.0.0.1:0"][..], &["fracas", "serve", "-l", "127.0.0.1:0"]] {
            let matches = Arguments::command().try_get_matches_from(line).expect("valid");
            let options = matches.subcommand().map_or(&matches, |(_, options)| options);
            let given = SettingOverride { key: "listen", by: "--listen".into(), text: "127.0.0.1:0".into() };
            assert_eq!(SettingOverride::from(options), [given], "{line:?}");
        }
    }
}
