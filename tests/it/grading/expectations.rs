//! `[expect]`: expectations, their findings, and their effect on the verdict.

use fracas::grading::{Criteria, Report, Verdict};
use fracas::model::{AskedWait, Kind};
use fracas::rules;

use super::clients::{Client, Situation};
use super::fairness::held_against;

/// The criteria of a file with a rule called `rule`, whose own `expect` is `own`.
fn asked(file: &str, own: &str) -> Criteria {
    let text = format!("{file}\n[[rule]]\nname = \"rule\"\n{own}\n");
    let accepted = rules::read("rules.toml", &text, &|_| Err(rules::BodyFileError::Missing));
    Criteria::of(&accepted.unwrap_or_else(|mistakes| panic!("{mistakes}")).config)
}

fn graded(file: &str, own: &str, client: Client, kind: Kind) -> Report {
    let retry_after = (client == Client::Impatient).then_some(AskedWait::Seconds(2_000));
    held_against(asked(file, own), client, Situation { retry_after, ..Situation::new(kind) }, 7)
}

#[test]
fn each_key_is_met_by_a_client_that_does_it_and_by_no_other() {
    use Client::{BlindReplay, Exemplary, GivesUp, HotLoop, Impatient, Metronome, NewKey};
    let cases: [(&str, Kind, Client, Client); 14] = [
        ("max_tries = 5", Kind::Lock, Exemplary, HotLoop),
        ("min_gap = \"300ms\"", Kind::Lock, Metronome, HotLoop),
        ("backoff = true", Kind::Lock, Exemplary, HotLoop),
        ("backoff = true", Kind::Lock, Exemplary, Metronome),
        ("jitter = true", Kind::Lock, Exemplary, Metronome),
        ("retry_after = true", Kind::Lock, GivesUp, Impatient),
        ("refetch = true", Kind::Version, Exemplary, BlindReplay),
        ("new_version = true", Kind::Version, Exemplary, BlindReplay),
        ("same_key = true", Kind::Idempotency, Exemplary, NewKey),
        ("no_retry = true", Kind::Duplicate, Exemplary, BlindReplay),
        ("recovered = 0.0", Kind::Lock, Exemplary, Exemplary),
        ("amplification = 5", Kind::Lock, Exemplary, HotLoop),
        ("R9 = \"fail\"", Kind::Lock, Exemplary, HotLoop),
        ("R2 = \"fail\"", Kind::Version, Exemplary, BlindReplay),
    ];
    for (key, kind, good, bad) in cases {
        for (file, own) in
            [(format!("[expect]\n{key}"), String::new()), (String::new(), format!("expect = {{ {key} }}"))]
        {
            let report = graded(&file, &own, good, kind);
            let [met] = &report.expectations[..] else { panic!("{key}: {:?}", report.expectations) };
            assert!(matches!(met.verdict, Verdict::Pass | Verdict::Undetermined), "{key}, {good:?}: {met:?}");
            assert_eq!(met.rule.as_deref(), (!own.is_empty()).then_some("rule"));
            if good != bad {
                let report = graded(&file, &own, bad, kind);
                let unmet = &report.expectations[0];
                assert_eq!(
                    (unmet.verdict, report.verdict),
                    (Verdict::Fail, Verdict::Fail),
                    "{key}, {bad:?}: {unmet:?}"
                );
                let shown = |id: &u64| report.operations.iter().any(|operation| operation.id == *id);
                assert!(
                    !unmet.operations.is_empty() && unmet.operations.iter().all(shown),
                    "{key}: {unmet:?}"
                );
            }
        }
    }
}

#[test]
fn what_is_not_asked_does_not_decide_once_something_is() {
    let report = graded("[expect]\nmax_tries = 50", "", Client::HotLoop, Kind::Lock);
    assert_eq!(report.verdict, Verdict::Pass, "{:?}", report.expectations);
    assert_eq!(report.clients[0].verdict, Verdict::Fail);
    // Without an expectation the checks decide; switching one off, or down, is none.
    let off = ["R6", "R7", "R9", "R11"].map(|check| format!("{check} = \"off\"\n")).concat();
    for (file, expected) in [
        (String::new(), Verdict::Fail),
        (format!("[expect]\n{off}"), Verdict::Pass),
        (format!("[expect]\n{}", off.replace("off", "warn")), Verdict::Warn),
    ] {
        let report = graded(&file, "", Client::HotLoop, Kind::Lock);
        assert_eq!((report.verdict, report.expectations.len()), (expected, 0), "{file}");
    }
}

#[test]
fn a_rule_lays_its_own_wishes_over_those_of_the_file() {
    let report =
        graded("[expect]\nmax_tries = 3", "expect = { max_tries = 50 }", Client::HotLoop, Kind::Lock);
    let verdicts: Vec<_> =
        report.expectations.iter().map(|found| (found.rule.as_deref(), found.verdict)).collect();
    assert_eq!(verdicts, [(None, Verdict::Undetermined), (Some("rule"), Verdict::Pass)]);
    let report = graded(
        "[expect]\nmax_tries = 3\nrecovered = 1.0",
        "expect = { no_retry = true }",
        Client::GivesUp,
        Kind::Lock,
    );
    let verdicts: Vec<_> = report.expectations.iter().map(|found| (&*found.name, found.verdict)).collect();
    let undetermined = Verdict::Undetermined;
    assert_eq!(
        verdicts,
        [("max_tries", undetermined), ("recovered", undetermined), ("no_retry", Verdict::Pass)]
    );
}

#[test]
fn nothing_seen_is_nothing_held_against_anybody() {
    let situation = Situation { refusals: 0, ..Situation::new(Kind::Lock) };
    let report =
        held_against(asked("[expect]\nmax_tries = 3\nsame_key = true", ""), Client::HotLoop, situation, 7);
    assert!(
        report.expectations.iter().all(|found| found.verdict == Verdict::Undetermined),
        "{:?}",
        report.expectations
    );
    assert_eq!(report.verdict, Verdict::Undetermined);
}
