//! A made-up record of many clients at once, in which it is known which call each request belongs to:
//! the input of tests and measurements of grouping.

mod client;

use fracas::model::{Attempt, Dice, KeyHash};

use self::client::Flow;

/// Parameters of a record.
#[derive(Clone, Copy, Debug)]
pub struct Mix {
    pub clients: u64,
    /// Calls of a client that go on at the same time.
    pub flows: u64,
    /// Calls of a flow, one after the other.
    pub calls: u64,
    /// So many clients look like one.
    pub sharing: u64,
    /// Items that a client writes to.
    pub items: u64,
    /// Different bodies; a large number for a new one in each call.
    pub bodies: u64,
    /// The share of calls that only read and meet no trouble, beside those of every other kind.
    pub reads: f64,
    /// Whether calls that repeat on schedule, and are never retried, can be refused too.
    pub troubled_beats: bool,
}

impl Mix {
    /// 50 clients, four calls each at a time, of every kind.
    pub const ORDINARY: Mix = Mix {
        clients: 50,
        flows: 4,
        calls: 40,
        sharing: 1,
        items: 1_000,
        bodies: u64::MAX,
        reads: 0.3,
        troubled_beats: false,
    };

    /// The attempts, in the order in which they ended, each with the number of its call.
    pub fn record(&self, seed: u64) -> Vec<(Attempt, u64)> {
        let mut record = Vec::new();
        for client in 0..self.clients {
            for flow in 0..self.flows {
                let number = client * self.flows + flow;
                Flow::new(self, client, Chance::new(seed, number), number).run(&mut record);
            }
        }
        record.sort_by_key(|(attempt, _)| (attempt.end, attempt.start));
        for ((attempt, _), id) in record.iter_mut().zip(1..) {
            attempt.id = id;
        }
        record
    }
}

/// Draws of one flow, one after the other.
pub struct Chance {
    dice: Dice,
    of: KeyHash,
    drawn: u64,
}

impl Chance {
    pub fn new(seed: u64, of: u64) -> Chance {
        Chance { dice: Dice::new(seed, "mix"), of: KeyHash(of.into()), drawn: 0 }
    }

    /// A number from 0 to 1.
    pub fn fraction(&mut self) -> f64 {
        self.drawn += 1;
        self.dice.fraction(self.of, self.drawn)
    }

    pub fn is(&mut self, share: f64) -> bool {
        self.fraction() < share
    }

    /// 64 bits.
    pub fn number(&mut self) -> u64 {
        self.drawn += 1;
        self.dice.draw(self.of, self.drawn)
    }

    /// Below `limit`.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.number() % limit
    }
}
