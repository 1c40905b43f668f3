//! How a class of clients waits: the shape of its gaps, their growth and their jitter, read off sums.
//!
//! Column k holds the gaps before the k-th retry of all operations. Only exact sums are kept, so that
//! memory is bounded and the order in which operations close does not matter. The method and its error
//! rates are in docs/GRADING.md, "How clients wait".

mod fit;

use std::time::Duration;

pub use fit::BackoffFit;

/// A gap shorter than this is none: no client that sleeps at all comes back so soon.
pub(super) const IMMEDIATE: Duration = Duration::from_millis(20);

/// Gaps between tries, by which retry they came before.
#[derive(Clone, Debug, Default)]
pub struct Gaps {
    /// At most [`Gaps::MOST_COLUMNS`].
    columns: Vec<Column>,
    operations: u64,
}

/// Gaps before the k-th retry, in microseconds.
#[derive(Clone, Copy, Debug, Default)]
struct Column {
    count: u64,
    sum: u128,
    squares: u128,
    immediate: u64,
}

impl Gaps {
    /// Retries beyond this many say nothing new about how gaps grow.
    pub const MOST_COLUMNS: usize = 16;

    /// Adds the gaps of one operation, each with the retry it came before, from 1.
    pub fn add(&mut self, gaps: impl IntoIterator<Item = (usize, Duration)>) {
        let mut is_any = false;
        for (retry, gap) in gaps {
            if !(1..=Gaps::MOST_COLUMNS).contains(&retry) {
                continue;
            }
            if self.columns.len() < retry {
                self.columns.resize(retry, Column::default());
            }
            if let Some(column) = self.columns.get_mut(retry - 1) {
                let micros = gap.as_micros();
                column.count += 1;
                column.sum += micros;
                column.squares += micros.saturating_mul(micros);
                column.immediate += u64::from(gap < IMMEDIATE);
                is_any = true;
            }
        }
        self.operations += u64::from(is_any);
    }

    /// How the gaps are laid out; `None` when there are none.
    pub fn law(&self) -> Option<BackoffFit> {
        BackoffFit::of(self)
    }

    /// How many gaps there are, and how many are immediate, from retry `first` on.
    pub(super) fn immediate(&self, first: usize) -> (u64, u64) {
        let columns = self.columns.iter().skip(first - 1);
        columns.fold((0, 0), |(all, now), column| (all + column.count, now + column.immediate))
    }

    /// How many immediate gaps fully jittered waits of these means would show by chance, from retry
    /// `first` on: U(0, 2m) is below t with probability t ÷ 2m.
    pub(super) fn immediate_by_chance(&self, first: usize) -> f64 {
        let columns = self.columns.iter().skip(first - 1).filter(|column| column.count > 0);
        columns.map(|c| c.count as f64 * (IMMEDIATE.as_micros() as f64 / (2.0 * c.mean())).min(1.0)).sum()
    }
}

impl Column {
    fn mean(&self) -> f64 {
        (self.sum as f64 / self.count.max(1) as f64).max(1.0)
    }

    /// The coefficient of variation: the standard deviation of the sample ÷ its mean. From 3 gaps on.
    fn variation(&self) -> Option<f64> {
        (self.count >= 3).then(|| {
            let count = self.count as f64;
            let variance = (self.squares as f64 - self.sum as f64 * self.sum as f64 / count) / (count - 1.0);
            variance.max(0.0).sqrt() / self.mean()
        })
    }
}
