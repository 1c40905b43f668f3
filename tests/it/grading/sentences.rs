//! No sentence of a report contradicts the record: random records, and each sentence checked against a slow
//! and simple count of the operations. A sentence that is not in the tables below fails.

mod facts;
mod record;
mod words;

use fracas::grading::{
    BackoffShape, ClientReport, Correlator, Criteria, Grading, Jitter, Operation, Report, Verdict,
};
use fracas::rules;
use proptest::prelude::*;

use self::facts::Facts;
use self::record::record;
use self::words::sentence_holds;
use crate::support::is_full;

const ASKED: &str = "[expect]\nmax_tries = 5\nmin_gap = \"50ms\"\nbackoff = true\njitter = true\nretry_after = true\n\
                     refetch = true\nnew_version = true\nsame_key = true\nrecovered = 1.0\n\
                     amplification = 2\n";

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(if is_full() { 4_000 } else { 400 }) })]

    #[test]
    fn every_sentence_holds((attempts, have_gone) in record()) {
        let accepted = rules::read("rules.toml", ASKED, &|_| Err(rules::BodyFileError::Missing));
        let mut grading = Grading::new(Criteria::of(&accepted.expect("rules").config));
        let mut correlator = Correlator::new();
        let mut operations = Vec::new();
        for attempt in attempts {
            operations.extend(correlator.add(attempt.clone()));
            grading.add(attempt);
        }
        if have_gone {
            grading.clients_gone();
            operations.extend(correlator.pass(u64::MAX / 2));
        }
        operations.extend(correlator.finish());
        let report = grading.finish(Vec::new(), 0);
        if let Err(complaint) = held(&report, &operations) {
            prop_assert!(false, "{complaint}\n{operations:#?}");
        }
    }
}

fn held(report: &Report, operations: &[Operation]) -> Result<(), String> {
    let all = Facts::of(operations.iter());
    let totals = &report.totals;
    let counts = [totals.operations, totals.conflicted, totals.recovered, totals.gave_up, totals.unfinished];
    if counts != all.counts() {
        return Err(format!("totals: {counts:?}, not {:?}", all.counts()));
    }
    for client in &report.clients {
        let own = || operations.iter().filter(|operation| operation.agent() == Some(&*client.agent));
        client_holds(client, &Facts::of(own()))?;
        for finding in &client.findings {
            let facts = match &finding.rule {
                None => Facts::of(own()),
                Some(rule) => Facts::within(own(), rule),
            };
            sentence_holds(finding, &facts).map_err(|why| {
                format!(
                    "{} {:?} {:?}, `{}`: {why}",
                    finding.check, finding.rule, finding.verdict, finding.measured
                )
            })?;
        }
    }
    for expected in &report.expectations {
        expectation_holds(&expected.name, &expected.found, expected.verdict, &all).map_err(|why| {
            format!("{}: {:?}, `{}`: {why}", expected.name, expected.verdict, expected.found)
        })?;
    }
    Ok(())
}

fn client_holds(client: &ClientReport, facts: &Facts) -> Result<(), String> {
    let counts = [client.operations, client.conflicted, client.recovered, client.gave_up, client.unfinished];
    let ends = client.recovered + client.gave_up + client.unfinished;
    let is_so =
        counts == facts.counts() && client.tries == facts.tries_of_conflicted && ends == client.conflicted;
    expect(is_so, format!("{}: {counts:?}, {} tries", client.agent, client.tries))?;
    let verdict = |check: u8| {
        client
            .findings
            .iter()
            .find(|found| found.check.number() == check && found.rule.is_none())
            .map(|found| found.verdict)
    };
    let Some(told) = &client.backoff else { return Ok(()) };
    let is_settled = |check| verdict(check).is_some_and(|verdict| verdict != Verdict::Undetermined);
    expect(
        told.shape == BackoffShape::Undetermined || is_settled(7),
        format!("{told:?}, and R7 {:?}", verdict(7)),
    )?;
    expect(told.jitter == Jitter::Undetermined || is_settled(8), format!("{told:?}, and R8 {:?}", verdict(8)))
}

fn expect(is_so: bool, otherwise: impl Into<String>) -> Result<(), String> {
    if is_so { Ok(()) } else { Err(otherwise.into()) }
}

/// The whole numbers of a sentence, and the sentence with `#` in their place; of `1.58 s` both parts.
fn outline(sentence: &str) -> (String, Vec<u64>) {
    let (mut outline, mut numbers, mut digits) = (String::new(), Vec::new(), String::new());
    for letter in sentence.chars().chain(['\0']) {
        if letter.is_ascii_digit() {
            digits.push(letter);
            continue;
        }
        if !digits.is_empty() {
            numbers.push(std::mem::take(&mut digits).parse().expect("digits"));
            outline.push('#');
        }
        outline.push(letter);
    }
    outline.pop();
    (outline, numbers)
}

fn expectation_holds(name: &str, found: &str, verdict: Verdict, facts: &Facts) -> Result<(), String> {
    // With several classes it begins with the name of one.
    let found = found.strip_prefix("x/1: ").or_else(|| found.strip_prefix("y/1: ")).unwrap_or(found);
    let (outline, n) = outline(found);
    if outline.contains("# of #") {
        expect(n[0] <= n[1] && n[1] > 0, "more of it than there is")?;
    }
    let is_told = !matches!(verdict, Verdict::Undetermined);
    match (name, &*outline) {
        ("max_tries", "nothing was refused") => {
            expect(facts.most == 0 && facts.ambiguous == 0, "something was")
        }
        ("max_tries", "most: #; of # others tries could not be told apart") => {
            expect(n[0] == facts.most && facts.ambiguous > 0, "they could")
        }
        ("max_tries", "most: #") => expect(n[0] == facts.most, format!("{}", facts.most)),
        ("min_gap", "no gap between tries was seen") => {
            expect(facts.count(|retry| retry.is_timed) == 0, "one was")
        }
        ("no_retry", "# of # operations tried again" | "# of # operation tried again") => {
            let all = facts.operations;
            expect(n[1] <= all, format!("{all}"))
        }
        ("recovered", "no operation met a conflict and ended") => {
            expect(facts.recovered + facts.gave_up == 0, "one did")
        }
        (_, "tries could not be told apart") => expect(facts.ambiguous > 0, "they could"),
        ("recovered", said) => {
            let ended = facts.certain_ended + facts.unclear_recovered;
            let is_unclear = said.ends_with("; of # others tries could not be told apart");
            expect(is_unclear || n.len() == 2, "unknown words")?;
            expect(is_unclear || n[0] < n[1] || facts.gave_up == 0, "some gave up")?;
            expect(n[..2] == [facts.recovered, ended], format!("{} of {ended}", facts.recovered))
        }
        ("amplification", _) => expect(is_told, "it was"),
        _ => Ok(()),
    }
}
