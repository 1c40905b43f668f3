//! A fast hash without a secret. Forged collisions gain nothing: a collision only adds a
//! candidate, which is then checked.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// A map whose keys are hashes already.
pub(super) type HashedMap<V> = HashMap<u64, V, BuildHasherDefault<AsIs>>;

/// The hash of `bytes`, following `seed`.
pub(super) fn hash(seed: u64, bytes: &[u8]) -> u64 {
    // Hash the length first, as the last word is padded with zeros.
    let mut state = mix(seed, bytes.len() as u64);
    let (words, rest) = bytes.as_chunks::<8>();
    for word in words {
        state = mix(state, u64::from_le_bytes(*word));
    }
    let mut last = [0; 8];
    last.iter_mut().zip(rest).for_each(|(last, byte)| *last = *byte);
    mix(state, u64::from_le_bytes(last))
}

/// Both numbers in one, every bit depending on every bit: the two halves of a product of 128 bits.
pub(super) fn mix(a: u64, b: u64) -> u64 {
    // Odd numbers with bits as if by chance: fractions of π and e.
    let product = u128::from(a ^ 0x243f_6a88_85a3_08d3) * u128::from(b ^ 0xb7e1_5162_8aed_2a6b);
    (product >> 64) as u64 ^ product as u64
}

/// Hashes a number to itself.
#[derive(Default)]
pub(super) struct AsIs(u64);

impl Hasher for AsIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = hash(self.0, bytes);
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn texts_rarely_share_a_hash() {
        let texts: Vec<String> = (0..100_000).map(|n| format!("service-{n}")).collect();
        let hashes: HashSet<u64> = texts.iter().map(|text| hash(1, text.as_bytes())).collect();
        assert_eq!(hashes.len(), texts.len());
        // Maps use the upper bits and the lower ones.
        for part in [|hash: u64| hash >> 57, |hash| hash & 0x7f] {
            let parts: HashSet<u64> = hashes.iter().map(|hash| part(*hash)).collect();
            assert_eq!(parts.len(), 128);
        }
    }

    #[test]
    fn length_seed_and_content_count() {
        let hashes = [hash(0, b""), hash(0, b"\0"), hash(0, b"\0\0"), hash(1, b""), hash(0, b"a")];
        assert_eq!(HashSet::from(hashes).len(), hashes.len());
    }
}
