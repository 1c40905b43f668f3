//! `fracas schema`: the JSON schemas of rules files, for editors, and of reports.

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

/// The text of the schema file beside a rules file.
pub fn text() -> String {
    format!("{:#}\n", rules::schema())
}
