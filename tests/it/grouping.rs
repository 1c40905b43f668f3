//! Grouping, held against made-up records in which the truth is known.

use std::collections::HashMap;
use std::ops::RangeInclusive;

use fracas::judgement::grading::{Correlator, Operation};
use fracas::words::Attempt;

use crate::mix::Mix;

const SEEDS: u64 = 10;

/// What is measured, as docs/GRADING.md calls it.
const MIXES: [(&str, Mix); 3] = [
    ("50 clients, four calls each at a time, of every kind", Mix::ORDINARY),
    ("the same, with refusals of what is sent alike every time and never tried again", Mix::BEATS),
    ("the same, five clients behind one name, who write three bodies to ten items", Mix::ADVERSARIAL),
];

#[test]
fn of_fifty_clients_at_once_99_percent_is_grouped_as_it_was() {
    for seed in 1..=SEEDS {
        let (precision, recall) = measured(&Mix::ORDINARY, seed..=seed);
        assert!(precision >= 0.99 && recall >= 0.99, "seed {seed}: {precision:.4}, {recall:.4}");
    }
}

#[test]
fn the_document_says_how_often_grouping_is_right() {
    let document = std::fs::read_to_string("docs/GRADING.md").expect("docs/GRADING.md");
    for (name, mix) in MIXES {
        let (precision, recall) = measured(&mix, 1..=SEEDS);
        let row = format!("| {name} | {precision:.3} | {recall:.3} |");
        assert!(document.contains(&row), "docs/GRADING.md does not say\n{row}");
    }
}

/// Over pairs of attempts: of those that were put together, how many belong together; and the other way
/// round.
fn measured(mix: &Mix, seeds: RangeInclusive<u64>) -> (f64, f64) {
    let (mut both, mut found, mut true_ones) = (0, 0, 0);
    for seed in seeds {
        let record = mix.record(seed);
        let truth: HashMap<u64, u64> = record.iter().map(|(attempt, call)| (attempt.id, *call)).collect();
        for operation in grouped(record.into_iter().map(|(attempt, _)| attempt)) {
            let calls: Vec<u64> = operation.tries.iter().map(|tried| truth[&tried.attempt.id]).collect();
            found += pairs(calls.len());
            both += counts(calls).map(pairs).sum::<usize>();
        }
        true_ones += counts(truth.into_values()).map(pairs).sum::<usize>();
    }
    (both as f64 / found as f64, both as f64 / true_ones as f64)
}

fn grouped(attempts: impl Iterator<Item = Attempt>) -> Vec<Operation> {
    let mut correlator = Correlator::new();
    let mut operations: Vec<Operation> = attempts.flat_map(|attempt| correlator.add(attempt)).collect();
    operations.extend(correlator.finish());
    operations
}

fn pairs(count: usize) -> usize {
    count * count.saturating_sub(1) / 2
}

/// How often each one occurs.
fn counts(of: impl IntoIterator<Item = u64>) -> impl Iterator<Item = usize> {
    let mut counts = HashMap::new();
    for one in of {
        *counts.entry(one).or_default() += 1;
    }
    counts.into_values()
}
