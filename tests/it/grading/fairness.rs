//! Fairness: no good client is accused, and each bad client exactly of its own faults.

use std::collections::BTreeMap;

use fracas::grading::{Criteria, Grading, Report, Verdict};
use fracas::model::{AskedWait, Attempt, Fingerprint, Kind, Phase, ResponseRecord};

use super::clients::{Client, Situation, record};
use super::policies::Chance;
use crate::support::is_full;

fn graded(client: Client, situation: Situation, seed: u64) -> Report {
    held_against(Criteria::default(), client, situation, seed)
}

/// The report on a client under the expectations of a file.
pub fn held_against(asked: Criteria, client: Client, situation: Situation, seed: u64) -> Report {
    let mut grading = Grading::new(asked);
    for attempt in record(client, situation, seed) {
        grading.add(attempt);
    }
    // Long enough for every window to have passed.
    grading.pass(10_000_000_000);
    grading.finish(Vec::new(), 0)
}

/// The worst verdict of each check over all rules, with its sentence.
fn verdicts(report: &Report) -> BTreeMap<u8, (Verdict, String)> {
    let findings = report.clients.iter().flat_map(|client| &client.findings);
    let mut worst: BTreeMap<u8, (Verdict, String)> = BTreeMap::new();
    for finding in findings {
        let entry = (finding.verdict, finding.measured.clone());
        let known = worst.entry(finding.check.number()).or_insert_with(|| entry.clone());
        if known.0 < entry.0 {
            *known = entry;
        }
    }
    worst
}

fn of_verdict(report: &Report, verdict: Verdict) -> Vec<u8> {
    verdicts(report).iter().filter(|(_, (found, _))| *found == verdict).map(|(check, _)| *check).collect()
}

#[test]
fn an_exemplary_client_is_never_accused_in_a_thousand_simulations() {
    let mut passed = BTreeMap::new();
    for seed in 1..=if is_full() { 1_000 } else { 200 } {
        let mut chance = Chance::new(seed + 1_000_000);
        let mut pick = |most: usize| chance.uniform(0.0, most as f64) as usize;
        let kind = Kind::ALL[pick(Kind::ALL.len())];
        let phase = if kind == Kind::Transient { Phase::ALL[pick(3)] } else { Phase::Before };
        let asked = [None, None, Some(AskedWait::Seconds(1_000)), Some(AskedWait::Date(1_500))];
        let situation = Situation {
            kind,
            phase,
            refusals: [1, 2, 3, 20][pick(4)],
            is_drawn: pick(2) == 0,
            retry_after: asked[pick(4)].filter(|_| phase != Phase::Lost),
            clients: [1, 2, 6, 12, 30][pick(5)],
            operations: 1 + pick(12) as u64,
        };
        let report = graded(Client::Exemplary, situation, seed);
        for (check, (verdict, measured)) in verdicts(&report) {
            // The lie that `phase = "after"` tells makes even a good client write twice; it keeps its key.
            assert!(
                matches!(verdict, Verdict::Pass | Verdict::Undetermined),
                "seed {seed}, {situation:?}: R{check} {verdict:?}, {measured}"
            );
            *passed.entry(check).or_insert(0) += u32::from(verdict == Verdict::Pass);
        }
    }
    // Each check had its say, and passed it.
    let silent: Vec<u8> =
        (1..=17).filter(|check| passed.get(check).is_none_or(|passed| *passed < 3)).collect();
    assert_eq!(silent, [0u8; 0], "{passed:?}");
}

#[test]
fn each_bad_client_fails_exactly_what_it_does_wrong() {
    let lost = Situation { phase: Phase::Lost, refusals: 2, ..Situation::new(Kind::Transient) };
    let waits = Situation { retry_after: Some(AskedWait::Seconds(2_000)), ..Situation::new(Kind::Lock) };
    let cases: [(Client, Situation, &[u8]); 11] = [
        (Client::HotLoop, Situation::new(Kind::Transient), &[6, 7, 9, 11]),
        (Client::HotLoop, Situation::new(Kind::Version), &[1, 2, 3, 6, 7, 9, 11]),
        (Client::HotLoop, Situation { refusals: 6, ..Situation::new(Kind::Duplicate) }, &[1, 6, 7, 17]),
        (Client::HotLoop, lost, &[1, 14, 15, 16]),
        (Client::BlindReplay, Situation::new(Kind::Version), &[1, 2, 3]),
        (Client::BlindReplay, Situation::new(Kind::Duplicate), &[1, 17]),
        (Client::BlindReplay, Situation::new(Kind::Session), &[1]),
        (Client::NewKey, Situation::new(Kind::Idempotency), &[1, 4]),
        (Client::NewKey, lost, &[1, 4, 14, 15]),
        (Client::Metronome, Situation::new(Kind::Transient), &[8]),
        (Client::Impatient, waits, &[5]),
    ];
    for (client, situation, expected) in cases {
        let report = graded(client, situation, 7);
        assert_eq!(
            of_verdict(&report, Verdict::Fail),
            expected,
            "{client:?}, {situation:?}: {:#?}",
            verdicts(&report)
        );
        assert_eq!(report.verdict, Verdict::Fail);
    }
}

#[test]
fn unusual_behaviour_is_no_failure() {
    let asked = Situation { retry_after: Some(AskedWait::Seconds(1_000)), ..Situation::new(Kind::Lock) };
    let cases: [(Client, Situation, &[u8]); 4] = [
        (Client::GivesUp, Situation::new(Kind::Version), &[]),
        (Client::Optimistic, Situation::new(Kind::Version), &[6, 7]),
        (Client::Polite, asked, &[]),
        (Client::NearlyEven, Situation::new(Kind::Transient), &[7]),
    ];
    for (client, situation, warned) in cases {
        for seed in 1..=50 {
            let report = graded(client, situation, seed);
            let found = verdicts(&report);
            assert_eq!(of_verdict(&report, Verdict::Fail), [0u8; 0], "{client:?}, seed {seed}: {found:#?}");
            let mut warnings = of_verdict(&report, Verdict::Warn);
            // Near a limit of R8 both neighbours are right.
            warnings.retain(|check| !(client == Client::NearlyEven && *check == 8));
            assert_eq!(warnings, warned, "{client:?}, seed {seed}: {found:#?}");
        }
    }
}

#[test]
fn a_client_that_reads_before_it_repeats_a_post_is_not_blind() {
    let attempt = |id: u64, client: u64, method: &str, status: u16| {
        let at = id * 2_000_000;
        let (method, path) = (method.into(), "/orders".into());
        let got = ResponseRecord { status: Some(status), ..ResponseRecord::default() };
        let client = Fingerprint(client);
        Attempt { id, start: at, end: at + 1_000, client, method, path, got, ..Attempt::default() }
    };
    for (between, expected) in [(Some(200), [0u8; 0].as_slice()), (Some(503), &[16]), (None, &[16])] {
        let mut grading = Grading::new(Criteria::default());
        grading.add(attempt(1, 1, "POST", 502));
        between.map(|status| grading.add(attempt(2, 1, "GET", status)));
        grading.add(attempt(3, 1, "POST", 201));
        grading.pass(10_000_000_000);
        let report = grading.finish(Vec::new(), 0);
        assert_eq!(of_verdict(&report, Verdict::Fail), expected, "{between:?}: {:#?}", verdicts(&report));
    }
}

#[test]
fn the_order_in_which_workers_report_changes_nothing() {
    for (client, kind) in
        [(Client::Exemplary, Kind::Version), (Client::NewKey, Kind::Overlap), (Client::HotLoop, Kind::Lock)]
    {
        let situation = Situation { clients: 6, ..Situation::new(kind) };
        let expected = graded(client, situation, 3);
        let mut grading = Grading::new(Criteria::default());
        let mut attempts = record(client, situation, 3);
        // Two workers, whose batches arrive one behind the other.
        attempts.sort_by_key(|attempt| (attempt.end / 50_000, attempt.client.0 % 2, attempt.end));
        for (at, attempt) in attempts.into_iter().enumerate() {
            grading.add(attempt);
            if at % 50 == 0 {
                // An intermediate report changes nothing.
                grading.report(Vec::new(), 0);
            }
        }
        grading.pass(10_000_000_000);
        assert_eq!(grading.finish(Vec::new(), 0), expected, "{client:?}, {kind:?}");
    }
}
