//! What the rules did so far, counted exactly.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

/// One rule's counts.
#[derive(Debug, Default)]
pub struct Tally {
    matched: AtomicU64,
    fired: AtomicU64,
    has_left_long_bodies: AtomicBool,
}

impl Tally {
    /// A request reached the rule and matched it.
    pub fn add_match(&self) {
        self.matched.fetch_add(1, Relaxed);
    }

    /// Counts a conflict, unless `limit` conflicts have been injected: then it is `false`.
    pub fn try_fire(&self, limit: Option<u64>) -> bool {
        match limit {
            None => {
                self.fired.fetch_add(1, Relaxed);
                true
            }
            Some(limit) => self
                .fired
                .fetch_update(Relaxed, Relaxed, |fired| (fired < limit).then_some(fired + 1))
                .is_ok(),
        }
    }

    /// The rule leaves a request alone for its long body; whether that is the first one.
    pub fn leaves_first_long_body(&self) -> bool {
        !self.has_left_long_bodies.swap(true, Relaxed)
    }

    /// Whether another conflict is within `limit`.
    pub fn may_fire(&self, limit: Option<u64>) -> bool {
        limit.is_none_or(|limit| self.fired() < limit)
    }

    /// Requests that reached the rule and matched it.
    pub fn matched(&self) -> u64 {
        self.matched.load(Relaxed)
    }

    /// Conflicts injected.
    pub fn fired(&self) -> u64 {
        self.fired.load(Relaxed)
    }
}

/// What the proxy did so far.
#[derive(Debug, Default)]
pub struct Counters {
    /// Connections that were accepted.
    pub connections: AtomicU64,
    /// Requests that arrived.
    pub requests: AtomicU64,
    /// Requests that got no answer from the upstream.
    pub failures: AtomicU64,
    /// Panics, each contained to one connection.
    pub panics: std::sync::Arc<AtomicU64>,
    /// Requests that went to the upstream once more.
    pub replays: std::sync::Arc<AtomicU64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_met_exactly_under_concurrency() {
        let tally = Tally::default();
        let fired: usize = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8)
                .map(|_| scope.spawn(|| (0..1_000).filter(|_| tally.try_fire(Some(777))).count()))
                .collect();
            threads.into_iter().map(|thread| thread.join().expect("no panic")).sum()
        });
        assert_eq!((fired, tally.fired()), (777, 777));
    }
}
