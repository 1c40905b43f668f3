//! What is looked at of each request and answer, beyond what every journal keeps: decided once, from
//! the rules.

use http::HeaderName;

use crate::judgement::RuleSet;
use crate::rules::{Settings, State, Trigger, VersionSource};
use crate::words::{KeyPart, Kind, Phase, RunKey};

/// What is recorded, and how.
pub struct Plan {
    pub key: RunKey,
    pub body_limit: u64,
    /// JSON pointers of body fields that differ between tries of one operation.
    pub volatile: Vec<Box<str>>,
    /// Where a rule finds versions, beside the places that every journal looks at.
    pub version_headers: Vec<HeaderName>,
    pub version_queries: Vec<Box<str>>,
    pub version_pointers: Vec<Box<str>>,
    /// Headers that a rule takes for idempotency keys.
    pub idempotency_headers: Vec<HeaderName>,
}

/// With more rules that name places of their own, only those of the first are looked at: each costs
/// every request a look.
const MOST_PLACES: usize = 8;

impl Plan {
    /// The plan for some rules. Whatever is hashed is hashed with `key`.
    pub fn new(settings: &Settings, rules: &RuleSet, key: RunKey) -> Plan {
        let mut plan = Plan {
            key,
            body_limit: settings.body_limit,
            volatile: settings.journal.volatile.clone(),
            version_headers: Vec::new(),
            version_queries: Vec::new(),
            version_pointers: Vec::new(),
            idempotency_headers: Vec::new(),
        };
        for rule in rules.iter().map(|active| &active.rule) {
            if let Trigger::On(state) = &rule.trigger
                && let State::Stale { version: Some(source), .. } = &**state
            {
                match source {
                    VersionSource::Header(name) => add(&mut plan.version_headers, name),
                    VersionSource::Query(name) => add(&mut plan.version_queries, name),
                    VersionSource::Body(pointer) => add(&mut plan.version_pointers, pointer),
                }
            }
            if rule.kind == Kind::Idempotency || rule.phase == Phase::Lost {
                for part in &rule.per.0 {
                    if let KeyPart::Header(name) = part
                        && name != http::header::AUTHORIZATION
                        && name != "idempotency-key"
                    {
                        add(&mut plan.idempotency_headers, name);
                    }
                }
            }
        }
        plan
    }
}

fn add<T: Clone + PartialEq>(places: &mut Vec<T>, place: &T) {
    if places.len() < MOST_PLACES && !places.contains(place) {
        places.push(place.clone());
    }
}
