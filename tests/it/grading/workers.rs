//! Simulated workers side by side under one identity, which all make the same requests. The tests ask whether a
//! worker's own fault is found, and whether a fault is invented from several workers' requests.

use fracas::model::{
    AskedWait, Attempt, Fingerprint, InjectedConflict, Kind, Phase, RequestRecord, ResponseRecord,
    ShownVersions,
};

use crate::mix::Chance;

/// Times in microseconds.
const MILLI: u64 = 1_000;
const SECOND: u64 = 1_000_000;

/// One synthetic situation.
#[derive(Clone, Copy, Debug)]
pub struct Workers {
    pub count: u64,
    pub policy: Policy,
    pub connections: Connections,
    pub names: Names,
    pub starts: Starts,
    pub rule: Rule,
    /// Calls of each worker, one after the other.
    pub calls: u64,
}

/// A worker's reaction to a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// Once.
    Stops,
    /// As long as `Retry-After` says, or else with full jitter; three tries; reads again first.
    Polite,
    /// 1.1 s, three tries.
    Even,
    /// 1, 2 and 4 s, times 1 to 1.2.
    Growing,
    /// Half a second whatever `Retry-After` says, with the same version, six tries.
    Hasty,
    /// At once, twelve times.
    HotLoop,
    /// As `Polite`, with another key each time.
    NewKey,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Connections {
    /// One for each worker, which it keeps.
    Own,
    /// One for each request.
    New,
    /// A pool, of which the one used last is taken first.
    Pool,
}

/// The marks that a call carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Names {
    None,
    Key,
    Mark,
    Trace,
    /// Its body is its own.
    Body,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Starts {
    /// 120 ms after each other.
    Even,
    /// 110 ms to a second after each other.
    Apart,
    /// Up to a quarter of a second after each other.
    Close,
    /// Spread evenly over a wait.
    Spread,
    /// Within 2 ms, which is less than a response takes.
    AtOnce,
}

/// The rule that refuses the workers.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    pub kind: Kind,
    pub phase: Phase,
    pub method: &'static str,
    /// Refused in all; `u64::MAX` for all of them.
    pub first: u64,
    pub retry_after: Option<u64>,
}

/// One worker, between two of its requests.
struct Worker {
    number: u64,
    at: u64,
    next: Next,
    tried: u64,
    call: u64,
    sent: RequestRecord,
    connection: u64,
}

#[derive(Clone, Copy, PartialEq)]
enum Next {
    Write,
    Read,
    Nothing,
}

/// The server and the wire.
struct Scene {
    chance: Chance,
    attempts: Vec<(Attempt, (u64, u64))>,
    refused: u64,
    version: u64,
    connections: u64,
    /// Idle ones of the pool, each with when it fell idle; the last one was used last.
    pool: Vec<(u64, u64)>,
}

impl Policy {
    pub const ALL: [Policy; 7] = [
        Policy::Stops,
        Policy::Polite,
        Policy::Even,
        Policy::Growing,
        Policy::Hasty,
        Policy::HotLoop,
        Policy::NewKey,
    ];

    /// Tries of one call at most.
    fn most_tries(self) -> u64 {
        match self {
            Policy::Stops => 1,
            Policy::Polite | Policy::Even | Policy::NewKey => 3,
            Policy::Growing => 4,
            Policy::Hasty => 6,
            Policy::HotLoop => 12,
        }
    }

    /// Whether it sends again a request that was refused so. A careful client asks for no name again that is
    /// taken, and repeats no request that may have been applied, unless a key protects it.
    pub fn comes_back(self, kind: Kind, phase: Phase, names: Names) -> bool {
        match self {
            Policy::Stops => false,
            Policy::Polite | Policy::Even | Policy::Growing => {
                kind != Kind::Duplicate && (phase == Phase::Before || names == Names::Key)
            }
            Policy::Hasty | Policy::HotLoop | Policy::NewKey => true,
        }
    }
}

/// The kinds of conflicts that workers meet.
pub const REFUSALS: [(Kind, Phase, &str); 7] = [
    (Kind::Transient, Phase::Before, "PUT"),
    (Kind::Blocked, Phase::Before, "GET"),
    (Kind::Version, Phase::Before, "PUT"),
    (Kind::Lock, Phase::Before, "POST"),
    (Kind::Duplicate, Phase::Before, "POST"),
    (Kind::Transient, Phase::Lost, "POST"),
    (Kind::Transient, Phase::After, "POST"),
];

impl Workers {
    /// One of many, at random.
    pub fn drawn(seed: u64) -> Workers {
        let mut chance = Chance::new(seed, u64::MAX);
        let mut pick = |count: u64| chance.below(count) as usize;
        let policies = [Policy::Stops, Policy::Polite, Policy::Polite, Policy::Even, Policy::Growing];
        let bad = [Policy::Hasty, Policy::HotLoop, Policy::NewKey];
        let policy = if pick(4) == 0 { bad[pick(3)] } else { policies[pick(5)] };
        let (kind, phase, method) = REFUSALS[pick(REFUSALS.len() as u64)];
        let asked = [None, Some(1_000), Some(2_000)][pick(3)].filter(|_| phase != Phase::Lost);
        let connections = [Connections::Own, Connections::New, Connections::Pool][pick(3)];
        let named = [Names::Key, Names::Mark, Names::Trace];
        let names = if pick(2) == 0 { Names::None } else { named[pick(3)] };
        // Callers that never come back to a pool's one connection look like one that does (docs/GRADING.md).
        let comes_back = policy.comes_back(kind, phase, names);
        let connections =
            if comes_back { connections } else { [Connections::Own, Connections::New][pick(2)] };
        Workers {
            count: 2 + pick(15) as u64,
            policy,
            connections,
            names,
            starts: [Starts::Even, Starts::Apart, Starts::AtOnce][pick(3)],
            rule: Rule { kind, phase, method, first: [1, 3, 10, u64::MAX][pick(4)], retry_after: asked },
            calls: 1 + pick(2) as u64,
        }
    }

    /// A random situation of workers that come closer to each other, or spread their waits; bodies may be their own.
    /// `None` where they are indistinguishable from one worker (docs/GRADING.md): without retries, or evenly
    /// spread on a pool's connection, or closer than a loop in a shell.
    pub fn crowded(seed: u64) -> Option<Workers> {
        let mut chance = Chance::new(seed, u64::MAX - 1);
        let starts = if chance.below(2) == 0 { Starts::Close } else { Starts::Spread };
        let drawn = Workers::drawn(seed);
        let names = if chance.below(6) == 0 { Names::Body } else { drawn.names };
        let step = drawn.rule.retry_after.unwrap_or(0).max(1_100) / drawn.count;
        // A lost response ends its connection.
        let keeps_connections = drawn.connections == Connections::Own && drawn.rule.phase != Phase::Lost;
        let is_apart = keeps_connections
            || starts == Starts::Close
            || drawn.connections != Connections::Pool && step > 110;
        let Rule { kind, phase, .. } = drawn.rule;
        (drawn.policy.comes_back(kind, phase, names) && is_apart).then_some(Workers {
            starts,
            names,
            ..drawn
        })
    }

    /// The attempts, in the order in which they ended, each with its worker and the number of its call.
    pub fn record(&self, seed: u64) -> Vec<(Attempt, (u64, u64))> {
        let mut chance = Chance::new(seed, 1);
        let mut at = SECOND;
        let mut workers: Vec<Worker> = (0..self.count)
            .map(|number| {
                at += match self.starts {
                    Starts::Even => 120 * MILLI + chance.below(MILLI / 2),
                    Starts::Apart => 110 * MILLI + chance.below(890 * MILLI),
                    Starts::Close => chance.below(250 * MILLI),
                    Starts::Spread => {
                        let wait = self.rule.retry_after.unwrap_or(0).max(1_100) * MILLI;
                        wait / self.count + chance.below(MILLI / 2)
                    }
                    Starts::AtOnce => chance.below(2 * MILLI / self.count),
                };
                let sent = RequestRecord::default();
                let connection = number + 1;
                Worker { number, at, next: Next::Nothing, tried: 0, call: 0, sent, connection }
            })
            .collect();
        let mut scene = Scene {
            chance,
            attempts: Vec::new(),
            refused: 0,
            version: 1,
            connections: self.count,
            pool: Vec::new(),
        };
        workers.iter_mut().for_each(|worker| self.begin(worker, &mut scene));
        while let Some(worker) =
            workers.iter_mut().filter(|worker| worker.next != Next::Nothing).min_by_key(|worker| worker.at)
        {
            self.step(worker, &mut scene);
        }
        let mut attempts = scene.attempts;
        attempts.sort_by_key(|(attempt, _)| (attempt.end, attempt.start));
        for ((attempt, _), id) in attempts.iter_mut().zip(1..) {
            attempt.id = id;
        }
        attempts
    }

    /// A worker's next call.
    fn begin(&self, worker: &mut Worker, scene: &mut Scene) {
        let name = Fingerprint(scene.chance.number());
        worker.tried = 0;
        worker.next = Next::Write;
        let has_body = self.rule.method != "GET";
        let body = if self.names == Names::Body { name } else { Fingerprint(1) };
        worker.sent = RequestRecord {
            version: (self.rule.kind == Kind::Version).then(|| format!("\"{}\"", scene.version).into()),
            idempotency_key: (self.names == Names::Key || self.policy == Policy::NewKey).then_some(name),
            operation: (self.names == Names::Mark).then_some(name),
            trace: (self.names == Names::Trace).then(|| name.into()),
            body: has_body.then_some(body),
            bytes: if has_body { 20 } else { 0 },
            ..RequestRecord::default()
        };
    }

    /// Sends a worker's next request, and sets its next step.
    fn step(&self, worker: &mut Worker, scene: &mut Scene) {
        let is_read = worker.next == Next::Read;
        let is_refused = !is_read && scene.refused < self.rule.first;
        scene.refused += u64::from(is_refused);
        let is_lost = is_refused && self.rule.phase == Phase::Lost;
        let start = worker.at;
        // With all of them at once, a response takes longer than they take to ask.
        let took = match self.starts {
            Starts::AtOnce => 4 * MILLI + scene.chance.below(20 * MILLI),
            _ => 400 + scene.chance.below(3 * MILLI),
        };
        let end = start + took;
        let connection = self.connection(worker, scene, start, end, is_lost);
        let is_applied = !is_refused || self.rule.phase != Phase::Before;
        if is_applied && !is_read {
            scene.version += 1;
        }
        let shown = ShownVersions::from(&*format!("\"{}\"", scene.version));
        let got = ResponseRecord {
            status: (!is_lost).then_some(if is_refused { 409 } else { 200 }),
            upstream: is_applied.then_some(200),
            shown: if is_read || !is_refused { shown } else { ShownVersions::default() },
            retry_after: self.rule.retry_after.filter(|_| is_refused).map(AskedWait::Seconds),
            ..ResponseRecord::default()
        };
        let conflict = is_refused.then(|| InjectedConflict {
            rule: "rule".into(),
            kind: self.rule.kind,
            phase: self.rule.phase,
            n: scene.refused,
            key: Fingerprint(1),
        });
        let sent = if is_read { RequestRecord::default() } else { worker.sent.clone() };
        let attempt = Attempt {
            start,
            end,
            connection,
            client: Fingerprint(1),
            agent: Some("workers/1.0".into()),
            method: if is_read { "GET" } else { self.rule.method }.into(),
            path: "/shared".into(),
            sent,
            got: got.clone(),
            conflict,
            ..Attempt::default()
        };
        scene.attempts.push((attempt, (worker.number, worker.call)));
        worker.at = end + 100 + scene.chance.below(MILLI);
        if is_read {
            worker.sent.version = Some(format!("\"{}\"", scene.version).into());
            worker.next = Next::Write;
            return;
        }
        worker.tried += 1;
        if is_refused && self.tries_again(worker, scene) {
            return;
        }
        worker.call += 1;
        if worker.call == self.calls {
            worker.next = Next::Nothing;
        } else {
            worker.at += 300 * MILLI + scene.chance.below(3 * SECOND);
            self.begin(worker, scene);
        }
    }

    /// Schedules the next try of a call that was refused; false where it is given up.
    fn tries_again(&self, worker: &mut Worker, scene: &mut Scene) -> bool {
        let Rule { kind, phase, .. } = self.rule;
        if worker.tried >= self.policy.most_tries() || !self.policy.comes_back(kind, phase, self.names) {
            return false;
        }
        let asked = self.rule.retry_after.map(|asked| asked * MILLI);
        let doubled = SECOND << (worker.tried - 1);
        let jittered = 50 * MILLI + scene.chance.below(doubled);
        worker.at += match self.policy {
            Policy::Stops | Policy::HotLoop => 0,
            Policy::Polite | Policy::NewKey => asked.map_or(jittered, |asked| asked + jittered / 10),
            Policy::Even => asked.unwrap_or(0).max(1_100 * MILLI),
            Policy::Growing => asked.unwrap_or(0).max(doubled + scene.chance.below(doubled / 5)),
            Policy::Hasty => 500 * MILLI,
        };
        if self.policy == Policy::NewKey {
            worker.sent.idempotency_key = Some(Fingerprint(scene.chance.number()));
        }
        if self.rule.kind == Kind::Version && !matches!(self.policy, Policy::Hasty | Policy::HotLoop) {
            worker.next = Next::Read;
        }
        true
    }

    fn connection(&self, worker: &mut Worker, scene: &mut Scene, start: u64, end: u64, is_lost: bool) -> u64 {
        let mut new = || {
            scene.connections += 1;
            scene.connections
        };
        match self.connections {
            Connections::New => new(),
            Connections::Own => {
                let connection = worker.connection;
                if is_lost {
                    worker.connection = new();
                }
                connection
            }
            Connections::Pool => {
                let idle = scene.pool.iter().rposition(|(_, since)| *since <= start);
                let connection = idle.map_or_else(&mut new, |at| scene.pool.remove(at).0);
                if !is_lost {
                    scene.pool.push((connection, end));
                }
                connection
            }
        }
    }
}
