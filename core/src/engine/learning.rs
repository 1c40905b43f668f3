//! Which exchanges teach which rules: those whose host and path fit a rule that tracks something,
//! whatever their method and whichever rule answered, and those that its `by` and `release` select.

use http::Method;

use super::ruleset::{ActiveRule, RuleSet};
use super::state::{Exchange, Lesson};
use crate::matching::{Match, Methods, RuleIndex};
use crate::model::{Facts, Identity, Key, KeyHash, Moment};
use crate::rules::{Clear, Rule, Selector, State, Trigger};

/// The rules that learn, with an index of their own.
pub struct Learners {
    learners: Box<[Learner]>,
    index: RuleIndex,
    /// Whether some rule has a `read`.
    reads: bool,
}

/// One sort of exchange that one rule learns from.
struct Learner {
    rule: u32,
    requests: Match,
    per: Key,
    role: Role,
    reads_body: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    /// Host and path fit the rule.
    Path,
    /// It may make something whose path fits the rule.
    Maker,
    /// The rule is about it.
    Match,
    /// `by` selects it.
    Referrer,
    /// `release` selects it.
    Release,
    /// `read` selects it.
    Reading,
}

/// What one exchange will teach, should the upstream accept it.
pub type Lessons = Vec<Lesson>;

/// The rules, by position, that call a request a reading, with its key where it names one.
pub type Readings = Vec<(u32, Option<KeyHash>)>;

impl Learners {
    pub(super) fn new(rules: &[ActiveRule]) -> Learners {
        let mut learners = Vec::new();
        for (position, active) in rules.iter().enumerate().filter(|(_, active)| active.rule.enabled) {
            for (role, requests, per) in roles(&active.rule) {
                let reads_body = requests.reads_body() || per.reads_body();
                learners.push(Learner { rule: position as u32, requests, per, role, reads_body });
            }
        }
        let index = RuleIndex::new(learners.iter().map(|learner| &learner.requests));
        let reads = learners.iter().any(|learner| learner.role == Role::Reading);
        Learners { learners: learners.into(), index, reads }
    }

    /// Whether no rule learns anything.
    pub fn is_empty(&self) -> bool {
        self.learners.is_empty()
    }

    /// Whether something may be learned from a request whose body is still unread.
    pub fn want_body(&self, facts: &Facts<'_>) -> bool {
        self.candidates(facts).any(|learner| learner.reads_body && learner.requests.check_head(facts).is_ok())
    }

    /// What will be learned from a request that began at `began`.
    pub fn lessons(&self, rules: &RuleSet, facts: &Facts<'_>, identity: &Identity, began: Moment) -> Lessons {
        let mut lessons = Vec::new();
        for learner in self.candidates(facts) {
            let Some(active) = rules.get(learner.rule) else { continue };
            let Ok(captures) = learner.requests.check(facts) else { continue };
            let key = learner.per.hash(facts, &captures, identity);
            let client = facts.client(identity);
            let exchange = Exchange { rule: &active.rule, position: learner.rule, facts, client, began };
            lessons.extend(learner.lesson(&exchange, key));
        }
        lessons
    }

    /// For which rules, by position, a request reads what they are about, and under which key; `None` for
    /// one that it does not name.
    pub fn readings(&self, rules: &RuleSet, facts: &Facts<'_>, identity: &Identity) -> Readings {
        if !self.reads {
            return Vec::new();
        }
        let readers = self.candidates(facts).filter(|learner| learner.role == Role::Reading);
        let read = readers.filter_map(|learner| {
            let captures = learner.requests.check(facts).ok()?;
            let names_key = rules.get(learner.rule)?.rule.read.as_ref()?.names_key;
            let key = learner.per.hash(facts, &captures, identity).filter(|_| names_key);
            Some((learner.rule, key))
        });
        read.collect()
    }

    fn candidates(&self, facts: &Facts<'_>) -> impl Iterator<Item = &Learner> {
        self.index.candidates(facts).filter_map(|at| self.learners.get(at as usize))
    }
}

impl Learner {
    fn lesson(&self, exchange: &Exchange<'_>, key: Option<KeyHash>) -> Option<Lesson> {
        match self.role {
            Role::Path => Lesson::of_path(exchange, key),
            Role::Maker => Lesson::of_maker(exchange),
            Role::Match => Lesson::of_match(exchange, key?),
            Role::Referrer => Some(Lesson::of_referrer(exchange, key?)),
            Role::Release => Some(Lesson::of_release(exchange, key?, &self.per)),
            Role::Reading => Lesson::of_reading(exchange, key),
        }
    }
}

/// What a rule learns from.
fn roles(rule: &Rule) -> Vec<(Role, Match, Key)> {
    let by_path = || {
        let requests =
            Match { path: rule.requests.path.clone(), host: rule.requests.host.clone(), ..Match::default() };
        (Role::Path, requests, rule.per.clone())
    };
    let maker = || {
        let requests = Match {
            method: Methods::Only(vec![Method::POST]),
            host: rule.requests.host.clone(),
            ..Match::default()
        };
        (Role::Maker, requests, Key::RULE)
    };
    let own = || (Role::Match, rule.requests.clone(), rule.per.clone());
    let select = |role, selector: &Selector| (role, selector.requests.clone(), selector.per.clone());
    let release = |release: &Option<Selector>| release.as_ref().map(|release| select(Role::Release, release));
    let reading = rule.read.as_ref().map(|read| {
        let per = if read.names_key { rule.per.clone() } else { Key::RULE };
        (Role::Reading, read.requests.clone(), per)
    });
    let Trigger::On(state) = &rule.trigger else {
        let path = rule.clear().is_some_and(Clear::is_by_reading).then(by_path);
        return path.into_iter().chain(reading).collect();
    };
    let of_state = match &**state {
        State::Stale { .. } => vec![by_path(), maker()],
        State::Duplicate { release: ends } | State::Locked { release: ends, .. } => {
            std::iter::once(own()).chain(release(ends)).collect()
        }
        State::Referenced { by, release: ends } => {
            std::iter::once(select(Role::Referrer, by)).chain(release(ends)).collect()
        }
        State::Overlap { .. } | State::Expired { .. } | State::KeyInUse { .. } => Vec::new(),
    };
    of_state.into_iter().chain(reading).collect()
}
