//! R13: clients that were refused together do not come back together.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::Tally;
use super::{CheckDefinition, CheckResult, Class, EvidenceSample, Measure, NeededTries, Products, id};
use crate::grading::backoff::IMMEDIATE;
use crate::grading::view::View;
use crate::grading::{Herd, Verdict};
use crate::model::Fingerprint;

pub(super) const HERD: CheckDefinition = CheckDefinition {
    id: id(13),
    anchor: "r13-herd",
    why: "Clients that were refused together and come back together are refused together again.",
    tries: NeededTries::First,
    products: Products::Any,
    judge,
};

/// Refused within this of each other is together (µs).
const TOGETHER: u64 = 20_000;
/// First retries are counted in windows of this much (µs), or of this share of the median gap.
const WINDOW: u64 = 20_000;
const WINDOW_SHARE: f64 = 0.05;
/// Refusals kept, the newest.
const MOST: usize = 1_000;
/// Smaller crowds say nothing, and those below the second number only something extreme: of five clients
/// with equal jitter, three meet one time in twenty.
const CROWD: u64 = 5;
const LARGE_CROWD: u64 = 10;
const HUGE_CROWD: u64 = 20;

/// First refusals, and how long after each the client came back.
#[derive(Clone, Debug, Default)]
pub struct Crowd {
    /// By when the response had gone and which operation it was: the client and its gap (µs).
    refusals: BTreeMap<(u64, u64), (Fingerprint, u64)>,
    has_forgotten: bool,
    pub evidence: EvidenceSample,
}

impl Measure for Crowd {
    fn see(&mut self, view: &View<'_>) {
        let first = view.retries().find(|retry| retry.step.retry == 1 && retry.is_timed());
        // The same Retry-After sends all clients back at the same time: no fault of theirs. An immediate
        // first retry is standard, and R6's.
        let Some(first) =
            first.filter(|retry| retry.before().got.retry_after.is_none() && retry.gap >= IMMEDIATE)
        else {
            return;
        };
        let gap = u64::try_from(first.gap.as_micros()).unwrap_or(u64::MAX);
        self.refusals.insert((first.before().end, view.operation.id), (view.operation.client, gap));
        if self.refusals.len() > MOST {
            self.refusals.pop_first();
            self.has_forgotten = true;
        }
    }

    fn samples(&self) -> impl Iterator<Item = &EvidenceSample> {
        [&self.evidence].into_iter()
    }
}

impl Crowd {
    /// Whether there were more refusals than are kept.
    pub fn has_forgotten(&self) -> bool {
        self.has_forgotten
    }

    /// Those that were refused together, each client with when it came back, sorted.
    fn crowds(&self) -> Vec<Vec<u64>> {
        let mut crowds = Vec::new();
        let mut crowd: Vec<u64> = Vec::new();
        let mut clients = BTreeSet::new();
        let mut begun = None;
        for (&(end, _), &(client, gap)) in &self.refusals {
            if begun.is_some_and(|begun| end - begun > TOGETHER) {
                crowds.push(std::mem::take(&mut crowd));
                clients.clear();
                begun = None;
            }
            begun.get_or_insert(end);
            if clients.insert(client) {
                crowd.push(end.saturating_add(gap));
            }
        }
        crowds.push(crowd);
        crowds.iter_mut().for_each(|crowd| crowd.sort_unstable());
        crowds
    }

    /// Those of at least [`CROWD`] clients.
    fn large_crowds(&self) -> Vec<Vec<u64>> {
        let mut crowds = self.crowds();
        crowds.retain(|crowd| crowd.len() as u64 >= CROWD);
        crowds
    }

    /// The most clients that were ever refused together.
    fn largest(&self) -> usize {
        self.crowds().iter().map(Vec::len).max().unwrap_or(0)
    }

    /// The largest crowd, and how it came back.
    pub fn herd(&self) -> Option<Herd> {
        let crowds = self.large_crowds();
        let crowd = crowds.iter().max_by_key(|crowd| crowd.len())?;
        let window = window(&self.gaps());
        let (first, last) = (*crowd.first()?, *crowd.last()?);
        let bar = ((last - first) / Herd::MOST_BARS as u64 + 1).max(WINDOW / 4);
        let mut bars = vec![0; ((last - first) / bar + 1) as usize];
        for back in crowd {
            if let Some(bar) = bars.get_mut(((back - first) / bar) as usize) {
                *bar += 1;
            }
        }
        Some(Herd {
            clients: crowd.len() as u64,
            index: index(crowd, window),
            window_ms: window as f64 / 1e3,
            bar_ms: bar as f64 / 1e3,
            first_retries: bars,
        })
    }

    fn gaps(&self) -> Vec<u64> {
        self.refusals.values().map(|(_, gap)| *gap).collect()
    }
}

/// The herd index: the largest share of first retries, sorted, inside any one window.
pub fn index(back: &[u64], window: u64) -> f64 {
    let mut most = 0;
    let mut from = 0;
    for (at, &last) in back.iter().enumerate() {
        while back.get(from).is_some_and(|first| last - first > window) {
            from += 1;
        }
        most = most.max(at + 1 - from);
    }
    most as f64 / back.len().max(1) as f64
}

fn window(gaps: &[u64]) -> u64 {
    WINDOW.max((median(gaps) as f64 * WINDOW_SHARE) as u64)
}

fn median(gaps: &[u64]) -> u64 {
    let mut gaps = gaps.to_vec();
    gaps.sort_unstable();
    gaps.get(gaps.len() / 2).copied().unwrap_or(0)
}

fn judge(tally: &Tally, _: &Class) -> Option<CheckResult> {
    let crowd = &tally.crowd;
    if crowd.refusals.is_empty() {
        return None;
    }
    let crowds = crowd.large_crowds();
    let window = window(&crowd.gaps());
    let large: Vec<&Vec<u64>> = crowds.iter().filter(|crowd| crowd.len() as u64 >= LARGE_CROWD).collect();
    let judged: Vec<&Vec<u64>> = if large.is_empty() { crowds.iter().collect() } else { large };
    // The one in the middle: chance makes some crowds denser than others.
    let mut indices: Vec<f64> = judged.iter().map(|crowd| index(crowd, window)).collect();
    indices.sort_by(f64::total_cmp);
    let Some(&middle) = indices.get(indices.len() / 2) else {
        let measured = format!("needs {CROWD} clients refused at once, saw {}", crowd.largest());
        let settle = format!(
            "{CROWD} clients that are refused within {} would show it",
            super::wait(Duration::from_micros(TOGETHER))
        );
        return Some(CheckResult::undetermined(measured, settle));
    };
    let clients = judged.iter().map(|crowd| crowd.len()).min().unwrap_or(0) as u64;
    let said = format!(
        "{:.0} % of {clients} clients or more came back within {}",
        middle * 100.0,
        super::wait(Duration::from_micros(window))
    );
    let advice =
        "vary the first wait by chance (full jitter), so that clients refused together come back apart";
    // Among short waits many meet in a window of 20 ms, however they are drawn.
    let is_crowded = window as f64 > 0.1 * median(&crowd.gaps()) as f64;
    let fails = fails_at(clients, indices.len());
    let judged = if is_crowded && middle >= 0.35 {
        CheckResult::undetermined(said, "first waits of more than 200 ms would tell chance from a herd")
    } else if middle >= fails {
        CheckResult::fail(said).advice(advice)
    } else if middle < 0.35 {
        CheckResult::pass(said)
    } else if clients >= HUGE_CROWD {
        CheckResult::warn(said).advice(advice)
    } else {
        CheckResult::undetermined(said, "a crowd of fifty clients would tell chance from a herd")
    };
    let judged = judged.number(middle, 0.35, "share").shown_by(&crowd.evidence);
    let is_forgetful = judged.verdict == Verdict::Pass && crowd.has_forgotten();
    Some(if is_forgetful {
        judged.doubted("a shorter run: only the newest refusals were kept")
    } else {
        judged
    })
}

/// From which index on chance is ruled out, by the clients of the smallest crowd and the number of crowds.
fn fails_at(clients: u64, crowds: usize) -> f64 {
    match (clients, crowds) {
        // Once in a few thousand crowds of five, four meet by chance.
        (..LARGE_CROWD, ..3) => f64::INFINITY,
        (..LARGE_CROWD, _) => 0.8,
        // Of ten clients with equal jitter half meet now and then.
        (..HUGE_CROWD, ..3) => 0.7,
        _ => 0.5,
    }
}
