//! One rule's word on one request, with what the store knows. `explain` asks the same.

use http::StatusCode;
use std::sync::Arc;

use super::tally::Tally;
use crate::judgement::{
    ActiveRule, Answer, Ask, Judgement, Place, StoredAnswer, Table, Tell, Versions, validator,
};
use crate::rules::Trigger;
use crate::store::Store;
use crate::words::{Facts, KeyHash, Moment};

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
    /// What playing it opens.
    opens: Option<(Place, Tell)>,
}

impl Claim {
    /// Plays it, unless the rule's limit is reached.
    pub fn play(&self, store: &Store, tally: &Tally, limit: Option<u64>, now: Moment) -> bool {
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
    let claim = |opens| Claim { status: None, versions: Versions::default(), tries: 1, opens };
    let mut opens = None;
    if let Some(clear) = active.rule.clear {
        let opened = place(Table::Opened, clear.key(facts, key, client));
        let validator = validator(facts);
        match store.run(opened, Ask::Opened { clear, validator }, now) {
            Answer::Open { n, tries } => {
                return Judged { n, verdict: Verdict::Conflict(Claim { tries, ..claim(None) }) };
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
            match state.judge(facts, client, store.run(place, ask, now), now) {
                Judgement::Pass => Verdict::Pass,
                Judgement::Admit { ticket } => Verdict::Admit(Entrance { place, ticket, payload }),
                Judgement::Conflict { status, versions } => {
                    Verdict::Conflict(Claim { status, versions, ..claim(None) })
                }
                Judgement::Replay(answer) => Verdict::Replay(answer),
            }
        }
        _ if active.judge(&counted, key) => {
            let opens = opens.map(|(place, validator)| (place, Tell::Open { n, validator }));
            Verdict::Conflict(claim(opens))
        }
        _ => Verdict::Pass,
    };
    Judged { n, verdict }
}
