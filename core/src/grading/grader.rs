//! The grader: operations in, a report out, at any time.

mod class;
mod places;
mod record;

use std::collections::BTreeMap;

use self::class::ClassTally;
use self::places::Classes;
pub use self::record::{Extent, Missing, RecordExtent};
use super::checks::Tally;
use super::checks::{CHECKS, CheckDefinition, CheckResult, Class};
use super::criteria::{Criteria, Criterion, RuleCriteria};
use super::evidence_store::EvidenceStore;
use super::recent_activity::RecentActivity;
use super::view::{Kill, Scope, View};
use super::{
    ClientReport, Expectation, Finding, Operation, OperationOutcome, Report, RuleReport, RunReport, Totals,
    Verdict, dialect, expectations,
};
use crate::model::Attempt;
use crate::rules::Grade;

/// The class of clients without a `User-Agent`.
const NO_AGENT: &str = "-";

/// Grades operations as they close. Its memory is bounded: sums, a sample of gaps and a few operations
/// for each class of clients, of which `places` tells 32 apart.
#[derive(Clone, Debug)]
pub struct Grader {
    asked: Criteria,
    asks: Vec<Criterion>,
    /// Parts of the record that some key is about because rules have their own.
    excepts: Vec<Scope>,
    by_rule: BTreeMap<Box<str>, RuleCriteria>,
    classes: Classes,
    company: RecentActivity,
    kept: EvidenceStore,
    totals: Totals,
    /// First start and last end, in µs.
    span: Option<(u64, u64)>,
    /// As [`View::killed`].
    killed: Option<Kill>,
}

impl Grader {
    /// The version of [`Report`].
    const VERSION: u32 = 1;

    pub fn new(asked: Criteria) -> Grader {
        let asks = asked.asks();
        let of_checks = CHECKS.iter().map(|check| asked.scope_of_check(check.id));
        let mut excepts: Vec<Scope> = Vec::new();
        for scope in asks.iter().map(|ask| ask.scope.clone()).chain(of_checks) {
            if matches!(scope, Scope::Except(_)) && !excepts.contains(&scope) {
                excepts.push(scope);
            }
        }
        let by_rule = asked.rules.iter().map(|rule| (rule.rule.clone(), rule.clone())).collect();
        Grader {
            asked,
            asks,
            classes: Classes::new(excepts.len()),
            excepts,
            by_rule,
            company: RecentActivity::default(),
            kept: EvidenceStore::default(),
            totals: Totals::default(),
            span: None,
            killed: None,
        }
    }

    /// Says how the command was killed in which the clients ran, before the operations that it left open are graded.
    pub(super) fn command_killed(&mut self, killed: Kill) {
        self.killed = Some(killed);
    }

    /// Grades an operation that has closed.
    pub fn see(&mut self, operation: &Operation) {
        self.count(operation);
        let client = operation.client;
        let names_read = |rule: &str| self.by_rule.get(rule).is_some_and(|rule| rule.names_read);
        let view = View::new(operation, |from, to| self.company.between(client, from, to), names_read);
        let view = View { killed: self.killed, ..view };
        let agent = operation.agent().unwrap_or(NO_AGENT);
        let class = self.classes.of(agent, !view.steps.is_empty());
        let is_asked = |rule: &str| self.by_rule.get(rule).is_some_and(RuleCriteria::asks_anything);
        if class.see(&view, &self.excepts, &is_asked) {
            self.kept.keep(operation);
        }
        self.company.note(operation);
        if self.kept.is_full() {
            let named = self
                .classes
                .iter()
                .flat_map(|(_, class, _)| class.tallies())
                .flat_map(Tally::evidence)
                .collect();
            self.kept.clear(&named);
        }
    }

    /// As [`Grader::see`], of an operation of one attempt that met no trouble: by far the most.
    pub(super) fn see_plain(&mut self, attempt: &Attempt) {
        self.totals.operations += 1;
        self.stretch(attempt.start, attempt.end);
        let agent = attempt.agent.as_deref().unwrap_or(NO_AGENT);
        match self.classes.placed(agent) {
            Some(class) => class.see_plain(attempt),
            None => self.classes.of(agent, false).see_plain(attempt),
        }
        self.company.note_plain(attempt);
    }

    fn count(&mut self, operation: &Operation) {
        let totals = &mut self.totals;
        totals.operations += 1;
        if operation.met_conflict() {
            totals.conflicted += 1;
            match operation.outcome {
                OperationOutcome::Recovered | OperationOutcome::Untroubled => totals.recovered += 1,
                OperationOutcome::GaveUp => totals.gave_up += 1,
                OperationOutcome::Unfinished => totals.unfinished += 1,
            }
        } else if operation.met_upstream_conflict() {
            totals.conflicted_upstream += 1;
        }
        let start = operation.tries.first().map(|first| first.attempt.start);
        let end = operation.tries.iter().map(|tried| tried.attempt.end).max();
        if let (Some(start), Some(end)) = (start, end) {
            self.stretch(start, end);
        }
    }

    fn stretch(&mut self, start: u64, end: u64) {
        let (first, last) = self.span.unwrap_or((start, end));
        self.span = Some((first.min(start), last.max(end)));
    }

    /// The report so far.
    pub fn report(&self, record: &RecordExtent) -> Report {
        let (first, last) = self.span.unwrap_or_default();
        let totals = Totals {
            attempts: record.attempts,
            dropped: record.missing.dropped,
            lost_lines: record.missing.lost_lines,
            incomplete: record.extent() != Extent::Whole,
            evicted: record.evicted,
            other_clients: self.classes.others(),
            unanswered: record.unanswered,
            elapsed_ms: last.saturating_sub(first) / 1_000,
            ..self.totals.clone()
        };
        let untested = untested(&totals, &record.rules);
        let mut clients: Vec<ClientReport> =
            self.classes.iter().map(|class| self.client(class, record)).collect();
        if untested.is_some() {
            // Where requests came once each, not even a failure of the upstream's was taken well.
            let came_once = totals.attempts == totals.operations;
            clients.iter_mut().for_each(|client| take_passes_back(client, came_once));
        }
        clients
            .sort_by_key(|client| (std::cmp::Reverse(client.verdict), std::cmp::Reverse(client.conflicted)));
        let expectations = self.expectations(&record.rules, record.extent());
        let verdict = if expectations.is_empty() {
            // A client that met no conflict has not taken any well.
            let has_met = |client: &&ClientReport| {
                client.verdict != Verdict::Pass || client.conflicted + client.conflicted_upstream > 0
            };
            worst(clients.iter().filter(has_met).map(|client| client.verdict))
        } else {
            expectations.iter().map(|expectation| expectation.verdict).max().unwrap_or(Verdict::Undetermined)
        };
        // Clients that fell short at the upstream's own conflicts were tested by them.
        let untested = untested.filter(|_| totals.conflicted_upstream == 0 || verdict != Verdict::Fail);
        let verdict = match verdict {
            Verdict::Pass if untested.is_some() => Verdict::Undetermined,
            verdict => verdict,
        };
        let findings = clients.iter().flat_map(|client| &client.findings);
        let unmet = expectations.iter().filter(|expectation| expectation.verdict != Verdict::Pass);
        let asked = unmet.flat_map(|expectation| expectation.operations.iter().copied());
        let mut report = Report {
            version: Grader::VERSION,
            verdict,
            totals,
            operations: self.kept.report(findings, asked),
            clients,
            rules: record.rules.clone(),
            expectations,
            untested,
            around: record.around.clone(),
            exit: None,
            run: RunReport::default(),
        };
        report.hold_clients();
        report
    }

    fn client(&self, class: (&str, &ClassTally, bool), record: &RecordExtent) -> ClientReport {
        let (agent, tally, _) = class;
        let extent = record.extent();
        let mut findings = Vec::new();
        for check in CHECKS {
            let all = tally.within(&self.asked.scope_of_check(check.id), &self.excepts);
            let word = all.and_then(|all| check.judge(all, &self.class(class, None)));
            findings
                .extend(word.and_then(|judged| self.finding(check, None, extent.holds(check.id, judged))));
            // In file order; a rule that the record does not list comes last.
            let mut rules: Vec<(&Box<str>, &Tally)> = tally.rules().collect();
            let place =
                |rule: &str| record.rules.iter().position(|known| known.name == rule).unwrap_or(usize::MAX);
            rules.sort_by_key(|(rule, _)| place(rule));
            for (rule, of_rule) in rules {
                let word = check.judge(of_rule, &self.class(class, Some(rule)));
                findings.extend(
                    word.and_then(|judged| self.finding(check, Some(rule), extent.holds(check.id, judged))),
                );
            }
        }
        let verdict = worst(findings.iter().map(|finding| finding.verdict));
        let mut client = tally.client(agent, &self.class(class, None), verdict, findings);
        if client.verdict == Verdict::Pass && !has_shown_a_move(&client) {
            client.verdict = Verdict::Undetermined;
        }
        client
    }

    fn class(&self, class: (&str, &ClassTally, bool), rule: Option<&str>) -> Class {
        let (agent, tally, is_mixed) = class;
        let answered = match rule {
            Some(rule) => self.by_rule.get(rule).and_then(|asked| asked.style),
            // Over all rules, where all of them respond alike.
            None => {
                let mut styles =
                    tally.rules().map(|(rule, _)| self.by_rule.get(rule).and_then(|asked| asked.style));
                let first = styles.next().flatten();
                first.filter(|_| styles.all(|style| style == first))
            }
        };
        let (clients, is_partial) = (tally.clients(), tally.is_partial());
        // Over all rules: the versions of any of them, and the reads of all of them.
        let concerned =
            tally.rules().map(|(name, _)| &**name).filter(|name| rule.is_none_or(|one| one == *name));
        let asked: Vec<Option<&RuleCriteria>> = concerned.map(|name| self.by_rule.get(name)).collect();
        Class {
            clients,
            is_mixed,
            is_partial,
            speaks: dialect::of(agent),
            answered,
            version_places: asked.iter().filter_map(|asked| asked.as_ref()?.version.clone()).collect(),
            names_reads: !asked.is_empty()
                && asked.iter().all(|asked| asked.is_some_and(|asked| asked.names_read)),
        }
    }

    /// A check's word as the file grades it; `None` where it is off.
    fn finding(&self, check: &CheckDefinition, rule: Option<&str>, judged: CheckResult) -> Option<Finding> {
        let grade = self.asked.grade(check.id, rule.and_then(|rule| self.by_rule.get(rule)));
        let verdict = match (grade, judged.verdict) {
            (Some(Grade::Off), _) => return None,
            (Some(Grade::Warn), Verdict::Fail) => Verdict::Warn,
            (_, verdict) => verdict,
        };
        Some(Finding {
            check: check.id,
            title: check.id.title().to_owned(),
            anchor: check.anchor,
            rule: rule.map(str::to_owned),
            verdict,
            measured: judged.measured,
            value: judged.number.map(|number| number.value),
            limit: judged.number.map(|number| number.limit),
            unit: judged.number.map(|number| number.unit.to_owned()),
            advice: judged.advice,
            operations: judged.operations.into_iter().filter(|id| self.kept.has(*id)).collect(),
        })
    }

    fn expectations(&self, rules: &[RuleReport], extent: Extent) -> Vec<Expectation> {
        let found = |ask: &Criterion| {
            let is_meant = |rule: &&RuleReport| ask.rule.as_deref().is_none_or(|name| name == rule.name);
            let fired = rules.iter().filter(is_meant).map(|rule| rule.fired).sum();
            let tallies = self.classes.iter().filter_map(|class| {
                let tally = class.1.within(&ask.scope, &self.excepts)?;
                Some((class.0, tally, self.class(class, ask.rule.as_deref())))
            });
            let mut found = expectations::found(ask, &tallies.collect(), fired);
            found.operations.retain(|id| self.kept.has(*id));
            extent.holds_of(ask.want, found)
        };
        self.asks.iter().map(found).collect()
    }
}

/// R11, which counts requests.
const AMPLIFICATION: u8 = 11;

/// Whether a pass says anything of how conflicts were taken: one of them was taken to an end, and a check found the
/// refusals of a rule to be taken well, beside the number of requests (R11). A pass over all rules may rest on
/// operations that met no conflict.
fn has_shown_a_move(client: &ClientReport) -> bool {
    let has_ended = client.conflicted == 0 || client.unfinished < client.conflicted;
    let passed = |finding: &Finding| {
        finding.verdict == Verdict::Pass && finding.rule.is_some() && finding.check.number() != AMPLIFICATION
    };
    has_ended && (client.conflicted == 0 || client.findings.iter().any(passed))
}

/// Takes back passes without a conflict: a client that met none has shown nothing.
fn take_passes_back(client: &mut ClientReport, with_findings: bool) {
    client.findings.retain(|finding| finding.verdict != Verdict::Pass || !with_findings);
    if client.verdict == Verdict::Pass {
        client.verdict = Verdict::Undetermined;
    }
}

/// Why no operation met a conflict; `None` where one did.
fn untested(totals: &Totals, rules: &[RuleReport]) -> Option<String> {
    let all = totals.attempts;
    let why = match totals {
        Totals { conflicted: 1.., .. } => return None,
        // Without a rule, the upstream's own conflicts are all that there was to meet.
        Totals { conflicted_upstream: 1.., .. } if rules.is_empty() => return None,
        Totals { attempts: 0, .. } => "no request came",
        Totals { unanswered, .. } if *unanswered == all => super::run::UNANSWERED,
        _ if rules.is_empty() => "there are no rules; `fracas init` writes some to begin with",
        _ if rules.iter().all(|rule| rule.matched == 0) => "no request matched a rule",
        _ if rules.iter().all(|rule| rule.fired == 0) => "no rule fired",
        _ => "no request met a conflict",
    };
    Some(why.to_owned())
}

/// The worst that is sure; undetermined only where nothing else was found.
fn worst(verdicts: impl Iterator<Item = Verdict>) -> Verdict {
    let badness = |verdict: &Verdict| match verdict {
        Verdict::Undetermined => 0,
        Verdict::Pass => 1,
        Verdict::Warn => 2,
        Verdict::Fail => 3,
    };
    verdicts.max_by_key(badness).unwrap_or(Verdict::Undetermined)
}
