//! What is kept at one place, and how each operation changes it.

use std::sync::Arc;
use std::time::Duration;

use crate::judgement::{Answer, Ask, Learnt, Seen, StoredAnswer, Tell};
use crate::rules::{Clear, Rate};
use crate::words::{KeyHash, Moment};

/// What is kept at one place.
#[derive(Debug, Default)]
pub(super) enum Entry {
    #[default]
    Nothing,
    Count(u64),
    /// The moment at which the bucket will be full again.
    Window {
        count: u64,
        full_at: Moment,
    },
    Version(Box<Version>),
    In {
        ticket: u64,
        payload: KeyHash,
        until: Moment,
    },
    Finished {
        payload: KeyHash,
        answer: Option<Arc<StoredAnswer>>,
    },
    Held {
        holder: KeyHash,
        until: Option<Moment>,
    },
    References(u64),
    Since {
        first: Moment,
        count: u64,
    },
    Opened {
        n: u64,
        tries: u64,
        since: Moment,
        validator: Option<KeyHash>,
        is_read: bool,
    },
}

#[derive(Debug)]
pub(super) struct Version {
    seen: Seen,
    /// When a write last taught it.
    written: Moment,
}

impl Entry {
    /// Whether nothing is kept, so that its place can be given up.
    pub fn is_nothing(&self) -> bool {
        matches!(self, Entry::Nothing)
    }

    pub fn count(&self) -> u64 {
        match self {
            Entry::Count(count) | Entry::Window { count, .. } | Entry::Since { count, .. } => *count,
            _ => 0,
        }
    }

    /// Answers what is asked; `ticket` is one that nobody has had.
    pub fn ask(&mut self, ask: Ask, now: Moment, ticket: u64) -> Answer {
        match ask {
            Ask::Count => {
                let n = self.count() + 1;
                *self = Entry::Count(n);
                Answer::Counted { n }
            }
            Ask::Window(rate) => self.window(rate, now),
            Ask::Version => Answer::Version(match self {
                Entry::Version(version) => Some(version.seen.clone()),
                _ => None,
            }),
            Ask::Enter { lease, payload } => match self {
                Entry::In { payload, until, .. } if *until > now => Answer::Running { payload: *payload },
                Entry::Finished { payload, answer } => {
                    Answer::Finished { payload: *payload, answer: answer.clone() }
                }
                _ => {
                    *self = Entry::In { ticket, payload, until: now + lease };
                    Answer::Entered { ticket }
                }
            },
            Ask::Holder => Answer::Held(self.holder(now)),
            Ask::Take => {
                let holder = self.holder(now);
                *self = Entry::Nothing;
                Answer::Held(holder)
            }
            Ask::References => Answer::References(match self {
                Entry::References(count) => *count,
                _ => 0,
            }),
            Ask::Since => {
                let (first, n) = match self {
                    Entry::Since { first, count } => (*first, *count + 1),
                    _ => (now, 1),
                };
                *self = Entry::Since { first, count: n };
                Answer::Since { first, n }
            }
            Ask::Opened { clear, validator } => self.opened(clear, validator, now),
        }
    }

    /// Takes in what is told.
    pub fn tell(&mut self, tell: Tell, now: Moment) {
        match tell {
            Tell::Learn { seen, began, how } => self.learn(seen, began, how, now),
            Tell::Leave { ticket: left } => {
                if matches!(self, Entry::In { ticket, .. } if *ticket == left) {
                    *self = Entry::Nothing;
                }
            }
            Tell::Finish { ticket: done, payload, answer } => {
                if matches!(self, Entry::In { ticket, .. } if *ticket == done) {
                    *self = Entry::Finished { payload, answer };
                }
            }
            Tell::Hold { holder, lease } => {
                *self = Entry::Held { holder, until: lease.map(|lease| now + lease) };
            }
            Tell::Release => *self = Entry::Nothing,
            Tell::Refer => match self {
                Entry::References(count) => *count = count.saturating_add(1),
                _ => *self = Entry::References(1),
            },
            Tell::Unrefer => match self {
                Entry::References(count @ 2..) => *count -= 1,
                _ => *self = Entry::Nothing,
            },
            Tell::Open { n, validator } => {
                *self = Entry::Opened { n, tries: 1, since: now, validator, is_read: false };
            }
            Tell::Read { began } => {
                if let Entry::Opened { since, is_read, .. } = self {
                    *is_read |= began >= *since;
                }
            }
        }
    }

    /// Generic cell rate algorithm (ITU-T I.371): one number a key, the moment at which the bucket
    /// will be full again. A request fits if, with its own cost added, that is at most a period away.
    fn window(&mut self, rate: Rate, now: Moment) -> Answer {
        let (n, full_at) = match self {
            Entry::Window { count, full_at } => (*count + 1, *full_at),
            _ => (1, Moment(0)),
        };
        let then = full_at.max(now) + rate.period / rate.requests.get();
        let within = then.since(now) <= rate.period;
        *self = Entry::Window { count: n, full_at: if within { then } else { full_at } };
        Answer::Windowed { n, within }
    }

    fn holder(&self, now: Moment) -> Option<KeyHash> {
        match self {
            Entry::Held { holder, until } if until.is_none_or(|until| until > now) => Some(*holder),
            _ => None,
        }
    }

    fn opened(&mut self, clear: Clear, sent: Option<KeyHash>, now: Moment) -> Answer {
        let Entry::Opened { n, tries, since, validator, is_read } = self else { return Answer::Closed };
        let is_cleared = match clear {
            Clear::Refetch => *is_read,
            // Where the resource has not changed, what a read gave is the newest there is.
            Clear::NewVersion => *is_read || (sent.is_some() && sent != *validator),
            Clear::After(length) => now.since(*since) >= length,
            Clear::Tries(limit) => *tries >= limit.get(),
            Clear::Never => false,
        };
        if is_cleared {
            *self = Entry::Nothing;
            return Answer::Cleared;
        }
        *tries += 1;
        Answer::Open { n: *n, tries: *tries }
    }

    fn learn(&mut self, seen: Seen, began: Moment, how: Learnt, now: Moment) {
        let written = match self {
            Entry::Version(version) => version.written,
            _ => Moment(0),
        };
        match how {
            // A read that began before the newest write ended may have seen the old version.
            Learnt::Read if began < written => {}
            Learnt::Read => *self = Entry::Version(Box::new(Version { seen, written })),
            Learnt::Write => *self = Entry::Version(Box::new(Version { seen, written: now.max(written) })),
        }
    }
}

/// How long an entry that must not be forgotten lives on at least; none do.
pub(super) fn lives(entry: &Entry, touched: Moment, ttl: Duration, now: Moment) -> bool {
    match entry {
        Entry::In { until, .. } => now < *until,
        _ => now.since(touched) <= ttl,
    }
}
