//! The second part of a request's way: past the rules that decide by the upstream's response.

use std::ops::ControlFlow;
use std::sync::Arc;

use http::{HeaderMap, StatusCode};

use super::{At, Judging, Session};
use crate::engine::active_rule::ActiveRule;
use crate::engine::decision::{Conflict, Notice, Step};
use crate::engine::effects::Effects;
use crate::engine::ruleset::RuleSet;
use crate::engine::state::accepts;
use crate::matching::{Candidates, ResponseMismatch};
use crate::model::{BodyFacts, ClientIdSources, Facts, KeyHash, Moment, Phase};

/// The response, and the rules that wait for it.
pub(super) struct AwaitedResponse<'s> {
    pub response: &'s mut UpstreamResponse<'s>,
    /// The conflict that takes the response's place where no earlier rule's does.
    pub pending: Option<Box<(u32, Conflict)>>,
}

/// The upstream's response, as rules look at it.
pub struct UpstreamResponse<'a> {
    pub status: StatusCode,
    pub headers: &'a HeaderMap,
    pub body: BodyFacts,
}

impl<'s, 'r> Session<'s, 'r> {
    /// The same request, after the upstream's response came at `now`: it goes past the rules that wait for it
    /// ([`Effects::awaits_response`]). A conflict takes the response's place.
    pub fn after(
        rules: &'s RuleSet,
        identity: &'s ClientIdSources,
        facts: &'s mut Facts<'r>,
        effects: &'s mut Effects,
        now: Moment,
        response: &'s mut UpstreamResponse<'s>,
    ) -> Session<'s, 'r> {
        let (positions, pending) = effects.take_late();
        // No rule that waits still needs the request's body; without one it was not read.
        if facts.body.is_unread() {
            facts.body = BodyFacts::TooLong;
        }
        Session {
            rules,
            identity,
            facts,
            effects,
            now,
            ticket: 0,
            candidates: Candidates::from(positions),
            late: Some(AwaitedResponse { response, pending }),
            judging: None,
            opens: None,
            conflict: None,
            replay: None,
            at: At::Next,
        }
    }

    /// Turns to the conflict that waits for the upstream's response, as one that accepts the request. Its outcome is
    /// told only where the store is asked: else it is as it was when the conflict began to wait.
    pub(super) fn turn_to_pending(&mut self) {
        self.at = At::Over;
        let Some(late) = &mut self.late else { return };
        let is_accepted = accepts(late.response.status, late.response.headers);
        let Some((position, conflict)) = late.pending.take().filter(|_| is_accepted).map(|pending| *pending)
        else {
            return;
        };
        let Some(active) = self.rules.get(position) else { return };
        let judging = Judging { position, active, key: conflict.key, client: KeyHash(0) };
        self.judging = Some(judging);
        self.opens = conflict.opens.as_deref().copied();
        self.play(judging, conflict);
    }

    /// Whether the rule goes on with the upstream's response: it waits for one that has not come, needs its body, or
    /// leaves it alone.
    pub(super) fn look_at_response(
        &mut self,
        position: u32,
        active: &'s Arc<ActiveRule>,
    ) -> ControlFlow<Option<Step>> {
        let Some(wanted) = &active.rule.upstream_response else { return ControlFlow::Continue(()) };
        if active.rule.phase() == Phase::Before {
            let why = "`upstream_response` without `phase`: the upstream's response is never there in time";
            active.counters.note_near_miss(|| Some(why.to_owned()));
            return ControlFlow::Break(None);
        }
        let Some(late) = &self.late else {
            self.effects.await_response(position);
            return ControlFlow::Break(None);
        };
        let response = &*late.response;
        let accepts = accepts(response.status, response.headers);
        let mut checked = wanted.check_head(response.status, response.headers, accepts);
        if checked.is_ok() && wanted.reads_body() {
            if response.body.is_unread() {
                self.at = At::Rule { position, active };
                return ControlFlow::Break(Some(Step::NeedBody));
            }
            checked = wanted.check_body(&response.body);
        }
        let Err(mismatch) = checked else { return ControlFlow::Continue(()) };
        active.counters.note_near_miss(|| Some(mismatch.to_string()));
        let is_unread = mismatch == ResponseMismatch::BodyUnread;
        let is_first = is_unread && active.counters.leaves_first_response();
        ControlFlow::Break(is_first.then(|| Step::Notice(Notice::UnreadResponse(active.id()))))
    }
}
