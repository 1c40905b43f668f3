//! The report as JSON, for machines; docs/report.schema.json describes it.

use std::io;

use crate::grading::Report;
use crate::model::SanitizedJson;

/// Writes the report itself.
pub fn write(report: &Report, out: &mut impl io::Write) -> io::Result<()> {
    serde_json::to_writer_pretty(SanitizedJson(&mut *out), report)?;
    out.write_all(b"\n")
}

/// The JSON Schema (2020-12) of a report.
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(Report).to_value()
}
