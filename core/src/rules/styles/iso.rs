//! Moments as APIs write them in bodies.

use jiff::Timestamp;

/// `2026-01-31T23:59:59.000Z` (RFC 3339), with so many digits of a second.
pub fn iso(at: Timestamp, digits: Digits) -> String {
    at.strftime(match digits {
        Digits::Three => "%Y-%m-%dT%H:%M:%S.%3fZ",
        Digits::ThreeWithOffset => "%Y-%m-%dT%H:%M:%S.%3f+00:00",
        Digits::Seven => "%Y-%m-%dT%H:%M:%S.%7fZ",
    })
    .to_string()
}

/// How a time's fraction and zone are written.
#[derive(Clone, Copy)]
pub enum Digits {
    Three,
    /// Spring writes the zone as digits too.
    ThreeWithOffset,
    /// Azure counts in ticks of 100 ns.
    Seven,
}
