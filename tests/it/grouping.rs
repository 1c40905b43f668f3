//! Precision and recall of grouping, on synthetic records in which the truth is known.

use std::collections::HashMap;

use fracas::grading::{Correlator, Operation};
use fracas::model::Attempt;

use crate::mix::Mix;

const SEEDS: u64 = 5;

const BEATS: Mix = Mix { troubled_beats: true, ..Mix::ORDINARY };
const ADVERSARIAL: Mix = Mix { sharing: 5, items: 10, bodies: 3, ..BEATS };

/// The measured mixes, under their names in docs/GRADING.md.
const MIXES: [(&str, Mix); 3] = [
    ("50 clients, four calls each at a time, of every kind", Mix::ORDINARY),
    ("the same, with refusals of what is sent alike every time and never tried again", BEATS),
    ("the same, five clients behind one name, who write three bodies to ten items", ADVERSARIAL),
];

#[test]
fn the_document_says_how_often_grouping_is_right_and_of_fifty_clients_it_is_in_99_of_100() {
    let document = std::fs::read_to_string("docs/GRADING.md").expect("docs/GRADING.md");
    for ((name, mix), is_ordinary) in MIXES.into_iter().zip([true, false, false]) {
        let mut all = Pairs::default();
        for seed in 1..=SEEDS {
            let pairs = measured(&mix, seed);
            let is_right = pairs.precision() >= 0.99 && pairs.recall() >= 0.99;
            assert!(is_right || !is_ordinary, "seed {seed}: {:.4}, {:.4}", pairs.precision(), pairs.recall());
            all.found += pairs.found;
            all.belonging += pairs.belonging;
            all.both += pairs.both;
        }
        let row = format!("| {name} | {:.3} | {:.3} |", all.precision(), all.recall());
        assert!(document.contains(&row), "docs/GRADING.md does not say\n{row}");
    }
}

/// Pairs of attempts.
#[derive(Default)]
struct Pairs {
    /// That were put together.
    found: usize,
    /// That belong together.
    belonging: usize,
    both: usize,
}

impl Pairs {
    fn precision(&self) -> f64 {
        self.both as f64 / self.found as f64
    }

    fn recall(&self) -> f64 {
        self.both as f64 / self.belonging as f64
    }
}

fn measured(mix: &Mix, seed: u64) -> Pairs {
    let record = mix.record(seed);
    let truth: HashMap<u64, u64> = record.iter().map(|(attempt, call)| (attempt.id, *call)).collect();
    let mut pairs = Pairs::default();
    for operation in grouped(record.into_iter().map(|(attempt, _)| attempt)) {
        pairs.found += of(operation.tries.len());
        let calls = operation.tries.iter().map(|tried| truth[&tried.attempt.id]);
        pairs.both += counts(calls).map(of).sum::<usize>();
    }
    pairs.belonging = counts(truth.into_values()).map(of).sum();
    pairs
}

/// How many pairs there are of so many.
fn of(count: usize) -> usize {
    count * count.saturating_sub(1) / 2
}

fn grouped(attempts: impl Iterator<Item = Attempt>) -> Vec<Operation> {
    let mut correlator = Correlator::new();
    let mut operations: Vec<Operation> = attempts.flat_map(|attempt| correlator.add(attempt)).collect();
    operations.extend(correlator.finish());
    operations
}

/// How often each one occurs.
fn counts(all: impl IntoIterator<Item = u64>) -> impl Iterator<Item = usize> {
    let mut counts = HashMap::new();
    for one in all {
        *counts.entry(one).or_default() += 1;
    }
    counts.into_values()
}
