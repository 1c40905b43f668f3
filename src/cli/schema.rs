//! `fracas schema`: what editors complete and check rules files with, and what a report looks like.

use std::process::ExitCode;

use super::arguments::SchemaOf;
use super::output::result;
use crate::report;
use crate::rules;

/// Prints a schema.
pub fn schema(of: SchemaOf) -> ExitCode {
    result(match of {
        SchemaOf::Rules => text(),
        SchemaOf::Report => format!("{:#}\n", report::schema()),
    })
}

/// The schema as it lies beside a rules file.
pub fn text() -> String {
    format!("{:#}\n", rules::schema())
}
