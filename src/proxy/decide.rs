//! Which rule answers a request: the first in file order that matches and fires.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Response;
use http::request::Parts;
use http_body::Body;

use super::body::request::RequestBody;
use super::counters::Tally;
use super::downstream::client::Origin;
use super::error::Failure;
use super::judge::{Asked, Claim, Judged, Verdict, judge};
use super::passage::{Guard, Passage};
use super::shared::Shared;
use crate::engine::{ActiveRule, Concern, StoredAnswer, Unconcerned};
use crate::model::{BodyFacts, Captures, Facts, KeyHash, Phase};
use crate::reply::{Occasion, allow_cors};

/// What is done with a request.
pub enum Decision {
    /// It goes to the upstream.
    Forward(Passage),
    /// The upstream never sees it.
    Refuse(Box<Conflict>),
    /// It goes to the upstream, and if that accepts it, the client is not told so.
    Disturb(Box<Conflict>, Passage),
    /// It was answered before.
    Replay(Replay),
}

/// A conflict decided on.
pub struct Conflict {
    /// The rule's position.
    pub rule: u32,
    /// Which of its key's requests this is, from 1.
    pub n: u64,
    pub key: KeyHash,
    pub claim: Claim,
    pub answer: Response<Bytes>,
    pub delay: Duration,
}

/// An answer that is given again.
pub struct Replay {
    pub rule: u32,
    pub n: u64,
    pub answer: Arc<StoredAnswer>,
}

/// Decides a request. The body is read, up to `body_limit`, only if a rule that could still match
/// needs it; that is all that can fail.
pub async fn decide(
    shared: &Arc<Shared>,
    origin: Origin,
    head: &Parts,
    body: &mut RequestBody,
) -> Result<Decision, Failure> {
    let mut passage = Passage::default();
    if shared.rules.is_empty() {
        return Ok(Decision::Forward(passage));
    }
    let Origin { address, who, began: mut now } = origin;
    let identity = &shared.settings.client_id;
    let mut facts = Facts { who: Some(who), ..Facts::new(head, address) };
    // Then nobody has to wait for it.
    if body.is_end_stream() {
        facts.body = BodyFacts::read(Bytes::new());
    }
    let mut disturbance = None;
    for (position, active) in shared.rules.candidates(&facts) {
        // Once a rule answers in the upstream's place, only those that watch the upstream go on.
        if !active.is_awake(now) || (disturbance.is_some() && active.rule.trigger.state().is_none()) {
            continue;
        }
        let Some(tally) = shared.tallies.get(position as usize) else { continue };
        if facts.body.is_unread() && active.reads_body(&facts) {
            if let Err(mismatch) = active.rule.requests.check_head(&facts) {
                tally.note_near_miss(|| mismatch.near_miss());
                continue;
            }
            facts.body = look(shared, body).await?;
            now = shared.clock.now();
        }
        let Concern { captures, key } = match active.concern(&facts, identity) {
            Ok(concern) => concern,
            Err(why) => {
                leave(active, &facts, tally, &why);
                continue;
            }
        };
        tally.add_match();
        // Only what is kept for a client asks for it.
        let is_for_client = active.rule.clear().is_some() || active.rule.trigger.state().is_some();
        let client = if is_for_client { facts.client(identity) } else { KeyHash(0) };
        let asked = Asked { facts: &facts, key, client, now };
        let Judged { n, verdict } = judge(&shared.store, position, active, &asked);
        let claim = match verdict {
            Verdict::Pass | Verdict::Cleared => continue,
            Verdict::Admit(entrance) => {
                passage.enter(Guard::new(shared, entrance), active.rule.trigger.hold());
                continue;
            }
            _ if disturbance.is_some() => continue,
            Verdict::Replay(answer) => return Ok(Decision::Replay(Replay { rule: position, n, answer })),
            Verdict::Conflict(claim) => claim,
        };
        // It is big, and nearly no request has one.
        let conflict = |claim| {
            Box::new(Conflict {
                rule: position,
                n,
                key,
                answer: answer(shared, active, &facts, &captures, key, n, &claim),
                claim,
                delay: active.rule.reply.delay,
            })
        };
        if active.rule.phase() != Phase::Before {
            // Whether it fires is seen when the upstream has answered; here, whether it still could.
            if !tally.may_fire(active.rule.limit) {
                continue;
            }
            disturbance = Some(conflict(claim));
            continue;
        }
        if claim.play(&shared.store, tally, active.rule.limit, now) {
            return Ok(Decision::Refuse(conflict(claim)));
        }
    }
    let learners = shared.rules.learners();
    if !learners.is_empty() {
        if facts.body.is_unread() && learners.want_body(&facts) {
            facts.body = look(shared, body).await?;
        }
        passage.learn(learners.lessons(&shared.rules, &facts, identity, now));
        passage.readings = learners.readings(&shared.rules, &facts, identity);
    }
    Ok(match disturbance {
        Some(conflict) => Decision::Disturb(conflict, passage),
        None => Decision::Forward(passage),
    })
}

/// A rule leaves a request alone, which the user may wonder about, most of all for its body's length.
fn leave(active: &ActiveRule, facts: &Facts<'_>, tally: &Tally, why: &Unconcerned<'_>) {
    tally.note_near_miss(|| why.near_miss());
    let is_for_length = matches!(facts.body, BodyFacts::TooLong) && active.reads_body(facts);
    if is_for_length && active.rule.requests.check_head(facts).is_ok() && tally.leaves_first_long_body() {
        let name = &*active.rule.name;
        tracing::warn!(
            "the rule {name} leaves alone what has a body longer than body_limit: it cannot look at it"
        );
    }
}

async fn look(shared: &Shared, body: &mut RequestBody) -> Result<BodyFacts, Failure> {
    Box::pin(body.look(shared.settings.body_limit)).await.map_err(|_| Failure::BadBody)
}

fn answer(
    shared: &Shared,
    active: &ActiveRule,
    facts: &Facts<'_>,
    captures: &Captures<'_>,
    key: KeyHash,
    n: u64,
    claim: &Claim,
) -> Response<Bytes> {
    let occasion = Occasion {
        facts,
        captures,
        n,
        key,
        identity: &shared.settings.client_id,
        now: shared.clock.wall(),
        dice: active.dice,
        remaining: claim.remaining,
        status: claim.status,
        version_sent: claim.versions.sent.as_deref(),
        version_current: claim.versions.current.as_deref(),
    };
    let mut answer = active.reply.render(&occasion);
    if shared.settings.cors
        && let Some(origin) = facts.headers.get(http::header::ORIGIN)
    {
        allow_cors(answer.headers_mut(), origin);
    }
    answer
}
