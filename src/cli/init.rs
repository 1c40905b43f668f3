//! `fracas init`: a rules file to start from.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;

use super::arguments::InitArguments;
use super::load::DEFAULT_FILE;
use super::output::talk;
use super::schema;
use super::startup_error::StartupError;

/// Lies beside the rules file; that file's first line names it.
const SCHEMA_FILE: &str = "rules.schema.json";

/// The rules that are shipped, which also are in this repository's root.
pub const SHIPPED: &str = include_str!("../../rules.toml");

/// Writes both files into the current folder.
pub fn init(arguments: &InitArguments) -> ExitCode {
    let written = write(DEFAULT_FILE, &rules(), arguments.force)
        // The schema is generated, not edited: an older one is replaced.
        .and_then(|()| write(SCHEMA_FILE, &schema::text(), true));
    if let Err(refusal) = written {
        return refusal.report();
    }
    talk(format_args!(
        "wrote {DEFAULT_FILE}, and {SCHEMA_FILE} for editors\n\
         next: `fracas` serves it in front of the built-in sample API; change `upstream` for your own\n"
    ));
    ExitCode::SUCCESS
}

/// The shipped rules, with a first line that finds the schema from where they now are.
fn rules() -> String {
    let rest = SHIPPED.split_once('\n').map_or(SHIPPED, |(_, rest)| rest);
    format!("#:schema ./{SCHEMA_FILE}\n{rest}")
}

fn write(path: &str, text: &str, overwrite: bool) -> Result<(), StartupError> {
    let mut options = OpenOptions::new();
    options.write(true);
    match overwrite {
        true => options.create(true).truncate(true),
        false => options.create_new(true),
    };
    let written = options.open(Path::new(path)).and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => StartupError::new(
            "file-exists",
            format!("{path} is already there"),
            "`fracas init --force` overwrites it",
        ),
        _ => StartupError::new(
            "cannot-write",
            format!("{path} cannot be written: {error}"),
            "run it in a folder that this user may write to",
        ),
    })
}
