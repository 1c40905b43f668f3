//! The parts looked at of each request and response beyond those of every journal: decided once, from the
//! rules.

use http::HeaderName;

use super::versions::NamedPlaces;
use crate::engine::RuleSet;
use crate::model::{KeyPart, Kind, Phase, RunKey};
use crate::rules::Settings;

/// The parts to record, and how.
pub struct CapturePolicy {
    pub key: RunKey,
    pub body_limit: u64,
    /// JSON pointers of body fields that differ between tries of one operation.
    pub volatile: Vec<Box<str>>,
    /// Where rules find versions, beside the places that every journal looks at.
    pub versions: NamedPlaces,
    /// Headers that a rule takes for idempotency keys.
    pub idempotency_headers: Vec<HeaderName>,
}

/// With more rules that name places of their own, only those of the first are looked at: each costs
/// every request a look.
const MOST_PLACES: usize = 8;

impl CapturePolicy {
    /// The plan for some rules. All hashes are made with `key`.
    pub fn new(settings: &Settings, rules: &RuleSet, key: RunKey) -> CapturePolicy {
        let mut plan = CapturePolicy {
            key,
            body_limit: settings.body_limit,
            volatile: settings.journal.volatile.clone(),
            versions: NamedPlaces::new(rules),
            idempotency_headers: Vec::new(),
        };
        for rule in rules.iter().map(|active| &active.rule) {
            if rule.kind == Kind::Idempotency || rule.phase() == Phase::Lost {
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
