//! One class of clients: its tallies, whole and by rule, and the samples that a report plots.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::Hasher;

use siphasher::sip::SipHasher13;

use super::super::checks::Tally;
use super::super::checks::{Class, EvidenceSample, waiting};
use super::super::view::{Retry, Scope, View};
use super::super::{ClientReport, Finding, Gap, OperationOutcome, Verdict};
use crate::model::{AskedWait, Attempt, Fingerprint};

/// Clients of one product.
#[derive(Clone, Debug)]
pub(super) struct ClassTally {
    all: Tally,
    /// One for each part of the record that leaves rules out.
    excepts: Vec<Tally>,
    /// Those that `[expect]` asks about, and the first [`MOST_RULES`] others.
    rules: BTreeMap<Box<str>, Tally>,
    clients: BTreeSet<Fingerprint>,
    /// Some of its operations without trouble are counted elsewhere.
    is_partial: bool,
    /// One of its operations was refused something.
    is_troubled: bool,
    /// One of them: the next operation is often of the same.
    latest: Option<Fingerprint>,
    operations: u64,
    conflicted: u64,
    conflicted_upstream: u64,
    recovered: u64,
    gave_up: u64,
    unfinished: u64,
    tries: u64,
    /// An even sample: the gaps with the smallest hashes.
    gaps: BTreeMap<u64, Gap>,
    /// The longest operations, beside those that findings name.
    longest: EvidenceSample,
}

/// Rules told apart for one class, beside those that are asked about.
const MOST_RULES: usize = 32;
/// Distinct clients counted; more are as good as this many.
const MOST_CLIENTS: usize = ClientReport::MOST_CLIENTS;

impl ClassTally {
    pub fn new(excepts: usize, is_partial: bool) -> ClassTally {
        ClassTally {
            all: Tally::default(),
            excepts: vec![Tally::default(); excepts],
            rules: BTreeMap::new(),
            clients: BTreeSet::new(),
            is_partial,
            is_troubled: false,
            latest: None,
            operations: 0,
            conflicted: 0,
            conflicted_upstream: 0,
            recovered: 0,
            gave_up: 0,
            unfinished: 0,
            tries: 0,
            gaps: BTreeMap::new(),
            longest: EvidenceSample::default(),
        }
    }

    /// Adds an operation, and says whether a report could show it.
    pub fn see(&mut self, view: &View<'_>, excepts: &[Scope], is_asked: &dyn Fn(&str) -> bool) -> bool {
        let operation = view.operation;
        self.count(view);
        self.all.see(view);
        for (scope, tally) in excepts.iter().zip(&mut self.excepts) {
            if let Some(part) = view.within(scope) {
                tally.see(&part);
            }
        }
        let conflicts = operation.tries.iter().filter_map(|tried| tried.attempt.conflict.as_ref());
        let met: BTreeSet<&str> = conflicts.map(|conflict| &*conflict.rule).collect();
        for rule in &met {
            let few = self.rules.len() < MOST_RULES;
            if !self.rules.contains_key(*rule) && (few || is_asked(rule)) {
                self.rules.insert((*rule).into(), Tally::default());
            }
            let part = view.within(&Scope::Rule((*rule).into()));
            if let (Some(part), Some(tally)) = (part, self.rules.get_mut(*rule)) {
                tally.see(&part);
            }
        }
        if view.steps.is_empty() {
            return false;
        }
        self.is_troubled = true;
        self.longest.offer(operation.count, operation.id);
        let of_rules = met.iter().filter_map(|rule| self.rules.get(*rule));
        let tallies = std::iter::once(&self.all).chain(&self.excepts).chain(of_rules);
        let mut named = tallies.flat_map(Tally::evidence).chain(self.longest.ids());
        named.any(|id| id == operation.id)
    }

    /// Whether none of its operations met trouble.
    pub fn is_idle(&self) -> bool {
        !self.is_troubled
    }

    pub fn is_partial(&self) -> bool {
        self.is_partial
    }

    /// Adds a class that is idle.
    pub fn add_idle(&mut self, other: ClassTally) {
        self.all.add_idle(&other.all);
        self.excepts.iter_mut().zip(&other.excepts).for_each(|(own, other)| own.add_idle(other));
        self.operations += other.operations;
        let room = MOST_CLIENTS.saturating_sub(self.clients.len());
        self.clients.extend(other.clients.into_iter().take(room));
    }

    /// As [`ClassTally::see`], of an operation of one attempt that met no trouble.
    pub fn see_plain(&mut self, attempt: &Attempt) {
        self.count_one(attempt.client);
        // No rule refused it.
        std::iter::once(&mut self.all).chain(&mut self.excepts).for_each(|tally| tally.see_plain(attempt));
    }

    fn count_one(&mut self, client: Fingerprint) {
        if self.latest != Some(client) && self.clients.len() < MOST_CLIENTS {
            self.clients.insert(client);
            self.latest = Some(client);
        }
        self.operations += 1;
    }

    fn count(&mut self, view: &View<'_>) {
        let operation = view.operation;
        self.count_one(operation.client);
        if operation.met_conflict() {
            self.conflicted += 1;
            self.tries += operation.count;
            match operation.outcome {
                OperationOutcome::Recovered | OperationOutcome::Untroubled => self.recovered += 1,
                OperationOutcome::GaveUp => self.gave_up += 1,
                OperationOutcome::Unfinished => self.unfinished += 1,
            }
        } else if operation.met_upstream_conflict() {
            self.conflicted_upstream += 1;
        }
        for retry in view.retries().filter(Retry::is_timed) {
            let mut hasher = SipHasher13::new();
            hasher.write_u64(retry.after().id.to_le());
            let asked = retry.before().got.retry_after;
            self.gaps.insert(
                hasher.finish(),
                Gap {
                    retry: retry.step.retry as u64,
                    gap_ms: retry.gap.as_secs_f64() * 1e3,
                    asked_ms: asked.map(AskedWait::millis),
                },
            );
            if self.gaps.len() > ClientReport::MOST_GAPS {
                self.gaps.pop_last();
            }
        }
    }

    /// The tally of a part of the record.
    pub fn within(&self, scope: &Scope, excepts: &[Scope]) -> Option<&Tally> {
        match scope {
            Scope::All => Some(&self.all),
            Scope::Rule(rule) => self.rules.get(rule),
            Scope::Except(_) => {
                let at = excepts.iter().position(|except| except == scope)?;
                self.excepts.get(at)
            }
        }
    }

    pub fn rules(&self) -> impl Iterator<Item = (&Box<str>, &Tally)> {
        self.rules.iter()
    }

    pub fn clients(&self) -> u64 {
        self.clients.len() as u64
    }

    pub fn tallies(&self) -> impl Iterator<Item = &Tally> {
        std::iter::once(&self.all).chain(&self.excepts).chain(self.rules.values())
    }

    pub fn client(
        &self,
        agent: &str,
        class: &Class,
        verdict: Verdict,
        findings: Vec<Finding>,
    ) -> ClientReport {
        let mut gaps: Vec<Gap> = self.gaps.values().copied().collect();
        gaps.sort_by(|a, b| a.retry.cmp(&b.retry).then(a.gap_ms.total_cmp(&b.gap_ms)));
        ClientReport {
            agent: agent.to_owned(),
            clients: self.clients(),
            operations: self.operations,
            conflicted: self.conflicted,
            conflicted_upstream: self.conflicted_upstream,
            recovered: self.recovered,
            gave_up: self.gave_up,
            unfinished: self.unfinished,
            tries: self.tries,
            verdict,
            backoff: waiting::told(&self.all, class),
            gaps,
            herd: self.all.crowd.herd(),
            findings,
        }
    }
}
