//! Calls side by side under one identity: no client is accused of the requests of several together, and a client
//! that is bad by itself is still found wherever a mark, a trace or a connection tells the calls apart.

use std::collections::{BTreeMap, BTreeSet};

use fracas::grading::{Criteria, Grading, Report, Verdict};
use fracas::model::{Attempt, Fingerprint, Kind, Phase};

use super::workers::{Connections, Names, Policy, REFUSALS, Rule, Starts, Workers};
use crate::mix::Chance;
use crate::support::is_full;

fn graded(attempts: impl Iterator<Item = Attempt>) -> Report {
    let mut grading = Grading::new(Criteria::default());
    attempts.for_each(|attempt| drop(grading.add(attempt)));
    // Long enough for every window to have passed.
    grading.pass(10_000_000_000);
    grading.finish(Vec::new(), 0)
}

/// The checks that find something at least as bad.
fn failed(report: &Report, from: Verdict) -> BTreeMap<u8, String> {
    let findings = report.clients.iter().flat_map(|client| &client.findings);
    let failed = findings.filter(|finding| finding.verdict >= from);
    failed.map(|finding| (finding.check.number(), finding.measured.clone())).collect()
}

/// Parts of a family's mixes, each a test of its own, so that none takes too long.
const SLICES: u64 = 4;

/// Workers side by side are accused of nothing that none of them does.
fn accused_of_nothing(slice: u64, family: impl Fn(u64) -> Option<Workers>) {
    let mut complaints = Vec::new();
    // Failures of workers by themselves, and those of them that are found in the mix.
    let mut caught = (0, 0);
    let mixes = if is_full() { 10_000 } else { 500 } / SLICES;
    let seeds = (0..).map(|seed| seed * SLICES + slice);
    let drawn = seeds.filter_map(|seed| Some((seed, family(seed)?)));
    let mut counted: BTreeMap<u8, u32> = BTreeMap::new();
    for (seed, workers) in drawn.take(mixes as usize) {
        let record = workers.record(seed);
        let together = failed(&graded(record.iter().map(|(attempt, _)| attempt.clone())), Verdict::Fail);
        // One worker alone; and with each of its calls marked, so that the grouping has nothing to guess.
        let alone = (0..workers.count).flat_map(|number| [(number, false), (number, true)]);
        let alone = alone.flat_map(|(number, is_marked)| {
            let own = record.iter().filter(|(_, (worker, _))| *worker == number);
            let own = graded(own.map(|(attempt, (_, call))| {
                let mut attempt = attempt.clone();
                if is_marked && *attempt.method == *workers.rule.method {
                    attempt.sent.operation = Some(Fingerprint(*call));
                }
                attempt
            }));
            // R2 fails below a share, which the moves of a few may miss although one's own are above it.
            let warned = failed(&own, Verdict::Warn).into_keys().filter(|check| *check == 2);
            failed(&own, Verdict::Fail).into_keys().chain(warned).collect::<Vec<u8>>()
        });
        let alone: BTreeSet<u8> = alone.collect();
        // R11 wants ten operations, and R6 and R7 want more retries than some have by themselves.
        let alone: BTreeSet<u8> = match workers.policy {
            Policy::HotLoop | Policy::Hasty => alone.into_iter().chain([6, 7, 11]).collect(),
            _ => alone,
        };
        let wrong: Vec<_> = together.iter().filter(|(check, _)| !alone.contains(check)).collect();
        wrong.iter().for_each(|(check, _)| *counted.entry(**check).or_default() += 1);
        if !wrong.is_empty() {
            complaints.push(format!("seed {seed}: {wrong:?}\n  {workers:?}"));
        }
        caught.0 += alone.len();
        caught.1 += alone.iter().filter(|check| together.contains_key(check)).count();
    }
    let first = complaints.iter().take(25).cloned().collect::<Vec<_>>().join("\n");
    assert!(complaints.is_empty(), "{} of {mixes} mixes, by check {counted:?}:\n{first}", complaints.len());
    // The rest is mostly indistinguishable from one worker's own consecutive calls.
    assert!(caught.1 * 6 >= caught.0, "what is bad is lost: {caught:?}");
}

#[test]
fn workers_side_by_side_are_accused_of_nothing_that_none_does_first_slice() {
    accused_of_nothing(0, |seed| Some(Workers::drawn(seed)));
}

#[test]
fn workers_side_by_side_are_accused_of_nothing_that_none_does_second_slice() {
    accused_of_nothing(1, |seed| Some(Workers::drawn(seed)));
}

#[test]
fn workers_side_by_side_are_accused_of_nothing_that_none_does_third_slice() {
    accused_of_nothing(2, |seed| Some(Workers::drawn(seed)));
}

#[test]
fn workers_side_by_side_are_accused_of_nothing_that_none_does_fourth_slice() {
    accused_of_nothing(3, |seed| Some(Workers::drawn(seed)));
}

#[test]
fn workers_close_together_or_evenly_spread_are_accused_of_nothing_that_none_does_first_slice() {
    accused_of_nothing(0, Workers::crowded);
}

#[test]
fn workers_close_together_or_evenly_spread_are_accused_of_nothing_that_none_does_second_slice() {
    accused_of_nothing(1, Workers::crowded);
}

#[test]
fn workers_close_together_or_evenly_spread_are_accused_of_nothing_that_none_does_third_slice() {
    accused_of_nothing(2, Workers::crowded);
}

#[test]
fn workers_close_together_or_evenly_spread_are_accused_of_nothing_that_none_does_fourth_slice() {
    accused_of_nothing(3, Workers::crowded);
}

/// When a command is killed, workers side by side in it are said to be still trying only where one of them is.
fn are_not_said_to_go_on(family: impl Fn(u64) -> Option<Workers>) {
    let mut complaints = Vec::new();
    let mixes = if is_full() { 10_000 } else { 1_000 };
    for (seed, workers) in (0..).filter_map(|seed| Some((seed, family(seed)?))).take(mixes) {
        let record = workers.record(seed);
        let (first, last) = (record[0].0.start, record[record.len() - 1].0.end);
        let killed_at = first + Chance::new(seed, 7).below(last - first + 1);
        let begun = || record.iter().filter(|(attempt, _)| attempt.end <= killed_at);
        let does_not_give_up = |attempts: &mut dyn Iterator<Item = Attempt>| {
            let mut grading = Grading::new(Criteria::default());
            attempts.for_each(|attempt| drop(grading.add(attempt)));
            grading.pass(killed_at);
            grading.command_killed(killed_at);
            failed(&grading.finish(Vec::new(), 0), Verdict::Fail).contains_key(&10)
        };
        let is_a_try = |attempt: &Attempt| *attempt.method == *workers.rule.method;
        let own = |number: u64| {
            let mut own = begun().filter(|(_, (worker, _))| *worker == number).map(|(own, _)| own.clone());
            does_not_give_up(&mut own)
        };
        // Evenly spread, they look as one that sleeps, and with a try each as one that tries again (docs/GRADING.md).
        let is_one_sleep = workers.starts == Starts::Spread && workers.connections == Connections::New;
        let tries =
            |number| begun().filter(|(tried, (worker, _))| *worker == number && is_a_try(tried)).count();
        let has_come_back = match workers.connections {
            Connections::Pool => (0..workers.count).all(|number| tries(number) != 1),
            Connections::Own | Connections::New => (0..workers.count).any(|number| tries(number) > 1),
        };
        let is_wrong = !is_one_sleep
            && has_come_back
            && does_not_give_up(&mut begun().map(|(attempt, _)| attempt.clone()))
            && !matches!(workers.policy, Policy::Hasty | Policy::HotLoop)
            && !(0..workers.count).any(own);
        if is_wrong {
            complaints.push(format!("seed {seed}, killed at {killed_at}: {workers:?}"));
        }
    }
    let first = complaints.iter().take(25).cloned().collect::<Vec<_>>().join("\n");
    assert!(complaints.is_empty(), "{} of {mixes} mixes:\n{first}", complaints.len());
}

#[test]
fn workers_in_a_command_that_is_killed_are_not_said_to_go_on_where_none_does() {
    are_not_said_to_go_on(|seed| Some(Workers::drawn(seed)));
}

#[test]
fn nor_are_those_close_together_or_evenly_spread() {
    are_not_said_to_go_on(Workers::crowded);
}

#[test]
fn a_client_bad_by_itself_is_found_where_its_calls_can_be_told_apart() {
    let rule =
        |kind, method| Rule { kind, phase: Phase::Before, method, first: u64::MAX, retry_after: Some(2_000) };
    let transient = rule(Kind::Transient, "PUT");
    let lost = Rule { phase: Phase::Lost, first: 4, retry_after: None, ..rule(Kind::Transient, "POST") };
    let cases: [(Policy, Rule, &[u8]); 6] = [
        (Policy::Hasty, transient, &[5]),
        (Policy::HotLoop, transient, &[5, 9]),
        (Policy::HotLoop, Rule { retry_after: None, ..transient }, &[6, 7, 9]),
        (Policy::Hasty, rule(Kind::Version, "PUT"), &[1, 2, 3, 5]),
        (Policy::Hasty, rule(Kind::Duplicate, "POST"), &[1, 5, 17]),
        (Policy::Hasty, lost, &[1, 14, 15, 16]),
    ];
    for (policy, rule, expected) in cases {
        // A key makes it safe to repeat a write whose response was lost; the loss ends its connection.
        let is_lost = rule.phase == Phase::Lost;
        for (names, connections) in [
            (Names::Key, Connections::New),
            (Names::Mark, Connections::New),
            (Names::Trace, Connections::Pool),
            (Names::Body, Connections::New),
            (Names::None, Connections::Own),
        ] {
            // A worker that ends before the next begins does not show that its connection is its own.
            if policy == Policy::HotLoop && connections == Connections::Own {
                continue;
            }
            // Another version with another body may be the next state of one call.
            if names == Names::Body && rule.kind == Kind::Version {
                continue;
            }
            if is_lost && (names == Names::Key || connections == Connections::Own) {
                continue;
            }
            for starts in [Starts::Even, Starts::Apart] {
                // Another body in a PUT may be the next state of one call.
                let method = if names == Names::Body { "POST" } else { rule.method };
                let rule = Rule { method, ..rule };
                let workers = Workers { count: 4, policy, connections, names, starts, rule, calls: 1 };
                let record = workers.record(1).into_iter().map(|(attempt, _)| attempt);
                let failed = failed(&graded(record), Verdict::Fail);
                let missed: Vec<_> = expected.iter().filter(|check| !failed.contains_key(check)).collect();
                assert!(missed.is_empty(), "{missed:?} of {failed:?}: {workers:?}");
            }
        }
        // And one worker alone, with each kind of connections, where it does not look like several.
        for connections in [Connections::Own, Connections::New] {
            // Of a lost response, one that has a connection for each try may be two callers.
            if is_lost || connections == Connections::New && policy != Policy::HotLoop {
                continue;
            }
            let starts = Starts::Even;
            let workers =
                Workers { count: 1, policy, connections, names: Names::None, starts, rule, calls: 1 };
            let record = workers.record(1).into_iter().map(|(attempt, _)| attempt);
            let failed = failed(&graded(record), Verdict::Fail);
            let missed: Vec<_> = expected.iter().filter(|check| !failed.contains_key(check)).collect();
            assert!(missed.is_empty(), "{missed:?} of {failed:?}: {workers:?}");
        }
    }
}

#[test]
fn a_worker_comes_back_wherever_its_policy_says_so_and_nowhere_else() {
    for policy in Policy::ALL {
        for (kind, phase, method) in REFUSALS {
            for names in [Names::None, Names::Key, Names::Mark, Names::Trace, Names::Body] {
                let rule = Rule { kind, phase, method, first: u64::MAX, retry_after: None };
                let (connections, starts) = (Connections::Own, Starts::Even);
                let workers = Workers { count: 1, policy, connections, names, starts, rule, calls: 1 };
                let record = workers.record(1);
                let tries = record.iter().filter(|(attempt, _)| attempt.conflict.is_some()).count();
                let comes_back = policy.comes_back(kind, phase, names);
                assert_eq!(tries > 1, comes_back, "{tries} tries: {workers:?}");
            }
        }
    }
    // A key makes a careful client come back: such mixes are among those of a pool and of a crowd.
    let is_careful_and_lost = |workers: &Workers| {
        workers.policy == Policy::Polite && workers.rule.phase == Phase::Lost && workers.names == Names::Key
    };
    let of_pools = (0..10_000).map(Workers::drawn).filter(is_careful_and_lost);
    assert!({ of_pools }.any(|workers| workers.connections == Connections::Pool));
    assert!((0..10_000).filter_map(Workers::crowded).any(|workers| is_careful_and_lost(&workers)));
}
