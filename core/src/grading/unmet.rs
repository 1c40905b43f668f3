//! Clients under an expectation that was not met: none of them passes.

use super::{Report, Verdict};

/// Expectations that are about rules, not about clients.
const OF_RULES: [&str; 1] = ["fired"];

impl Report {
    /// Lets no client pass that an unmet expectation is about: one whose operations it names, or the only one
    /// that met a conflict. Where it names none and there are several, it is not known which fell short.
    pub(super) fn hold_clients(&mut self) {
        let met = self.clients.iter().filter(|client| client.conflicted > 0).count();
        let unmet = self.expectations.iter().filter(|expected| {
            expected.verdict == Verdict::Fail && !OF_RULES.contains(&expected.name.as_str())
        });
        for expected in unmet {
            for client in self.clients.iter_mut().filter(|client| client.conflicted > 0) {
                let is_named = self.operations.iter().any(|operation| {
                    operation.agent == client.agent && expected.operations.contains(&operation.id)
                });
                let verdict = match expected.operations.is_empty() {
                    _ if is_named => Verdict::Fail,
                    true if met == 1 => Verdict::Fail,
                    true => Verdict::Undetermined,
                    false => continue,
                };
                client.verdict = client.verdict.max(verdict);
            }
        }
        let worst_first = |client: &super::ClientReport| {
            (std::cmp::Reverse(client.verdict), std::cmp::Reverse(client.conflicted))
        };
        self.clients.sort_by_key(worst_first);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grading::{ClientReport, Expectation, OperationOutcome, OperationReport};

    fn client(agent: &str, conflicted: u64) -> ClientReport {
        ClientReport {
            agent: agent.to_owned(),
            clients: 1,
            operations: 9,
            conflicted,
            conflicted_upstream: 0,
            recovered: 0,
            gave_up: conflicted,
            unfinished: 0,
            tries: conflicted,
            verdict: Verdict::Pass,
            backoff: None,
            gaps: Vec::new(),
            herd: None,
            findings: Vec::new(),
        }
    }

    fn operation(id: u64, agent: &str) -> OperationReport {
        OperationReport {
            id,
            agent: agent.to_owned(),
            client: String::new(),
            method: "PUT".to_owned(),
            path: "/".to_owned(),
            outcome: OperationOutcome::GaveUp,
            count: 1,
            start_ms: 0.0,
            tries: Vec::new(),
        }
    }

    fn held(clients: &[(&str, u64)], name: &str, named: &[u64]) -> Vec<(String, Verdict)> {
        let expected = Expectation {
            name: name.to_owned(),
            rule: None,
            asked: "1".to_owned(),
            found: "0 of 1".to_owned(),
            verdict: Verdict::Fail,
            operations: named.to_vec(),
        };
        let mut report = Report {
            clients: clients.iter().map(|(agent, conflicted)| client(agent, *conflicted)).collect(),
            expectations: vec![expected],
            operations: vec![operation(1, "a/1"), operation(2, "b/1")],
            ..Report::default()
        };
        report.hold_clients();
        report.clients.into_iter().map(|client| (client.agent, client.verdict)).collect()
    }

    #[test]
    fn a_client_under_an_unmet_expectation_does_not_pass_and_no_other_is_accused() {
        let said = |agent: &str, verdict| (agent.to_owned(), verdict);
        for (clients, name, named, verdicts) in [
            (
                &[("a/1", 1), ("b/1", 1)][..],
                "refetch",
                &[2][..],
                [said("b/1", Verdict::Fail), said("a/1", Verdict::Pass)],
            ),
            (
                &[("a/1", 1), ("b/1", 0)],
                "recovered",
                &[],
                [said("a/1", Verdict::Fail), said("b/1", Verdict::Pass)],
            ),
            (
                &[("a/1", 2), ("b/1", 1)],
                "recovered",
                &[],
                [said("a/1", Verdict::Undetermined), said("b/1", Verdict::Undetermined)],
            ),
            (
                &[("a/1", 2), ("b/1", 1)],
                "fired",
                &[],
                [said("a/1", Verdict::Pass), said("b/1", Verdict::Pass)],
            ),
        ] {
            assert_eq!(held(clients, name, named), verdicts, "{name} {named:?}");
        }
    }
}
