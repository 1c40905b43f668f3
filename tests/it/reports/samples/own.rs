//! Reports with conflicts of the upstream's own.

use fracas::grading::{Finding, Report, Totals, Verdict};

use super::operations::{recovering, replaying_own};
use super::{client, exit, finding, rules, run};

/// One conflict of a rule's, taken well, and one of the upstream's own, which was not.
pub fn own() -> Report {
    let mut report = own_only();
    let client = &mut report.clients[0];
    (client.conflicted, client.recovered, client.tries) = (1, 1, 3);
    client.findings[0].measured = "1 of 2 moves replayed a version conflict without reading again".to_owned();
    client.findings.push(Finding {
        rule: Some("somebody-else-won".to_owned()),
        ..finding(
            1,
            Verdict::Pass,
            "makes the right move after a conflict",
            "1 retried as it should, 0 stopped",
        )
    });
    let totals = &mut report.totals;
    (totals.attempts, totals.operations, totals.conflicted, totals.recovered) = (7, 2, 1, 1);
    report.rules = rules();
    let mut recovered = recovering(3);
    recovered.agent = client.agent.clone();
    report.operations.push(recovered);
    report
}

/// One conflict of the upstream's own, and no rule.
pub fn own_only() -> Report {
    let mut client = client("my-service/1.4", Verdict::Fail);
    (client.clients, client.operations, client.conflicted, client.tries) = (1, 2, 0, 0);
    (client.conflicted_upstream, client.recovered, client.gave_up) = (1, 0, 0);
    client.findings = vec![Finding {
        advice: Some("read it again, apply the change to what was read, and send its version".to_owned()),
        operations: vec![14],
        ..finding(
            1,
            Verdict::Fail,
            "makes the right move after a conflict",
            "1 of 1 moves replayed a version conflict without reading again",
        )
    }];
    Report {
        version: 1,
        verdict: Verdict::Fail,
        totals: Totals {
            attempts: 3,
            operations: 1,
            conflicted_upstream: 1,
            elapsed_ms: 2_820,
            ..Totals::default()
        },
        clients: vec![client],
        operations: vec![replaying_own(14)],
        run: run(0),
        exit: exit(1, "the command exited with 0; exit 1, because a client fell short"),
        ..Report::default()
    }
}
