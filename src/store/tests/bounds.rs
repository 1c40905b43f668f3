//! Bounds of a store: the number of keys, their time to live, the memory.

use std::num::NonZeroU32;

use super::*;
use std::sync::Arc;

use http::StatusCode;

use crate::engine::StoredResponse;
use crate::rules::Rate;

fn at(key: u128) -> StateKey {
    place(0, Keyspace::State, key)
}

fn count(store: &MemoryStore, slot: u32, key: u128, second: u64) -> u64 {
    let now = Moment::after_start(Duration::from_secs(second));
    store.run(place(slot, Keyspace::Count, key), Op::Count, now).n()
}

#[test]
fn rules_and_keys_are_counted_apart() {
    let store = store(100, HOUR);
    assert_eq!([count(&store, 0, 1, 0), count(&store, 0, 1, 0), count(&store, 0, 2, 0)], [1, 2, 1]);
    assert_eq!([count(&store, 1, 1, 0), count(&store, 0, 1, 0)], [1, 3]);
    assert_eq!(
        (count_at(&store, place(0, Keyspace::Count, 1)), count_at(&store, place(9, Keyspace::Count, 1))),
        (3, 0)
    );
    assert_eq!(store.keys(), 3);
}

#[test]
fn the_key_asked_about_longest_ago_goes_first() {
    let store = store(3, HOUR);
    for key in [1, 2, 3, 1, 4] {
        count(&store, 0, key, 0);
    }
    assert_eq!((store.keys(), store.evicted()), (3, 1));
    assert_eq!(count_at(&store, place(0, Keyspace::Count, 2)), 0, "2 was asked about longest ago");
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
    for limit in [1, 2, 17, MemoryStore::ONE_SHARD + 1] {
        let store = store(limit, HOUR);
        let mut model = std::collections::VecDeque::new();
        for i in 0..400u128 {
            let key = i * i % 41;
            model.retain(|&held| held != key);
            model.push_back(key);
            if limit <= MemoryStore::ONE_SHARD && model.len() > limit {
                model.pop_front();
            }
            count(&store, 0, key, 0);
            assert_eq!(store.keys(), model.len(), "limit {limit}");
        }
        for key in model {
            assert!(count_at(&store, place(0, Keyspace::Count, key)) > 0);
        }
    }
}

#[test]
fn a_window_lets_a_full_period_through_at_once_and_then_its_rate() {
    let store = store(10, HOUR);
    let rate = Rate { requests: NonZeroU32::new(4).expect("not zero"), period: Duration::from_secs(1) };
    let mut ask = |millisecond| {
        let now = Moment::after_start(Duration::from_millis(millisecond));
        match store.run(place(0, Keyspace::Count, 0), Op::Window(rate), now) {
            Reply::Windowed { wait, .. } => wait.as_millis(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!([0, 0, 0, 0, 0].map(&mut ask), [0, 0, 0, 0, 250]);
    assert_eq!([249, 250, 251].map(&mut ask), [1, 0, 249], "one token a quarter of a second");
    assert_eq!([9000; 5].map(&mut ask), [0, 0, 0, 0, 250], "never more than a full bucket");
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

fn seconds(seconds: u64) -> Moment {
    Moment::after_start(Duration::from_secs(seconds))
}

fn enter(store: &MemoryStore, key: u128, lease: u64, second: u64) -> Reply {
    let lease = Duration::from_secs(lease);
    store.run(
        at(key),
        Op::Enter { ticket: u64::from(second as u32), lease, payload: KeyHash(0) },
        seconds(second),
    )
}

#[test]
fn a_request_in_flight_is_not_forgotten_to_make_room() {
    let store = store(4, HOUR);
    assert!(matches!(enter(&store, 1, 60, 0), Reply::Entered));
    for key in 100..200 {
        count(&store, 0, key, 1);
    }
    assert!(matches!(enter(&store, 1, 60, 2), Reply::Running { .. }));
    // When every key is in flight, the oldest is evicted all the same.
    for key in 1..=100 {
        enter(&store, key, 60, 3);
    }
    assert_eq!(store.keys(), 4);
}

#[test]
fn a_lease_outlives_the_time_to_live() {
    let store = store(10, Duration::from_secs(10));
    enter(&store, 1, 60, 0);
    let lease = Some(Duration::from_secs(60));
    store.run(at(2), Op::Hold { holder: KeyHash(7), lease }, seconds(0));
    store.run(at(3), Op::Hold { holder: KeyHash(7), lease: None }, seconds(0));
    assert!(matches!(enter(&store, 1, 60, 59), Reply::Running { .. }));
    assert_eq!(
        store.run(at(2), Op::Holder, seconds(59)),
        Reply::Held(Some(Held { holder: KeyHash(7), remaining: Some(Duration::from_secs(1)) }))
    );
    assert_eq!(store.run(at(2), Op::Holder, seconds(60)), Reply::Held(None));
    assert_eq!(store.run(at(3), Op::Holder, seconds(59)), Reply::Held(None), "no lease, no longer");
}

#[test]
fn a_forgotten_referrer_refers_to_nothing() {
    let store = store(20, Duration::from_secs(100));
    let referrer = |key| place(0, Keyspace::Referrer, key);
    let references = |second| match store.run(at(1), Op::References, seconds(second)) {
        Reply::References(count) => count,
        other => panic!("{other:?}"),
    };
    for order in 0..3 {
        obey(&store, StateUpdate::Attach { referrer: referrer(order), to: KeyHash(1) }, seconds(0));
    }
    assert_eq!((references(90), references(180)), (3, 3), "asked about again and again");
    obey(&store, StateUpdate::Detach { referrer: referrer(0) }, seconds(190));
    assert_eq!(references(190), 2, "a late release counts");
    for key in 50..90 {
        count(&store, 0, key, 191);
        references(191);
    }
    assert_eq!(references(191), 0, "both referrers had to be forgotten");
    obey(&store, StateUpdate::Detach { referrer: referrer(1) }, seconds(192));
    assert_eq!(references(192), 0);
}

#[test]
fn only_so_many_answers_are_kept_and_an_older_one_is_forgotten_first() {
    let store = store(5_000, HOUR);
    let payload = KeyHash(5);
    let ask = |key| store.run(at(key), Op::Enter { ticket: key as u64, lease: HOUR, payload }, seconds(1));
    let response = || {
        let headers = http::HeaderMap::new();
        Arc::new(StoredResponse { connection: 0, status: StatusCode::OK, headers, body: bytes::Bytes::new() })
    };
    for key in 0..RESPONSES as u128 + 10 {
        assert_eq!(ask(key), Reply::Entered);
        let ticket = key as u64;
        store.run(at(key), Op::Finish { ticket, payload, response: Some(response()) }, seconds(1));
    }
    let kept = |key| matches!(ask(key), Reply::Finished { response: Some(_), .. });
    assert!(!kept(0) && !kept(9) && kept(10) && kept(RESPONSES as u128));
}

/// Each of a million keys costs a node and a slot of the table, in every keyspace; versions are apart.
#[test]
fn a_million_keys_fit_into_the_stated_bound() {
    let shards = MemoryStore::SHARDS;
    let a_shard = 1_000_000usize.div_ceil(shards);
    let node = std::mem::size_of::<shard::Node>();
    // Nodes grow by doubling up to the limit; the table keeps an eighth free, in powers of two.
    let nodes = a_shard.next_power_of_two() * node;
    let table = (a_shard * 8 / 7).next_power_of_two() * (size_of::<u32>() + 1);
    // A version in a box, with the header of its allocation, and 34 characters in another.
    let version = 16 + size_of::<crate::engine::VersionEntry>() + 48;
    assert_eq!(node, 80);
    assert!(shards * (nodes + table) < 96 << 20, "{} bytes", shards * (nodes + table));
    assert!(shards * (nodes + table + a_shard * version) < 256 << 20);
}
