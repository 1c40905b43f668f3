//! The rules of a running proxy, compiled: found by an index, and observed together.

use std::collections::HashMap;
use std::sync::Arc;

use super::active_rule::ActiveRule;
use super::clear::validator;
use super::counters::RuleCounters;
use super::observers::Observers;
use super::operation::StateScope;
use crate::matching::{Candidates, Match, RuleIndex};
use crate::model::{ClientIdSources, Facts, Moment};
use crate::rules::Rule;
use crate::rules::template::TemplateMistake;

/// Rules in file order, with the index that finds them.
pub struct RuleSet {
    rules: Box<[Arc<ActiveRule>]>,
    index: RuleIndex,
    observers: Observers,
}

impl RuleSet {
    /// Compiles rules; `seed` decides their draws, and `mark` whether their
    /// responses carry the `Fracas` header.
    pub fn new(rules: Vec<Rule>, seed: u64, mark: bool) -> Result<RuleSet, Vec<TemplateMistake>> {
        RuleSet::compile(rules, seed, mark, &HashMap::new())
    }

    /// Compiles rules that take the place of `previous`: one that keeps its name and its meaning keeps its counts,
    /// as it keeps its state, wherever it stands.
    pub fn succeeding(
        previous: &RuleSet,
        rules: Vec<Rule>,
        seed: u64,
        mark: bool,
    ) -> Result<RuleSet, Vec<TemplateMistake>> {
        let counters = previous.iter().map(|active| (active.scope(), &active.counters)).collect();
        RuleSet::compile(rules, seed, mark, &counters)
    }

    fn compile(
        rules: Vec<Rule>,
        seed: u64,
        mark: bool,
        counters: &HashMap<StateScope, &Arc<RuleCounters>>,
    ) -> Result<RuleSet, Vec<TemplateMistake>> {
        let mut mistakes = Vec::new();
        let mut active = Vec::with_capacity(rules.len());
        for rule in rules {
            match ActiveRule::new(rule, seed, mark) {
                Ok(mut rule) => {
                    if let Some(kept) = counters.get(&rule.scope()) {
                        rule.counters = Arc::clone(kept);
                    }
                    active.push(Arc::new(rule));
                }
                Err(wrong) => mistakes.extend(wrong),
            }
        }
        if !mistakes.is_empty() {
            return Err(mistakes);
        }
        let matches: Vec<&Match> = active.iter().map(|active| &active.rule.requests).collect();
        let index = RuleIndex::new(matches);
        let observers = Observers::new(&active);
        Ok(RuleSet { rules: active.into(), index, observers })
    }

    /// The rules in file order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &ActiveRule> {
        self.rules.iter().map(|active| &**active)
    }

    /// The rule at a position.
    pub fn get(&self, position: u32) -> Option<&Arc<ActiveRule>> {
        self.rules.get(position as usize)
    }

    /// Which exchanges are observed, and for which rules.
    pub fn observers(&self) -> &Observers {
        &self.observers
    }

    /// Whether there is nothing to decide.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// The positions of the rules that may match a request, in file order.
    pub fn candidates(&self, facts: &Facts<'_>) -> Candidates {
        self.index.candidates(facts)
    }

    /// Looks up all that rules may ask of a long body, so that judging by it takes no time.
    pub fn look_through(&self, facts: &Facts<'_>, identity: &ClientIdSources) {
        let reading = self.candidates(facts).filter_map(|position| self.get(position));
        for active in reading.filter(|active| active.reads_body(facts)) {
            if active.concern(facts, identity).is_ok() && active.judges_body() {
                validator(facts, active.rule.version_at());
            }
        }
        self.observers.observations(facts, identity, Moment(0));
        self.observers.readings(facts, identity);
    }
}
