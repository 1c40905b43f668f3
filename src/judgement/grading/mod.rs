//! Grading the client: attempts become operations, operations are checked, checks become a report.
//!
//! Pure and online: attempts go in as they end, in bounded memory, and a report can be had at any
//! time. A journal file gives the same report as the run that wrote it. docs/GRADING.md explains each
//! check, its formula and its error rates.

mod correlate;
mod operation;
mod report;

pub use correlate::Correlator;
pub use operation::{Link, Operation, Outcome, Read, Try};
pub use report::{
    Backoff, CheckId, ClientReport, Expectation, Finding, Gap, Herd, Jitter, OperationReport, Report,
    RuleReport, Shape, Totals, TryReport, Verdict,
};
