//! The requests' way through the rules.

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};

use crate::engine::{
    ActiveRule, Concern, Decision, Effects, Judged, Outcome as Response, RuleOutcome, RuleSet, Session, Step,
    Unconcerned, UpstreamResponse,
};
use crate::model::{BodyFacts, Facts, Key, KeyHash, KeyPart, Moment};
use crate::rules::Settings;
use crate::store::MemoryStore;

/// Fates of the requests, by rule.
pub struct Walked {
    /// Number of requests.
    pub times: u32,
    /// One for each rule, in file order.
    pub rules: Vec<Said>,
    /// The rule that responded, and how, for the first [`SHOWN`] requests; `None`: the upstream.
    pub first: Vec<Option<(usize, WalkOutcome)>>,
    /// Number of requests that reached the upstream.
    pub passed: u32,
}

/// Requests that are listed one by one.
pub const SHOWN: usize = 10;

/// A rule's outcomes.
pub enum Said {
    /// It does not match such requests, for this reason.
    No(String),
    Matches(Outcomes),
}

/// A matching rule's outcome for each request.
#[derive(Default)]
pub struct Outcomes {
    /// The request's key, credentials left out.
    pub key: String,
    /// For a rule that goes by versions: whether the request carries one.
    pub has_version: Option<bool>,
    /// Outcomes of the first [`SHOWN`] requests.
    pub first: Vec<WalkOutcome>,
    pub passes: u32,
    /// Requests that it refused, or let pass with faults.
    pub conflicts: u32,
    /// Conflicts by the position of their reply; empty for a rule without `replies`.
    pub by_reply: Vec<u32>,
    /// Requests to which an earlier rule responded.
    pub unreached: u32,
}

/// A rule's outcome for one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WalkOutcome {
    Passes {
        n: u64,
    },
    Conflicts {
        n: u64,
        /// Which of the rule's `replies`, from 0.
        choice: Option<usize>,
    },
    /// A conflict that was opened by the key's `n`-th request.
    StillOpen {
        n: u64,
        choice: Option<usize>,
    },
    /// It passes, and its response has the rule's faults.
    PassesWithFaults {
        n: u64,
    },
    /// The response to the first request with the key is replayed.
    Replays {
        n: u64,
    },
    /// The imagined response of the upstream is not like the rule's `upstream_response`.
    Unlike,
    Unreached,
}

/// Sends `times` such requests through the rules, one after the other, all in the proxy's first
/// moment. Requests that reach the upstream are taken to be accepted.
pub fn walk(rules: &RuleSet, facts: &mut Facts<'_>, settings: &Settings, times: u32) -> Walked {
    let now = Moment::default();
    let said = rules.iter().map(|active| match concern(active, facts, settings, now) {
        Ok((_, text)) => {
            let has_version = active.rule.learns_versions().then(|| active.rule.carries_version(facts));
            Said::Matches(Outcomes { key: text, has_version, ..Outcomes::default() })
        }
        Err(why) => Said::No(why),
    });
    let mut walked = Walked { times, rules: said.collect(), first: Vec::new(), passed: 0 };
    let stage =
        Stage { rules, settings, store: MemoryStore::new(settings.limits.keys, settings.limits.key_ttl) };
    for ticket in 0..times {
        let judged = stage.pass(facts, now, ticket.into());
        let mut judged = judged.into_iter().peekable();
        let mut answered = None;
        for (at, (said, active)) in walked.rules.iter_mut().zip(rules.iter()).enumerate() {
            let judged = judged.next_if(|judged| judged.position as usize == at);
            let unheard = match active.rule.upstream_response {
                Some(_) if answered.is_none() => WalkOutcome::Unlike,
                _ => WalkOutcome::Unreached,
            };
            // After a rule that overrides the upstream's response, rules that watch the upstream still run.
            let outcome = judged.filter(|_| answered.is_none()).map_or(unheard, WalkOutcome::of);
            if outcome.answers() {
                answered = Some((at, outcome));
            }
            if let Said::Matches(outcomes) = said {
                outcomes.add(outcome);
            }
        }
        let is_forwarded = matches!(answered, None | Some((_, WalkOutcome::PassesWithFaults { .. })));
        walked.passed += u32::from(is_forwarded);
        if walked.first.len() < SHOWN {
            walked.first.push(answered);
        }
    }
    walked
}

/// A proxy without sockets, whose upstream accepts everything.
pub struct Stage<'s> {
    pub rules: &'s RuleSet,
    pub settings: &'s Settings,
    pub store: MemoryStore,
}

impl Stage<'_> {
    /// Sends one request through; returns the verdict of each consulted rule, in file order.
    pub fn pass(&self, facts: &mut Facts<'_>, now: Moment, ticket: u64) -> Vec<Judged> {
        let mut effects = Effects::default();
        let mut judged = Vec::new();
        let identity = &self.settings.client_id;
        let mut session = Session::new(self.rules, identity, facts, &mut effects, now, ticket);
        let decision = loop {
            match session.poll() {
                Step::Query(key, op) => judged.extend(session.reply(Ok(self.store.run(key, op, now)))),
                // The body was given, or there is none.
                Step::NeedBody => session.body(BodyFacts::read(Bytes::new()), now),
                Step::Notice(_) => {}
                Step::Done(decision) => break decision,
            }
        };
        if matches!(decision, Decision::Forward) {
            let status = if *facts.method == Method::POST { StatusCode::CREATED } else { StatusCode::OK };
            let headers = HeaderMap::new();
            let is_overridden = self.respond(facts, &mut effects, status, now, &mut judged);
            effects.on_response(&Response { status, headers: &headers, body: None }, 0, is_overridden);
            self.settle(&mut effects, now);
            effects.on_body_end(Some(Bytes::new()));
        } else {
            effects.on_failure();
        }
        self.settle(&mut effects, now);
        judged
    }

    /// The rules that wait for the response see an empty one with this status; whether one of them overrides it. What a
    /// rule says then takes the place of what it said before.
    fn respond(
        &self,
        facts: &mut Facts<'_>,
        effects: &mut Effects,
        status: StatusCode,
        now: Moment,
        judged: &mut Vec<Judged>,
    ) -> bool {
        if !effects.awaits_response() {
            return false;
        }
        let headers = HeaderMap::new();
        let mut response = UpstreamResponse { status, headers: &headers, body: BodyFacts::Unread };
        let identity = &self.settings.client_id;
        let mut session = Session::after(self.rules, identity, facts, effects, now, &mut response);
        let mut late = Vec::new();
        let decision = loop {
            match session.poll() {
                Step::Query(key, op) => late.extend(session.reply(Ok(self.store.run(key, op, now)))),
                Step::NeedBody => session.body(BodyFacts::read(Bytes::new()), now),
                Step::Notice(_) => {}
                Step::Done(decision) => break decision,
            }
        };
        for said in late {
            judged.retain(|before| before.position != said.position);
            judged.push(said);
        }
        judged.sort_by_key(|said| said.position);
        matches!(decision, Decision::Refuse(_))
    }

    fn settle(&self, effects: &mut Effects, now: Moment) {
        while let Some((key, op)) = effects.poll(now) {
            effects.reply(Ok(self.store.run(key, op, now)));
        }
    }
}

impl WalkOutcome {
    fn of(judged: Judged) -> WalkOutcome {
        let n = judged.n;
        match judged.word {
            RuleOutcome::Passes | RuleOutcome::Clears | RuleOutcome::Admits => WalkOutcome::Passes { n },
            RuleOutcome::Conflicts { tries: 2.., choice } => WalkOutcome::StillOpen { n, choice },
            RuleOutcome::Conflicts { choice, .. } => WalkOutcome::Conflicts { n, choice },
            RuleOutcome::PassesWithFaults => WalkOutcome::PassesWithFaults { n },
            RuleOutcome::Replays => WalkOutcome::Replays { n },
            RuleOutcome::Watches => WalkOutcome::Unreached,
        }
    }

    /// Whether the request gets no further.
    fn answers(self) -> bool {
        matches!(
            self,
            WalkOutcome::Conflicts { .. }
                | WalkOutcome::StillOpen { .. }
                | WalkOutcome::PassesWithFaults { .. }
                | WalkOutcome::Replays { .. }
        )
    }
}

impl Outcomes {
    fn add(&mut self, outcome: WalkOutcome) {
        if self.first.len() < SHOWN {
            self.first.push(outcome);
        }
        match outcome {
            WalkOutcome::Passes { .. } | WalkOutcome::Unlike => self.passes += 1,
            WalkOutcome::Conflicts { choice, .. } | WalkOutcome::StillOpen { choice, .. } => {
                self.conflicts += 1;
                let Some(choice) = choice else { return };
                if self.by_reply.len() <= choice {
                    self.by_reply.resize(choice + 1, 0);
                }
                self.by_reply.iter_mut().skip(choice).take(1).for_each(|taken| *taken += 1);
            }
            WalkOutcome::Replays { .. } | WalkOutcome::PassesWithFaults { .. } => self.conflicts += 1,
            WalkOutcome::Unreached => self.unreached += 1,
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
        Err(Unconcerned::Undecodable(why)) => Err(why.to_string()),
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
