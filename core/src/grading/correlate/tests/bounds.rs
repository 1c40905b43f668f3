//! Nothing is unbounded, and what a bound costs is said.

use super::super::{
    Correlator, KEPT_TRIES, KEPT_TRIES_OVERALL, OPEN_OPERATIONS, OPEN_OPERATIONS_OF_A_CLIENT, READS,
};
use crate::grading::{Operation, OperationOutcome};
use crate::model::{Attempt, Fingerprint, ResponseRecord};

fn attempt(at: u64, client: u64, path: &str, status: u16) -> Attempt {
    let got = ResponseRecord { status: Some(status), ..ResponseRecord::default() };
    Attempt {
        id: at + 1,
        start: at,
        end: at,
        client: Fingerprint(client),
        method: "PUT".into(),
        path: path.into(),
        got,
        ..Attempt::default()
    }
}

fn grouped(attempts: impl Iterator<Item = Attempt>) -> (Vec<Operation>, u64) {
    let mut correlator = Correlator::new();
    let mut ended: Vec<Operation> = attempts.flat_map(|attempt| correlator.add(attempt)).collect();
    ended.extend(correlator.pass(10_000_000));
    let evicted = correlator.evicted();
    ended.extend(correlator.finish());
    (ended, evicted)
}

#[test]
fn of_a_client_that_never_goes_on_the_oldest_operations_are_put_away_unfinished() {
    let count = OPEN_OPERATIONS_OF_A_CLIENT as u64 + 3;
    let (ended, evicted) = grouped((0..count).map(|at| attempt(at, 1, &format!("/{at}"), 409)));
    assert_eq!((ended.len() as u64, evicted), (count, 3));
    assert_eq!(
        ended.iter().map(|operation| operation.id).collect::<Vec<_>>(),
        (1..=count).collect::<Vec<_>>()
    );
    assert!(ended.iter().all(|operation| operation.outcome == OperationOutcome::Unfinished));
}

#[test]
fn of_many_clients_too() {
    let count = OPEN_OPERATIONS as u64 + 3;
    let (ended, evicted) = grouped((0..count).map(|at| attempt(at, at, "/", 409)));
    assert_eq!((ended.len() as u64, evicted), (count, 3));
    assert_eq!(ended.first().map(|operation| operation.id), Some(1));
}

#[test]
fn the_first_tries_of_an_operation_are_kept_and_the_last() {
    let count = 1_000;
    let (ended, _) = grouped((0..count).map(|at| attempt(at, 1, "/", if at == 999 { 200 } else { 409 })));
    let [operation] = &ended[..] else { panic!("{} operations", ended.len()) };
    assert_eq!((operation.count, operation.outcome), (count, OperationOutcome::Recovered));
    let half = KEPT_TRIES as u64 / 2;
    let kept: Vec<u64> = operation.tries.iter().map(|tried| tried.attempt.id).collect();
    assert_eq!(kept, (1..=half).chain(count - half + 1..=count).collect::<Vec<_>>());
}

#[test]
fn tries_are_bounded_over_all_operations() {
    let clients = KEPT_TRIES_OVERALL as u64 / KEPT_TRIES as u64 + 2;
    let tries = (0..KEPT_TRIES as u64).flat_map(|at| (0..clients).map(move |client| (at, client)));
    let (ended, evicted) =
        grouped(tries.map(|(at, client)| attempt(at * clients + client, client, "/", 409)));
    assert!(evicted >= 2, "{evicted}");
    let kept: usize = ended.iter().skip(evicted as usize).map(|operation| operation.tries.len()).sum();
    assert!(kept <= KEPT_TRIES_OVERALL, "{kept}");
}

#[test]
fn the_last_reads_are_kept() {
    let mut attempts = vec![attempt(0, 1, "/", 409)];
    attempts.extend((1..=20).map(|at| Attempt { method: "GET".into(), ..attempt(at, 1, "/", 200) }));
    attempts.push(attempt(21, 1, "/", 200));
    let (ended, _) = grouped(attempts.into_iter());
    let write = ended.iter().find(|operation| operation.count == 2).expect("the write");
    let reads: Vec<u64> = write.tries[1].reads.iter().map(|read| read.attempt).collect();
    assert_eq!(reads, (22 - READS as u64..22).collect::<Vec<_>>());
}

#[test]
fn one_that_comes_much_too_late_is_taken_as_it_comes() {
    let mut correlator = Correlator::new();
    correlator.pass(60_000_000);
    assert_eq!(correlator.add(attempt(10, 1, "/", 409)), []);
    let mut ended = correlator.add(attempt(20, 1, "/", 200));
    ended.extend(correlator.finish());
    assert_eq!(ended.iter().map(|operation| operation.count).collect::<Vec<_>>(), [2]);
}
