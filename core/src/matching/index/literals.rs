//! Rules by literal text that their paths must contain.
//!
//! Of each text four bytes are filed, a gram. A path is cut into its overlapping grams, and a filter
//! of bits, most of them zero, tells nearly every gram apart that no rule filed. So a path costs about a
//! nanosecond per byte, however many rules there are; an automaton over all texts (Aho-Corasick)
//! grows out of the processor's caches instead.

use super::hash::{HashedMap, mix};
use super::{Entry, Found};

/// Four bytes, case-insensitive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Gram(u32);

/// A literal text, and the gram to file it by.
#[derive(Clone, Debug)]
pub(super) struct Literal {
    pub text: Box<[u8]>,
    /// Where in the text its gram begins.
    pub at: usize,
}

/// Rules by the grams of their literals.
#[derive(Debug, Default)]
pub(super) struct Literals {
    /// One bit for each hash of a filed gram; a power of two of them, or none.
    filter: Box<[u64]>,
    filed: HashedMap<Vec<Filed>>,
}

#[derive(Debug)]
struct Filed {
    text: Box<[u8]>,
    at: usize,
    entry: Entry,
}

/// Bits of the filter per gram: one unknown gram in 64 is looked up in vain.
const BITS_PER_GRAM: usize = 64;
/// 1 MiB.
const MOST_BITS: usize = 1 << 23;

impl Literals {
    /// Files a rule about paths that contain a literal.
    pub fn add(&mut self, literal: Literal, entry: Entry) {
        let Some((_, gram)) = grams(&literal.text).nth(literal.at) else { return };
        self.filed.entry(gram.hash()).or_default().push(Filed { text: literal.text, at: literal.at, entry });
    }

    /// Builds the filter, without which a search finds nothing.
    pub fn finish(&mut self) {
        if self.filed.is_empty() {
            return;
        }
        let bits = (self.filed.len() * BITS_PER_GRAM).next_power_of_two().min(MOST_BITS);
        self.filter = vec![0; bits / 64].into();
        let words = self.filter.len();
        for hash in self.filed.keys() {
            if let Some(word) = self.filter.get_mut(word_of(*hash, words)) {
                *word |= bit_of(*hash);
            }
        }
    }

    pub fn find(&self, path: &str, found: &mut Found) {
        if self.filter.is_empty() {
            return;
        }
        for (at, gram) in grams(path.as_bytes()) {
            let hash = gram.hash();
            let word = self.filter.get(word_of(hash, self.filter.len())).copied().unwrap_or_default();
            if word & bit_of(hash) != 0 {
                self.find_at(path.as_bytes(), at, hash, found);
            }
        }
    }

    #[cold]
    fn find_at(&self, path: &[u8], at: usize, hash: u64, found: &mut Found) {
        for filed in self.filed.get(&hash).into_iter().flatten() {
            let text = at.checked_sub(filed.at).and_then(|start| path.get(start..start + filed.text.len()));
            if text.is_some_and(|text| text.eq_ignore_ascii_case(&filed.text)) {
                found.add(&[filed.entry]);
            }
        }
    }
}

/// The grams of a text and where they begin.
pub(super) fn grams(text: &[u8]) -> impl Iterator<Item = (usize, Gram)> {
    text.array_windows::<4>().map(|bytes| Gram(u32::from_le_bytes(*bytes) | CASE)).enumerate()
}

/// The bit that tells upper case from lower case, in each byte. It makes some other bytes the same,
/// too, which only adds candidates.
const CASE: u32 = 0x2020_2020;

impl Gram {
    fn hash(self) -> u64 {
        mix(self.0.into(), 0)
    }
}

fn word_of(hash: u64, words: usize) -> usize {
    (hash >> 6) as usize & (words - 1)
}

fn bit_of(hash: u64) -> u64 {
    1 << (hash & 63)
}
