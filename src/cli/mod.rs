//! Floor 4: the command line.
//!
//! Results go to standard output, talk to standard error. Exit codes: 0 fine; 1 `check` found
//! mistakes, or the client fell short (`run`, `report`); 2 usage, or rules that cannot be used; for
//! `run`, a failing command's own code.

mod arguments;
mod banner;
mod check;
mod completions;
mod demo;
mod exit_code;
mod explain;
mod init;
mod load;
mod log;
mod man;
mod misuse;
mod output;
mod parting;
mod places;
mod ready_file;
mod report;
mod reporting;
mod run;
mod schema;
mod serve;
mod signals;
mod spelling;
mod start;
mod startup_error;
mod summary;
mod whole_file;

use std::process::ExitCode;

use clap::{CommandFactory as _, FromArgMatches as _};

use self::arguments::{Arguments, Command, SettingOverride};
use self::spelling::understood;

/// Runs the command that the process was started with.
pub fn main() -> ExitCode {
    #[cfg(unix)]
    if std::env::args_os().nth(1).is_some_and(|word| word == run::GUARD) {
        return run::guard();
    }
    let words = understood(std::env::args_os());
    let matches = match Arguments::command().try_get_matches_from(&words) {
        Ok(matches) => matches,
        Err(error) => misuse::advised(error, &words).exit(),
    };
    let arguments = match Arguments::from_arg_matches(&matches) {
        Ok(arguments) => arguments,
        Err(error) => error.exit(),
    };
    anstream::ColorChoice::from(arguments.color).write_global();
    // The options of `serve` may stand with and without its name.
    let options = matches.subcommand().map_or(&matches, |(_, options)| options);
    let given = SettingOverride::from(options);
    match arguments.command {
        None => serve::serve(&arguments.serve, &given),
        Some(Command::Serve(serve)) => serve::serve(&serve, &given),
        Some(Command::Run(arguments)) => run::run(&arguments, given),
        Some(Command::Report(arguments)) => report::report(&arguments),
        Some(Command::Check(check)) => check::check(&check),
        Some(Command::Explain(explain)) => explain::explain(&explain, &given),
        Some(Command::Init(init)) => init::init(&init),
        Some(Command::Schema { of }) => schema::schema(of),
        Some(Command::Completions { shell }) => completions::completions(shell),
        Some(Command::Man { command }) => man::man(command.as_deref()),
        Some(Command::Demo(demo)) => demo::demo(&demo),
    }
}
