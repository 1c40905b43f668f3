//! The store's replies, and what becomes of a conflict: it takes a reply, opens, or waits for the upstream.

use std::sync::Arc;
use std::time::Duration;

use super::{At, Judging, Query, Session};
use crate::engine::decision::{Conflict, Judged, Replay, RuleOutcome};
use crate::engine::fault::PassingFault;
use crate::engine::operation::Reply;
use crate::engine::state::{Judgement, Versions};
use crate::engine::store::StoreError;
use crate::model::Phase;
use crate::rules::Clear;

impl<'s> Session<'s, '_> {
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
                let choice = self.conflict.as_ref().and_then(|conflict| conflict.choice);
                return judged(n, RuleOutcome::Conflicts { tries, choice });
            }

            // The conflict is decided, and is injected whether or not its resource is known.
            (Query::Current, reply) => {
                if let (Ok(Reply::Current(Some(shown))), Some(conflict)) = (reply, &mut self.conflict) {
                    conflict.show(shown);
                }
                return self.open(judging);
            }
            (_, Err(_)) => return judged(0, RuleOutcome::Passes),
            (Query::Turn, Ok(turn)) => return self.choose(judging, turn.n()),
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

    /// The outcome of a state trigger.
    fn judge_state(&mut self, judging: Judging<'s>, n: u64, reply: Reply) -> Option<Judged> {
        let Judging { position, active, client, .. } = judging;
        let judged = |word| Some(Judged { position, n, word });
        let state = active.rule.trigger.state()?;
        if active.rule.learns_versions() && active.rule.carries_version(self.facts) {
            active.counters.versions.see_sent();
        }
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
            Judgement::Replay(_) if self.effects.is_decided() => judged(RuleOutcome::Watches),
            Judgement::Replay(response) => {
                self.replay = Some(Replay { active: Arc::clone(active), n, response });
                self.at = At::Replayed;
                judged(RuleOutcome::Replays)
            }
        }
    }

    /// Goes on with a conflict: it takes a reply, or waits until the upstream has responded.
    pub(super) fn play(&mut self, judging: Judging<'s>, conflict: Conflict) -> Option<Judged> {
        let (n, tries) = (conflict.n, conflict.tries);
        let judged = |word| Some(Judged { position: judging.position, n, word });
        if self.effects.is_decided() {
            return judged(RuleOutcome::Watches);
        }
        let active = judging.active;
        if active.rule.pass.is_some() {
            if !active.counters.may_fire(active.rule.limit) {
                return judged(RuleOutcome::Passes);
            }
            self.effects.pass_with(PassingFault { active: Arc::clone(active), n, key: judging.key });
            return judged(RuleOutcome::PassesWithFaults);
        }
        let waits = active.rule.phase() != Phase::Before && self.late.is_none();
        // One that waits fires when the upstream accepts; here, whether it still could. None takes a turn in vain.
        if (waits || active.rule.replies.is_some()) && !active.counters.may_fire(active.rule.limit) {
            return judged(RuleOutcome::Passes);
        }
        if waits {
            self.effects.pend(judging.position, conflict);
            return judged(RuleOutcome::Conflicts { tries, choice: None });
        }
        if active.rule.replies.is_none() {
            return self.commit(judging, conflict);
        }
        let turn = active.rule.turn_of(n);
        self.conflict = Some(conflict);
        match turn {
            Some(turn) => self.choose(judging, turn),
            None => {
                self.at = At::Query(Query::Turn);
                None
            }
        }
    }

    /// The `turn`-th conflict of its key takes its reply, which may let the request pass.
    fn choose(&mut self, judging: Judging<'s>, turn: u64) -> Option<Judged> {
        let conflict = self.conflict.take()?;
        let choice = judging.active.choose(turn, &conflict);
        if judging.active.passes(choice) {
            choice.into_iter().for_each(|choice| judging.active.counters.take_reply(choice));
            let word = RuleOutcome::Passes;
            return Some(Judged { position: judging.position, n: conflict.n, word });
        }
        self.commit(judging, Conflict { choice, ..conflict })
    }

    /// Counts a conflict, and opens it under `clear`.
    fn commit(&mut self, judging: Judging<'s>, conflict: Conflict) -> Option<Judged> {
        if !conflict.commits() {
            let word = RuleOutcome::Passes;
            return Some(Judged { position: judging.position, n: conflict.n, word });
        }
        self.conflict = Some(conflict);
        if judging.active.shows_current() {
            self.at = At::Query(Query::Current);
            return None;
        }
        self.open(judging)
    }

    /// Opens the committed conflict under `clear`.
    fn open(&mut self, judging: Judging<'s>) -> Option<Judged> {
        let conflict = self.conflict.as_ref()?;
        if conflict.opens.is_some() {
            self.at = At::Query(Query::Open);
            return None;
        }
        self.at = At::Refused;
        let word = RuleOutcome::Conflicts { tries: conflict.tries, choice: conflict.choice };
        Some(Judged { position: judging.position, n: conflict.n, word })
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
            choice: None,
            current: None,
            tries: 1,
            remaining: lasts.into_iter().chain(awake).min(),
            opens: self.opens.map(Box::new),
        }
    }
}
