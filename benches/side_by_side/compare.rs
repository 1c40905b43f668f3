//! The same load on several peers, in turns.

use std::error::Error;

use crate::load::{Expected, Load, Round, probe};
use crate::peers::Peer;

/// Results of one peer's rounds.
pub struct Row {
    pub name: String,
    pub rounds: Vec<Round>,
    /// A request.
    pub system_calls: Option<f64>,
    /// After the load.
    pub resident_kib: u64,
}

/// Loads the peers in turns; the order turns round from one round to the next.
pub fn compare(peers: &[Peer], load: &Load, rounds: usize, seconds: u64) -> Result<Vec<Row>, Box<dyn Error>> {
    for peer in peers {
        check(peer, load.expected)?;
    }
    let mut rows: Vec<Row> = peers.iter().map(|peer| Row::of(&peer.name)).collect();
    for round in 0..rounds {
        for at in in_turns(peers.len(), round) {
            rows[at].rounds.push(load.round(&peers[at], seconds)?);
        }
    }
    for (row, peer) in rows.iter_mut().zip(peers) {
        row.resident_kib = peer.process.resident_kib();
        row.system_calls = load.system_calls(peer)?;
    }
    Ok(rows)
}

/// Positions up to `count`, every other round from behind.
pub fn in_turns(count: usize, round: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    if round % 2 == 1 {
        order.reverse();
    }
    order
}

/// Whether a peer does its task.
fn check(peer: &Peer, expected: Expected) -> Result<(), Box<dyn Error>> {
    let response = probe(peer.address, "/items/1")?;
    let status = if expected == Expected::Success { "HTTP/1.1 200 " } else { "HTTP/1.1 409 " };
    if response.starts_with(status) {
        return Ok(());
    }
    Err(format!("{} answers {response}", peer.name).into())
}

impl Row {
    fn of(name: &str) -> Row {
        Row { name: name.to_owned(), rounds: Vec::new(), system_calls: None, resident_kib: 0 }
    }

    /// The median over the rounds.
    pub fn median(&self, what: impl Fn(&Round) -> f64) -> f64 {
        median(self.rounds.iter().map(what))
    }

    /// Cost relative to another peer: the median of the ratios per round, where both had as many
    /// rounds, since a slow spell of the machine affects both sides of one.
    pub fn ratio(&self, other: &Row) -> f64 {
        let cpu = |round: &Round| round.cpu_micros;
        if self.rounds.len() != other.rounds.len() {
            return self.median(cpu) / other.median(cpu);
        }
        median(self.rounds.iter().zip(&other.rounds).map(|(round, other)| cpu(round) / cpu(other)))
    }

    /// How far the rounds lie apart, as a share of their median.
    pub fn spread(&self) -> f64 {
        let all: Vec<f64> = self.rounds.iter().map(|round| round.cpu_micros).collect();
        let (least, most) =
            (all.iter().copied().fold(f64::MAX, f64::min), all.iter().copied().fold(0.0, f64::max));
        (most - least) / median(all.into_iter())
    }
}

pub fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
