//! Hashes that are comparable within one run only, for values that are secret or too long to keep.

use std::hash::Hasher as _;

use siphasher::sip::SipHasher13;

use super::Fingerprint;

/// The random key of a run's hashes, which prevents guessing the hashed values. It is
/// never shown.
#[derive(Clone, Copy)]
pub struct RunKey(u64, u64);

impl RunKey {
    /// A key from 16 random bytes.
    pub const fn new(random: [u8; 16]) -> RunKey {
        let random = u128::from_le_bytes(random);
        RunKey(random as u64, (random >> 64) as u64)
    }

    /// The hash of some bytes.
    pub fn hash(self, bytes: &[u8]) -> Fingerprint {
        self.hash_pieces([bytes])
    }

    /// The hash of bytes in pieces, equal to the hash of their concatenation.
    pub fn hash_pieces<'p>(self, pieces: impl IntoIterator<Item = &'p [u8]>) -> Fingerprint {
        let mut hasher = self.hasher();
        pieces.into_iter().for_each(|piece| hasher.write(piece));
        Fingerprint(hasher.finish())
    }

    /// Hasher for several values; the caller must separate them.
    pub(super) fn hasher(self) -> SipHasher13 {
        SipHasher13::new_with_keys(self.0, self.1)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::model::Json;

    const KEY: RunKey = RunKey(1, 2);

    fn of(text: &str) -> Fingerprint {
        let json = Json::read(&Bytes::copy_from_slice(text.as_bytes())).expect("JSON");
        KEY.hash_json(&json, &[]).expect("no deeper than it may be")
    }

    #[test]
    fn the_same_json_however_it_is_written_has_one_hash() {
        let spellings =
            [r#"{"a":1,"b":["x",null,true]}"#, r#"{ "b" : ["\u0078", null, true], "a" : 1 }"#].map(of);
        assert_eq!(spellings[0], spellings[1]);
    }

    #[test]
    fn different_json_has_different_hashes() {
        let texts = [
            "null",
            "0",
            "1",
            "\"1\"",
            "true",
            "false",
            "[]",
            "{}",
            "[[]]",
            "[1,2]",
            "[2,1]",
            "[\"ab\"]",
            "[\"a\",\"b\"]",
            r#"{"a":{"b":1}}"#,
            r#"{"a":{},"b":1}"#,
            r#"{"ab":1}"#,
        ];
        let hashes: std::collections::BTreeSet<_> = texts.map(of).into();
        assert_eq!(hashes.len(), texts.len());
    }

    #[test]
    fn pieces_do_not_show_and_another_run_has_other_hashes() {
        assert_eq!(KEY.hash_pieces([&b"ab"[..], b"c"]), KEY.hash(b"abc"));
        assert_ne!(KEY.hash(b"abc"), RunKey::new([7; 16]).hash(b"abc"));
    }
}
