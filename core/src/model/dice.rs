//! Chance as an argument: every draw is a hash of seed, rule, key and number, so the same seed gives the
//! same decisions for any interleaving, number of workers, or traffic of other rules.

use std::hash::Hasher;

use serde::{Deserialize, Serialize};
use siphasher::sip::SipHasher13;

use super::KeyHash;

/// A probability: a number from 0 to 1, both included.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Share(f64);

impl Share {
    /// `None` unless `value` is a number from 0 to 1.
    pub fn new(value: f64) -> Option<Share> {
        (0.0..=1.0).contains(&value).then_some(Share(value))
    }

    /// The share as a number from 0 to 1.
    pub fn get(self) -> f64 {
        self.0
    }
}

impl TryFrom<f64> for Share {
    type Error = &'static str;

    fn try_from(value: f64) -> Result<Share, &'static str> {
        Share::new(value).ok_or("a share is a number from 0 to 1")
    }
}

impl From<Share> for f64 {
    fn from(share: Share) -> f64 {
        share.get()
    }
}

/// The dice of one rule: its draws depend on the seed and the rule's name alone.
#[derive(Clone, Copy, Debug)]
pub struct Dice {
    seed: u64,
    rule: u64,
}

impl Dice {
    /// The dice for the rule called `rule` under `seed`.
    pub fn new(seed: u64, rule: &str) -> Dice {
        let mut hasher = SipHasher13::new_with_keys(seed, 0);
        hasher.write(rule.as_bytes());
        Dice { seed, rule: hasher.finish() }
    }

    /// Whether the `n`-th request (from 1) of `key` falls within `share`.
    pub fn falls_within(self, share: Share, key: KeyHash, n: u64) -> bool {
        self.fraction(key, n) < share.get()
    }

    /// A number from 0 (included) to 1 (excluded), uniform over `(seed, rule, key, n)`.
    pub fn fraction(self, key: KeyHash, n: u64) -> f64 {
        // The 53 bits that an f64 holds exactly.
        (self.draw(key, n) >> 11) as f64 / (1u64 << 53) as f64
    }

    /// 64 uniform bits for `(seed, rule, key, n)`.
    pub fn draw(self, key: KeyHash, n: u64) -> u64 {
        let mut hasher = SipHasher13::new_with_keys(self.seed, self.rule);
        hasher.write(&key.0.to_le_bytes());
        hasher.write_u64(n.to_le());
        hasher.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draw_depends_on_seed_rule_key_and_n_and_on_nothing_else() {
        let draw = |seed, rule, key, n| Dice::new(seed, rule).draw(KeyHash(key), n);
        assert_eq!(draw(1, "a", 2, 3), draw(1, "a", 2, 3));
        assert_ne!(draw(1, "a", 2, 3), draw(9, "a", 2, 3));
        assert_ne!(draw(1, "a", 2, 3), draw(1, "b", 2, 3));
        assert_ne!(draw(1, "a", 2, 3), draw(1, "a", 9, 3));
        assert_ne!(draw(1, "a", 2, 3), draw(1, "a", 2, 9));
    }

    #[test]
    fn the_draws_of_a_release_are_those_of_the_next_one() {
        // A seed in a bug report must give the same decisions after an upgrade.
        assert_eq!(Dice::new(1, "flaky-writes").draw(KeyHash(0), 1), 11_950_655_672_466_647_625);
    }

    #[test]
    fn a_share_is_met_within_four_standard_deviations() {
        let dice = Dice::new(7, "flaky");
        for share in [0.0, 0.01, 0.25, 0.5, 0.99, 1.0] {
            let tries = 100_000;
            let hits = (1..=tries).filter(|&n| dice.falls_within(Share(share), KeyHash(5), n)).count() as f64;
            let expected = share * tries as f64;
            let deviation = (tries as f64 * share * (1.0 - share)).sqrt();
            assert!((hits - expected).abs() <= 4.0 * deviation, "{share}: {hits}");
        }
    }

    #[test]
    fn a_share_is_a_number_from_0_to_1() {
        assert!(Share::new(0.0).is_some() && Share::new(1.0).is_some());
        assert!(Share::new(-0.01).is_none() && Share::new(1.01).is_none() && Share::new(f64::NAN).is_none());
    }
}
