//! Random records: calls that are refused and come again in all sorts of ways.

use fracas::model::{
    AskedWait, Attempt, Fingerprint, InjectedConflict, Kind, Phase, RequestRecord, ResponseRecord,
};
use proptest::prelude::*;

/// One call: its request, the response to each try, and its client's waits.
#[derive(Clone, Debug)]
struct Call {
    client: u64,
    method: &'static str,
    path: &'static str,
    sent: RequestRecord,
    kind: Kind,
    phase: Phase,
    waits: Vec<u64>,
    /// 0: it goes as planned; else the status, or 1 for none.
    statuses: Vec<u16>,
    last: u16,
    retry_after: Option<u64>,
    /// How it comes again: 0 the same, 1 after a read, 2 with another version, 3 body, 4 key.
    change: u8,
    start: u64,
}

fn call() -> impl Strategy<Value = Call> {
    let sent = (
        prop::option::weighted(0.4, 0..2u64),
        prop::option::weighted(0.3, 0..9u64),
        prop::option::weighted(0.1, 0..9u64),
        0..3u64,
    );
    let sent = sent.prop_map(|(version, key, operation, body)| RequestRecord {
        version: version.map(|version| version.to_string().into()),
        idempotency_key: key.map(Fingerprint),
        operation: operation.map(Fingerprint),
        body: Some(Fingerprint(body)),
        bytes: 9,
        ..RequestRecord::default()
    });
    let plan = (
        prop::collection::vec(prop::sample::select(vec![0, 1, 12, 40, 200, 400, 900, 2_000]), 0..14),
        prop::collection::vec(prop::sample::select(vec![0, 0, 0, 409, 412, 503, 500, 200, 1]), 15),
        prop::sample::select(vec![0, 200, 201, 404, 409, 500]),
        prop::option::weighted(0.2, prop::sample::select(vec![0, 100, 1_000])),
        0..5u8,
    );
    let what = (
        0..4u64,
        prop::sample::select(vec!["PUT", "PUT", "PATCH", "POST", "POST", "DELETE", "GET"]),
        prop::sample::select(vec!["/a", "/b", "/c", "/d", "/e"]),
        prop::sample::select(Kind::ALL.to_vec()),
        prop::sample::select(vec![Phase::Before, Phase::Before, Phase::Before, Phase::After, Phase::Lost]),
    );
    (what, sent, plan, 0..90_000u64).prop_map(
        |((client, method, path, kind, phase), sent, (waits, statuses, last, retry_after, change), start)| {
            Call {
                client,
                method,
                path,
                sent,
                kind,
                phase,
                waits,
                statuses,
                last,
                retry_after,
                change,
                start,
            }
        },
    )
}

impl Call {
    /// Its attempts; milliseconds become microseconds.
    fn attempts(&self) -> Vec<Attempt> {
        let (mut made, mut now, mut sent) = (Vec::new(), self.start, self.sent.clone());
        for (try_number, wait) in self.waits.iter().map(Some).chain([None]).enumerate() {
            let planned = self.statuses.get(try_number).copied().unwrap_or(0);
            made.push(self.attempt(now, sent.clone(), if wait.is_none() { self.last } else { planned }));
            let Some(wait) = wait else { break };
            now += 2 + wait;
            match self.change {
                1 => {
                    let got = ResponseRecord {
                        status: Some(200),
                        shown: now.to_string().as_str().into(),
                        ..ResponseRecord::default()
                    };
                    let read = Attempt {
                        start: now,
                        end: now + 1,
                        method: "GET".into(),
                        path: self.path.into(),
                        got,
                        ..Attempt::default()
                    };
                    sent.version = sent.version.map(|_| now.to_string().into());
                    made.push(read);
                    now += 2;
                }
                2 => sent.version = sent.version.map(|_| now.to_string().into()),
                3 => sent.body = Some(Fingerprint(now)),
                4 => sent.idempotency_key = sent.idempotency_key.map(|_| Fingerprint(now)),
                _ => {}
            }
        }
        for attempt in &mut made {
            (attempt.start, attempt.end) = (attempt.start * 1_000, attempt.end * 1_000);
            (attempt.client, attempt.agent) =
                (Fingerprint(self.client), Some(["x/1", "y/1"][self.client as usize % 2].into()));
        }
        made
    }

    /// `status`: 0 for a rule's conflict, 1 for none.
    fn attempt(&self, now: u64, sent: RequestRecord, status: u16) -> Attempt {
        let conflict = (status == 0).then(|| InjectedConflict {
            rule: self.kind.as_str().into(),
            kind: self.kind,
            phase: self.phase,
            n: 1,
            key: Fingerprint(1),
        });
        let is_applied = status == 0 && self.phase != Phase::Before;
        let got = ResponseRecord {
            status: match (status, self.phase) {
                (0, Phase::Lost) | (1, _) => None,
                (0, _) => Some(409),
                (status, _) => Some(status),
            },
            upstream: if is_applied { Some(200) } else { Some(status).filter(|status| *status > 1) },
            error: (status == 1).then(|| "reset".into()),
            retry_after: self.retry_after.filter(|_| status == 0).map(AskedWait::Seconds),
            ..ResponseRecord::default()
        };
        let (method, path) = (self.method.into(), self.path.into());
        Attempt { start: now, end: now + 1, method, path, sent, got, conflict, ..Attempt::default() }
    }
}

/// Attempts as they ended, and whether their clients have gone in the end.
pub fn record() -> impl Strategy<Value = (Vec<Attempt>, bool)> {
    (prop::collection::vec(call(), 1..14), any::<bool>()).prop_map(|(calls, have_gone)| {
        let mut attempts: Vec<Attempt> = calls.iter().flat_map(Call::attempts).collect();
        attempts.sort_by_key(|attempt| (attempt.end, attempt.start));
        attempts.iter_mut().zip(1..).for_each(|(attempt, id)| attempt.id = id);
        (attempts, have_gone)
    })
}
