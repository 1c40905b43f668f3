//! R4: one idempotency key per operation, one body per key.

use super::Tally;
use super::next_move::has_other_key;
use super::{CheckDefinition, CheckResult, Class, EvidenceSample, Measure, NeededTries, Products, id, of};
use crate::grading::view::View;

pub(super) const KEY_STABILITY: CheckDefinition = CheckDefinition {
    id: id(4),
    anchor: "r4-key-stability",
    why: "A server knows a retry by its idempotency key; another key on the same request is a second order.",
    tries: NeededTries::Every,
    products: Products::Any,
    judge,
};

/// Operations that were tried again with an idempotency key.
#[derive(Clone, Debug, Default)]
pub struct IdempotencyKeys {
    /// With a key on their first try.
    pub judged: u64,
    /// That changed or dropped it, with the same body.
    pub changed: u64,
    /// That kept the key and changed the body.
    other_body: u64,
    pub evidence: EvidenceSample,
}

impl Measure for IdempotencyKeys {
    fn see(&mut self, view: &View<'_>) {
        let (mut with_key, mut changed, mut other_body) = (false, false, false);
        for retry in view.retries() {
            let (before, after) = (&retry.before().sent, &retry.after().sent);
            with_key |= before.idempotency_key.is_some();
            changed |= has_other_key(&retry);
            let same_key =
                before.idempotency_key.is_some() && before.idempotency_key == after.idempotency_key;
            other_body |= same_key && retry.is_same_body() == Some(false);
        }
        if with_key {
            self.judged += 1;
            self.changed += u64::from(changed);
            self.other_body += u64::from(other_body && !changed);
            if changed || other_body {
                self.evidence.offer(u64::from(changed), view.operation.id);
            }
        }
    }

    fn samples(&self) -> impl Iterator<Item = &EvidenceSample> {
        [&self.evidence].into_iter()
    }
}

fn judge(tally: &Tally, _: &Class) -> Option<CheckResult> {
    let keys = &tally.keys;
    if keys.judged == 0 {
        return None;
    }
    let judged = if keys.changed > 0 {
        CheckResult::fail(format!(
            "{} changed their key between tries",
            of(keys.changed, keys.judged, "operation")
        ))
        .advice("make the key once per call, before the first try, and send it with every try")
    } else if keys.other_body > 0 {
        // A server that compares payloads responds 422; but a field that differs by nature is no other payload.
        CheckResult::warn(format!("{} changed the body under one key", of(keys.other_body, keys.judged, "operation")))
            .advice("send the same body under the same key; if only a time stamp differs, name it in `journal.volatile`")
    } else {
        CheckResult::pass(format!("{} kept one key and body", of(keys.judged, keys.judged, "operation")))
    };
    let broken = keys.changed + keys.other_body;
    Some(judged.number(broken as f64 / keys.judged as f64, 0.0, "share").shown_by(&keys.evidence))
}
