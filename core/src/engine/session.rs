//! The rule that responds to a request: the first in file order that matches and fires. Without IO: the driver serves the
//! queries of a session, and the proxy, `explain` and the tests all drive this one.

mod judgement;
mod late;

pub use late::UpstreamResponse;

use std::sync::Arc;

use super::active_rule::{ActiveRule, Unconcerned};
use super::clear::validator;
use super::decision::{Conflict, Decision, Notice, Replay, Step};
use super::effects::Effects;
use super::operation::{Keyspace, Op, StateKey};
use super::ruleset::RuleSet;
use crate::matching::Candidates;
use crate::model::{BodyFacts, ClientIdSources, Facts, KeyHash, Moment};

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
    /// The upstream's response, for a session that decides by it.
    late: Option<late::AwaitedResponse<'s>>,
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
    /// Whose turn it is of the rule's `replies`.
    Turn,
    /// The newest representation, for a conflict that is committed.
    Current,
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
            late: None,
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
                        if self.late.is_some() {
                            self.turn_to_pending();
                        }
                        continue;
                    };
                    let Some(active) = self.rules.get(position) else { continue };
                    // Once a rule overrides the upstream's response, only those that watch the upstream go on.
                    let is_over = self.effects.is_decided() && active.rule.trigger.state().is_none();
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
                    if let Some(step) = self.begin(position, active) {
                        return step;
                    }
                }
                At::Rule { position, active } => {
                    self.at = At::Next;
                    if let Some(step) = self.begin(position, active) {
                        return step;
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
                        let showings = observers.showings(self.facts, self.now);
                        self.effects.observe(
                            observations,
                            observers.readings(self.facts, self.identity),
                            showings,
                        );
                    }
                    return Step::Done(Decision::Forward);
                }
                At::Over => return Step::Done(Decision::Forward),
            }
        }
    }

    /// The body that was needed, which had come at `now`; not [`BodyFacts::Unread`].
    pub fn body(&mut self, body: BodyFacts, now: Moment) {
        let body = if body.is_unread() { BodyFacts::TooLong } else { body };
        match &mut self.late {
            None => self.facts.body = body,
            Some(late) => late.response.body = body,
        }
        self.now = now;
    }

    /// Turns to a rule.
    fn begin(&mut self, position: u32, active: &'s Arc<ActiveRule>) -> Option<Step> {
        let key = match active.concern(self.facts, self.identity) {
            Ok(concern) => concern.key,
            Err(why) => return left_alone(active, self.facts, &why).map(Step::Notice),
        };
        if active.rule.upstream_response.is_some() {
            let is_decided = self.look_at_response(position, active);
            if is_decided.is_break() {
                return is_decided.break_value().flatten();
            }
        }
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
            (Query::Current, ..) => (active.shown_at(&self.facts.path), Op::Current),
            (Query::Turn, ..) => (active.key(Keyspace::Turns, key), Op::Count),
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
