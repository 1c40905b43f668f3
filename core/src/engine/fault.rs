//! Faults of traffic that passes: a rule with `pass` fires, and the request goes to the upstream all the same.

use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;

use super::active_rule::ActiveRule;
use crate::model::{Dice, Fingerprint, InjectedFault, KeyHash};
use crate::reply::Marker;
use crate::rules::{PassFaults, Rule};

/// The fault of one request, decided before it is forwarded.
pub struct PassingFault {
    pub active: Arc<ActiveRule>,
    /// Which of its key's requests this is, from 1.
    pub n: u64,
    pub key: KeyHash,
}

/// What a rule's faults are made from.
pub struct FaultSource {
    /// Of the jitter: independent of the draws that decide whether the rule fires.
    dice: Dice,
    /// `None` with `mark = false`.
    marker: Option<Marker>,
}

impl FaultSource {
    /// `None` for a rule that refuses.
    pub fn new(rule: &Rule, seed: u64, mark: bool) -> Option<Box<FaultSource>> {
        let faults = rule.pass.as_ref()?;
        // No rule has a name with a space.
        let dice = Dice::new(seed, &format!("{} pass", rule.name));
        let marker = mark.then(|| Marker::of_pass(&rule.name, faults));
        Some(Box::new(FaultSource { dice, marker }))
    }
}

impl PassingFault {
    /// The rule's settings.
    pub fn settings(&self) -> Option<&PassFaults> {
        self.active.rule.pass.as_deref()
    }

    /// Counts it, unless the rule's limit is reached.
    pub fn commits(&self) -> bool {
        self.active.counters.try_fire(self.active.rule.limit)
    }

    /// The wait before the response's head.
    pub fn delay(&self) -> Duration {
        let (Some(faults), Some(source)) = (self.settings(), &self.active.fault) else {
            return Duration::ZERO;
        };
        faults.delay + faults.jitter.mul_f64(source.dice.fraction(self.key, self.n))
    }

    /// For the journal; `key` is the hash that stands there for the rule's key.
    pub fn recorded(&self, key: Fingerprint, delay: Duration) -> InjectedFault {
        let delay = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX);
        let rule = (&*self.active.rule.name).into();
        InjectedFault { rule, n: self.n, key, delay, ..InjectedFault::default() }
    }

    /// The `Fracas` header of the response.
    pub fn marker(&self) -> Option<HeaderValue> {
        Some(self.active.fault.as_ref()?.marker.as_ref()?.value(self.n))
    }
}
