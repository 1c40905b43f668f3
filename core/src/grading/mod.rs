//! Grading the client: attempts become operations, operations are checked, checks become a report.
//!
//! Pure and online: attempts go in as they end, in bounded memory, and a report can be had at any
//! time. A journal file gives the same report as the run that wrote it. docs/GRADING.md explains each
//! check, its formula and its error rates.

mod around;
mod backoff;
mod checks;
mod correlate;
mod criteria;
mod dialect;
mod evidence_store;
mod expectations;
mod grader;
#[expect(clippy::module_inception, reason = "the folder's name is the word for it")]
mod grading;
mod operation;
mod recent_activity;
mod report;
mod run;
mod unmet;
mod view;

pub use crate::model::CheckId;
pub use backoff::{BackoffFit, Gaps};
pub use checks::herd::index as herd_index;
pub use checks::{CHECKS, CheckDefinition};
pub use correlate::Correlator;
pub use criteria::{Criteria, RuleCriteria};
pub use grader::{Extent, Grader, Missing, RecordExtent};
pub use grading::Grading;
pub use operation::{Link, Operation, OperationOutcome, ReadBetween, Sight, Try};
pub use report::{
    AroundReport, Backoff, BackoffShape, ClientReport, Expectation, Finding, Gap, Herd, Jitter,
    OperationReport, RefusedBy, Report, RuleReport, Totals, TryReport, Verdict,
};
pub use run::{CommandEnd, CommandReport, Demands, ExitReport, RunReport};
