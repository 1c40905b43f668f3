//! Simulated clients before a simulated proxy, and their requests as the journal would hold them.

use fracas::model::{
    AskedWait, Attempt, Fingerprint, InjectedConflict, Kind, Phase, RequestRecord, ResponseRecord,
    ShownVersions,
};

use super::policies::Chance;

/// A client's reaction to a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Client {
    /// Reads again, logs in again, honours Retry-After, waits with full jitter, keeps its key, stops.
    Exemplary,
    /// Sends the same again at once, fifty times.
    HotLoop,
    /// Waits well, but repeats the refused request with the refused version.
    BlindReplay,
    /// Waits well, with another idempotency key each time.
    NewKey,
    /// Does not retry at all.
    GivesUp,
    /// Reads and writes again after 10 ms, as client-go's `RetryOnConflict` does.
    Optimistic,
    /// Fixed gaps of half a second, the same for every client.
    Metronome,
    /// Waits well, half as long as Retry-After says.
    Impatient,
    /// Waits five times as long as Retry-After says.
    Polite,
    /// Half a second, times ± 2 %: near the limit of no jitter.
    NearlyEven,
}

/// The conflict that the rule plays.
#[derive(Clone, Copy, Debug)]
pub struct Situation {
    pub kind: Kind,
    pub phase: Phase,
    /// Refused tries per operation; drawn up to this when `is_drawn`.
    pub refusals: usize,
    pub is_drawn: bool,
    pub retry_after: Option<AskedWait>,
    pub clients: u64,
    pub operations: u64,
}

impl Situation {
    pub fn new(kind: Kind) -> Situation {
        let (refusals, retry_after) = (usize::MAX, None);
        Situation {
            kind,
            phase: Phase::Before,
            refusals,
            is_drawn: false,
            retry_after,
            clients: 4,
            operations: 5,
        }
    }
}

/// One client's clock, and the requests of all clients so far.
struct Run<'c> {
    chance: &'c mut Chance,
    attempts: Vec<Attempt>,
    now: u64,
    client: Fingerprint,
}

/// Everything that clients of one kind send in a situation, in the order in which it ended.
pub fn record(client: Client, situation: Situation, seed: u64) -> Vec<Attempt> {
    let mut chance = Chance::new(seed);
    let mut attempts = Vec::new();
    for number in 0..situation.clients {
        let now = 1_000_000 + chance.uniform(0.0, 15_000.0) as u64;
        let mut run = Run { chance: &mut chance, attempts: Vec::new(), now, client: Fingerprint(number + 1) };
        for operation in 0..situation.operations {
            run.operation(client, situation, number * situation.operations + operation);
            run.wait(run_pause(situation));
        }
        attempts.append(&mut run.attempts);
    }
    attempts.sort_by_key(|attempt| (attempt.end, attempt.start));
    for (at, attempt) in attempts.iter_mut().enumerate() {
        attempt.id = at as u64 + 1;
    }
    attempts
}

fn run_pause(situation: Situation) -> f64 {
    // Longer than any window, so that the next operation is certainly another one.
    if situation.operations > 1 { 0.25 } else { 0.0 }
}

impl Run<'_> {
    fn wait(&mut self, seconds: f64) {
        self.now += (seconds * 1e6) as u64 + self.chance.uniform(300.0, 3_000.0) as u64;
    }

    fn send(
        &mut self,
        method: &str,
        path: &str,
        sent: RequestRecord,
        got: ResponseRecord,
        conflict: Option<InjectedConflict>,
    ) {
        let start = self.now;
        self.now += self.chance.uniform(400.0, 4_000.0) as u64;
        self.attempts.push(Attempt {
            start,
            end: self.now,
            client: self.client,
            agent: Some("simulated/1.0".into()),
            method: method.into(),
            path: path.into(),
            sent,
            got,
            conflict,
            ..Attempt::default()
        });
    }

    fn operation(&mut self, client: Client, situation: Situation, number: u64) {
        let Situation { kind, phase, .. } = situation;
        let (method, path) = match kind {
            Kind::Duplicate | Kind::Idempotency => ("POST", "/orders".to_owned()),
            _ if phase != Phase::Before => ("POST", "/orders".to_owned()),
            Kind::Referenced => ("DELETE", format!("/items/{number}")),
            Kind::Blocked => ("GET", format!("/pages/{number}")),
            _ => ("PUT", format!("/items/{number}")),
        };
        let refusals = if situation.is_drawn {
            self.chance.uniform(0.0, situation.refusals as f64 + 1.0) as usize
        } else {
            situation.refusals
        };
        let has_key = method == "POST" && !matches!(client, Client::HotLoop);
        let mut sent = RequestRecord {
            version: (kind == Kind::Version).then(|| format!("\"{number}-1\"").into()),
            idempotency_key: has_key.then_some(Fingerprint(number + 1_000)),
            credential: Some(Fingerprint(1)),
            body: (method != "GET" && method != "DELETE").then_some(Fingerprint(number + 1)),
            bytes: if method == "GET" || method == "DELETE" { 0 } else { 20 },
            ..RequestRecord::default()
        };
        for k in 0.. {
            let is_refused = k < refusals;
            let applied = phase != Phase::Before;
            let got = ResponseRecord {
                status: match (is_refused, phase) {
                    (true, Phase::Lost) => None,
                    (true, _) => Some(409),
                    (false, _) => Some(200),
                },
                upstream: (!is_refused || applied).then_some(200),
                retry_after: situation.retry_after.filter(|_| is_refused),
                ..ResponseRecord::default()
            };
            let conflict = is_refused.then(|| InjectedConflict {
                rule: "rule".into(),
                kind,
                phase,
                n: k as u64 + 1,
                key: Fingerprint(number + 1),
            });
            self.send(method, &path, sent.clone(), got, conflict);
            if !is_refused || !self.goes_on(client, situation, k, &path, &mut sent) {
                return;
            }
        }
    }

    /// Does the steps before another try; returns whether there will be one.
    fn goes_on(
        &mut self,
        client: Client,
        situation: Situation,
        k: usize,
        path: &str,
        sent: &mut RequestRecord,
    ) -> bool {
        let full = 0.5 * f64::powi(2.0, k as i32) * self.chance.uniform(0.0, 1.0);
        let asked = situation.retry_after.map(|asked| asked.millis() as f64 / 1e3);
        let most = if client == Client::HotLoop { 50 } else { 5 };
        if client == Client::GivesUp || k + 1 >= most {
            return false;
        }
        match client {
            Client::Exemplary if matches!(situation.kind, Kind::Duplicate | Kind::Referenced) => {
                return false;
            }
            Client::HotLoop => self.wait(0.0),
            Client::Optimistic => self.wait(0.010),
            Client::Metronome => self.wait(0.5),
            Client::NearlyEven => {
                let wait = self.chance.uniform(0.48, 0.52);
                self.wait(wait);
            }
            Client::Impatient => self.wait(asked.unwrap_or(full) / 2.0),
            Client::Polite => self.wait(asked.map_or(full, |asked| asked * 5.0)),
            Client::Exemplary | Client::BlindReplay | Client::NewKey | Client::GivesUp => {
                self.wait(asked.unwrap_or(0.0) + full);
            }
        }
        if client == Client::NewKey {
            sent.idempotency_key = Some(Fingerprint(self.now));
        }
        if situation.kind == Kind::Version && !matches!(client, Client::BlindReplay | Client::HotLoop) {
            // Half of the time the upstream's version has not changed: the conflict was only played.
            if self.chance.uniform(0.0, 1.0) < 0.5 {
                sent.version = Some(format!("\"{}\"", self.now).into());
            }
            let shown = ResponseRecord {
                status: Some(200),
                upstream: Some(200),
                shown: sent.version.as_deref().map(ShownVersions::from).unwrap_or_default(),
                ..ResponseRecord::default()
            };
            self.send(
                "GET",
                path,
                RequestRecord { credential: sent.credential, ..RequestRecord::default() },
                shown,
                None,
            );
            self.now += self.chance.uniform(100.0, 900.0) as u64;
        }
        if situation.kind == Kind::Session && client == Client::Exemplary {
            let given =
                ResponseRecord { status: Some(200), upstream: Some(200), ..ResponseRecord::default() };
            self.send(
                "POST",
                "/login",
                RequestRecord { bytes: 9, body: Some(Fingerprint(self.now)), ..RequestRecord::default() },
                given,
                None,
            );
            sent.credential = Some(Fingerprint(self.now));
            self.now += 500;
        }
        true
    }
}
