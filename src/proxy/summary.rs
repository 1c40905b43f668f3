//! The rules' effects, for the proxy's operator.

use std::collections::HashMap;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, OnceLock};

use super::shared::Shared;
use crate::engine::{ActiveRule, Came, StateScope};
use crate::grading::CommandEnd;
use crate::journal::{AtEnd, Ending};
use crate::rules::{Clear, Trigger};

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
    /// Keys of state evicted because there were too many.
    pub evicted: u64,
    /// Operations on the state that failed: rules left those requests alone.
    pub state_failures: u64,
}

/// One rule's effects.
#[derive(Clone, Debug)]
pub struct RuleSummary {
    pub name: Arc<str>,
    pub trigger: Trigger,
    pub matched: u64,
    pub fired: u64,
    /// Whether those that fired passed, with faults.
    pub passes: bool,
    /// In the end: conflicts that have begun and not been cleared; `None` without `clear`.
    pub open: Option<u64>,
    /// How often each of the rule's `replies` was taken; empty for a rule without them.
    pub by_reply: Vec<u64>,
    /// Responses of the upstream that the rule could not look at.
    pub unread_responses: u64,
    /// For a rule that matched requests and never learned a version: which places were empty.
    pub unlearned: Option<String>,
}

impl Shared {
    pub fn count_open(&self, summary: &mut Summary) {
        let snapshot = self.snapshots.latest();
        let mut open: HashMap<StateScope, (Clear, u64)> = HashMap::new();
        open.extend(
            snapshot.rules.iter().filter_map(|active| Some((active.scope(), (active.rule.clear()?, 0)))),
        );
        let now = self.clock.now();
        self.state.store.each(&mut |key, entry| {
            if let Some((clear, open)) = open.get_mut(&key.scope())
                && entry.is_open(*clear, None, now)
            {
                *open += 1;
            }
        });
        for (active, summary) in snapshot.rules.iter().zip(&mut summary.rules) {
            summary.open = open.get(&active.scope()).map(|(_, open)| *open);
        }
    }

    /// The journal's last record: why rules did not fire, the first of them in file order.
    pub fn at_end(self: &Arc<Shared>, command: Arc<OnceLock<(CommandEnd, u64)>>) -> AtEnd {
        /// Maximum number of rules told about: more would not be read.
        const MOST_IDLE: usize = 20;
        let shared = Arc::clone(self);
        Box::new(move |attempts| {
            let snapshot = shared.snapshots.latest();
            let rules = (0..).zip(snapshot.rules.iter());
            let idle: Vec<_> =
                rules.filter(|(_, active)| active.counters.fired() == 0).take(MOST_IDLE).collect();
            // The record is not searched where every rule fired.
            let came = match idle.is_empty() {
                true => Came::default(),
                false => Came::of(attempts.iter().map(|attempt| &**attempt)),
            };
            let why = |(rule, active): (u32, &ActiveRule)| {
                let counters = &active.counters;
                (
                    rule,
                    came.why_not(
                        &active.rule,
                        counters.matched(),
                        &counters.near_misses(),
                        &counters.versions,
                    ),
                )
            };
            let (command, command_ended) = command.get().copied().unzip();
            Ending { idle: idle.into_iter().map(why).collect(), command, command_ended }
        })
    }

    pub fn summary(&self) -> Summary {
        let snapshot = self.snapshots.latest();
        let rules = snapshot.rules.iter().map(|active| RuleSummary {
            name: Arc::clone(&active.rule.name),
            trigger: active.rule.trigger.clone(),
            matched: active.counters.matched(),
            fired: active.counters.fired(),
            passes: active.rule.pass.is_some(),
            open: None,
            by_reply: active.counters.by_reply(),
            unread_responses: active.counters.unread_responses(),
            unlearned: active.unlearned(),
        });
        Summary {
            rules: rules.collect(),
            requests: self.counters.requests.load(Relaxed),
            failures: self.counters.failures.load(Relaxed),
            replays: self.counters.replays.load(Relaxed),
            panics: self.counters.panics.load(Relaxed),
            evicted: self.state.store.evicted(),
            state_failures: self.state.failures(),
        }
    }
}
