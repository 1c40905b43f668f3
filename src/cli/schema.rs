//! `fracas schema`: what editors complete and check rules files with.

use std::process::ExitCode;

use super::output::result;
use crate::rules;

/// Prints the schema.
pub fn schema() -> ExitCode {
    result(text())
}

/// The schema as it lies beside a rules file.
pub fn text() -> String {
    format!("{:#}\n", rules::schema())
}
