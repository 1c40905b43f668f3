//! `fracas init`: a rules file to start from.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::Path;
use std::process::ExitCode;

use super::arguments::InitArguments;
use super::load::DEFAULT_FILE;
use super::output::{counted, result, talk};
use super::schema;
use super::startup_error::StartupError;
use crate::drafts::{Drafts, LARGEST_SOURCE, drafts};
use crate::rules_file::shown;

/// Lies beside the rules file; that file's first line names it.
const SCHEMA_FILE: &str = "rules.schema.json";

/// The rules that are shipped, which also are in this repository's root.
pub const SHIPPED: &str = include_str!("../../rules.toml");

/// Writes both files into the current folder, or the rules elsewhere.
pub fn init(arguments: &InitArguments) -> ExitCode {
    match written(arguments) {
        Ok(code) => code,
        Err(refusal) => refusal.report(),
    }
}

fn written(arguments: &InitArguments) -> Result<ExitCode, StartupError> {
    let drafts = arguments.from.as_deref().map(from).transpose()?;
    let text = drafts.as_ref().map_or_else(rules, |drafts| headed(&drafts.text));
    let output = arguments.output.as_deref().unwrap_or(Path::new(DEFAULT_FILE));
    if output == Path::new("-") {
        return Ok(result(text));
    }
    write(output, &text, arguments.force)?;
    let file = output.display();
    let said = match &drafts {
        Some(Drafts { rules, left_out: 0, .. }) => format!("{file} with {}", counted(*rules as u64, "rule")),
        Some(Drafts { rules, left_out, .. }) => {
            let left_out = counted(*left_out as u64, "operation");
            format!("{file} with {}; {left_out} left out", counted(*rules as u64, "rule"))
        }
        None => file.to_string(),
    };
    let next = match drafts {
        Some(_) => format!("`fracas -r {file} -u URL` serves it in front of your service"),
        None => "`fracas` serves it in front of the built-in sample API; change `upstream` for your own"
            .to_owned(),
    };
    if arguments.output.is_some() {
        talk(format_args!("wrote {said}\nnext: {next}\n"));
        return Ok(ExitCode::SUCCESS);
    }
    // The schema is generated, not edited: an older one is replaced.
    write(Path::new(SCHEMA_FILE), &schema::text(), true)?;
    talk(format_args!("wrote {said}, and {SCHEMA_FILE} for editors\nnext: {next}\n"));
    Ok(ExitCode::SUCCESS)
}

/// Rules for the service that a file describes.
fn from(path: &Path) -> Result<Drafts, StartupError> {
    let name = shown(path);
    let refused = |title: String, help: &str| StartupError::new("cannot-read", title, help.to_owned());
    let file = || -> io::Result<Vec<u8>> {
        let source: Box<dyn io::Read> = match path == Path::new("-") {
            true => Box::new(io::stdin().lock()),
            false => Box::new(File::open(path)?),
        };
        let mut bytes = Vec::new();
        source.take(LARGEST_SOURCE as u64 + 1).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let bytes = file().map_err(|error| {
        refused(format!("{name} cannot be read: {error}"), "name an OpenAPI description, a HAR or a journal")
    })?;
    if bytes.len() > LARGEST_SOURCE {
        return Err(refused(format!("{name} is longer than 64 MiB"), "name a smaller description or record"));
    }
    let text = String::from_utf8(bytes).map_err(|_| {
        refused(format!("{name} is not UTF-8"), "name an OpenAPI description, a HAR or a journal")
    })?;
    drafts(&name, &text)
        .map_err(|error| refused(format!("no rules from {name}: {}", error.title), &error.help))
}

/// The shipped rules, with a first line that finds the schema from where they now are.
fn rules() -> String {
    headed(SHIPPED.split_once('\n').map_or(SHIPPED, |(_, rest)| rest))
}

fn headed(rules: &str) -> String {
    format!("#:schema ./{SCHEMA_FILE}\n{rules}")
}

fn write(path: &Path, text: &str, overwrite: bool) -> Result<(), StartupError> {
    let mut options = OpenOptions::new();
    options.write(true);
    match overwrite {
        true => options.create(true).truncate(true),
        false => options.create_new(true),
    };
    let shown = path.display();
    let written = options.open(path).and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => StartupError::new(
            "file-exists",
            format!("{shown} is already there"),
            "`fracas init --force` overwrites it",
        ),
        _ => StartupError::new(
            "cannot-write",
            format!("{shown} cannot be written: {error}"),
            "run it in a folder that this user may write to",
        ),
    })
}
