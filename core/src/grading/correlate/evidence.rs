//! Hashes of an attempt by which the operations that it may be a part of are found.

use std::hash::Hasher;

use siphasher::sip::SipHasher13;

use crate::model::{Attempt, Kind};

/// Where an attempt is looked for. All of it holds for one client only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Clues {
    /// Method, target and body, without the version: the same for a replay.
    pub request: Clue,
    /// The path.
    pub resource: Clue,
    /// The client's own markers: the mark of its call, and its idempotency key. Both are about one
    /// method and path; a key used elsewhere is another one.
    pub markers: [Option<Clue>; 2],
    /// After a session has ended: the same request from the same connection, and from the same address and
    /// `User-Agent`, under any identity.
    pub renewals: [Option<Clue>; 2],
}

/// A hash under the client's fingerprint, which is one under the run's own key: a client cannot make
/// two that collide.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Clue(u64);

impl Clue {
    /// Of a number that is about one thing only.
    pub fn number(number: u64) -> Clue {
        Clue(number)
    }
}

impl Clues {
    /// Those of an attempt, whose `resource` is [`Clues::resource_of`] it.
    pub fn of(attempt: &Attempt, resource: Clue) -> Clues {
        let sent = &attempt.sent;
        let place = Words::about(attempt, 1).number(resource.0).text(&attempt.method);
        let mut request = place.clone().option(attempt.query.map(|query| query.0));
        request = request.option(sent.body.map(|body| body.0));
        if sent.body.is_none() {
            // Of a body that was too long to look at, the length is all there is.
            request = request.number(sent.bytes);
        }
        let marker = |tag, mark: Option<crate::model::Fingerprint>| {
            mark.map(|mark| place.clone().number(tag).number(mark.0).clue())
        };
        Clues {
            request: request.clue(),
            resource,
            markers: [marker(2, sent.operation), marker(3, sent.idempotency_key)],
            renewals: if is_session_over(attempt) { Clues::renewals(attempt) } else { [None; 2] },
        }
    }

    /// The places of requests that were refused because their session had ended, and that this may continue.
    pub fn renewals(attempt: &Attempt) -> [Option<Clue>; 2] {
        let request = |words: Words| {
            let words = words.text(&attempt.method).text(&attempt.path);
            let words = words.option(attempt.query.map(|query| query.0));
            words.option(attempt.sent.body.map(|body| body.0)).number(attempt.sent.bytes).clue()
        };
        let from = |tag, of: u64| request(Words(SipHasher13::new_with_keys(of, tag)));
        [Some(from(6, attempt.connection)), attempt.peer.map(|peer| from(7, peer.number().into()))]
    }

    /// The same request with the same version, as a client would send it if it began anew.
    pub fn anew(&self, attempt: &Attempt) -> Clue {
        match &attempt.sent.version {
            Some(version) => Words(SipHasher13::new_with_keys(self.request.0, 5)).text(version).clue(),
            None => self.request,
        }
    }

    /// The place of a rule's keys for this client and path.
    pub fn lane(&self, rule: &str) -> Clue {
        Words(SipHasher13::new_with_keys(self.resource.0, 4)).text(rule).clue()
    }

    /// The resource of an attempt, of this client.
    pub fn resource_of(attempt: &Attempt) -> Clue {
        resource(attempt, &attempt.path)
    }

    /// The collection that the path is an item of.
    pub fn collection(attempt: &Attempt) -> Option<Clue> {
        let (collection, item) = attempt.path.rsplit_once('/')?;
        (!collection.is_empty() && !item.is_empty()).then(|| resource(attempt, collection))
    }
}

fn is_session_over(attempt: &Attempt) -> bool {
    attempt.conflict.as_ref().is_some_and(|conflict| conflict.kind == Kind::Session)
}

fn resource(attempt: &Attempt, path: &str) -> Clue {
    Words::about(attempt, 0).text(path).clue()
}

/// Words on their way into a hash, each told from the next.
#[derive(Clone)]
struct Words(SipHasher13);

impl Words {
    /// `subject` keeps hashes about different things apart.
    fn about(attempt: &Attempt, subject: u64) -> Words {
        Words(SipHasher13::new_with_keys(attempt.client.0, subject))
    }

    fn number(mut self, number: u64) -> Words {
        self.0.write_u64(number);
        self
    }

    fn option(self, number: Option<u64>) -> Words {
        match number {
            Some(number) => self.number(1).number(number),
            None => self.number(0),
        }
    }

    fn text(self, text: &str) -> Words {
        let mut words = self.number(text.len() as u64);
        words.0.write(text.as_bytes());
        words
    }

    fn clue(self) -> Clue {
        Clue(self.0.finish())
    }
}
