//! Exact counts of one rule's requests and conflicts. Unlike an entry of state, it is one process's, and lasts as long as the
//! rule does.

use std::num::NonZeroU64;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, OnceLock, PoisonError};

use super::version_sights::VersionSights;

/// One rule's counts.
#[derive(Debug, Default)]
pub struct RuleCounters {
    matched: AtomicU64,
    fired: AtomicU64,
    has_left_long_bodies: AtomicBool,
    near: Near,
    /// Upstream responses that the rule could not look at.
    unread_responses: AtomicU64,
    /// Conflicts by the position of their reply; empty without `replies`.
    by_reply: Mutex<Vec<u64>>,
    /// Of a rule that learns versions.
    pub versions: VersionSights,
}

/// Why requests that had a rule's method and path did not match it, as long as none did. Bounded in
/// cost and in memory: after [`Near::MOST_NOTED`] requests a look at one number is all.
#[derive(Debug, Default)]
struct Near {
    noted: AtomicU32,
    whys: OnceLock<Box<Mutex<Whys>>>,
}

/// Reasons, and how many requests were seen of each.
type Whys = Vec<(String, u64)>;

impl Near {
    const MOST_NOTED: u32 = 1_000;
    /// Different reasons of one rule.
    const MOST_WHYS: usize = 8;

    #[cold]
    fn note(&self, why: Option<String>) {
        let Some(why) = why else { return };
        self.noted.fetch_add(1, Relaxed);
        let mut whys = self.whys.get_or_init(Box::default).lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, number)) = whys.iter_mut().find(|(known, _)| *known == why) {
            *number += 1;
        } else if whys.len() < Near::MOST_WHYS {
            whys.push((why, 1));
        }
    }
}

impl RuleCounters {
    /// A request reached the rule and matched it.
    pub fn add_match(&self) {
        self.matched.fetch_add(1, Relaxed);
    }

    /// Counts a conflict, unless `limit` conflicts have been injected: then it is `false`.
    pub fn try_fire(&self, limit: Option<NonZeroU64>) -> bool {
        match limit {
            None => {
                self.fired.fetch_add(1, Relaxed);
                true
            }
            Some(limit) => self
                .fired
                .fetch_update(Relaxed, Relaxed, |fired| (fired < limit.get()).then_some(fired + 1))
                .is_ok(),
        }
    }

    /// Counts an upstream response that the rule cannot look at; whether it is the first one.
    pub fn leaves_first_response(&self) -> bool {
        self.unread_responses.fetch_add(1, Relaxed) == 0
    }

    /// Upstream responses that the rule could not look at.
    pub fn unread_responses(&self) -> u64 {
        self.unread_responses.load(Relaxed)
    }

    /// The reply at this position was taken.
    pub fn take_reply(&self, choice: usize) {
        let mut taken = self.by_reply.lock().unwrap_or_else(PoisonError::into_inner);
        if taken.len() <= choice {
            taken.resize(choice + 1, 0);
        }
        if let Some(taken) = taken.get_mut(choice) {
            *taken += 1;
        }
    }

    /// How often each of the rule's `replies` was taken; those behind the last that was are left out.
    pub fn by_reply(&self) -> Vec<u64> {
        self.by_reply.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A request had the rule's method and path and did not match it, for the reason `why`.
    pub fn note_near_miss(&self, why: impl FnOnce() -> Option<String>) {
        if self.near.noted.load(Relaxed) < Near::MOST_NOTED && self.matched() == 0 {
            self.near.note(why());
        }
    }

    /// Why requests that had the rule's method and path did not match it, and how many.
    pub fn near_misses(&self) -> Vec<(String, u64)> {
        let whys = self.near.whys.get();
        whys.map(|whys| whys.lock().unwrap_or_else(PoisonError::into_inner).clone()).unwrap_or_default()
    }

    /// The rule leaves a request alone for its long body; whether that is the first one.
    pub fn leaves_first_long_body(&self) -> bool {
        !self.has_left_long_bodies.swap(true, Relaxed)
    }

    /// Whether another conflict is within `limit`.
    pub fn may_fire(&self, limit: Option<NonZeroU64>) -> bool {
        limit.is_none_or(|limit| self.fired() < limit.get())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_misses_are_noted_until_one_matches_and_never_more_than_a_number() {
        let counters = RuleCounters::default();
        for at in 0..Near::MOST_NOTED + 10 {
            counters.note_near_miss(|| Some(format!("why {}", at % 20)));
        }
        let whys = counters.near_misses();
        assert_eq!((whys.len(), whys[0].clone()), (Near::MOST_WHYS, ("why 0".to_owned(), 50)));
        let counters = RuleCounters::default();
        counters.note_near_miss(|| None);
        counters.add_match();
        counters.note_near_miss(|| Some("it is not asked any more".to_owned()));
        assert_eq!(counters.near_misses(), []);
    }

    #[test]
    fn a_limit_is_met_exactly_under_concurrency() {
        let counters = RuleCounters::default();
        let fired: usize = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8)
                .map(|_| {
                    scope.spawn(|| (0..1_000).filter(|_| counters.try_fire(NonZeroU64::new(777))).count())
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().expect("no panic")).sum()
        });
        assert_eq!((fired, counters.fired()), (777, 777));
    }
}
