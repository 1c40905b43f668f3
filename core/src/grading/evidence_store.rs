//! Operations kept as evidence: those that findings name and the worst of the others, in bounded number.

use std::collections::{BTreeMap, BTreeSet};

use super::checks::wait;
use super::view::{Elsewhere, View, is_one};
use super::{Finding, Operation, OperationReport, ReadBetween, RefusedBy, Sight, Try, TryReport, Verdict};
use crate::model::{AskedWait, VersionPlace};

/// Operations that a report may show.
#[derive(Clone, Debug, Default)]
pub(super) struct EvidenceStore(BTreeMap<u64, Operation>);

impl EvidenceStore {
    /// Kept between two clearings, at most.
    const MOST: usize = 4_000;
    /// Of a report, at most: those that findings name, the worst findings first.
    const NAMED: usize = 200;
    /// Those beside them, by their number of tries.
    const OTHERS: usize = 20;

    pub fn keep(&mut self, operation: &Operation) {
        self.0.insert(operation.id, operation.clone());
    }

    /// Whether it is time to [`EvidenceStore::clear`].
    pub fn is_full(&self) -> bool {
        self.0.len() >= EvidenceStore::MOST
    }

    /// Forgets evidence that is neither named nor among the worst: unnamed evidence is never named again.
    pub fn clear(&mut self, named: &BTreeSet<u64>) {
        let worst = self.worst(named);
        self.0.retain(|id, _| named.contains(id) || worst.contains(id));
        while self.0.len() > EvidenceStore::MOST / 2 {
            self.0.pop_last();
        }
    }

    fn worst(&self, named: &BTreeSet<u64>) -> BTreeSet<u64> {
        let others = self.0.values().filter(|operation| !named.contains(&operation.id));
        let mut others: Vec<(std::cmp::Reverse<u64>, u64)> =
            others.map(|operation| (std::cmp::Reverse(operation.count), operation.id)).collect();
        others.sort_unstable();
        others.into_iter().take(EvidenceStore::OTHERS).map(|(_, id)| id).collect()
    }

    pub fn has(&self, operation: u64) -> bool {
        self.0.contains_key(&operation)
    }

    /// The operations for a report with these findings, by id.
    pub fn report<'f>(
        &self,
        findings: impl Iterator<Item = &'f Finding>,
        also: impl Iterator<Item = u64>,
    ) -> Vec<OperationReport> {
        let mut findings: Vec<&Finding> = findings.collect();
        findings.sort_by_key(|finding| std::cmp::Reverse(finding.verdict));
        let bad = findings.iter().filter(|finding| finding.verdict != Verdict::Pass);
        let of_findings = bad.flat_map(|finding| finding.operations.iter().copied());
        let good = findings.iter().filter(|finding| finding.verdict == Verdict::Pass);
        let of_good = good.flat_map(|finding| finding.operations.iter().copied());
        let mut shown = BTreeSet::new();
        for id in also.chain(of_findings).chain(of_good) {
            if shown.len() < EvidenceStore::NAMED && self.has(id) {
                shown.insert(id);
            }
        }
        shown.extend(self.worst(&shown));
        shown.iter().filter_map(|id| self.0.get(id)).map(shown_as).collect()
    }
}

fn shown_as(operation: &Operation) -> OperationReport {
    let first = operation.tries.first();
    let view = View::new(operation, |_, _| Elsewhere::default(), |_| false);
    let start = first.map_or(0, |first| first.attempt.start);
    let text = |of: fn(&crate::model::Attempt) -> &str| {
        first.map_or_else(String::new, |first| of(&first.attempt).to_owned())
    };
    OperationReport {
        id: operation.id,
        agent: operation.agent().unwrap_or("-").to_owned(),
        client: operation.client.to_string(),
        method: text(|attempt| &attempt.method),
        path: text(|attempt| &attempt.path),
        outcome: operation.outcome,
        count: operation.count,
        start_ms: start as f64 / 1e3,
        tries: operation.tries.iter().flat_map(|tried| shown_with_reads(tried, &view, start)).collect(),
    }
}

/// A try, after the reads of the resource before it.
fn shown_with_reads(tried: &Try, view: &View<'_>, start: u64) -> Vec<TryReport> {
    let place = tried.attempt.sent.version.as_ref().map(|sent| sent.place().clone()).unwrap_or_default();
    let mut rows: Vec<TryReport> = tried.reads.iter().map(|read| shown_read(read, &place, start)).collect();
    rows.sort_by(|one, other| one.at_ms.total_cmp(&other.at_ms));
    rows.push(shown_try(tried, view, start));
    rows
}

/// `place`: where the try after it has its version.
fn shown_read(read: &ReadBetween, place: &VersionPlace, start: u64) -> TryReport {
    let showed = match (read.shown.at(place), read.shown.any()) {
        (Some(version), _) => Some(format!("showed version {version}")),
        // A version elsewhere is not to be held against the version that the next try carries.
        (None, Some(other)) if *place != VersionPlace::Tag => {
            Some(format!("showed no version at {}, but {other} elsewhere", place.as_str()))
        }
        (None, _) => None,
    };
    TryReport {
        attempt: read.attempt,
        method: read.method.to_string(),
        link: None,
        at_ms: read.start.saturating_sub(start) as f64 / 1e3,
        took_ms: read.end.saturating_sub(read.start) as f64 / 1e3,
        gap_ms: None,
        status: read.status,
        error: None,
        refused_by: None,
        rule: None,
        kind: None,
        phase: None,
        retry_after_ms: None,
        version: None,
        note: match (read.sight, showed) {
            (Sight::Possible | Sight::Unlisted, _) => Some("may have read it".to_owned()),
            (Sight::Certain, showed) => showed,
        },
    }
}

fn shown_try(tried: &Try, view: &View<'_>, start: u64) -> TryReport {
    let attempt = &tried.attempt;
    let conflict = attempt.conflict.as_ref();
    let step = view.steps.iter().find(|step| step.refused.attempt.id == attempt.id);
    let kind = conflict.map(|conflict| conflict.kind).or_else(|| step?.kind);
    TryReport {
        attempt: attempt.id,
        method: attempt.method.to_string(),
        link: Some(tried.link),
        at_ms: attempt.start.saturating_sub(start) as f64 / 1e3,
        took_ms: attempt.end.saturating_sub(attempt.start) as f64 / 1e3,
        gap_ms: tried.gap.map(|gap| gap.as_secs_f64() * 1e3),
        status: attempt.got.outcome(),
        error: attempt.got.error.as_deref().map(str::to_owned),
        refused_by: RefusedBy::of(attempt),
        rule: conflict.map(|conflict| conflict.rule.to_string()),
        kind: kind.map(|kind| kind.to_string()),
        phase: conflict.map(|conflict| conflict.phase.to_string()),
        retry_after_ms: attempt.got.retry_after.map(AskedWait::millis),
        version: attempt.sent.version.as_deref().map(str::to_owned),
        note: note(view, attempt.id),
    }
}

/// A note on a try.
fn note(view: &View<'_>, attempt: u64) -> Option<String> {
    let retry = view.retries().find(|retry| retry.after().id == attempt)?;
    let (before, after) = (retry.before(), retry.after());
    if let Some(asked) = before.got.retry_after.map(AskedWait::millis)
        && retry.gap.as_millis() + 20 < u128::from(asked)
    {
        let asked = wait(std::time::Duration::from_millis(asked));
        return Some(format!("after {}, Retry-After said {asked}", wait(retry.gap)));
    }
    let keys = (before.sent.idempotency_key, after.sent.idempotency_key);
    if let (Some(_), key) = keys
        && keys.0 != key
    {
        return Some(
            if key.is_some() { "another idempotency key" } else { "without its idempotency key" }.to_owned(),
        );
    }
    let versions = before.sent.version.as_ref().zip(after.sent.version.as_ref());
    let same_version = versions.is_some_and(|(before, after)| is_one(before, after));
    match (retry.has_reread(), same_version) {
        (true, true) => Some("read again, same version".to_owned()),
        (true, false) => Some("read again".to_owned()),
        (false, true) if !retry.step.may_have_read => Some("same version, not re-read".to_owned()),
        (false, _) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grading::{Link, OperationOutcome};
    use crate::model::{Attempt, Fingerprint, ShownVersions};

    #[test]
    fn what_was_read_between_two_tries_has_rows_of_its_own_in_the_order_in_which_it_was_sent() {
        let tried = |id, start, link, reads| {
            let attempt =
                Attempt { id, start, end: start + 1_000, method: "PUT".into(), ..Attempt::default() };
            Try { attempt: attempt.into(), link, gap: None, reads }
        };
        let read = |attempt, start, end, version: Option<&str>| ReadBetween {
            attempt,
            connection: 0,
            method: "GET".into(),
            start,
            end,
            status: Some(200),
            sight: Sight::Certain,
            shown: version.map(ShownVersions::from).unwrap_or_default(),
        };
        let reads = vec![read(3, 14_000, 15_000, Some("\"4\"")), read(2, 13_000, 16_000, None)];
        let operation = Operation {
            id: 1,
            client: Fingerprint::default(),
            tries: vec![tried(1, 10_000, Link::First, vec![]), tried(4, 20_000, Link::Rebase, reads)],
            count: 2,
            reads_after: Vec::new(),
            outcome: OperationOutcome::GaveUp,
        };
        let shown = shown_as(&operation);
        let rows: Vec<_> = shown
            .tries
            .iter()
            .map(|row| (row.attempt, &*row.method, row.at_ms, row.link, row.note.as_deref()))
            .collect();
        assert_eq!(shown.count, 2, "a read is no try");
        assert_eq!(
            rows[..3],
            [
                (1, "PUT", 0.0, Some(Link::First), None),
                (2, "GET", 3.0, None, None),
                (3, "GET", 4.0, None, Some("showed version \"4\"")),
            ]
        );
    }
}
