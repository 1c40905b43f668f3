//! The rules' effects, for the proxy's operator.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, OnceLock};

use super::counters::Tally;
use super::shared::Shared;
use crate::engine::{ActiveRule, Came};
use crate::grading::CommandEnd;
use crate::journal::{AtEnd, Ending};
use crate::rules::Trigger;

/// The rules' effects.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    pub rules: Vec<RuleSummary>,
    pub requests: u64,
    /// Requests without a response from the upstream.
    pub failures: u64,
    /// Requests that went to the upstream once more, as their first connection had proved stale.
    pub replays: u64,
    pub panics: u64,
    /// Keys of state forgotten because there were too many.
    pub evicted: u64,
}

/// One rule's effects.
#[derive(Clone, Debug)]
pub struct RuleSummary {
    pub name: Arc<str>,
    pub trigger: Trigger,
    pub matched: u64,
    pub fired: u64,
    /// In the end: conflicts that have begun and not been cleared; `None` without `clear`.
    pub open: Option<u64>,
}

impl Shared {
    pub fn count_open(&self, summary: &mut Summary) {
        let clear = |rule: u32| self.rules.get(rule).and_then(|active| active.rule.clear());
        for (rule, summary) in (0..).zip(&mut summary.rules) {
            summary.open = clear(rule).map(|_| 0);
        }
        self.store.each_open(self.clock.now(), &clear, &mut |rule| {
            let open = summary.rules.get_mut(rule as usize).and_then(|summary| summary.open.as_mut());
            open.into_iter().for_each(|open| *open += 1);
        });
    }

    /// The journal's last record: why rules did not fire, the first of them in file order.
    pub fn at_end(self: &Arc<Shared>, command: Arc<OnceLock<CommandEnd>>) -> AtEnd {
        /// Rules that are spoken of: more would not be read.
        const MOST_IDLE: usize = 20;
        let shared = Arc::clone(self);
        Box::new(move |attempts| {
            let rules = (0..).zip(shared.rules.iter().zip(&shared.tallies));
            let idle: Vec<_> = rules.filter(|(_, (_, tally))| tally.fired() == 0).take(MOST_IDLE).collect();
            // Nothing is looked through where every rule did its part.
            let came = match idle.is_empty() {
                true => Came::default(),
                false => Came::of(attempts.iter().map(|attempt| &**attempt)),
            };
            let why = |(rule, (active, tally)): (u32, (&ActiveRule, &Tally))| {
                (rule, came.why_not(&active.rule, tally.matched(), &tally.near_misses()))
            };
            Ending { idle: idle.into_iter().map(why).collect(), command: command.get().copied() }
        })
    }

    pub fn summary(&self) -> Summary {
        let rules = self.rules.iter().zip(&self.tallies).map(|(active, tally)| RuleSummary {
            name: Arc::clone(&active.rule.name),
            trigger: active.rule.trigger.clone(),
            matched: tally.matched(),
            fired: tally.fired(),
            open: None,
        });
        Summary {
            rules: rules.collect(),
            requests: self.counters.requests.load(Relaxed),
            failures: self.counters.failures.load(Relaxed),
            replays: self.counters.replays.load(Relaxed),
            panics: self.counters.panics.load(Relaxed),
            evicted: self.store.evicted(),
        }
    }
}
