//! The expectations of the rules file: each with the part of the record that it holds over.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::view::Scope;
use crate::model::CheckId;
use crate::rules::{Config, Expect, Grade, ReplyBody, ReplyStyle, Rule};

/// `[expect]` of a file and of its rules; a journal carries those of the rules that it was written under.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Criteria {
    pub expect: Expect,
    pub rules: Vec<RuleCriteria>,
}

/// The expectations of one rule, and the reply style it responds in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleCriteria {
    pub rule: Box<str>,
    /// The rule's own, to be laid over the file's.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub expect: Expect,
    /// `None`: the file's own text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub style: Option<ReplyStyle>,
    /// Where the rule says that requests have their version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<Box<str>>,
    /// Whether the rule says which requests read.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub names_read: bool,
}

/// The style of a rule's replies, if it is one.
fn style_of(rule: &Rule) -> Option<ReplyStyle> {
    let mut styles = rule.responses().map(|reply| match &reply.body {
        ReplyBody::Style(style) => Some(*style),
        ReplyBody::Text { .. } => None,
    });
    let first = styles.next()?;
    first.filter(|_| styles.all(|style| style == first))
}

fn is_nothing(expect: &Expect) -> bool {
    *expect == Expect::default()
}

impl Criteria {
    pub fn of(config: &Config) -> Criteria {
        let rules = config.rules.iter().map(|rule| RuleCriteria {
            rule: Box::from(&*rule.name),
            expect: rule.expect.clone(),
            style: style_of(rule),
            version: rule.version_at().map(|at| at.request.to_string().into()),
            names_read: rule.read.is_some(),
        });
        Criteria { expect: config.settings.expect.clone(), rules: rules.collect() }
    }
}

impl RuleCriteria {
    pub(super) fn asks_anything(&self) -> bool {
        !is_nothing(&self.expect)
    }
}

/// One thing that is asked.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Criterion {
    pub rule: Option<Box<str>>,
    pub want: CriterionKind,
    pub scope: Scope,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum CriterionKind {
    MaxTries(u64),
    MinGap(Duration),
    Backoff,
    Jitter,
    RetryAfter,
    Refetch,
    NewVersion,
    SameKey,
    NoRetry,
    Recovered(f64),
    Amplification(f64),
    Fired(u64),
    /// `R5 = "fail"`: this check must not fail.
    Check(CheckId),
}

impl CriterionKind {
    pub fn name(self) -> String {
        match self {
            CriterionKind::MaxTries(_) => "max_tries".to_owned(),
            CriterionKind::MinGap(_) => "min_gap".to_owned(),
            CriterionKind::Backoff => "backoff".to_owned(),
            CriterionKind::Jitter => "jitter".to_owned(),
            CriterionKind::RetryAfter => "retry_after".to_owned(),
            CriterionKind::Refetch => "refetch".to_owned(),
            CriterionKind::NewVersion => "new_version".to_owned(),
            CriterionKind::SameKey => "same_key".to_owned(),
            CriterionKind::NoRetry => "no_retry".to_owned(),
            CriterionKind::Recovered(_) => "recovered".to_owned(),
            CriterionKind::Amplification(_) => "amplification".to_owned(),
            CriterionKind::Fired(_) => "fired".to_owned(),
            CriterionKind::Check(id) => id.to_string(),
        }
    }
}

/// The questions of [`Expect`] one by one: each given key with its demand, `None` for nothing.
fn questions(expect: &Expect) -> Vec<(&'static str, Option<CriterionKind>)> {
    let flag = |name, given: Option<bool>, want| given.map(|given| (name, given.then_some(want)));
    [
        expect.max_tries.map(|most| ("max_tries", Some(CriterionKind::MaxTries(most.get())))),
        expect.min_gap.map(|least| ("min_gap", Some(CriterionKind::MinGap(least)))),
        flag("backoff", expect.backoff, CriterionKind::Backoff),
        flag("jitter", expect.jitter, CriterionKind::Jitter),
        flag("retry_after", expect.retry_after, CriterionKind::RetryAfter),
        flag("refetch", expect.refetch, CriterionKind::Refetch),
        flag("new_version", expect.new_version, CriterionKind::NewVersion),
        flag("same_key", expect.same_key, CriterionKind::SameKey),
        flag("no_retry", expect.no_retry, CriterionKind::NoRetry),
        expect.recovered.map(|share| ("recovered", Some(CriterionKind::Recovered(share.get())))),
        expect.amplification.map(|most| ("amplification", Some(CriterionKind::Amplification(most)))),
        expect.fired.map(|least| ("fired", Some(CriterionKind::Fired(least.get())))),
    ]
    .into_iter()
    .flatten()
    .collect()
}

impl Criteria {
    /// Everything that is asked, in the order of the file: its own first, then by rule.
    pub(super) fn asks(&self) -> Vec<Criterion> {
        let mut asks = Vec::new();
        for (name, want) in questions(&self.expect) {
            let scope = self.scope(|expect| {
                let is_given = questions(expect).iter().any(|(given, _)| *given == name);
                // Where no second try is wanted, the file's wishes for second tries are not in force.
                is_given || expect.no_retry == Some(true) && !["amplification", "fired"].contains(&name)
            });
            asks.extend(want.map(|want| Criterion { rule: None, want, scope }));
        }
        for (check, grade) in &self.expect.checks {
            if *grade == Grade::Fail {
                asks.push(Criterion {
                    rule: None,
                    want: CriterionKind::Check(*check),
                    scope: self.scope_of_check(*check),
                });
            }
        }
        for asked in &self.rules {
            let of_checks = asked.expect.checks.iter().filter(|(_, grade)| *grade == Grade::Fail);
            let of_checks = of_checks.map(|(check, _)| CriterionKind::Check(*check));
            let wants = questions(&asked.expect).into_iter().filter_map(|(_, want)| want).chain(of_checks);
            let rule = &asked.rule;
            asks.extend(wants.map(|want| Criterion {
                rule: Some(rule.clone()),
                want,
                scope: Scope::Rule(rule.clone()),
            }));
        }
        asks
    }

    /// The scope of a check's word over all rules: rules with a word of their own on it are left out.
    pub(super) fn scope_of_check(&self, check: CheckId) -> Scope {
        self.scope(|expect| grade_in(expect, check).is_some())
    }

    /// The grade of a failure of `check` under `rule`, or over all rules; `None`: as the check finds.
    pub(super) fn grade(&self, check: CheckId, rule: Option<&RuleCriteria>) -> Option<Grade> {
        rule.and_then(|rule| grade_in(&rule.expect, check)).or_else(|| grade_in(&self.expect, check))
    }

    fn scope(&self, says_its_own: impl Fn(&Expect) -> bool) -> Scope {
        let rules = self.rules.iter().filter(|asked| says_its_own(&asked.expect));
        let rules: Vec<Box<str>> = rules.map(|asked| asked.rule.clone()).collect();
        if rules.is_empty() { Scope::All } else { Scope::Except(rules) }
    }
}

fn grade_in(expect: &Expect, check: CheckId) -> Option<Grade> {
    expect.checks.iter().find(|(number, _)| *number == check).map(|(_, grade)| *grade)
}
