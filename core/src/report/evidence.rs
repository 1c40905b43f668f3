//! Which operations are shown, and why.

use std::collections::BTreeMap;

use crate::grading::{CheckId, OperationOutcome, OperationReport, Report, Verdict};

/// The operations of a report, the most telling first.
pub struct ShownOperations<'a> {
    /// With their places in the report.
    operations: Vec<(usize, &'a OperationReport)>,
    blames: BTreeMap<u64, OperationIssue>,
}

/// The evidence that one operation shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OperationIssue {
    /// The checks that fail, or warn, and name it.
    pub checks: Vec<CheckId>,
    fails: bool,
    is_unexpected: bool,
}

impl<'a> ShownOperations<'a> {
    /// That of a report. Of the operations that show the same, the first in the report comes first.
    pub fn of(report: &'a Report) -> ShownOperations<'a> {
        let blames = blames(report);
        let mut operations: Vec<(usize, &OperationReport)> = report.operations.iter().enumerate().collect();
        // Operations that met a conflict come first: the run was about them.
        operations.sort_by_cached_key(|(_, operation)| {
            (!met_a_conflict(operation), rank(operation, blames.get(&operation.id)))
        });
        ShownOperations { operations, blames }
    }

    /// All of it.
    pub fn all(&self) -> &[(usize, &'a OperationReport)] {
        &self.operations
    }

    /// Those that something is wrong with.
    pub fn troubled(&self) -> impl Iterator<Item = &'a OperationReport> {
        let is_troubled = |operation: &OperationReport| {
            operation.outcome == OperationOutcome::GaveUp || self.blames.contains_key(&operation.id)
        };
        self.operations
            .iter()
            .map(|(_, operation)| *operation)
            .filter(move |operation| is_troubled(operation))
    }

    /// The checks that fail, or warn, and name the operation.
    pub fn checks(&self, operation: &OperationReport) -> &[CheckId] {
        self.blames.get(&operation.id).map_or(&[], |blame| &blame.checks)
    }
}

fn blames(report: &Report) -> BTreeMap<u64, OperationIssue> {
    let mut blames: BTreeMap<u64, OperationIssue> = BTreeMap::new();
    let findings = report.clients.iter().flat_map(|client| &client.findings);
    for finding in findings.filter(|finding| matches!(finding.verdict, Verdict::Fail | Verdict::Warn)) {
        for operation in &finding.operations {
            let blame = blames.entry(*operation).or_default();
            blame.fails |= finding.verdict == Verdict::Fail;
            if !blame.checks.contains(&finding.check) {
                blame.checks.push(finding.check);
            }
        }
    }
    for expected in report.expectations.iter().filter(|expected| expected.verdict == Verdict::Fail) {
        for operation in &expected.operations {
            blames.entry(*operation).or_default().is_unexpected = true;
        }
    }
    blames
}

fn met_a_conflict(operation: &OperationReport) -> bool {
    operation.outcome != OperationOutcome::Untroubled
        || operation.tries.iter().any(|tried| tried.rule.is_some())
}

/// The lower, the earlier it is shown.
fn rank(operation: &OperationReport, blame: Option<&OperationIssue>) -> u8 {
    match (blame, operation.outcome) {
        (Some(blame), _) if blame.is_unexpected => 0,
        (Some(blame), _) if blame.fails => 1,
        (Some(_), _) => 2,
        (None, OperationOutcome::GaveUp) => 3,
        (None, OperationOutcome::Unfinished) => 4,
        (None, OperationOutcome::Recovered) => 5,
        (None, OperationOutcome::Untroubled) => 6,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grading::{CheckId, ClientReport, Finding};

    fn operation(id: u64, outcome: OperationOutcome) -> OperationReport {
        OperationReport {
            id,
            agent: "a/1".to_owned(),
            client: String::new(),
            method: "PUT".to_owned(),
            path: "/".to_owned(),
            outcome,
            count: 1,
            start_ms: 0.0,
            tries: Vec::new(),
        }
    }

    #[test]
    fn operations_with_conflicts_come_first_and_the_blamed_ones_before_the_others() {
        let finding = Finding {
            check: CheckId::new(11).expect("a check"),
            title: String::new(),
            anchor: "",
            rule: None,
            verdict: Verdict::Fail,
            measured: String::new(),
            value: None,
            limit: None,
            unit: None,
            advice: None,
            operations: vec![1, 4],
        };
        let client = ClientReport {
            agent: "a/1".to_owned(),
            clients: 1,
            operations: 4,
            conflicted: 2,
            conflicted_upstream: 0,
            recovered: 2,
            gave_up: 0,
            unfinished: 0,
            tries: 4,
            verdict: Verdict::Fail,
            backoff: None,
            gaps: Vec::new(),
            herd: None,
            findings: vec![finding],
        };
        let operations = vec![
            operation(1, OperationOutcome::Untroubled),
            operation(2, OperationOutcome::Untroubled),
            operation(3, OperationOutcome::Recovered),
            operation(4, OperationOutcome::Recovered),
        ];
        let report = Report { clients: vec![client], operations, ..Report::default() };
        let evidence = ShownOperations::of(&report);
        let order: Vec<u64> = evidence.all().iter().map(|(_, operation)| operation.id).collect();
        assert_eq!(order, [4, 3, 1, 2]);
    }
}
