//! Which rule answers a request: the first in file order that matches and fires.

use std::time::Duration;

use bytes::Bytes;
use http::Response;
use http::request::Parts;

use super::client::Client;
use super::error::Failure;
use super::request_body::RequestBody;
use super::tally::Tally;
use super::worker::Shared;
use crate::judgement::{ActiveRule, Concern, Occasion};
use crate::store::{Slot, Store};
use crate::words::{Captures, Facts, KeyHash, Moment};

/// A conflict decided on.
pub struct Conflict<'s> {
    pub rule: &'s ActiveRule,
    /// Which of its key's requests this is, from 1.
    pub n: u64,
    pub answer: Response<Bytes>,
    pub delay: Duration,
}

/// Decides a request. The body is read, up to `body_limit`, only if a rule that could still match
/// needs it; that is all that can fail.
pub async fn decide<'s>(
    shared: &'s Shared,
    client: &Client,
    head: &Parts,
    body: &mut RequestBody,
) -> Result<Option<Conflict<'s>>, Failure> {
    if shared.rules.is_empty() {
        return Ok(None);
    }
    let now = shared.clock.now();
    let mut facts = Facts::new(head, client.address_behind(&head.headers, &shared.settings.trusted));
    for (position, active) in shared.rules.candidates(&facts) {
        if !active.is_awake(now) {
            continue;
        }
        if active.reads_body && facts.body.is_unread() {
            if active.rule.requests.check_head(&facts).is_err() {
                continue;
            }
            facts.body = body.look(shared.settings.body_limit).await.map_err(|_| Failure::BadBody)?;
        }
        let Ok(Concern { captures, key }) = active.concern(&facts, &shared.settings.client_id) else {
            continue;
        };
        let Some(tally) = shared.tallies.get(position as usize) else { continue };
        let judged = judge(&shared.store, tally, Slot(position), active, key, now);
        if judged.conflicts {
            return Ok(Some(conflict(shared, active, &facts, &captures, key, judged.n)));
        }
    }
    Ok(None)
}

/// What became of a request that a rule is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Judged {
    /// Which of its key's requests it is, from 1.
    pub n: u64,
    pub conflicts: bool,
}

/// Counts a request for its rule and key, and judges it. `explain` asks the same.
pub fn judge(
    store: &Store,
    tally: &Tally,
    slot: Slot,
    active: &ActiveRule,
    key: KeyHash,
    now: Moment,
) -> Judged {
    tally.add_match();
    let answer = store.run(slot, key, active.rule.trigger.ask(), now);
    let conflicts = active.judge(answer, key) && tally.try_fire(active.rule.limit);
    Judged { n: answer.n(), conflicts }
}

fn conflict<'s>(
    shared: &'s Shared,
    active: &'s ActiveRule,
    facts: &Facts<'_>,
    captures: &Captures<'_>,
    key: KeyHash,
    n: u64,
) -> Conflict<'s> {
    let occasion = Occasion {
        facts,
        captures,
        n,
        key,
        identity: &shared.settings.client_id,
        now: shared.clock.wall(),
        dice: active.dice,
        status: None,
        version_sent: None,
        version_current: None,
    };
    let mut answer = active.reply.render(&occasion);
    if shared.settings.cors
        && let Some(origin) = facts.headers.get(http::header::ORIGIN)
    {
        crate::judgement::allow_cors(answer.headers_mut(), origin);
    }
    Conflict { rule: active, n, answer, delay: active.rule.reply.delay }
}
