//! The view that an attempt gives of the resource of an operation: its state, perhaps its state, or
//! nothing.

use super::meaning::Meaning;
use crate::grading::Sight;
use crate::model::{Attempt, ShownVersions};

/// Where an attempt went, as an operation sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AttemptTarget {
    /// To the same path.
    Resource,
    /// To an item of the collection that was posted to.
    Item,
    Elsewhere,
}

/// The view that `attempt` gives to a client whose last try was `latest`.
pub(super) fn of(attempt: &Attempt, latest: &Attempt, place: AttemptTarget) -> Option<Sight> {
    if !latest.is_write() || attempt.is_cut() {
        return None;
    }
    let readings = attempt.got.shown.readings();
    if let Some(conflict) = &latest.conflict
        && let Some(reading) = readings.iter().find(|reading| reading.rule == conflict.rule)
    {
        // A read of a resource with another key does not count.
        return reading.key.is_none_or(|key| key == conflict.key).then_some(Sight::Certain);
    }
    if readings.len() == ShownVersions::MOST && latest.conflict.is_some() {
        return Some(Sight::Unlisted);
    }
    match place {
        AttemptTarget::Resource | AttemptTarget::Item if reads_by_method(attempt) => Some(Sight::Certain),
        // A POST to this path may read, too: JSON-RPC, GraphQL, SOAP.
        AttemptTarget::Resource if !reads_nothing(attempt) && Meaning::of(attempt) == Meaning::Success => {
            Some(Sight::Possible)
        }
        _ => None,
    }
}

/// GET and HEAD; QUERY, and the reading methods of WebDAV (RFC 4918 §9.1, RFC 3253 §3.6, RFC 5323).
fn reads_by_method(attempt: &Attempt) -> bool {
    matches!(&*attempt.method, "GET" | "HEAD" | "PROPFIND" | "QUERY" | "REPORT" | "SEARCH")
}

fn reads_nothing(attempt: &Attempt) -> bool {
    matches!(&*attempt.method, "OPTIONS" | "TRACE")
}
