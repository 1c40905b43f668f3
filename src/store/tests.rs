//! The contract of a store.

use std::num::NonZeroU32;

use super::*;
use crate::rules::Rate;
use crate::words::KeyHash;

const HOUR: Duration = Duration::from_secs(3600);

fn store(keys: usize, ttl: Duration) -> Store {
    Store::new(NonZeroUsize::new(keys).expect("at least one key"), ttl)
}

fn place(rule: u32, key: u128) -> Place {
    Place { rule, table: Table::Count, key: KeyHash(key) }
}

fn count(store: &Store, slot: u32, key: u128, second: u64) -> u64 {
    let now = Moment::after_start(Duration::from_secs(second));
    store.run(place(slot, key), Ask::Count, now).n()
}

#[test]
fn rules_and_keys_are_counted_apart() {
    let store = store(100, HOUR);
    assert_eq!([count(&store, 0, 1, 0), count(&store, 0, 1, 0), count(&store, 0, 2, 0)], [1, 2, 1]);
    assert_eq!([count(&store, 1, 1, 0), count(&store, 0, 1, 0)], [1, 3]);
    assert_eq!((store.count(place(0, 1)), store.count(place(9, 1))), (3, 0));
    assert_eq!(store.keys(), 3);
}

#[test]
fn the_key_asked_about_longest_ago_goes_first() {
    let store = store(3, HOUR);
    for key in [1, 2, 3, 1, 4] {
        count(&store, 0, key, 0);
    }
    assert_eq!((store.keys(), store.evicted()), (3, 1));
    assert_eq!(store.count(place(0, 2)), 0, "2 was asked about longest ago");
    assert_eq!(count(&store, 0, 1, 0), 3);
}

#[test]
fn a_key_that_nobody_asked_about_starts_afresh_and_is_no_eviction() {
    let store = store(2, Duration::from_secs(10));
    assert_eq!(count(&store, 0, 1, 0), 1);
    assert_eq!(count(&store, 0, 1, 10), 2);
    assert_eq!(count(&store, 0, 1, 21), 1);
    count(&store, 0, 2, 40);
    count(&store, 0, 3, 40);
    assert_eq!((store.keys(), store.evicted()), (2, 0));
}

#[test]
fn a_full_store_stays_at_its_limit_whatever_comes() {
    for limit in [1, 2, 17, Store::ONE_SHARD + 1] {
        let store = store(limit, HOUR);
        let mut model = std::collections::VecDeque::new();
        for i in 0..400u128 {
            let key = i * i % 41;
            model.retain(|&held| held != key);
            model.push_back(key);
            if limit <= Store::ONE_SHARD && model.len() > limit {
                model.pop_front();
            }
            count(&store, 0, key, 0);
            assert_eq!(store.keys(), model.len(), "limit {limit}");
        }
        for key in model {
            assert!(store.count(place(0, key)) > 0);
        }
    }
}

#[test]
fn a_window_lets_a_full_period_through_at_once_and_then_its_rate() {
    let store = store(10, HOUR);
    let rate = Rate { requests: NonZeroU32::new(4).expect("not zero"), period: Duration::from_secs(1) };
    let mut ask = |millisecond| {
        let now = Moment::after_start(Duration::from_millis(millisecond));
        match store.run(place(0, 0), Ask::Window(rate), now) {
            Answer::Windowed { within, .. } => within,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!([0, 0, 0, 0, 0].map(&mut ask), [true, true, true, true, false]);
    assert_eq!([249, 250, 251].map(&mut ask), [false, true, false], "one token a quarter of a second");
    assert_eq!([9000; 5].map(&mut ask), [true, true, true, true, false], "never more than a full bucket");
}

#[test]
fn counts_are_exact_under_concurrency() {
    let store = store(1_000, HOUR);
    let seen: Vec<u64> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| (0..5_000).map(|i| count(&store, 0, i % 10, 0)).collect::<Vec<_>>()))
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("no panic")).collect()
    });
    let mut times = vec![0u32; 4_001];
    for n in seen {
        times[n as usize] += 1;
    }
    assert!(times[1..].iter().all(|&keys| keys == 10), "each n once for each of the 10 keys");
}
