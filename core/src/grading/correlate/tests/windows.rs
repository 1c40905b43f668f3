//! How long another try is waited for, and in which order attempts may come.

use super::super::{Correlator, LATENESS, LONGEST_WINDOW, STRETCH};
use super::trace::{attempts, check};
use crate::grading::OperationOutcome;

#[test]
fn the_window_is_half_a_minute_or_as_long_as_gaps_and_retry_after_make_it() {
    check(&[
        (
            "half a minute, to the microsecond",
            "0     10 PUT /items/1 b=1 > 503
             30010 30020 PUT /items/1 b=1 > 200
             40000 40010 PUT /items/2 b=1 > 503
             70011 70020 PUT /items/2 b=1 > 200",
            "Recovered: 1; 2 Replay +30000
             GaveUp: 3
             Untroubled: 4",
        ),
        (
            "four times the largest gap",
            "0      10     PUT /items/1 b=1 > 503
             20010  20020  PUT /items/1 b=1 > 503
             100020 100030 PUT /items/1 b=1 > 200",
            "Recovered: 1; 2 Replay +20000; 3 Replay +80000",
        ),
        (
            "twice what the last answer asked for",
            "0      10     PUT /items/1 b=1 > 429 ra=60
             120010 120020 PUT /items/1 b=1 > 200
             130000 130010 PUT /items/2 b=1 > 429 ra=60
             250011 250020 PUT /items/2 b=1 > 200",
            "Recovered: 1; 2 Replay +120000
             GaveUp: 3
             Untroubled: 4",
        ),
        (
            "an hour at most",
            "0       10      PUT /items/1 b=1 > 429 ra=86400
             3600011 3600020 PUT /items/1 b=1 > 200",
            "GaveUp: 1
             Untroubled: 2",
        ),
        (
            "a try that began in time belongs to it, if it took no longer than those before",
            "0     60000  PUT /items/1 b=1 > -
             85000 145000 PUT /items/1 b=1 > -
             99000 99001  GET /other > 200
             160000 160001 PUT /items/1 b=1 > 200",
            "Recovered: 1; 2 AmbiguousReplay +25000; 4 AmbiguousReplay +15000
             Untroubled: 3",
        ),
        (
            "at the end of the record: given up if the window has passed, and otherwise nobody knows",
            "0     10    PUT /items/1 b=1 > 409
             20000 20010 PUT /items/2 b=1 > 409
             30011 30012 GET /other > 200",
            "GaveUp: 1
             Unfinished: 2
             Untroubled: 3",
        ),
    ]);
}

#[test]
fn operations_come_as_soon_as_nothing_can_change_them() {
    let mut correlator = Correlator::new();
    let trace = attempts(
        "0 10 PUT /items/1 b=1 k=a > 409
         20 30 PUT /items/1 b=1 k=a > 200
         40 50 PUT /items/2 b=1 > 409",
    );
    for attempt in trace {
        assert_eq!(correlator.add(attempt), []);
    }
    assert_eq!(correlator.pass(30_000 + LATENESS + STRETCH), []);
    let ended = correlator.pass(30_001 + LATENESS + STRETCH);
    assert_eq!(ended.iter().map(|operation| (operation.id, operation.count)).collect::<Vec<_>>(), [(1, 2)]);

    let window = 30_000_000;
    let given_up = 50_000 + window + STRETCH + 1 + LATENESS + STRETCH;
    assert_eq!(correlator.pass(given_up - 1), []);
    let ended = correlator.pass(given_up);
    assert_eq!(
        ended.iter().map(|operation| (operation.id, operation.outcome)).collect::<Vec<_>>(),
        [(3, OperationOutcome::GaveUp)]
    );
    assert_eq!(correlator.pass(LONGEST_WINDOW * 2), []);
    assert_eq!(correlator.finish(), []);
}

#[test]
fn a_copy_says_how_things_stand_and_the_rest_goes_on() {
    let mut correlator = Correlator::new();
    let trace = attempts(
        "0 10 PUT /items/1 b=1 > 409
         20 30 PUT /items/1 b=1 > 200",
    );
    correlator.add(trace[0].clone());
    let so_far = correlator.clone().finish();
    assert_eq!(
        so_far.iter().map(|operation| operation.outcome).collect::<Vec<_>>(),
        [OperationOutcome::Unfinished]
    );
    correlator.add(trace[1].clone());
    let ended = correlator.finish();
    assert_eq!(
        ended.iter().map(|operation| operation.outcome).collect::<Vec<_>>(),
        [OperationOutcome::Recovered]
    );
}
