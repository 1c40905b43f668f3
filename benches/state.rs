//! Cost of keyed state: nanoseconds of a rule's work per request, among a million
//! keys, and their memory.
//!
//! `cargo bench --bench state`. Each number is the median of some rounds, by the clock on the wall.
//! `warm` goes round 1,000 of the keys; `cold` goes through all of them in an order that no cache can
//! foresee, which is as slow as it gets. Ends with failure when a bound that the store states is
//! broken.

#![allow(clippy::disallowed_methods, reason = "a benchmark owns its clock")]
#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "a benchmark that goes wrong may panic")]
#![allow(clippy::print_stdout, reason = "its result")]

use std::hint::black_box;
use std::num::{NonZeroU32, NonZeroUsize};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use fracas::engine::{Effects, Keyspace, KnownVersion, Learnt, Op, Reply, StateKey, StateScope, StateUpdate};
use fracas::model::{KeyHash, Moment};
use fracas::rules::{Clear, Rate};
use fracas::store::MemoryStore;

const KEYS: usize = 1_000_000;
const ROUNDS: usize = 9;
const OPERATIONS: usize = 200_000;
/// Keys that are asked about again and again.
const WARM: usize = 1_000;
/// The most that a state rule may add to a request about such a key, in nanoseconds.
const A_REQUEST: f64 = 1_000.0;
/// The most that a million keys may take, in bytes.
const MEMORY: usize = 256 << 20;

fn main() -> ExitCode {
    let mut is_fine = true;
    println!("memory of {KEYS} keys (bound: {} MiB)", MEMORY >> 20);
    for (name, fill) in FILLINGS {
        let before = resident();
        let store = filled(fill);
        let took = resident().saturating_sub(before);
        assert!(store.keys() > KEYS * 97 / 100, "{name}: {} keys", store.keys());
        is_fine &= took <= MEMORY;
        println!(
            "  {name:<34} {:>4} MiB   {:>4} bytes a key   {}",
            took >> 20,
            took / store.keys(),
            word(took <= MEMORY)
        );
    }
    println!("state's share of a request, among {KEYS} keys (bound: {A_REQUEST} ns, warm)   warm      cold");
    for (name, fill, operation) in REQUESTS {
        let store = filled(fill);
        let [warm, cold] = [WARM, KEYS].map(|keys| {
            let mut times: Vec<f64> = (0..ROUNDS).map(|round| time(&store, operation, keys, round)).collect();
            times.sort_by(f64::total_cmp);
            times[ROUNDS / 2]
        });
        is_fine &= warm < A_REQUEST;
        println!("  {name:<58} {warm:>10.0} ns {cold:>6.0} ns   {}", word(warm < A_REQUEST));
    }
    if is_fine { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

type Operation = fn(&MemoryStore, StateKey, Moment);

const FILLINGS: [(&str, Operation); 5] = [
    ("counts", count),
    ("requests in flight", |store, place, now| {
        black_box(store.run(place, enter(), now));
    }),
    ("held keys", hold),
    ("open conflicts", open),
    ("versions, tags of 34 characters", learn),
];

const REQUESTS: [(&str, Operation, Operation); 10] = [
    ("first, every, pattern, rate: count", count, counted),
    ("a new key that evicts another: count", count, |store, place, now| {
        count(store, elsewhere(7, Keyspace::State, place), now);
    }),
    ("above: window", count, |store, place, now| {
        let rate = Rate { requests: NonZeroU32::MIN, period: Duration::from_secs(1) };
        black_box(store.run(place, Op::Window(rate), now));
    }),
    ("stale: count, version, learn", learn, |store, place, now| {
        counted(store, place, now);
        black_box(store.run(place, Op::Version, now));
        learn(store, place, now);
    }),
    ("overlap: count, enter, leave", count_elsewhere, |store, place, now| {
        counted(store, place, now);
        if store.run(place, enter(), now) == Reply::Entered {
            store.run(place, Op::Leave { ticket: 1 }, now);
        }
    }),
    ("duplicate, locked: count, holder, hold", hold, |store, place, now| {
        counted(store, place, now);
        black_box(store.run(place, Op::Holder, now));
        hold(store, place, now);
    }),
    ("referenced: count, references", count_elsewhere, |store, place, now| {
        counted(store, place, now);
        black_box(store.run(place, Op::References, now));
    }),
    ("referenced: attach and detach", count_elsewhere, |store, place, now| {
        let referrer = place.within(Keyspace::Referrer, place.key);
        obey(store, StateUpdate::Attach { referrer, to: KeyHash(place.key.0 ^ 1) }, now);
        obey(store, StateUpdate::Detach { referrer }, now);
    }),
    ("expired: count, since", count, |store, place, now| {
        counted(store, place, now);
        black_box(store.run(place, Op::Age, now));
    }),
    ("clear: opened", open, |store, place, now| {
        black_box(store.run(place, Op::Opened { clear: Clear::Never, validator: None }, now));
    }),
];

fn filled(fill: Operation) -> MemoryStore {
    // Room beyond the keys, so that uneven shards evict none.
    let limit = NonZeroUsize::new(KEYS + KEYS / 50).expect("not zero");
    let store = MemoryStore::new(limit, Duration::from_secs(3_600));
    for key in 0..KEYS {
        fill(&store, place(key), Moment(1));
    }
    store
}

/// Nanoseconds an operation.
fn time(store: &MemoryStore, operation: Operation, keys: usize, round: usize) -> f64 {
    let start = Instant::now();
    for i in 0..OPERATIONS {
        // A step that shares no factor with the number of keys.
        let key = (round * OPERATIONS + i) * 611_953 % keys;
        operation(store, place(key), Moment(2));
    }
    start.elapsed().as_secs_f64() * 1e9 / OPERATIONS as f64
}

fn place(key: usize) -> StateKey {
    StateKey::new(scope(0), Keyspace::State, KeyHash(key as u128 * 0x9E37_79B9_7F4A_7C15_F39C_C060))
}

fn scope(rule: u8) -> StateScope {
    StateScope::new(["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"][usize::from(rule)], "")
}

/// The same key under another rule.
fn elsewhere(rule: u8, keyspace: Keyspace, place: StateKey) -> StateKey {
    StateKey::new(scope(rule), keyspace, place.key)
}

fn obey(store: &MemoryStore, command: StateUpdate, now: Moment) {
    let mut effects = Effects::from(command);
    while let Some((key, op)) = effects.poll(now) {
        effects.reply(Ok(store.run(key, op, now)));
    }
}

fn enter() -> Op {
    Op::Enter { ticket: 1, lease: Duration::from_secs(300), payload: KeyHash(7) }
}

fn count(store: &MemoryStore, place: StateKey, now: Moment) {
    black_box(store.run(place, Op::Count, now));
}

/// The request's own count, beside the other state of its key.
fn counted(store: &MemoryStore, place: StateKey, now: Moment) {
    count(store, place.within(Keyspace::Count, place.key), now);
}

/// Keys under another rule, so that the measured rule creates its keys in a large store.
fn count_elsewhere(store: &MemoryStore, place: StateKey, now: Moment) {
    count(store, elsewhere(9, Keyspace::State, place), now);
}

fn hold(store: &MemoryStore, place: StateKey, now: Moment) {
    store.run(place, Op::Hold { holder: KeyHash(1), lease: Some(Duration::from_secs(10)) }, now);
}

fn open(store: &MemoryStore, place: StateKey, now: Moment) {
    store.run(place, Op::Open { n: 1, validator: Some(KeyHash(3)) }, now);
}

fn learn(store: &MemoryStore, place: StateKey, now: Moment) {
    let version = format!("\"{:032x}\"", place.key.0);
    let seen = KnownVersion { version: Some(version.into()), modified: Some(1), ..KnownVersion::default() };
    store.run(place, Op::Learn { seen, took: Duration::ZERO, how: Learnt::Write }, now);
}

fn word(is_met: bool) -> &'static str {
    if is_met { "fine" } else { "TOO MUCH" }
}

/// Bytes of memory in use now; 0 where the operating system does not say.
fn resident() -> usize {
    const PAGE: usize = 4_096;
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    statm.split(' ').nth(1).and_then(|pages| pages.parse::<usize>().ok()).unwrap_or(0) * PAGE
}
