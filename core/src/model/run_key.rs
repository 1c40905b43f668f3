//! Hashes that mean something within one run only: what is secret, or too long to keep, is kept as one.

use std::hash::Hasher as _;

use serde_json::Value;
use siphasher::sip::SipHasher13;

use super::Fingerprint;

/// The key of a run's hashes, chosen at random: without it nobody can try out what was hashed. It is
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

    /// The hash of bytes that come in pieces: that of all of them together.
    pub fn hash_pieces<'p>(self, pieces: impl IntoIterator<Item = &'p [u8]>) -> Fingerprint {
        let mut hasher = self.hasher();
        pieces.into_iter().for_each(|piece| hasher.write(piece));
        Fingerprint(hasher.finish())
    }

    /// The hash of a JSON value: the order of an object's members, spaces and escapes do not matter.
    pub fn hash_json(self, value: &Value) -> Fingerprint {
        let mut hasher = self.hasher();
        add_json(&mut hasher, value);
        Fingerprint(hasher.finish())
    }

    /// For hashes of more than one thing: whoever adds them tells them apart.
    pub(super) fn hasher(self) -> SipHasher13 {
        SipHasher13::new_with_keys(self.0, self.1)
    }
}

/// Adds a value so that no two different ones add the same bytes. serde_json reads no deeper than 128
/// levels, which bounds the recursion.
fn add_json(hasher: &mut SipHasher13, value: &Value) {
    let add_text = |hasher: &mut SipHasher13, kind: u8, text: &[u8]| {
        hasher.write_u8(kind);
        hasher.write_u64(text.len() as u64);
        hasher.write(text);
    };
    match value {
        Value::Null => hasher.write_u8(0),
        Value::Bool(is_true) => hasher.write_u8(1 + u8::from(*is_true)),
        Value::Number(number) => add_text(hasher, 3, number.to_string().as_bytes()),
        Value::String(text) => add_text(hasher, 4, text.as_bytes()),
        Value::Array(items) => {
            hasher.write_u8(5);
            hasher.write_u64(items.len() as u64);
            items.iter().for_each(|item| add_json(hasher, item));
        }
        Value::Object(members) => {
            hasher.write_u8(6);
            hasher.write_u64(members.len() as u64);
            let mut members: Vec<_> = members.iter().collect();
            members.sort_unstable_by_key(|(name, _)| *name);
            for (name, member) in members {
                add_text(hasher, 4, name.as_bytes());
                add_json(hasher, member);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: RunKey = RunKey(1, 2);

    fn of(text: &str) -> Fingerprint {
        KEY.hash_json(&serde_json::from_str(text).expect("JSON"))
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
