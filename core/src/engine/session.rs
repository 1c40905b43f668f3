//! The rule that responds to a request: the first in file order that matches and fires. Without IO: the driver serves the
//! queries of a session, and the proxy, `explain` and the tests all drive this one.

use std::sync::Arc;
use std::time::Duration;

use super::active_rule::{ActiveRule, Unconcerned};
use super::clear::validator;
use super::decision::{Conflict, Decision, Judged, Notice, Replay, RuleOutcome, Step};
use super::effects::Effects;
use super::operation::{Keyspace, Op, Reply, StateKey};
use super::ruleset::RuleSet;
use super::state::{Judgement, Versions};
use super::store::StoreError;
use crate::matching::Candidates;
use crate::model::{BodyFacts, ClientIdSources, Facts, KeyHash, Moment, Phase};
use crate::rules::Clear;

/// One request on its way past the rules. Its obligations go to the effects as soon as they arise, so that a driver
/// that is dropped half-way can settle them.
pub struct Session<'s, 'r> {
    rules: &'s RuleSet,
    identity: &'s ClientIdSources,
    facts: &'s mut Facts<'r>,
    effects: &'s mut Effects,
    now: Moment,
    ticket: u64,
    candidates: Candidates,
    /// The rule that the request is at, if it is about it.
    judging: Option<Judging<'s>>,
    /// The entry that a conflict opens under `clear`, and the request's validator.
    opens: Option<(StateKey, Option<KeyHash>)>,
    /// One that is committed.
    conflict: Option<Conflict>,
    replay: Option<Replay>,
    at: At<'s>,
}

/// Position of a session: small, as it is looked at in every step.
#[derive(Clone, Copy)]
enum At<'s> {
    /// Before the next rule.
    Next,
    /// Before this rule, whose body has come if it reads one.
    Rule {
        position: u32,
        active: &'s Arc<ActiveRule>,
    },
    /// Before a query, or waiting for its reply.
    Query(Query),
    /// A conflict is committed.
    Refused,
    Replayed,
    /// After the last rule.
    Observing,
    Over,
}

/// A rule that is about the request.
#[derive(Clone, Copy)]
struct Judging<'s> {
    position: u32,
    active: &'s Arc<ActiveRule>,
    key: KeyHash,
    client: KeyHash,
}

/// Queries about a request, in this order.
#[derive(Clone, Copy)]
enum Query {
    /// Under `clear`: whether a conflict is open.
    Opened,
    Count,
    /// For the key's `n`-th request.
    State {
        n: u64,
    },
    /// Opens the conflict that is committed.
    Open,
}

impl<'s, 'r> Session<'s, 'r> {
    /// The request of `facts`, which came at `now`. No other request has the ticket. The obligations of the request
    /// go to `effects`.
    pub fn new(
        rules: &'s RuleSet,
        identity: &'s ClientIdSources,
        facts: &'s mut Facts<'r>,
        effects: &'s mut Effects,
        now: Moment,
        ticket: u64,
    ) -> Session<'s, 'r> {
        let candidates = rules.candidates(facts);
        Session {
            rules,
            identity,
            facts,
            effects,
            now,
            ticket,
            candidates,
            judging: None,
            opens: None,
            conflict: None,
            replay: None,
            at: At::Next,
        }
    }

    /// Facts of the request, as far as they are known.
    pub fn facts(&self) -> &Facts<'r> {
        self.facts
    }

    /// When the request came, or was read as far as rules needed it.
    pub fn now(&self) -> Moment {
        self.now
    }

    /// The conflict that will take the response's place, if the upstream accepts the request.
    pub fn pending(&self) -> Option<&Conflict> {
        self.effects.pending()
    }

    /// The next need of the session.
    pub fn poll(&mut self) -> Step {
        loop {
            match self.at {
                At::Next => {
                    let Some(position) = self.candidates.next() else {
                        self.at = At::Observing;
                        continue;
                    };
                    let Some(active) = self.rules.get(position) else { continue };
                    // Once a rule overrides the upstream's response, only those that watch the upstream go on.
                    let is_over = self.pending().is_some() && active.rule.trigger.state().is_none();
                    if is_over || !active.is_awake(self.now) {
                        continue;
                    }
                    if self.facts.body.is_unread() && active.reads_body(self.facts) {
                        if let Err(mismatch) = active.rule.requests.check_head(self.facts) {
                            active.counters.note_near_miss(|| mismatch.near_miss());
                            continue;
                        }
                        self.at = At::Rule { position, active };
                        return Step::NeedBody;
                    }
                    if let Some(notice) = self.begin(position, active) {
                        return Step::Notice(notice);
                    }
                }
                At::Rule { position, active } => {
                    self.at = At::Next;
                    if let Some(notice) = self.begin(position, active) {
                        return Step::Notice(notice);
                    }
                }
                At::Query(query) => match self.operation(query) {
                    Some((key, op)) => return Step::Query(key, op),
                    None => self.at = At::Next,
                },
                At::Refused => {
                    self.at = At::Over;
                    if let Some(conflict) = self.conflict.take() {
                        return Step::Done(Decision::Refuse(conflict));
                    }
                }
                At::Replayed => {
                    self.at = At::Over;
                    if let Some(replay) = self.replay.take() {
                        return Step::Done(Decision::Replay(replay));
                    }
                }
                At::Observing => {
                    let observers = self.rules.observers();
                    if self.facts.body.is_unread() && observers.want_body(self.facts) {
                        return Step::NeedBody;
                    }
                    self.at = At::Over;
                    if !observers.is_empty() {
                        let observations = observers.observations(self.facts, self.identity, self.now);
                        self.effects.observe(observations, observers.readings(self.facts, self.identity));
                    }
                    return Step::Done(Decision::Forward);
                }
                At::Over => return Step::Done(Decision::Forward),
            }
        }
    }

    /// The body that was needed, which had come at `now`; not [`BodyFacts::Unread`].
    pub fn body(&mut self, body: BodyFacts, now: Moment) {
        self.facts.body = if body.is_unread() { BodyFacts::TooLong } else { body };
        self.now = now;
    }

    /// The reply that was needed. Returns the rule's outcome, once there is one. Where the store fails,
    /// the rule leaves the request alone: a conflict that no request can end would be worse than none.
    pub fn reply(&mut self, reply: Result<Reply, StoreError>) -> Option<Judged> {
        let (At::Query(query), Some(judging)) = (self.at, self.judging) else { return None };
        self.at = At::Next;
        let position = judging.position;
        let judged = |n, word| Some(Judged { position, n, word });
        let reply = match (query, reply) {
            // The conflict is decided, and is injected whether or not it could be opened.
            (Query::Open, _) => {
                self.at = At::Refused;
                let (n, tries) =
                    self.conflict.as_ref().map_or((0, 1), |conflict| (conflict.n, conflict.tries));
                return judged(n, RuleOutcome::Conflicts { tries });
            }
            (_, Err(_)) => return judged(0, RuleOutcome::Passes),
            (Query::Opened, Ok(Reply::Open { n, tries, age })) => {
                let length = judging.active.rule.clear().and_then(Clear::length);
                let lasts = length.map(|length| length.saturating_sub(age));
                let conflict = self.conflict(&judging, n, lasts);
                return self.play(judging, Conflict { tries, opens: None, ..conflict });
            }
            (Query::Opened, Ok(Reply::Cleared { n })) => return judged(n, RuleOutcome::Clears),
            (Query::Opened, Ok(_)) => {
                self.at = At::Query(Query::Count);
                return None;
            }
            (Query::State { n }, Ok(reply)) => return self.judge_state(judging, n, reply),
            (Query::Count, Ok(counted)) => counted,
        };
        let n = reply.n();
        if judging.active.rule.trigger.state().is_some() {
            self.at = At::Query(Query::State { n });
            return None;
        }
        if !judging.active.judge(&reply, judging.key) {
            return judged(n, RuleOutcome::Passes);
        }
        let lasts = match reply {
            Reply::Windowed { wait, .. } => Some(wait),
            _ => judging.active.rule.clear().and_then(Clear::length),
        };
        let conflict = self.conflict(&judging, n, lasts);
        self.play(judging, conflict)
    }

    /// Turns to a rule.
    fn begin(&mut self, position: u32, active: &'s Arc<ActiveRule>) -> Option<Notice> {
        let key = match active.concern(self.facts, self.identity) {
            Ok(concern) => concern.key,
            Err(why) => return left_alone(active, self.facts, &why),
        };
        active.counters.add_match();
        let clear = active.rule.clear();
        // Only state that is kept per client needs the client id.
        let is_for_client = clear.is_some() || active.rule.trigger.state().is_some();
        let client = if is_for_client { self.facts.client(self.identity) } else { KeyHash(0) };
        self.opens = None;
        let mut query = Query::Count;
        if clear.is_some() {
            let under = active.rule.opened_under(self.facts, Some(key), client).unwrap_or(key);
            let validator = validator(self.facts, active.rule.version_at());
            self.opens = Some((active.key(Keyspace::Opened, under), validator));
            query = Query::Opened;
        }
        self.judging = Some(Judging { position, active, key, client });
        self.at = At::Query(query);
        None
    }

    /// A query as an operation.
    fn operation(&mut self, query: Query) -> Option<(StateKey, Op)> {
        let Judging { active, key, .. } = self.judging?;
        Some(match (query, active.rule.clear(), self.opens) {
            (Query::Opened, Some(clear), Some((opened, validator))) => {
                (opened, Op::Opened { clear, validator })
            }
            (Query::Open, _, Some((opened, validator))) => {
                let n = self.conflict.as_ref().map_or(0, |conflict| conflict.n);
                (opened, Op::Open { n, validator })
            }
            (Query::State { .. }, ..) if let Some(state) = active.rule.trigger.state() => {
                let place = active.key(Keyspace::State, key);
                let op = state.query(self.facts, self.ticket);
                if let Op::Enter { ticket, payload, .. } = op {
                    // Before the reply: a request that is cancelled while it waits has to leave.
                    let kept = state.keeps_responses().then_some(payload);
                    self.effects.enter(place, ticket, kept, state.hold());
                }
                (place, op)
            }
            _ => (active.key(Keyspace::Count, key), active.rule.trigger.query()),
        })
    }

    /// The outcome of a state trigger.
    fn judge_state(&mut self, judging: Judging<'s>, n: u64, reply: Reply) -> Option<Judged> {
        let Judging { position, active, client, .. } = judging;
        let judged = |word| Some(Judged { position, n, word });
        let state = active.rule.trigger.state()?;
        let lasts = match &reply {
            Reply::Held(held) => held.and_then(|held| held.remaining),
            _ => None,
        };
        if matches!(reply, Reply::Running { .. } | Reply::Finished { .. }) {
            self.effects.cancel_reservation();
        }
        match state.judge(&active.rule, self.facts, client, reply) {
            Judgement::Pass => judged(RuleOutcome::Passes),
            Judgement::Admit => judged(RuleOutcome::Admits),
            Judgement::Conflict { status, versions } => {
                let conflict = self.conflict(&judging, n, lasts);
                self.play(judging, Conflict { status, versions, ..conflict })
            }
            Judgement::Replay(_) if self.pending().is_some() => judged(RuleOutcome::Watches),
            Judgement::Replay(response) => {
                self.replay = Some(Replay { active: Arc::clone(active), n, response });
                self.at = At::Replayed;
                judged(RuleOutcome::Replays)
            }
        }
    }

    /// Commits a conflict, or keeps it pending until the upstream has responded.
    fn play(&mut self, judging: Judging<'s>, conflict: Conflict) -> Option<Judged> {
        let (n, tries) = (conflict.n, conflict.tries);
        let judged = |word| Some(Judged { position: judging.position, n, word });
        if self.pending().is_some() {
            return judged(RuleOutcome::Watches);
        }
        let active = judging.active;
        if active.rule.phase() != Phase::Before {
            // The upstream's response decides whether it fires; here, whether it still could.
            if !active.counters.may_fire(active.rule.limit) {
                return judged(RuleOutcome::Passes);
            }
            self.effects.pend(conflict);
            return judged(RuleOutcome::Conflicts { tries });
        }
        if !conflict.commits() {
            return judged(RuleOutcome::Passes);
        }
        if conflict.opens.is_some() {
            self.conflict = Some(conflict);
            self.at = At::Query(Query::Open);
            return None;
        }
        self.conflict = Some(conflict);
        self.at = At::Refused;
        judged(RuleOutcome::Conflicts { tries })
    }

    /// A conflict that would end by itself after `lasts`: it lasts no longer than the rule is awake.
    fn conflict(&self, judging: &Judging<'_>, n: u64, lasts: Option<Duration>) -> Conflict {
        let Judging { active, key, .. } = *judging;
        let awake = active.rule.during.and_then(|during| during.remaining(self.now));
        Conflict {
            active: Arc::clone(active),
            n,
            key,
            status: None,
            versions: Versions::default(),
            tries: 1,
            remaining: lasts.into_iter().chain(awake).min(),
            opens: self.opens.map(Box::new),
        }
    }
}

/// A rule leaves a request alone, which the user may wonder about, most of all for its body's length.
fn left_alone(active: &ActiveRule, facts: &Facts<'_>, why: &Unconcerned<'_>) -> Option<Notice> {
    active.counters.note_near_miss(|| why.near_miss());
    let is_for_length = matches!(facts.body, BodyFacts::TooLong) && active.reads_body(facts);
    let is_first = is_for_length
        && active.rule.requests.check_head(facts).is_ok()
        && active.counters.leaves_first_long_body();
    is_first.then(|| Notice::LongBody(active.id()))
}
