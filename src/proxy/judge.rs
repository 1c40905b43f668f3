//! One rule's word on one request, with what the store knows. `explain` asks the same.

use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;

use super::counters::Tally;
use crate::engine::{
    ActiveRule, Answer, Ask, Judgement, Place, StoredAnswer, Table, Tell, Versions, validator,
};
use crate::model::{Facts, KeyHash, Moment};
use crate::rules::{Clear, Rule, Trigger};
use crate::store::Store;

/// Who asks, and when.
pub struct Asked<'r> {
    pub facts: &'r Facts<'r>,
    pub key: KeyHash,
    pub client: KeyHash,
    pub now: Moment,
}

/// What became of a request that a rule is about.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged {
    /// Which of its key's requests it is, from 1; while a conflict is open, the one that opened it.
    pub n: u64,
    pub verdict: Verdict,
}

/// A rule's word.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// It leaves the request alone.
    Pass,
    /// The request clears a conflict that was open.
    Cleared,
    /// It leaves the request alone, and whoever comes before it leaves is in conflict with it.
    Admit(Entrance),
    Conflict(Claim),
    /// It was answered before.
    Replay(Arc<StoredAnswer>),
}

/// What an admitted request has to give back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entrance {
    pub place: Place,
    pub ticket: u64,
    /// Of the request, if its answer is to be kept.
    pub payload: Option<KeyHash>,
}

/// A conflict that is about to be played.
#[derive(Clone, Debug, PartialEq)]
pub struct Claim {
    /// Instead of the reply's.
    pub status: Option<StatusCode>,
    pub versions: Versions,
    /// Tries refused so far under an open conflict, this one included; 1 for a new one.
    pub tries: u64,
    /// How long it lasts from now on, where the rule knows.
    pub remaining: Option<Duration>,
    /// What playing it opens.
    opens: Option<(Place, Tell)>,
}

impl Claim {
    /// Plays it, unless the rule's limit is reached.
    pub fn play(&self, store: &Store, tally: &Tally, limit: Option<NonZeroU64>, now: Moment) -> bool {
        if !tally.try_fire(limit) {
            return false;
        }
        if let Some((place, tell)) = &self.opens {
            store.tell(*place, tell.clone(), now);
        }
        true
    }
}

/// Counts a request for its rule and key, and judges it.
pub fn judge(store: &Store, position: u32, active: &ActiveRule, asked: &Asked<'_>) -> Judged {
    let Asked { facts, key, client, now } = *asked;
    let place = |table, key| Place { rule: position, table, key };
    let claim = |opens, lasts| Claim {
        status: None,
        versions: Versions::default(),
        tries: 1,
        remaining: remaining(&active.rule, lasts, now),
        opens,
    };
    let mut opens = None;
    if let Some(clear) = active.rule.clear() {
        let under = active.rule.opened_under(facts, Some(key), client).unwrap_or(key);
        let opened = place(Table::Opened, under);
        let validator = validator(facts, active.rule.version_at());
        match store.run(opened, Ask::Opened { clear, validator }, now) {
            Answer::Open { n, tries, since } => {
                let lasts = clear.length().map(|length| length.saturating_sub(now.since(since)));
                return Judged { n, verdict: Verdict::Conflict(Claim { tries, ..claim(None, lasts) }) };
            }
            Answer::Cleared => {
                let n = store.count(place(Table::Count, key));
                return Judged { n, verdict: Verdict::Cleared };
            }
            _ => opens = Some((opened, validator)),
        }
    }
    let counted = store.run(place(Table::Count, key), active.rule.trigger.ask(), now);
    let n = counted.n();
    let verdict = match &active.rule.trigger {
        Trigger::On(state) => {
            let place = place(Table::State, key);
            let ask = state.ask(facts);
            let payload = match ask {
                Ask::Enter { payload, .. } if state.keeps_answers() => Some(payload),
                _ => None,
            };
            let answer = store.run(place, ask, now);
            let lasts = match &answer {
                Answer::Held(held) => held.and_then(|held| Some(held.until?.since(now))),
                _ => None,
            };
            match state.judge(&active.rule, facts, client, answer, now) {
                Judgement::Pass => Verdict::Pass,
                Judgement::Admit { ticket } => Verdict::Admit(Entrance { place, ticket, payload }),
                Judgement::Conflict { status, versions } => {
                    Verdict::Conflict(Claim { status, versions, ..claim(None, lasts) })
                }
                Judgement::Replay(answer) => Verdict::Replay(answer),
            }
        }
        _ if active.judge(&counted, key) => {
            let opens = opens.map(|(place, validator)| (place, Tell::Open { n, validator }));
            let lasts = match counted {
                Answer::Windowed { wait, .. } => Some(wait),
                _ => active.rule.clear().and_then(Clear::length),
            };
            Verdict::Conflict(claim(opens, lasts))
        }
        Trigger::Counted(_) => Verdict::Pass,
    };
    Judged { n, verdict }
}

/// How long a conflict lasts that would end by itself after `lasts`: not longer than the rule is awake.
fn remaining(rule: &Rule, lasts: Option<Duration>, now: Moment) -> Option<Duration> {
    let awake = rule.during.and_then(|during| during.remaining(now));
    lasts.into_iter().chain(awake).min()
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;
    use std::num::NonZeroUsize;

    use super::*;
    use crate::engine::RuleSet;
    use crate::rules::{BodyFileError, read};

    /// What each request at those milliseconds is told to remain; `None` for one that passes.
    fn remaining(rule: &str, moments: &[u64]) -> Vec<Option<u128>> {
        let text = format!("[[rule]]\nreply = {{ retry_after = \"remaining\" }}\n{rule}\n");
        let accepted = read("rules.toml", &text, &|_| Err(BodyFileError::Missing)).expect("valid rules");
        let rules = RuleSet::new(accepted.config.rules, 1, true).expect("replies");
        let active = rules.get(0).expect("a rule");
        let head = http::Request::put("/items/1").body(()).expect("a request").into_parts().0;
        let facts = Facts::new(&head, IpAddr::from([127, 0, 0, 1]));
        let store = Store::new(NonZeroUsize::MIN.saturating_add(9), Duration::from_secs(3_600));
        let key = KeyHash(1);
        let state = Place { rule: 0, table: Table::State, key };
        store.tell(state, Tell::Hold { holder: KeyHash(8), lease: Some(Duration::from_secs(10)) }, Moment(0));
        let told = moments.iter().map(|millisecond| {
            let now = Moment::after_start(Duration::from_millis(*millisecond));
            let asked = Asked { facts: &facts, key, client: KeyHash(7), now };
            match judge(&store, 0, active, &asked).verdict {
                Verdict::Conflict(claim) if active.is_awake(now) => {
                    claim.play(&store, &Tally::default(), None, now);
                    Some(claim.remaining.expect("an end").as_millis())
                }
                _ => None,
            }
        });
        told.collect()
    }

    #[test]
    fn what_remains_counts_down_wherever_the_rule_knows_its_end() {
        for (rule, moments, told) in [
            (
                "first = 1\nclear = \"3s\"",
                &[500, 500, 1_500, 3_499, 3_500][..],
                &[Some(3_000), Some(3_000), Some(2_000), Some(1), None][..],
            ),
            (
                "above = \"2/s\"",
                &[0, 0, 0, 250, 500, 500],
                &[None, None, Some(500), Some(250), None, Some(500)],
            ),
            ("above = \"1/m\"", &[0, 0, 59_999, 60_000], &[None, Some(60_000), Some(1), None]),
            ("during = { for = \"10s\" }", &[0, 9_000, 10_000], &[Some(10_000), Some(1_000), None]),
            (
                "during = { after = \"5s\", for = \"2s\", every = \"10s\" }",
                &[4_000, 5_000, 6_500, 7_000, 16_000],
                &[None, Some(2_000), Some(500), None, Some(1_000)],
            ),
            ("on = \"locked\"\nlease = \"10s\"", &[0, 9_999, 10_000], &[Some(10_000), Some(1), None]),
            // The first end counts.
            (
                "clear = \"3s\"\nduring = { for = \"10s\" }",
                &[0, 8_000, 9_000],
                &[Some(3_000), None, Some(1_000)],
            ),
            ("clear = \"1m\"\nduring = { for = \"10s\" }", &[4_000, 9_000], &[Some(6_000), Some(1_000)]),
        ] {
            assert_eq!(remaining(rule, moments), told, "{rule}");
        }
    }
}
