//! One of the things that a client does at a time: calls, one after the other, each tried until it
//! succeeds, or is refused for good, or the client has had enough.

use fracas::model::{
    AskedWait, Attempt, Fingerprint, InjectedConflict, Kind, Phase, RequestRecord, ResponseRecord,
};

use super::{Chance, Mix};

/// Times in microseconds.
const MILLI: u64 = 1_000;
const SECOND: u64 = 1_000_000;

pub struct Flow<'a> {
    mix: &'a Mix,
    client: u64,
    chance: Chance,
    number: u64,
    calls: u64,
    now: u64,
    wait: Wait,
}

/// How a client waits before the next try.
#[derive(Clone, Copy)]
enum Wait {
    Not,
    Fixed,
    /// Doubled each time, anywhere between nothing and that.
    FullJitter,
    /// As `Retry-After` says, and otherwise doubled each time, at least half of that.
    AsAsked,
}

/// The kind of a call, and its way of retrying.
#[derive(Clone, Copy, PartialEq)]
enum Call {
    Page,
    /// The same page again and again, in a hurry.
    Poll,
    /// A page that may be refused.
    Scrape,
    /// The same body each time, and never tried again.
    Beat,
    /// The same again.
    Replay,
    Delete,
    Create,
    /// Under an idempotency key.
    Keyed,
    /// With a mark of the call, and a field that changes with each try.
    Marked,
    /// Read again, and written anew.
    Rebase,
    /// The same body over the version that the refusal told.
    Revise,
}

const TROUBLED: [Call; 10] = [
    Call::Poll,
    Call::Scrape,
    Call::Beat,
    Call::Replay,
    Call::Delete,
    Call::Create,
    Call::Keyed,
    Call::Marked,
    Call::Rebase,
    Call::Revise,
];

impl<'a> Flow<'a> {
    pub fn new(mix: &'a Mix, client: u64, mut chance: Chance, number: u64) -> Flow<'a> {
        let wait = [Wait::Not, Wait::Fixed, Wait::FullJitter, Wait::AsAsked][client as usize % 4];
        let now = chance.below(2 * SECOND);
        Flow { mix, client, chance, number, calls: 0, now, wait }
    }

    pub fn run(mut self, record: &mut Vec<(Attempt, u64)>) {
        for _ in 0..self.mix.calls {
            let call = match self.chance.is(self.mix.reads) {
                true => Call::Page,
                false => TROUBLED[self.chance.below(TROUBLED.len() as u64) as usize],
            };
            self.call(call, record);
            self.now += 20 * MILLI + self.chance.below(400 * MILLI);
        }
    }

    fn call(&mut self, call: Call, record: &mut Vec<(Attempt, u64)>) {
        let mut next = self.request(call);
        let limit = 2 + self.chance.below(5);
        let number = self.next_number();
        for tried in 1.. {
            let attempt = self.attempt(call, next.clone());
            let got = attempt.got.clone();
            record.push((attempt, number));
            let is_retryable = matches!(got.status, None | Some(409 | 503));
            if !is_retryable || tried == limit || call == Call::Beat {
                return;
            }
            self.now += self.pause(tried, got.retry_after);
            match call {
                Call::Marked => next.sent.body = Some(Fingerprint(self.chance.number())),
                Call::Rebase if got.status == Some(409) => {
                    let read =
                        Attempt { method: "GET".into(), sent: RequestRecord::default(), ..next.clone() };
                    let mut read = self.attempt(Call::Page, read);
                    let version = self.chance.below(1 << 20).to_string();
                    read.got.shown = (&*version).into();
                    let number = self.next_number();
                    record.push((read, number));
                    self.now += self.chance.below(5 * MILLI);
                    next.sent.version = Some(version.into());
                    next.sent.body = Some(self.body());
                }
                Call::Revise if got.status == Some(409) => {
                    next.sent.version = got.shown.tag().map(Into::into);
                }
                _ => {}
            }
        }
    }

    /// First request of a call.
    fn request(&mut self, call: Call) -> Attempt {
        let item = format!("/clients/{}/items/{}", self.whose(), self.chance.below(self.mix.items));
        let collection = format!("/clients/{}/items", self.whose());
        let (method, path) = match call {
            Call::Page | Call::Scrape => ("GET", collection),
            Call::Poll => ("GET", "/state".to_owned()),
            Call::Beat => ("POST", "/beats".to_owned()),
            Call::Create | Call::Keyed => ("POST", collection),
            Call::Delete => ("DELETE", item),
            Call::Marked => ("PATCH", item),
            Call::Replay | Call::Rebase | Call::Revise => ("PUT", item),
        };
        let mut sent = RequestRecord::default();
        match call {
            Call::Page | Call::Scrape | Call::Poll | Call::Delete => {}
            Call::Beat => sent.body = Some(Fingerprint(1)),
            _ => sent.body = Some(self.body()),
        }
        match call {
            Call::Keyed => sent.idempotency_key = Some(Fingerprint(self.chance.number())),
            Call::Marked => sent.operation = Some(Fingerprint(self.chance.number())),
            Call::Rebase | Call::Revise => {
                sent.version = Some(self.chance.below(1 << 20).to_string().into());
            }
            _ => {}
        }
        let is_page = matches!(call, Call::Page | Call::Scrape);
        Attempt {
            client: Fingerprint(self.whose() + 1),
            agent: Some("mix/1.0".into()),
            method: method.into(),
            path: path.into(),
            query: is_page.then(|| Fingerprint(self.chance.number())),
            sent,
            ..Attempt::default()
        }
    }

    /// Sends the request, and waits for the response.
    fn attempt(&mut self, call: Call, request: Attempt) -> Attempt {
        let start = self.now;
        let is_slow = self.chance.is(0.01);
        let took =
            if is_slow { self.chance.below(4 * SECOND) } else { MILLI + self.chance.below(40 * MILLI) };
        self.now += took;
        let is_spared = match call {
            Call::Page | Call::Poll => true,
            Call::Beat => !self.mix.troubled_beats,
            _ => false,
        };
        let trouble = if is_spared { 1.0 } else { self.chance.fraction() };
        let wait = self.chance.is(0.3).then(|| AskedWait::Seconds(1_000 * (1 + self.chance.below(3))));
        let shown = self.chance.below(1 << 20).to_string().as_str().into();
        let (status, retry_after) = match trouble {
            ..0.35 => (Some(409), wait),
            0.35..0.42 => (Some(503), wait),
            0.42..0.47 => (None, None),
            0.47..0.49 => (Some(422), None),
            _ => (Some(200), None),
        };
        let conflict = (status == Some(409)).then(|| InjectedConflict {
            rule: "conflicts".into(),
            kind: Kind::Transient,
            phase: Phase::Before,
            n: 1,
            key: Fingerprint(1),
        });
        let got = ResponseRecord { status, retry_after, shown, ..ResponseRecord::default() };
        // The response precedes the next request by some time: a client needs time, too.
        let end = self.now;
        self.now += 50 + self.chance.below(MILLI);
        Attempt { start, end, connection: self.number, got, conflict, ..request }
    }

    fn pause(&mut self, tried: u64, asked: Option<AskedWait>) -> u64 {
        let doubled = (100 * MILLI) << tried.min(6);
        match (self.wait, asked) {
            (Wait::Not, _) => 0,
            (Wait::Fixed, _) => 500 * MILLI + self.chance.below(5 * MILLI),
            (Wait::AsAsked, Some(AskedWait::Seconds(wait) | AskedWait::Date(wait))) => wait * MILLI,
            (Wait::AsAsked, None) => doubled / 2 + self.chance.below(doubled / 2),
            (Wait::FullJitter, _) => self.chance.below(doubled),
        }
    }

    fn body(&mut self) -> Fingerprint {
        Fingerprint(self.chance.number() % self.mix.bodies)
    }

    /// The client's id.
    fn whose(&self) -> u64 {
        self.client / self.mix.sharing
    }

    fn next_number(&mut self) -> u64 {
        self.calls += 1;
        (self.number << 32) + self.calls
    }
}
