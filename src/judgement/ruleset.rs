//! The rules of a running proxy, compiled: what is looked up, drawn and answered for each.

use super::reply::CompiledReply;
use crate::matching::{Match, RuleIndex};
use crate::rules::Rule;
use crate::rules::template::TemplateMistake;
use crate::words::{Dice, Facts, Moment};

/// Rules in file order, with the index that finds them.
pub struct RuleSet {
    rules: Box<[ActiveRule]>,
    index: RuleIndex,
}

/// A rule, ready to judge and to answer.
pub struct ActiveRule {
    pub rule: Rule,
    pub reply: CompiledReply,
    pub dice: Dice,
    /// Whether it cannot be decided without the request's body.
    pub reads_body: bool,
}

impl RuleSet {
    /// Compiles rules; `seed` decides their draws, and `mark` whether their
    /// answers carry the `Fracas` header.
    pub fn new(rules: Vec<Rule>, seed: u64, mark: bool) -> Result<RuleSet, Vec<TemplateMistake>> {
        let mut mistakes = Vec::new();
        let mut active = Vec::with_capacity(rules.len());
        for rule in rules {
            match CompiledReply::new(&rule, mark) {
                Ok(reply) => active.push(ActiveRule {
                    dice: Dice::new(seed, &rule.name),
                    reads_body: rule.requests.reads_body() || rule.per.reads_body(),
                    reply,
                    rule,
                }),
                Err(wrong) => mistakes.extend(wrong),
            }
        }
        if !mistakes.is_empty() {
            return Err(mistakes);
        }
        let matches: Vec<&Match> = active.iter().map(|active| &active.rule.requests).collect();
        let index = RuleIndex::new(matches);
        Ok(RuleSet { rules: active.into(), index })
    }

    /// The rules in file order.
    pub fn iter(&self) -> impl Iterator<Item = &ActiveRule> {
        self.rules.iter()
    }

    /// Whether there is nothing to decide.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// The rules that may match a request, with their positions, in file order.
    pub fn candidates<'s>(
        &'s self,
        facts: &Facts<'_>,
    ) -> impl Iterator<Item = (u32, &'s ActiveRule)> + use<'s> {
        self.index
            .candidates(facts)
            .filter_map(|position| Some((position, self.rules.get(position as usize)?)))
    }
}

impl ActiveRule {
    /// Whether the rule takes part at `now`.
    pub fn is_awake(&self, now: Moment) -> bool {
        self.rule.enabled && self.rule.during.is_none_or(|during| during.is_awake(now))
    }
}
