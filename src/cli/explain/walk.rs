//! The requests' way through the rules.

use crate::judgement::{ActiveRule, RuleSet, Unconcerned};
use crate::proxy::{Tally, judge};
use crate::rules::Settings;
use crate::store::{Slot, Store};
use crate::words::{Facts, Key, KeyHash, KeyPart, Moment};

/// What became of the requests, and what each rule said of them.
pub struct Walked {
    /// How many requests there were.
    pub times: u32,
    /// One for each rule, in file order.
    pub rules: Vec<Said>,
    /// Which rule answered, for the first [`SHOWN`] requests; `None`: the upstream.
    pub first: Vec<Option<usize>>,
    /// How many requests the upstream answered.
    pub passed: u32,
}

/// Requests that are told one by one.
pub const SHOWN: usize = 10;

/// What a rule said.
pub enum Said {
    /// It leaves such requests alone; says why.
    No(String),
    Matches(Outcomes),
}

/// What a rule that matches said of each request.
#[derive(Default)]
pub struct Outcomes {
    /// Of the first [`SHOWN`] requests.
    pub first: Vec<Outcome>,
    pub passes: u32,
    pub conflicts: u32,
    /// Requests that an earlier rule answered.
    pub unreached: u32,
}

/// What a rule said of one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Passes { n: u64 },
    Conflicts { n: u64 },
    Unreached,
}

/// Sends `times` such requests through the rules, all in the proxy's first moment.
pub fn walk(rules: &RuleSet, facts: &Facts<'_>, settings: &Settings, times: u32) -> Walked {
    let now = Moment::default();
    let store = Store::new(settings.limits.keys, settings.limits.key_ttl);
    let tallies: Vec<Tally> = rules.iter().map(|_| Tally::default()).collect();
    let mut said = Vec::new();
    let mut reached = Vec::new();
    for (at, active) in rules.iter().enumerate() {
        match concern(active, facts, settings, now) {
            Ok(key) => {
                reached.push((at, active, key));
                said.push(Said::Matches(Outcomes::default()));
            }
            Err(why) => said.push(Said::No(why)),
        }
    }
    let mut walked = Walked { times, rules: said, first: Vec::new(), passed: 0 };
    for _ in 0..times {
        let mut answered = None;
        for &(at, active, key) in &reached {
            let outcome = match (answered, tallies.get(at)) {
                (None, Some(tally)) => {
                    let judged = judge(&store, tally, Slot(at as u32), active, key, now);
                    match judged.conflicts {
                        true => Outcome::Conflicts { n: judged.n },
                        false => Outcome::Passes { n: judged.n },
                    }
                }
                _ => Outcome::Unreached,
            };
            if matches!(outcome, Outcome::Conflicts { .. }) {
                answered = Some(at);
            }
            if let Some(Said::Matches(outcomes)) = walked.rules.get_mut(at) {
                outcomes.add(outcome);
            }
        }
        walked.passed += u32::from(answered.is_none());
        if walked.first.len() < SHOWN {
            walked.first.push(answered);
        }
    }
    walked
}

impl Outcomes {
    fn add(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Passes { .. } => self.passes += 1,
            Outcome::Conflicts { .. } => self.conflicts += 1,
            Outcome::Unreached => self.unreached += 1,
        }
        if self.first.len() < SHOWN {
            self.first.push(outcome);
        }
    }
}

/// The key that the rule counts the request under, or why it leaves it alone.
fn concern(
    active: &ActiveRule,
    facts: &Facts<'_>,
    settings: &Settings,
    now: Moment,
) -> Result<KeyHash, String> {
    if !active.rule.enabled {
        return Err("it is not enabled".to_owned());
    }
    if !active.is_awake(now) {
        return Err("it sleeps when the proxy starts (`during`)".to_owned());
    }
    match active.concern(facts, &settings.client_id) {
        Ok(concern) => Ok(concern.key),
        Err(Unconcerned::Mismatch(mismatch)) => Err(mismatch.to_string()),
        Err(Unconcerned::NoKey) => {
            let lacks = |part: &&KeyPart| {
                let captures = active.rule.requests.check(facts).unwrap_or_default();
                Key(vec![(*part).clone()]).hash(facts, &captures, &settings.client_id).is_none()
            };
            let part = active.rule.per.0.iter().find(lacks);
            let part = part.map_or_else(|| "its key".to_owned(), ToString::to_string);
            Err(format!("the request lacks {part}, which the rule counts per"))
        }
    }
}
