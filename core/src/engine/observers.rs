//! The rules that observe an exchange. A rule with state observes the exchanges whose host and path fit it, with any
//! method and whichever rule responded, and those that its `by` and `release` select.

use std::sync::Arc;

use http::Method;

use super::active_rule::ActiveRule;
use super::state::{Exchange, LearnedFrom, Observation, Showing};
use crate::matching::{Match, Methods, RuleIndex};
use crate::model::{ClientIdSources, Facts, Key, KeyHash, Moment, RuleId};
use crate::rules::{Clear, Rule, Selector, Trigger};

/// The rules that observe exchanges, with an index of their own.
pub struct Observers {
    observers: Box<[Observer]>,
    index: RuleIndex,
    /// Whether some rule has a `read`.
    reads: bool,
    /// Whether some rule shows representations.
    shows: bool,
}

/// One sort of exchange that one rule observes.
struct Observer {
    active: Arc<ActiveRule>,
    requests: Match,
    per: Key,
    role: Role,
    reads_body: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    /// Host and path fit the rule.
    Path,
    /// It may create a resource whose path fits the rule.
    Maker,
    /// The rule is about it.
    Match,
    /// `by` selects it.
    Referrer,
    /// `release` selects it.
    Release,
    /// `read` selects it.
    Reading,
    /// Its host and path fit a rule that shows the newest representation.
    Shown,
}

/// The rules that call a request a reading, with its key where it names one.
pub type Readings = Vec<(RuleId, Option<KeyHash>)>;

impl Observers {
    pub(super) fn new(rules: &[Arc<ActiveRule>]) -> Observers {
        let mut observers = Vec::new();
        for active in rules.iter().filter(|active| active.rule.enabled) {
            for (role, requests, per) in roles(&active.rule) {
                let reads_body = requests.reads_body() || per.reads_body();
                observers.push(Observer { active: Arc::clone(active), requests, per, role, reads_body });
            }
        }
        let index = RuleIndex::new(observers.iter().map(|observer| &observer.requests));
        let shows = observers.iter().any(|observer| observer.role == Role::Shown);
        let reads = observers.iter().any(|observer| observer.role == Role::Reading);
        Observers { observers: observers.into(), index, reads, shows }
    }

    /// Whether no rule observes anything.
    pub fn is_empty(&self) -> bool {
        self.observers.is_empty()
    }

    /// Whether an observer needs the body of the request, which is still unread.
    pub fn want_body(&self, facts: &Facts<'_>) -> bool {
        self.candidates(facts)
            .any(|observer| observer.reads_body && observer.requests.check_head(facts).is_ok())
    }

    /// The observations of a request that began at `began`.
    pub fn observations(
        &self,
        facts: &Facts<'_>,
        identity: &ClientIdSources,
        began: Moment,
    ) -> Vec<Observation> {
        let mut observations = Vec::new();
        for observer in self.candidates(facts) {
            let Ok(captures) = observer.requests.check(facts) else { continue };
            let key = observer.per.hash(facts, &captures, identity);
            let client = facts.client(identity);
            let exchange = Exchange { active: &observer.active, facts, client, began };
            observations.extend(observer.observation(&exchange, key));
        }
        observations
    }

    /// The rules whose resource the request reads, and its key there; `None` where the request
    /// does not name it.
    pub fn readings(&self, facts: &Facts<'_>, identity: &ClientIdSources) -> Readings {
        if !self.reads {
            return Vec::new();
        }
        let readers = self.candidates(facts).filter(|observer| observer.role == Role::Reading);
        let read = readers.filter_map(|observer| {
            let captures = observer.requests.check(facts).ok()?;
            let names_key = observer.active.rule.read.as_ref()?.names_key;
            let key = observer.per.hash(facts, &captures, identity).filter(|_| names_key);
            Some((observer.active.id(), key))
        });
        read.collect()
    }

    /// For each rule that shows representations: whether the request shows or changes one.
    pub fn showings(&self, facts: &Facts<'_>, began: Moment) -> Vec<Showing> {
        if !self.shows {
            return Vec::new();
        }
        let shown = self.candidates(facts).filter(|observer| observer.role == Role::Shown);
        let shown = shown.filter(|observer| observer.requests.check(facts).is_ok());
        shown.filter_map(|observer| Showing::of(&observer.active, facts, began)).collect()
    }

    fn candidates(&self, facts: &Facts<'_>) -> impl Iterator<Item = &Observer> {
        self.index.candidates(facts).filter_map(|at| self.observers.get(at as usize))
    }
}

impl Observer {
    fn observation(&self, exchange: &Exchange<'_>, key: Option<KeyHash>) -> Option<Observation> {
        match self.role {
            Role::Path => Observation::of_path(exchange, key),
            Role::Maker => Observation::of_maker(exchange),
            Role::Match => Observation::of_match(exchange, key?),
            Role::Referrer => Some(Observation::of_referrer(exchange, key?)),
            Role::Release => Some(Observation::of_release(exchange, key?, &self.per)),
            Role::Reading => Observation::of_reading(exchange, key),
            Role::Shown => None,
        }
    }
}

/// The exchanges that a rule observes.
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
    let select = |role, selector: &Selector| (role, selector.requests.clone(), selector.per.clone());
    let shown = rule.shows_current().then(|| {
        let (_, requests, _) = by_path();
        (Role::Shown, requests, Key::RULE)
    });
    let reading = rule.read.as_ref().map(|read| {
        let per = if read.names_key { rule.per.clone() } else { Key::RULE };
        (Role::Reading, read.requests.clone(), per)
    });
    let Trigger::On(state) = &rule.trigger else {
        let path = rule.clear().is_some_and(Clear::is_by_reading).then(by_path);
        return path.into_iter().chain(reading).chain(shown).collect();
    };
    let of_state = match state.learned_from() {
        LearnedFrom::Versions => vec![by_path(), maker()],
        LearnedFrom::Holders { .. } => vec![(Role::Match, rule.requests.clone(), rule.per.clone())],
        LearnedFrom::References(by) => vec![select(Role::Referrer, by)],
        LearnedFrom::Nothing => Vec::new(),
    };
    let release = state.release().map(|release| select(Role::Release, release));
    of_state.into_iter().chain(release).chain(reading).chain(shown).collect()
}
