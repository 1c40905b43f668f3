//! Counts, shares and seeds are exact in every interleaving.

mod load;

use std::collections::{BTreeMap, BTreeSet};

use self::load::{Seen, ask};
use crate::binary::Fracas;

#[test]
fn the_first_3_of_each_key_conflict_and_no_other() {
    let fracas = Fracas::start(
        r#"
        [[rule]]
        name   = "first-3"
        method = "GET"
        path   = "/items/{id}"
        first  = 3
        per    = "header:x-key"
        "#,
    );
    // The requests of a key follow each other, so that most of them are in flight together.
    let keys: Vec<u32> = (0..1_000).flat_map(|key| [key; 20]).collect();
    let seen = ask(fracas.address(), 64, &keys);
    let mut conflicts: BTreeMap<u32, Vec<u64>> = BTreeMap::new();
    for Seen { key, conflict, .. } in &seen {
        let conflicts = conflicts.entry(*key).or_default();
        conflicts.extend(conflict.as_ref().map(|conflict| conflict.n));
    }
    assert_eq!(conflicts.len(), 1_000);
    for (key, mut numbers) in conflicts {
        numbers.sort_unstable();
        assert_eq!(numbers, [1, 2, 3], "key {key}");
    }
    assert_eq!(fracas.upstream_saw("GET /items/{id}").0, 1_000 * 17);
}

#[test]
fn a_quarter_of_100_000_is_a_quarter() {
    // A second rule marks the requests that pass the first one, which is quicker than asking upstream; the log of
    // 100,000 lines is off.
    let fracas = Fracas::start_with(
        r#"
        [[rule]]
        name = "a-quarter"
        rate = 0.25

        [[rule]]
        name  = "the-rest"
        reply = { status = 503 }
        "#,
        &["--quiet"],
    );
    let seen = ask(fracas.address(), 64, &vec![0; 100_000]);
    let of = |rule: &str| {
        let conflicts = seen.iter().filter_map(|seen| seen.conflict.as_ref());
        conflicts.filter(|conflict| conflict.rule == rule).map(|conflict| conflict.n).collect::<BTreeSet<_>>()
    };
    let (quarter, rest) = (of("a-quarter"), of("the-rest"));
    assert_eq!(quarter.len() + rest.len(), 100_000, "no request is counted twice");
    assert!(rest.iter().copied().eq(1..=rest.len() as u64), "the second rule counts what reaches it");
    let deviation = (100_000.0 * 0.25 * 0.75_f64).sqrt();
    assert!((quarter.len() as f64 - 25_000.0).abs() <= 4.0 * deviation, "{}", quarter.len());
}

#[test]
fn the_same_seed_decides_the_same_whatever_the_interleaving() {
    let rules = r#"
        [[rule]]
        name = "a-quarter"
        rate = 0.25
        per  = "header:x-key"
        "#;
    // Twenty rounds through the keys, or twenty of each key at once.
    let rounds: Vec<u32> = (0..20).flat_map(|_| 0..250).collect();
    let bursts: Vec<u32> = (0..250).flat_map(|key| [key; 20]).collect();
    let decided = |seed: &str, workers: &str, connections: usize, keys: &[u32]| {
        let fracas = Fracas::start_with(rules, &["--seed", seed, "--workers", workers]);
        let seen = ask(fracas.address(), connections, keys);
        let conflict = |seen: Seen| Some((seen.key, seen.conflict?.n));
        seen.into_iter().filter_map(conflict).collect::<BTreeSet<(u32, u64)>>()
    };
    let alone = decided("1", "1", 1, &rounds);
    assert!((1_000..1_500).contains(&alone.len()), "about a quarter of 5,000, not {}", alone.len());
    for (workers, connections, keys) in
        [("1", 64, &bursts), ("2", 2, &rounds), ("2", 64, &rounds), ("2", 64, &bursts)]
    {
        assert!(
            decided("1", workers, connections, keys) == alone,
            "{workers} workers, {connections} clients"
        );
    }
    assert!(decided("2", "1", 8, &rounds) != alone, "another seed decides otherwise");
}

#[test]
fn weighted_replies_have_their_shares_and_the_same_seed_draws_the_same_whatever_the_workers() {
    let rules = r#"
        [[rule]]
        name    = "weighted"
        per     = "header:x-key"
        replies = [{ weight = 6 }, { status = 503, weight = 3 }, { status = 429, weight = 1 }]
        "#;
    let rounds: Vec<u32> = (0..40).flat_map(|_| 0..250).collect();
    let bursts: Vec<u32> = (0..250).flat_map(|key| [key; 40]).collect();
    let drawn = |seed: &str, workers: &str, connections: usize, keys: &[u32]| {
        let fracas = Fracas::start_with(rules, &["--quiet", "--seed", seed, "--workers", workers]);
        let seen = ask(fracas.address(), connections, keys);
        let reply = |seen: Seen| Some(((seen.key, seen.conflict?.n), seen.status));
        seen.into_iter().filter_map(reply).collect::<BTreeMap<(u32, u64), u16>>()
    };
    let alone = drawn("1", "1", 1, &rounds);
    assert_eq!(alone.len(), 10_000);
    for (status, share) in [(409, 0.6), (503, 0.3), (429, 0.1)] {
        let times = alone.values().filter(|seen| **seen == status).count() as f64;
        let deviation = (10_000.0_f64 * share * (1.0 - share)).sqrt();
        assert!((times - 10_000.0 * share).abs() <= 4.0 * deviation, "{status}: {times}");
    }
    for (workers, connections, keys) in [("2", 64, &rounds), ("2", 64, &bursts), ("3", 8, &bursts)] {
        assert!(drawn("1", workers, connections, keys) == alone, "{workers} workers, {connections} clients");
    }
    assert!(drawn("2", "1", 8, &rounds) != alone, "another seed draws others");
}
