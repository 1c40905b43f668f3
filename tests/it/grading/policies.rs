//! Simulated retry policies, and how often the classifier names them rightly.

use std::time::Duration;

use fracas::grading::{BackoffShape, Gaps, Jitter};
use fracas::model::{Dice, KeyHash};

/// How a client waits before its k-th retry; base 1 s, factor 2.
#[derive(Clone, Copy, Debug)]
pub enum Policy {
    Immediate,
    Fixed,
    Linear,
    Exponential,
    TwentyPercent,
    EqualJitter,
    FullJitter,
    RandomAroundFixed,
    Decorrelated,
}

/// Operations times gaps of a cell of the table.
pub const CELLS: [(usize, usize); 4] = [(3, 1), (3, 5), (5, 5), (5, 20)];

/// Per policy, the share of correct labels in percent for each of [`CELLS`]; with one operation, of
/// correct shapes.
pub const TABLE: [(Policy, [f64; 4]); 9] = [
    (Policy::Immediate, [100.0; 4]),
    (Policy::Fixed, [100.0; 4]),
    (Policy::Linear, [100.0; 4]),
    (Policy::Exponential, [100.0; 4]),
    (Policy::TwentyPercent, [79.0, 96.0, 99.0, 100.0]),
    (Policy::EqualJitter, [69.0, 82.0, 95.0, 100.0]),
    (Policy::FullJitter, [57.0, 64.0, 96.0, 100.0]),
    (Policy::RandomAroundFixed, [65.0, 80.0, 97.0, 100.0]),
    (Policy::Decorrelated, [46.0, 48.0, 74.0, 89.0]),
];

/// A stream of chance that is the same in every run.
pub struct Chance {
    dice: Dice,
    n: u64,
}

impl Chance {
    pub fn new(seed: u64) -> Chance {
        Chance { dice: Dice::new(seed, "simulation"), n: 0 }
    }

    /// Uniform from `low` to `high`.
    pub fn uniform(&mut self, low: f64, high: f64) -> f64 {
        self.n += 1;
        low + (high - low) * self.dice.fraction(KeyHash(0), self.n)
    }
}

impl Policy {
    /// The gaps of one operation in seconds, with 1 to 7 ms of noise.
    pub fn gaps(self, count: usize, chance: &mut Chance) -> Vec<f64> {
        let mut previous = 1.0;
        let wait = |k: usize, chance: &mut Chance| {
            let doubled = f64::powi(2.0, k as i32);
            match self {
                Policy::Immediate => 0.0,
                Policy::Fixed => 1.0,
                Policy::Linear => (k + 1) as f64,
                Policy::Exponential => doubled,
                Policy::TwentyPercent => doubled * chance.uniform(0.8, 1.2),
                Policy::EqualJitter => doubled * chance.uniform(0.5, 1.0),
                Policy::FullJitter => doubled * chance.uniform(0.0, 1.0),
                Policy::RandomAroundFixed => chance.uniform(0.0, 2.0),
                Policy::Decorrelated => {
                    previous = chance.uniform(1.0, 3.0 * previous);
                    previous
                }
            }
        };
        let mut wait = wait;
        (0..count).map(|k| wait(k, chance) + chance.uniform(0.001, 0.007)).collect()
    }

    /// The expected classification. A policy whose jitter has no name may get any.
    fn label(self) -> (BackoffShape, Option<Jitter>) {
        match self {
            Policy::Immediate => (BackoffShape::Immediate, None),
            Policy::Fixed => (BackoffShape::Fixed, Some(Jitter::None)),
            Policy::Linear => (BackoffShape::Linear, Some(Jitter::None)),
            Policy::Exponential => (BackoffShape::Exponential, Some(Jitter::None)),
            Policy::TwentyPercent => (BackoffShape::Exponential, Some(Jitter::Small)),
            Policy::EqualJitter => (BackoffShape::Exponential, Some(Jitter::Medium)),
            Policy::FullJitter => (BackoffShape::Exponential, Some(Jitter::Full)),
            Policy::RandomAroundFixed => (BackoffShape::Fixed, Some(Jitter::Full)),
            Policy::Decorrelated => (BackoffShape::Exponential, None),
        }
    }

    /// The share of correct labels in percent, over `runs` simulated clients.
    pub fn accuracy(self, gaps: usize, operations: usize, runs: u64) -> f64 {
        let is_right = |run: &u64| {
            let mut chance = Chance::new(*run);
            let mut pooled = Gaps::default();
            for _ in 0..operations {
                let waits = self.gaps(gaps, &mut chance);
                pooled.add(waits.iter().enumerate().map(|(k, wait)| (k + 1, Duration::from_secs_f64(*wait))));
            }
            let law = pooled.law().expect("there are gaps");
            let (shape, jitter) = self.label();
            law.shape == shape && (operations < 3 || jitter.is_none_or(|jitter| law.jitter == jitter))
        };
        let right = (1..=runs).filter(is_right).count();
        100.0 * right as f64 / runs as f64
    }
}

/// The median herd index of `clients` with a policy, over `runs` crowds that are refused within 20 ms.
pub fn herd(policy: Herding, clients: usize, runs: u64) -> f64 {
    let mut indices: Vec<f64> = (1..=runs)
        .map(|run| {
            let mut chance = Chance::new(run);
            let mut back: Vec<u64> = (0..clients)
                .map(|_| {
                    let refused = chance.uniform(0.0, 0.005);
                    let wait = match policy {
                        Herding::NoJitter => 1.0,
                        Herding::TenPercent => chance.uniform(1.0, 1.1),
                        Herding::EqualJitter => chance.uniform(0.5, 1.0),
                        Herding::FullJitter => chance.uniform(0.0, 1.0),
                    };
                    ((refused + wait + chance.uniform(0.001, 0.007)) * 1e6) as u64
                })
                .collect();
            back.sort_unstable();
            let mut gaps = back.clone();
            gaps.sort_unstable();
            let window = 20_000.max(gaps[gaps.len() / 2] / 20);
            fracas::grading::herd_index(&back, window)
        })
        .collect();
    indices.sort_by(f64::total_cmp);
    indices[indices.len() / 2]
}

/// How a crowd waits before its first retry.
#[derive(Clone, Copy, Debug)]
pub enum Herding {
    NoJitter,
    TenPercent,
    EqualJitter,
    FullJitter,
}

/// Median herd indices of ten and of fifty clients.
pub const HERDS: [(Herding, [f64; 2]); 4] = [
    (Herding::NoJitter, [1.0, 1.0]),
    (Herding::TenPercent, [0.70, 0.62]),
    (Herding::EqualJitter, [0.30, 0.18]),
    (Herding::FullJitter, [0.20, 0.10]),
];

/// The table as it is measured here: 300 runs a cell.
pub fn measured() -> Vec<(String, [f64; 4])> {
    let row = |policy: Policy| CELLS.map(|(gaps, operations)| policy.accuracy(gaps, operations, 300));
    TABLE.iter().map(|(policy, _)| (policy.to_string(), row(*policy))).collect()
}

impl std::fmt::Display for Policy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Policy::Immediate => "immediate",
            Policy::Fixed => "fixed",
            Policy::Linear => "linear",
            Policy::Exponential => "exponential",
            Policy::TwentyPercent => "exponential ± 20 %",
            Policy::EqualJitter => "equal jitter",
            Policy::FullJitter => "full jitter",
            Policy::RandomAroundFixed => "random around a fixed mean",
            Policy::Decorrelated => "decorrelated (seen as exponential)",
        })
    }
}
