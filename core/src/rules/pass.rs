//! `pass`: faults of traffic that passes.

use std::num::NonZeroU64;
use std::time::Duration;

use super::keys::grouped;
use super::units;

/// The faults of a response on its way to the client. The upstream has seen the request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PassFaults {
    /// Waited before the response's head is sent.
    pub delay: Duration,
    /// Up to this much is added to `delay`, drawn per (seed, rule, key, n).
    pub jitter: Duration,
    /// Bytes of the body per second.
    pub rate: Option<NonZeroU64>,
    /// The connection ends after so many bytes of the body, if there are more.
    pub cut: Option<u64>,
    /// Waited once within the body: where `cut` is, or else after its first byte.
    pub stall: Duration,
}

impl PassFaults {
    /// Whether the body has faults, beside the delay of the head.
    pub fn touches_body(&self) -> bool {
        self.rate.is_some() || self.cut.is_some() || !self.stall.is_zero()
    }

    /// The position of the stall in the body, in bytes.
    pub fn stalls_at(&self) -> u64 {
        self.cut.unwrap_or(1)
    }

    /// The keys that are given, for the marker.
    pub fn words(&self) -> impl Iterator<Item = &'static str> {
        let given = [
            ("delay", !self.delay.is_zero()),
            ("rate", self.rate.is_some()),
            ("cut", self.cut.is_some()),
            ("stall", !self.stall.is_zero()),
        ];
        given.into_iter().filter(|(_, is_given)| *is_given).map(|(word, _)| word)
    }
}

/// `delayed by 800 ms to 1 s, at 4,096 B/s, cut after 1,024 B`.
impl std::fmt::Display for PassFaults {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let until = Some(self.delay + self.jitter).filter(|_| !self.jitter.is_zero());
        let until = until.map_or_else(String::new, |until| format!(" to {}", units::in_words(until)));
        let parts = [
            (!self.delay.is_zero()).then(|| format!("delayed by {}{until}", units::in_words(self.delay))),
            self.rate.map(|rate| format!("at {} B/s", grouped(rate.get()))),
            (!self.stall.is_zero()).then(|| format!("stalled for {}", units::in_words(self.stall))),
            self.cut.map(|cut| format!("cut after {} B", grouped(cut))),
        ];
        f.write_str(&parts.into_iter().flatten().collect::<Vec<_>>().join(", "))
    }
}
