//! What holds of any record: every attempt is in one operation, in whatever order and pieces the record
//! comes, and a slow reading of the rules groups it in the same way.

use http::HeaderValue;
use proptest::prelude::*;

use super::super::{Correlator, LATENESS};
use super::slowly::{Grouping, slowly};
use crate::grading::{Criteria, Grader, Grading, Operation, OperationOutcome, RecordExtent, RuleCriteria};
use crate::model::{
    AskedWait, Attempt, Fingerprint, GrpcStatus, InjectedConflict, Kind, Phase, RequestRecord, ResponseRecord,
};
use crate::rules::Expect;

/// Few of everything, so that much is the same.
fn attempt() -> impl Strategy<Value = Attempt> {
    let sent = (
        prop::option::weighted(0.3, 0..3u64),
        prop::option::weighted(0.2, 0..3u64),
        prop::option::weighted(0.1, 0..2u64),
        prop::option::weighted(0.8, 0..2u64),
    );
    let sent = sent.prop_map(|(version, key, operation, body)| RequestRecord {
        version: version.map(|version| version.to_string().into()),
        idempotency_key: key.map(Fingerprint),
        operation: operation.map(Fingerprint),
        body: body.map(Fingerprint),
        ..RequestRecord::default()
    });
    let status = prop::sample::select(vec![200, 200, 200, 409, 409, 503, 404, 304, 0]);
    let got = (
        status,
        prop::option::weighted(0.1, 0..60_000u64),
        prop::option::weighted(0.1, prop::sample::select(vec!["0", "10", "14"])),
        prop::bool::weighted(0.1),
    );
    let got = got.prop_map(|(status, wait, grpc, is_left)| ResponseRecord {
        status: (status > 0).then_some(status),
        grpc: grpc.map(|status| GrpcStatus::of(&HeaderValue::from_static(status))),
        error: is_left.then(|| "client".into()),
        retry_after: wait.map(AskedWait::Seconds),
        ..ResponseRecord::default()
    });
    let target = (
        prop::sample::select(vec!["PUT", "PUT", "POST", "POST", "PATCH", "DELETE", "GET"]),
        prop::sample::select(vec!["/a", "/a", "/b"]),
        0..2u64,
    );
    // Mostly close together, now and then a window apart.
    let times = (0..60u64, 0..4u64, 0..3_000_000u64, prop::sample::select(vec![10, 1_000, 2_000_000]));
    (target, sent, got, times, prop::option::weighted(0.3, 0..2u64)).prop_map(
        |((method, path, client), sent, got, (minute, step, offset, length), rule)| {
            let start = minute / 20 * 40_000_000 + step * 3_000 + offset;
            let refused = got.status == Some(409);
            Attempt {
                start,
                end: start + length,
                client: Fingerprint(client),
                method: method.into(),
                path: path.into(),
                sent,
                got,
                conflict: rule.filter(|_| refused).map(|key| InjectedConflict {
                    rule: "r".into(),
                    kind: Kind::Transient,
                    phase: Phase::Before,
                    n: 1,
                    key: Fingerprint(key),
                }),
                ..Attempt::default()
            }
        },
    )
}

fn record() -> impl Strategy<Value = Vec<Attempt>> {
    prop::collection::vec(attempt(), 0..60).prop_map(|mut attempts| {
        attempts.sort_by_key(|attempt| (attempt.end, attempt.start));
        for (attempt, id) in attempts.iter_mut().zip(1..) {
            attempt.id = id;
        }
        attempts
    })
}

fn grouped(attempts: impl IntoIterator<Item = Attempt>) -> Vec<Operation> {
    let mut correlator = Correlator::new();
    let mut operations = Vec::new();
    for attempt in attempts {
        operations.extend(correlator.add(attempt));
    }
    operations.extend(correlator.finish());
    operations
}

fn grouping(operations: &[Operation]) -> Grouping {
    let ids = |operation: &Operation| operation.tries.iter().map(|tried| tried.attempt.id).collect();
    operations.iter().map(|operation| (ids(operation), operation.outcome)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn every_attempt_is_in_one_operation_as_the_rules_read_slowly_say(attempts in record()) {
        let operations = grouped(attempts.clone());
        let mut ids: Vec<u64> =
            operations.iter().flat_map(|operation| &operation.tries).map(|tried| tried.attempt.id).collect();
        ids.sort_unstable();
        prop_assert_eq!(ids, (1..=attempts.len() as u64).collect::<Vec<_>>());
        prop_assert_eq!(grouping(&operations), slowly(attempts));
    }

    #[test]
    fn order_and_pieces_make_no_difference_nor_does_a_file(
        attempts in record(),
        delays in prop::collection::vec(0..LATENESS, 60),
        passes in prop::collection::vec(any::<bool>(), 60),
    ) {
        let expected = grouped(attempts.clone());

        // Each comes some time after it ended, as batches of workers do.
        let mut arrivals: Vec<(u64, Attempt)> =
            attempts.into_iter().zip(&delays).map(|(attempt, delay)| (attempt.end + delay, attempt)).collect();
        arrivals.sort_by_key(|(at, _)| *at);
        let mut correlator = Correlator::new();
        let mut operations = Vec::new();
        for ((at, attempt), pass) in arrivals.into_iter().zip(passes) {
            let line = serde_json::to_string(&attempt).expect("a line");
            operations.extend(correlator.add(serde_json::from_str::<Attempt>(&line).expect("an attempt")));
            if pass {
                operations.extend(correlator.pass(at));
            }
        }
        operations.extend(correlator.finish());
        // A record that was said to end a little later may show that one more window has passed.
        let settled = |mut operations: Vec<Operation>| {
            operations.sort_by_key(|operation| operation.id);
            for operation in &mut operations {
                if operation.outcome == OperationOutcome::Unfinished {
                    operation.outcome = OperationOutcome::GaveUp;
                }
            }
            operations
        };
        prop_assert_eq!(settled(operations), settled(expected));
    }

    #[test]
    fn what_met_no_trouble_is_graded_at_less_cost_to_the_same_report(
        attempts in record(),
        agents in prop::collection::vec(0..40u64, 60),
        is_asked in any::<bool>(),
    ) {
        let attempts: Vec<Attempt> = attempts
            .into_iter()
            .zip(agents)
            .map(|(mut attempt, agent)| {
                attempt.agent = (agent > 0).then(|| format!("client/{agent}").into());
                attempt.got.upstream = attempt.got.status.filter(|status| *status < 300);
                attempt
            })
            .collect();
        // With a rule of its own there are two tallies over all of the record.
        let own = Expect { retry_after: Some(true), ..Expect::default() };
        let rules = [RuleCriteria { rule: "r".into(), expect: own.clone(), style: None, version: None, names_read: false }];
        let rules = rules.into_iter().filter(|_| is_asked).collect();
        let asked = Criteria { expect: own, rules };

        let mut grading = Grading::new(asked.clone());
        let mut grader = Grader::new(asked);
        let record = RecordExtent { attempts: attempts.len() as u64, ..RecordExtent::default() };
        attempts.iter().for_each(|attempt| drop(grading.add(attempt.clone())));
        grouped(attempts).iter().for_each(|operation| grader.see(operation));
        prop_assert_eq!(grading.finish(Vec::new(), 0), grader.report(&record));
    }
}
