//! The truth table: real retry libraries, in situations that tell them apart, judged as their source says
//! that they behave.
//!
//! A row names every check that fails under a rule. Any other failure is a wrong accusation, which is the
//! worst bug that this program can have.

mod play;
mod table;

use std::collections::BTreeSet;

use serde_json::Value;

use self::play::report;
use self::table::ROWS;

/// Plays a row's client, and holds the report against the row.
fn check(name: &str) {
    let row = ROWS.iter().find(|row| row.name == name).expect("a row of the table");
    let report = report(row);
    let clients = report["clients"].as_array().expect("a list");
    let judged = clients.iter().find(|client| client["agent"].as_str().is_some_and(|agent| row.is_it(agent)));
    let judged = judged.unwrap_or_else(|| panic!("{name} was not seen: {report:#}"));

    let failed: BTreeSet<_> = findings(judged, "fail").collect();
    let expected = each(row.fails);
    let failed: BTreeSet<_> = failed.difference(&each(row.may_fail)).copied().collect();
    assert_eq!(failed, expected, "{name}: what fails, by rule and check\n{judged:#}");
    for (rule, check, verdicts) in row.finds {
        let found = verdict(judged, rule, *check);
        assert!(
            verdicts.contains(&found),
            "{name}: R{check} under {rule} is {found}, not {verdicts:?}\n{judged:#}"
        );
    }
    if let Some((shapes, jitters)) = row.backoff {
        let said = |what: &str| judged["backoff"][what].as_str().unwrap_or("absent").to_owned();
        assert!(
            shapes.contains(&&*said("shape")),
            "{name} waits {}, not {shapes:?}\n{judged:#}",
            said("shape")
        );
        assert!(
            jitters.contains(&&*said("jitter")),
            "{name} varies {}, not {jitters:?}\n{judged:#}",
            said("jitter")
        );
    }
}

/// Every rule with every one of its checks.
fn each<'r>(checks: &[(&'r str, &[u64])]) -> BTreeSet<(&'r str, u64)> {
    checks.iter().flat_map(|(rule, checks)| checks.iter().map(|check| (*rule, *check))).collect()
}

/// Rules and checks with this verdict.
fn findings<'r>(client: &'r Value, verdict: &'r str) -> impl Iterator<Item = (&'r str, u64)> {
    let findings = client["findings"].as_array().expect("a list").iter();
    findings
        .filter(move |finding| finding["verdict"] == verdict)
        .filter_map(|finding| Some((finding["rule"].as_str()?, number(finding))))
}

/// A check's verdict under a rule; `-` where it has none.
fn verdict<'r>(client: &'r Value, rule: &str, check: u64) -> &'r str {
    let findings = client["findings"].as_array().expect("a list").iter();
    let mut said = findings.filter(|finding| finding["rule"] == rule && number(finding) == check);
    said.next().and_then(|finding| finding["verdict"].as_str()).unwrap_or("-")
}

/// 6 of `R6`.
fn number(finding: &Value) -> u64 {
    let check = finding["check"].as_str().and_then(|id| id.strip_prefix('R')?.parse().ok());
    check.unwrap_or_else(|| panic!("a check's id: {finding}"))
}

macro_rules! rows {
    ($($test:ident $name:literal)*) => {
        $(#[test] fn $test() { check($name); })*

        #[test]
        fn every_row_has_a_test() {
            let tested: BTreeSet<&str> = [$($name),*].into();
            let rows: BTreeSet<&str> = ROWS.iter().map(|row| row.name).collect();
            assert_eq!(tested, rows);
        }
    };
}

rows! {
    requests_retries_nothing "requests"
    urllib3_retries_no_409_by_itself "urllib3"
    urllib3_with_backoff "urllib3-backoff"
    urllib3_with_jitter "urllib3-jitter"
    tenacity_as_it_comes "tenacity-none"
    tenacity_with_exponential_waits "tenacity-exponential"
    tenacity_with_full_jitter "tenacity-full-jitter"
    aiohttp_retry "aiohttp-retry"
    axios_retry_as_it_comes "axios-retry"
    axios_retry_with_exponential_waits "axios-retry-exponential"
    got "got"
    octokit "octokit"
    pouchdb_upsert "pouchdb-upsert"
    stripe "stripe"
    reqwest_retry "reqwest-retry"
    curl "curl"
    wget "wget"
    an_exemplary_client "exemplary"
    a_hot_loop "hot-loop"
    a_blind_replay "blind-replay"
    a_new_key_each_try "new-key"
}
