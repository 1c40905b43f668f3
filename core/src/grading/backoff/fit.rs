//! From gaps to their law: shape by the growth of column means, jitter by their variation.

use super::{Column, Gaps, IMMEDIATE};
use crate::grading::{Backoff, BackoffShape, Jitter};

/// Means that grow less than this per retry are fixed.
const GROWTH: f64 = 1.2;
/// Where one class of jitter ends and the next begins, as coefficients of variation. Equal jitter has
/// 0.19, full jitter 0.58, client-go 0.03, gRPC's ±20 % 0.12.
const NONE: f64 = 0.015;
const SMALL: f64 = 0.15;
const MEDIUM: f64 = 0.38;
/// Below gaps of this (µs), a few milliseconds of a machine's own noise exceed [`NONE`] of the gap.
const NOISY: f64 = 200_000.0;
/// Means within this of each other are one plateau: the cap.
const PLATEAU: f64 = 0.02;
/// How many standard errors something must be off to be said at all: one time in a hundred.
const SURE: f64 = 2.58;

/// How a class of clients waits, as measured; [`BackoffFit::told`] puts it in words.
#[derive(Clone, Debug)]
pub struct BackoffFit {
    pub shape: BackoffShape,
    pub jitter: Jitter,
    /// The ratio of a gap to the one before it, and the bounds it has with 99 % confidence.
    pub growth: Option<Interval>,
    /// The coefficient of variation within a column; from three operations on.
    pub variation: Option<Interval>,
    /// Mean gap before the first retry that waits, in µs.
    base: f64,
    factor: Option<f64>,
    cap: Option<f64>,
    /// Mean gap (ms) and count per retry.
    means: Vec<(f64, u64)>,
    operations: u64,
    /// Below this variation there is none.
    pub noise: f64,
}

/// A value between the bounds it has with 99 % confidence.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    pub low: f64,
    pub value: f64,
    pub high: f64,
    /// How many gaps it rests on beyond those that fix the means.
    freedom: f64,
}

/// A column that the shape is read from.
#[derive(Clone, Copy)]
struct Point {
    retry: f64,
    mean: f64,
    count: f64,
}

impl BackoffFit {
    pub(super) fn of(gaps: &Gaps) -> Option<BackoffFit> {
        let (all, immediate) = gaps.immediate(1);
        if all == 0 {
            return None;
        }
        let filled = gaps.columns.iter().enumerate().filter(|(_, column)| column.count > 0);
        let mut points: Vec<Point> = filled
            .map(|(at, column)| Point {
                retry: (at + 1) as f64,
                mean: column.mean(),
                count: column.count as f64,
            })
            .collect();
        // An immediate first retry is standard, and no part of the law of the others (urllib3, azure-core).
        let limit = IMMEDIATE.as_micros() as f64;
        if let [first, second, ..] = points.as_slice()
            && first.mean < limit
            && second.mean >= limit
        {
            points.remove(0);
        }
        let variation = variation(&gaps.columns);
        let cap = take_plateau(&mut points, variation.map_or(0.0, |v| v.value));
        let growth = growth(&points, variation);
        let base = points.first().map_or(0.0, |point| point.mean);
        let mean = points.iter().map(|point| point.mean).sum::<f64>() / points.len().max(1) as f64;
        let noise = NONE * (NOISY / mean.max(1.0)).max(1.0);
        let (shape, factor) = if immediate * 2 > all {
            (BackoffShape::Immediate, None)
        } else {
            shape(&points, growth.map(|growth| growth.value))
        };
        Some(BackoffFit {
            shape,
            jitter: variation.map_or(Jitter::Undetermined, |v| jitter(v.value, noise)),
            growth,
            variation,
            base,
            factor,
            cap: cap.filter(|_| matches!(shape, BackoffShape::Linear | BackoffShape::Exponential)),
            means: gaps
                .columns
                .iter()
                .map(|c| (c.sum as f64 / c.count.max(1) as f64 / 1e3, c.count))
                .collect(),
            operations: gaps.operations,
            noise,
        })
    }

    /// The certain part of the fit: with much jitter, fewer than five gaps of five operations do
    /// not tell linear from exponential.
    pub fn told(&self) -> Backoff {
        let columns = self.means.iter().filter(|(_, count)| *count >= 5).count();
        let is_thin = columns < 5 && self.variation.is_none_or(|variation| variation.value >= SMALL);
        let is_one = self.means.len() > 2 && self.variation.is_none();
        let shape = match self.shape {
            BackoffShape::Linear | BackoffShape::Exponential if is_thin && !is_one => BackoffShape::Growing,
            shape => shape,
        };
        let names_law = matches!(shape, BackoffShape::Linear | BackoffShape::Exponential);
        Backoff {
            shape,
            jitter: if shape == BackoffShape::Immediate { Jitter::Undetermined } else { self.jitter },
            base_ms: self.base / 1e3,
            factor: self.factor.filter(|_| names_law),
            cap_ms: self.cap.filter(|_| names_law).map(|cap| cap / 1e3),
            operations: self.operations,
            mean_gaps_ms: self.means.clone(),
        }
    }

    /// Whether the variation is certainly below the limit of jitter.
    pub fn is_certainly_unjittered(&self) -> bool {
        self.variation.is_some_and(|variation| variation.high < self.noise)
    }

    /// Whether the variation is certainly small, or none.
    pub fn is_certainly_small(&self) -> bool {
        self.variation.is_some_and(|variation| variation.high < SMALL)
    }

    /// Whether the gaps certainly do not grow.
    pub fn is_certainly_fixed(&self) -> bool {
        // Two columns always lie on a line; and with much jitter a few thin ones may.
        let columns = |least: u64| self.means.iter().filter(|(_, count)| *count >= least).count();
        let is_told = match self.variation {
            None => columns(1) > 3,
            Some(variation) => variation.value < SMALL || columns(5) > 2,
        };
        self.shape == BackoffShape::Fixed && is_told && self.growth.is_some_and(|growth| growth.high < GROWTH)
    }

    /// How many retries of one operation were seen, of one or another.
    pub fn retries(&self) -> usize {
        self.means.iter().filter(|(_, count)| *count > 0).count()
    }

    /// Mean gap over the retries that wait, in milliseconds.
    pub fn mean_ms(&self) -> f64 {
        let (sum, count) = self.means.iter().fold((0.0, 0.0), |(sum, count), (mean, n)| {
            let n = *n as f64;
            (sum + mean * n, count + n)
        });
        sum / f64::max(count, 1.0)
    }
}

fn jitter(variation: f64, noise: f64) -> Jitter {
    match variation {
        v if v < noise => Jitter::None,
        v if v < SMALL => Jitter::Small,
        v if v < MEDIUM => Jitter::Medium,
        _ => Jitter::Full,
    }
}

/// The root mean square over columns of their variation, each weighed by its degrees of freedom.
fn variation(columns: &[Column]) -> Option<Interval> {
    let limit = IMMEDIATE.as_micros() as f64;
    let mut sum = 0.0;
    let mut freedom = 0.0;
    // A column of immediate retries varies by noise alone.
    let waiting = columns.iter().filter(|column| column.mean() >= limit);
    for (column, variation) in waiting.filter_map(|column| Some((column, column.variation()?))) {
        let weight = column.count as f64 - 1.0;
        sum += variation * variation * weight;
        freedom += weight;
    }
    (freedom > 0.0).then(|| {
        let value = (sum / freedom).sqrt();
        // Of the logarithm, as for a normal sample; bounded jitter has lighter tails than that.
        let error = (1.0 / (2.0 * freedom) + value * value / freedom).sqrt();
        let error = error * few(freedom);
        Interval { low: value * (-SURE * error).exp(), value, high: value * (SURE * error).exp(), freedom }
    })
}

/// Takes off the points after gaps have stopped growing, and says where they stopped (µs).
fn take_plateau(points: &mut Vec<Point>, variation: f64) -> Option<f64> {
    let mut cap = None;
    while let [first, .., before, last] = points.as_slice() {
        let error = variation * (1.0 / before.count + 1.0 / last.count).sqrt();
        // With little data everything may be a plateau: then none is taken off.
        let tolerance = if error > 0.1 { 0.0 } else { PLATEAU.max(2.0 * error) };
        let is_level = (last.mean / before.mean).ln().abs() <= tolerance;
        if !(is_level && before.mean > GROWTH * first.mean) {
            break;
        }
        cap = Some(last.mean);
        points.pop();
    }
    cap
}

/// exp of the Theil–Sen slope of ln mean against the retry.
fn growth(points: &[Point], variation: Option<Interval>) -> Option<Interval> {
    let mut slopes: Vec<f64> = Vec::new();
    for (at, left) in points.iter().enumerate() {
        slopes.extend(
            points
                .iter()
                .skip(at + 1)
                .map(|right| (right.mean / left.mean).ln() / (right.retry - left.retry)),
        );
    }
    let slope = median(&mut slopes)?;
    // Where there are too few operations for a variation, the residual of a straight line stands for it.
    let count = points.len() as f64;
    let middle = points.iter().map(|point| point.retry).sum::<f64>() / count;
    let level = points.iter().map(|point| point.mean.ln() - slope * point.retry).sum::<f64>() / count;
    let left_over =
        points.iter().map(|point| (point.mean.ln() - slope * point.retry - level).powi(2)).sum::<f64>();
    let scatter = (left_over / (count - 2.0).max(1.0)).sqrt();
    let spread: f64 = points.iter().map(|point| (point.retry - middle).powi(2)).sum();
    let errors = points.iter().map(|point| {
        let error = variation.map_or(scatter, |variation| variation.value / point.count.sqrt());
        ((point.retry - middle) * error / spread).powi(2)
    });
    let freedom = variation.map_or(count - 2.0, |variation| variation.freedom);
    let error = errors.sum::<f64>().sqrt() * few(freedom);
    let (low, high) = ((slope - SURE * error).exp(), (slope + SURE * error).exp());
    Some(Interval { low, value: slope.exp(), high, freedom })
}

/// By how much an error read off few gaps is too small: as wide as Student's t makes it, and wider, as
/// the logarithm of a small sample's mean is skewed.
fn few(freedom: f64) -> f64 {
    1.0 + 4.0 / freedom.max(0.5)
}

fn median(values: &mut [f64]) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    let high = *values.get(middle)?;
    let low = if values.len().is_multiple_of(2) { *values.get(middle.checked_sub(1)?)? } else { high };
    Some((low + high) / 2.0)
}

/// The shape, and the step from each gap to the next: a ratio, or milliseconds.
fn shape(points: &[Point], growth: Option<f64>) -> (BackoffShape, Option<f64>) {
    let Some(growth) = growth else { return (BackoffShape::Undetermined, None) };
    if growth < GROWTH {
        return (BackoffShape::Fixed, None);
    }
    let (linear, step) = linear(points);
    let (exponential, ratio) = exponential(points);
    // Two gaps fit both.
    if points.len() > 2 && linear < exponential {
        (BackoffShape::Linear, Some(step / 1e3))
    } else {
        (BackoffShape::Exponential, Some(ratio))
    }
}

/// Least squares of a + b·k: the sum of squared differences of logarithms, and b.
fn linear(points: &[Point]) -> (f64, f64) {
    let (level, slope) = least_squares(points, |mean| mean);
    let residuals = points.iter().map(|point| {
        let fitted = level + slope * point.retry;
        if fitted > 0.0 { (point.mean / fitted).ln().powi(2) } else { f64::INFINITY }
    });
    (residuals.sum(), slope)
}

/// Least squares of ln a + k·ln r: the sum of squared differences of logarithms, and r.
fn exponential(points: &[Point]) -> (f64, f64) {
    let (level, slope) = least_squares(points, f64::ln);
    let residuals = points.iter().map(|point| (point.mean.ln() - level - slope * point.retry).powi(2));
    (residuals.sum(), slope.exp())
}

fn least_squares(points: &[Point], of: impl Fn(f64) -> f64) -> (f64, f64) {
    let count = points.len().max(1) as f64;
    let retry = points.iter().map(|point| point.retry).sum::<f64>() / count;
    let value = points.iter().map(|point| of(point.mean)).sum::<f64>() / count;
    let spread: f64 = points.iter().map(|point| (point.retry - retry).powi(2)).sum();
    let together: f64 = points.iter().map(|point| (point.retry - retry) * (of(point.mean) - value)).sum();
    let slope = if spread > 0.0 { together / spread } else { 0.0 };
    (value - slope * retry, slope)
}
