//! How clients took their conflicts, a line each: the score cards in short.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::{counted, grouped, write_rows};
use crate::grading::{ClientReport, Report, Verdict};
use crate::model::sanitize;
use crate::report::{MET_OWN_LABEL, Width, met_label};

/// Classes of clients that are shown, the worst first.
const MOST_ROWS: usize = 20;
/// Characters of a name or a finding; beyond them a sign says that there is more.
const LONGEST: usize = 120;

/// Appends the table and an empty line; nothing when no client met a conflict.
pub fn write(text: &mut String, report: Option<&Report>, width: Width) {
    let all = conflicted(report).count();
    if all == 0 {
        return;
    }
    let own = conflicted(report).map(|client| client.conflicted_upstream).max().unwrap_or_default();
    // Columns that may be empty in all rows.
    let has = [own > 0, conflicted(report).any(|client| client.unfinished > 0)];
    let heads =
        ["client", met_label(own), MET_OWN_LABEL, "recovered", "gave up", "unfinished", "worst finding"];
    let mut rows = vec![cells(heads.map(str::to_owned), has)];
    rows.extend(conflicted(report).take(MOST_ROWS).map(|client| cells(row(client), has)));
    write_rows(text, &rows, &(1..rows.first().map_or(0, Vec::len) - 1).collect::<Vec<_>>(), width);
    if all > MOST_ROWS {
        let all = counted(all as u64, "client");
        let _ = writeln!(text, "{MOST_ROWS} of {all} that met a conflict are shown, the worst first");
    }
    text.push('\n');
}

fn cells(row: [String; 7], [has_own, has_unfinished]: [bool; 2]) -> Vec<String> {
    let is_shown = |column: usize| match column {
        2 => has_own,
        5 => has_unfinished,
        _ => true,
    };
    row.into_iter().enumerate().filter(|(column, _)| is_shown(*column)).map(|(_, cell)| cell).collect()
}

/// The same as JSON.
pub fn json(report: Option<&Report>) -> Vec<Value> {
    let client = |client: &ClientReport| {
        json!({
            "agent": client.agent,
            "operations": client.operations,
            "conflicted": client.conflicted,
            "conflicted_upstream": client.conflicted_upstream,
            "recovered": client.recovered,
            "gave_up": client.gave_up,
            "verdict": client.verdict,
        })
    };
    conflicted(report).take(MOST_ROWS).map(client).collect()
}

fn conflicted(report: Option<&Report>) -> impl Iterator<Item = &ClientReport> {
    let clients = report.map(|report| report.clients.iter()).into_iter().flatten();
    clients.filter(|client| client.conflicted > 0 || client.conflicted_upstream > 0)
}

fn row(client: &ClientReport) -> [String; 7] {
    [
        sanitize(&client.agent, LONGEST).into_owned(),
        grouped(client.conflicted),
        grouped(client.conflicted_upstream),
        grouped(client.recovered),
        grouped(client.gave_up),
        grouped(client.unfinished),
        worst(client),
    ]
}

/// `R1 3 of 3 moves replayed a version conflict without reading again`.
fn worst(client: &ClientReport) -> String {
    let over_all_rules = client.findings.iter().filter(|finding| finding.rule.is_none());
    let found = [Verdict::Fail, Verdict::Warn]
        .into_iter()
        .find_map(|verdict| over_all_rules.clone().find(|finding| finding.verdict == verdict));
    found.map_or("–".to_owned(), |finding| {
        let measured = sanitize(&finding.measured, LONGEST);
        format!("{} {measured}", finding.check)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grading::{CheckId, Finding, Totals};

    fn client(agent: &str, conflicted: u64, findings: Vec<Finding>) -> ClientReport {
        ClientReport {
            agent: agent.to_owned(),
            clients: 1,
            operations: 40,
            conflicted,
            conflicted_upstream: 0,
            recovered: conflicted.saturating_sub(7),
            gave_up: 7.min(conflicted),
            unfinished: 0,
            tries: 60,
            verdict: Verdict::Pass,
            backoff: None,
            gaps: Vec::new(),
            herd: None,
            findings,
        }
    }

    fn finding(check: u8, rule: Option<&str>, verdict: Verdict) -> Finding {
        Finding {
            check: CheckId::new(check).expect("a check"),
            title: String::new(),
            anchor: "",
            rule: rule.map(str::to_owned),
            verdict,
            measured: format!("measure {check}"),
            value: None,
            limit: None,
            unit: None,
            advice: None,
            operations: Vec::new(),
        }
    }

    #[test]
    fn each_client_has_a_line_with_its_worst_finding() {
        let findings = vec![
            finding(1, Some("r"), Verdict::Fail),
            finding(7, None, Verdict::Warn),
            finding(9, None, Verdict::Fail),
        ];
        let report = Report {
            version: 1,
            verdict: Verdict::Fail,
            totals: Totals::default(),
            clients: vec![
                client("curl/8.5", 9, findings),
                client("python-httpx/0.28", 1_038, vec![finding(1, None, Verdict::Pass)]),
                client("untroubled/1", 0, Vec::new()),
            ],
            ..Report::default()
        };
        let mut text = String::new();
        write(&mut text, Some(&report), Width::of(None));
        insta::assert_snapshot!(text, @r"
        client             met a conflict  recovered  gave up  worst finding
        curl/8.5                        9          2        7  R9 measure 9
        python-httpx/0.28           1,038      1,031        7  –
        ");
        let mut own = client("own/1", 0, vec![finding(1, None, Verdict::Fail)]);
        own.conflicted_upstream = 3;
        let mut text = String::new();
        write(&mut text, Some(&Report { clients: vec![own], ..report }), Width::of(None));
        insta::assert_snapshot!(text, @r"
        client  met a rule's  met one of the  recovered  gave up  worst finding
                    conflict  upstream's own
        own/1              0               3          0        0  R1 measure 1
        ");
        let mut nothing = String::new();
        write(&mut nothing, None, Width::of(None));
        assert_eq!(nothing, "");
    }
}
