//! The grading from outside: what is said of simulated clients.

mod policies;

use self::policies::{CELLS, HERDS, TABLE};

#[test]
fn the_classifier_is_as_accurate_as_documented() {
    for (policy, expected) in TABLE {
        for ((gaps, operations), expected) in CELLS.into_iter().zip(expected) {
            let found = policy.accuracy(gaps, operations, 300);
            assert!(
                found >= expected - 5.0,
                "{policy:?}, {gaps} gaps of {operations}: {found}, not {expected}"
            );
        }
    }
}

#[test]
fn the_herd_index_is_as_documented() {
    for (herding, expected) in HERDS {
        for (clients, expected) in [10, 50].into_iter().zip(expected) {
            let found = policies::herd(herding, clients, 400);
            assert!(
                (found - expected).abs() <= 0.05,
                "{herding:?}, {clients} clients: {found}, not {expected}"
            );
        }
    }
}
