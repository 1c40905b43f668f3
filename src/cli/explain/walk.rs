//! The requests' way through the rules.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};

use crate::engine::{ActiveRule, Concern, Outcome as Settled, RuleSet, StoredAnswer, Tell, Unconcerned};
use crate::model::{Facts, Key, KeyHash, KeyPart, Moment, Phase};
use crate::proxy::{Asked, Entrance, Judged, Tally, Verdict, judge};
use crate::rules::Settings;
use crate::store::Store;

/// Fates of the requests, and each rule's word on them.
pub struct Walked {
    /// How many requests there were.
    pub times: u32,
    /// One for each rule, in file order.
    pub rules: Vec<Said>,
    /// Which rule answered, and how, for the first [`SHOWN`] requests; `None`: the upstream.
    pub first: Vec<Option<(usize, Outcome)>>,
    /// How many requests the upstream answered.
    pub passed: u32,
}

/// Requests that are told one by one.
pub const SHOWN: usize = 10;

/// A rule's word on the requests.
pub enum Said {
    /// It leaves such requests alone; says why.
    No(String),
    Matches(Outcomes),
}

/// A matching rule's outcome for each request.
#[derive(Default)]
pub struct Outcomes {
    /// The request's key, credentials left out.
    pub key: String,
    /// Of the first [`SHOWN`] requests.
    pub first: Vec<Outcome>,
    pub passes: u32,
    pub conflicts: u32,
    /// Requests that an earlier rule answered.
    pub unreached: u32,
}

/// A rule's outcome for one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Passes {
        n: u64,
    },
    Conflicts {
        n: u64,
    },
    /// A conflict that was opened by the key's `n`-th request.
    StillOpen {
        n: u64,
    },
    /// The response to the first request with the key is replayed.
    Replays {
        n: u64,
    },
    Unreached,
}

/// Sends `times` such requests through the rules, one after the other, all in the proxy's first moment.
/// Requests that reach the upstream are taken to be accepted.
pub fn walk(rules: &RuleSet, facts: &Facts<'_>, settings: &Settings, times: u32) -> Walked {
    let now = Moment::default();
    let mut said = Vec::new();
    let mut reached = Vec::new();
    for (at, active) in rules.iter().enumerate() {
        match concern(active, facts, settings, now) {
            Ok((key, text)) => {
                reached.push((at, active, key));
                said.push(Said::Matches(Outcomes { key: text, ..Outcomes::default() }));
            }
            Err(why) => said.push(Said::No(why)),
        }
    }
    let tallies = rules.iter().map(|_| Tally::default()).collect();
    let store = Store::new(settings.limits.keys, settings.limits.key_ttl);
    let stage = Stage { rules, facts, settings, store, tallies, now };
    let mut walked = Walked { times, rules: said, first: Vec::new(), passed: 0 };
    for _ in 0..times {
        let mut answered = None;
        let mut reaches_upstream = true;
        let mut entered = Vec::new();
        for &(at, active, key) in &reached {
            let outcome = match answered {
                None => stage.ask(at, active, key, &mut entered),
                // An earlier rule responds in the upstream's place: rules that observe the upstream still do.
                Some(_) if reaches_upstream && active.rule.trigger.state().is_some() => {
                    stage.watch(at, active, key, &mut entered);
                    Outcome::Unreached
                }
                Some(_) => Outcome::Unreached,
            };
            if outcome.answers() {
                answered = Some((at, outcome));
                let is_replay = matches!(outcome, Outcome::Replays { .. });
                reaches_upstream = !is_replay && active.rule.phase() != Phase::Before;
            }
            if let Some(Said::Matches(outcomes)) = walked.rules.get_mut(at) {
                outcomes.add(outcome);
            }
        }
        stage.settle(entered, reaches_upstream);
        walked.passed += u32::from(answered.is_none());
        if walked.first.len() < SHOWN {
            walked.first.push(answered);
        }
    }
    walked
}

/// A proxy without sockets.
struct Stage<'s> {
    rules: &'s RuleSet,
    facts: &'s Facts<'s>,
    settings: &'s Settings,
    store: Store,
    tallies: Vec<Tally>,
    now: Moment,
}

impl Stage<'_> {
    /// One rule's outcome, as in the proxy.
    fn ask(&self, at: usize, active: &ActiveRule, key: KeyHash, entered: &mut Vec<Entrance>) -> Outcome {
        let Some(tally) = self.tallies.get(at) else { return Outcome::Unreached };
        let Judged { n, verdict } = self.judge(at, active, key);
        match verdict {
            Verdict::Conflict(claim) if claim.play(&self.store, tally, active.rule.limit, self.now) => {
                if claim.tries > 1 {
                    Outcome::StillOpen { n }
                } else {
                    Outcome::Conflicts { n }
                }
            }
            Verdict::Replay(_) => Outcome::Replays { n },
            Verdict::Admit(entrance) => {
                entered.push(entrance);
                Outcome::Passes { n }
            }
            Verdict::Conflict(_) | Verdict::Pass | Verdict::Cleared => Outcome::Passes { n },
        }
    }

    /// One rule observes a request that another one responds to in the upstream's place.
    fn watch(&self, at: usize, active: &ActiveRule, key: KeyHash, entered: &mut Vec<Entrance>) {
        if let Verdict::Admit(entrance) = self.judge(at, active, key).verdict {
            entered.push(entrance);
        }
    }

    fn judge(&self, at: usize, active: &ActiveRule, key: KeyHash) -> Judged {
        let client = self.facts.client(&self.settings.client_id);
        let asked = Asked { facts: self.facts, key, client, now: self.now };
        judge(&self.store, at as u32, active, &asked)
    }

    /// Ends a request, which the upstream has accepted if it ever saw it.
    fn settle(&self, entered: Vec<Entrance>, is_accepted: bool) {
        let status = if *self.facts.method == Method::POST { StatusCode::CREATED } else { StatusCode::OK };
        for Entrance { place, ticket, payload } in entered {
            let answer =
                StoredAnswer { connection: 0, status, headers: HeaderMap::new(), body: Bytes::new() };
            let tell = match payload {
                Some(payload) if is_accepted => {
                    Tell::Finish { ticket, payload, answer: Some(Arc::new(answer)) }
                }
                _ => Tell::Leave { ticket },
            };
            self.store.tell(place, tell, self.now);
        }
        if !is_accepted {
            return;
        }
        let lessons =
            self.rules.learners().lessons(self.rules, self.facts, &self.settings.client_id, self.now);
        let outcome = Settled { status, headers: &HeaderMap::new(), body: None };
        for lesson in lessons {
            let Some(active) = self.rules.get(lesson.place.rule) else { continue };
            for told in lesson.tell(&active.rule, &outcome) {
                self.store.learn(told, self.now);
            }
        }
    }
}

impl Outcome {
    /// Whether the request gets no further.
    fn answers(self) -> bool {
        matches!(self, Outcome::Conflicts { .. } | Outcome::StillOpen { .. } | Outcome::Replays { .. })
    }
}

impl Outcomes {
    fn add(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Passes { .. } => self.passes += 1,
            Outcome::Conflicts { .. } | Outcome::StillOpen { .. } | Outcome::Replays { .. } => {
                self.conflicts += 1;
            }
            Outcome::Unreached => self.unreached += 1,
        }
        if self.first.len() < SHOWN {
            self.first.push(outcome);
        }
    }
}

/// The key that the rule counts the request under, and its text, or why it leaves it alone.
fn concern(
    active: &ActiveRule,
    facts: &Facts<'_>,
    settings: &Settings,
    now: Moment,
) -> Result<(KeyHash, String), String> {
    if !active.rule.enabled {
        return Err("it is not enabled".to_owned());
    }
    if !active.is_awake(now) {
        return Err("it sleeps when the proxy starts (`during`)".to_owned());
    }
    match active.concern(facts, &settings.client_id) {
        Ok(Concern { captures, key }) => {
            let text = active.rule.per.describe(facts, &captures, &settings.client_id);
            Ok((key, text.unwrap_or_default()))
        }
        Err(Unconcerned::Mismatch(mismatch)) => Err(mismatch.to_string()),
        Err(Unconcerned::Release) => Err("it ends what the rule keeps (`release`)".to_owned()),
        Err(Unconcerned::Reading) => Err("it reads the resource, which is what clears (`clear`)".to_owned()),
        Err(Unconcerned::LongBody) => Err("body is longer than body_limit".to_owned()),
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
