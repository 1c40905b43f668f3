//! Whose a conflict was: a rule injected it, or it was the upstream's own. The two are never counted as one.

use crate::grading::{RefusedBy, TryReport};
use crate::rules::grouped;

/// The head over operations that met a conflict of the upstream's own.
pub const MET_OWN_LABEL: &str = "met one of the upstream's own";

/// `17 met a conflict`; where some were the upstream's own, it says how many.
pub fn met(subject: &str, injected: u64, own: u64) -> String {
    match (injected, own) {
        (_, 0) => format!("{subject} met a conflict"),
        (0, own) => format!("{} met a conflict of the upstream's own, and none of a rule's", grouped(own)),
        (_, own) => {
            format!("{} met a conflict of the upstream's own, {subject} met one of a rule's", grouped(own))
        }
    }
}

/// The head over operations that met an injected conflict, of `own` others beside them.
pub fn met_label(own: u64) -> &'static str {
    if own == 0 { "met a conflict" } else { "met a rule's conflict" }
}

/// Whether the upstream itself said that there is a conflict.
pub fn is_upstream_conflict(tried: &TryReport) -> bool {
    tried.refused_by == Some(RefusedBy::Upstream) && matches!(tried.status, Some(409 | 412 | 423 | 428 | 449))
}
