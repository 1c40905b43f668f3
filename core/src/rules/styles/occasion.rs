//! The occasion that one response is rendered for, and the chance in it.

use std::hash::Hasher as _;
use std::time::Duration;

use bytes::Bytes;
use http::{StatusCode, header};
use jiff::Timestamp;
use siphasher::sip::SipHasher13;

use super::rows::BulkWrite;
use super::value::PlaceholderValue;
use crate::matching::PathMatch;
use crate::model::{Captures, ClientIdSources, Dice, Facts, Key, KeyHash};

/// The captures of a rule's path pattern: few replies ask for them, so they are looked for when one does.
#[derive(Clone, Copy)]
pub enum PathCaptures<'o> {
    Known(&'o Captures<'o>),
    Of(&'o PathMatch),
}

impl<'o> PathCaptures<'o> {
    /// The captures of the request of `facts`.
    pub fn get(self, facts: &'o Facts<'o>) -> Captures<'o> {
        match self {
            PathCaptures::Known(captures) => captures.clone(),
            PathCaptures::Of(path) => path.captures(&facts.path).unwrap_or_default(),
        }
    }
}

/// One refused request, and the facts that the judgement has of it.
#[derive(Clone, Copy)]
pub struct ReplyContext<'o> {
    pub facts: &'o Facts<'o>,
    pub captures: PathCaptures<'o>,
    /// The source of the client id: `{key}` may name the client.
    pub identity: &'o ClientIdSources,
    /// The rule's dice. Identifiers and jitter are hashes of its draw, independent of the draw
    /// itself: the same seed gives the same response, byte for byte.
    pub dice: Dice,
    pub key: KeyHash,
    /// The position of the request in its key's sequence, from 1.
    pub n: u64,
    pub now: Timestamp,
    /// How long the conflict lasts from now on, where the rule knows.
    pub remaining: Option<Duration>,
    /// One of the statuses that the rule's trigger names (`missing = 428`, `mismatch = 422`);
    /// `None`, like any other, means the reply's own.
    pub status: Option<StatusCode>,
    /// The version that the request carries, where the trigger looked; `None` falls back to
    /// `If-Match`.
    pub version_sent: Option<&'o str>,
    /// The newest version seen of the resource.
    pub version_current: Option<&'o str>,
    /// The newest representation seen of the resource.
    pub current: Option<&'o Bytes>,
}

/// An occasion with the reply's additions: everything that a value may be taken from.
pub struct RenderContext<'s> {
    pub occasion: &'s ReplyContext<'s>,
    /// The rule's scope of counters.
    pub per: &'s Key,
    /// Seconds to wait, when the reply says so.
    pub wait: Option<u64>,
    /// The row that is written, in responses to bulk requests.
    pub row: Option<&'s BulkWrite>,
}

/// A value that only one style has.
pub type StyleValue = for<'s> fn(&'s RenderContext<'s>) -> PlaceholderValue<'s>;

pub const HEX: &[u8] = b"0123456789abcdef";
pub const UPPER_HEX: &[u8] = b"0123456789ABCDEF";
pub const UPPER: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
pub const ALPHANUMERIC: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
pub const BASE64: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
pub const BASE64_URL: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

impl<'o> ReplyContext<'o> {
    /// A number from 0 (included) to 1 (excluded) for the jitter of `Retry-After`. The draw that
    /// fired the rule would not do: under `rate = 0.25` it is always below a quarter.
    pub fn jitter(&self) -> f64 {
        (self.bits("jitter", 0) >> 11) as f64 / (1u64 << 53) as f64
    }

    /// An identifier of this response: the same for the same label, wherever the response holds it.
    pub fn id(&self, label: &str, alphabet: &[u8], length: usize) -> String {
        spell(alphabet, length, |at| self.bits(label, at))
    }

    /// A version 4 UUID (RFC 9562 §5.4), the same wherever the response holds it.
    pub fn uuid(&self) -> String {
        let high = self.bits("uuid", 0) & !0xf000 | 0x4000;
        let low = self.bits("uuid", 1) & !(0b11 << 62) | (0b10 << 62);
        format!(
            "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            high >> 32,
            high >> 16 & 0xffff,
            high & 0xffff,
            low >> 48,
            low & 0xffff_ffff_ffff
        )
    }

    /// An identifier of the thing called `name`: the same in every response of the rule.
    pub fn id_of(&self, name: &str, alphabet: &[u8], length: usize) -> String {
        let base = self.dice.draw(KeyHash(0), 0);
        spell(alphabet, length, |at| hash(base, name, at))
    }

    /// The version that the request carries.
    pub fn version_sent(&self) -> Option<&'o str> {
        let if_match = || self.facts.header(&header::IF_MATCH);
        self.version_sent.or_else(|| std::str::from_utf8(if_match()?).ok())
    }

    fn bits(&self, label: &str, at: u64) -> u64 {
        hash(self.dice.draw(self.key, self.n), label, at)
    }
}

fn hash(base: u64, label: &str, at: u64) -> u64 {
    let mut hasher = SipHasher13::new_with_keys(base, at);
    hasher.write(label.as_bytes());
    hasher.finish()
}

/// `length` letters; each 64 bits make eight, so that the bias of an alphabet that is no power of
/// two stays below one in 2³².
fn spell(alphabet: &[u8], length: usize, bits: impl Fn(u64) -> u64) -> String {
    let size = alphabet.len().max(1) as u64;
    let mut spelt = String::with_capacity(length);
    let mut left = 0;
    for at in 0..length {
        if at % 8 == 0 {
            left = bits(at as u64 / 8);
        }
        spelt.push(alphabet.get((left % size) as usize).copied().map_or('0', char::from));
        left /= size;
    }
    spelt
}
