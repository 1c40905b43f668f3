//! Invariants of the store under real threads.

use std::num::NonZeroU64;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread;

use super::playback::{Playback, on, rule};
use super::*;
use crate::engine::LEASE;
use crate::rules::{Clear, State};

const THREADS: u128 = 8;
const KEYS: u128 = 3;

/// Runs `work` in concurrent threads, each with its number; returns the sum of their results.
fn together(work: impl Fn(u128) -> usize + Sync) -> usize {
    thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|number| {
                scope.spawn({
                    let work = &work;
                    move || work(number)
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).sum()
    })
}

#[test]
fn at_most_one_is_in_at_any_time() {
    let store = store(100, HOUR);
    let inside: Vec<AtomicUsize> = (0..KEYS).map(|_| AtomicUsize::new(0)).collect();
    let entered = together(|number| {
        let mut entered = 0;
        for i in 0..5_000 {
            let key = (number + i) % KEYS;
            let here = place(0, Keyspace::State, key);
            let ticket = (number * 10_000 + i) as u64;
            let ask = Op::Enter { ticket, lease: LEASE, payload: KeyHash(number) };
            if store.run(here, ask, Moment(1)) == Reply::Entered {
                assert_eq!(inside[key as usize].fetch_add(1, SeqCst), 0, "another is in");
                entered += 1;
                inside[key as usize].fetch_sub(1, SeqCst);
                store.run(here, Op::Leave { ticket }, Moment(1));
                // Leaving twice evicts no other request.
                store.run(here, Op::Leave { ticket }, Moment(1));
            }
        }
        entered
    });
    assert!(entered > 0);
    assert_eq!(store.keys(), 0);
}

#[test]
fn n_tries_are_exactly_n() {
    let store = store(100, HOUR);
    let here = place(0, Keyspace::Opened, 1);
    let clear = Clear::Tries(NonZeroU64::new(1_000).expect("not zero"));
    store.run(here, Op::Open { n: 1, validator: None }, Moment(1));
    let refused = together(|_| {
        let ask = Op::Opened { clear, validator: None };
        (0..500).filter(|_| matches!(store.run(here, ask.clone(), Moment(1)), Reply::Open { .. })).count()
    });
    assert_eq!(refused + 1, 1_000, "with the one that opened it");
}

#[test]
fn no_reference_is_lost_or_released_twice() {
    for limit in [1_000, MemoryStore::ONE_SHARD + 1] {
        let store = store(limit, HOUR);
        let referrer = |key| place(0, Keyspace::Referrer, key);
        together(|number| {
            for i in 0..2_000 {
                // Threads share referrers, and move them from resource to resource.
                let from = referrer((number + i) % 5);
                match (number * 7 + i) % 3 {
                    0 => obey(&store, StateUpdate::Detach { referrer: from }, Moment(1)),
                    _ => {
                        obey(
                            &store,
                            StateUpdate::Attach { referrer: from, to: KeyHash(i % KEYS) },
                            Moment(1),
                        );
                    }
                }
            }
            0
        });
        let live = store.keys_of(Keyspace::Referrer) as u64;
        let count = |key| match store.run(place(0, Keyspace::State, key), Op::References, Moment(1)) {
            Reply::References(count) => count,
            other => panic!("{other:?}"),
        };
        assert_eq!((0..KEYS).map(count).sum::<u64>(), live);
        (0..5).for_each(|key| obey(&store, StateUpdate::Detach { referrer: referrer(key) }, Moment(1)));
        assert_eq!(store.keys(), 0);
    }
}

#[test]
fn ten_thousand_cancelled_requests_leave_no_key_held() {
    let states = [
        State::Overlap { hold: Duration::ZERO },
        State::KeyInUse { mismatch: http::StatusCode::UNPROCESSABLE_ENTITY },
        State::Duplicate { release: None },
        State::Locked { lease: HOUR, release: None },
        State::Stale { missing: None },
    ];
    for state in states {
        let mut playback = Playback::new(rule(&["PUT"], "/items/{id}", on(state.clone()), "path"));
        for i in 0..10_000 {
            let outcome = ["gone", "reset", "500"][i % 3];
            playback.step(&format!("A PUT /items/{} -> {outcome}", i % 100));
        }
        assert_eq!(playback.store().keys_of(Keyspace::State), 0, "{state:?}");
    }
}
