//! The hash of a JSON body: the order of an object's members, spaces and escapes do not matter. It is made as
//! the values are read, so that it takes no memory of its own.

use std::fmt;
use std::hash::Hasher as _;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Number;
use siphasher::sip::SipHasher13;
use smallvec::SmallVec;

use super::{Fingerprint, Json, RunKey};

impl RunKey {
    /// The hash of a body without the values that `volatile` points to (RFC 6901). An item of an array leaves a hole, so
    /// that those after it keep their places. `None` for nesting deeper than 128 levels.
    pub fn hash_json(self, json: &Json, volatile: &[Box<str>]) -> Option<Fingerprint> {
        let mut hasher = self.hasher();
        let volatile = volatile.iter().map(|pointer| &**pointer).collect();
        let value = Values { key: self, hasher: &mut hasher, volatile };
        match json {
            Json::Tree(tree) => value.deserialize(tree),
            Json::Text(text) => value.deserialize(&mut serde_json::Deserializer::from_slice(text.bytes())),
        }
        .ok()?;
        Some(Fingerprint(hasher.finish()))
    }
}

/// Pointers, as far as they lead on from a value.
type Pointers<'p> = SmallVec<[&'p str; 4]>;

/// Adds a value to a hash so that no two different ones add the same bytes.
struct Values<'h, 'p> {
    key: RunKey,
    hasher: &'h mut SipHasher13,
    volatile: Pointers<'p>,
}

impl<'p> Values<'_, 'p> {
    fn add_text(self, kind: u8, text: &[u8]) {
        add_text(self.hasher, kind, text);
    }

    /// The pointers that lead on from a member or an item; `None` where one leads to it.
    fn below(&self, name: impl Fn(&str) -> bool) -> Option<Pointers<'p>> {
        let mut below = Pointers::new();
        for pointer in &self.volatile {
            let Some(rest) = pointer.strip_prefix('/') else { continue };
            let (first, rest) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            if !name(first) {
                continue;
            }
            if rest.is_empty() {
                return None;
            }
            below.push(rest);
        }
        Some(below)
    }
}

fn add_text(hasher: &mut SipHasher13, kind: u8, text: &[u8]) {
    hasher.write_u8(kind);
    hasher.write_u64(text.len() as u64);
    hasher.write(text);
}

impl<'t> DeserializeSeed<'t> for Values<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'t>>(self, text: D) -> Result<(), D::Error> {
        text.deserialize_any(self)
    }
}

impl<'t> Visitor<'t> for Values<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.hasher.write_u8(0);
        Ok(())
    }

    fn visit_bool<E>(self, is_true: bool) -> Result<(), E> {
        self.hasher.write_u8(1 + u8::from(is_true));
        Ok(())
    }

    fn visit_u64<E>(self, number: u64) -> Result<(), E> {
        self.add_text(3, number.to_string().as_bytes());
        Ok(())
    }

    fn visit_i64<E>(self, number: i64) -> Result<(), E> {
        self.add_text(3, number.to_string().as_bytes());
        Ok(())
    }

    fn visit_f64<E>(self, number: f64) -> Result<(), E> {
        let text = Number::from_f64(number).map(|number| number.to_string()).unwrap_or_default();
        self.add_text(3, text.as_bytes());
        Ok(())
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        self.add_text(4, text.as_bytes());
        Ok(())
    }

    fn visit_seq<S: SeqAccess<'t>>(self, mut items: S) -> Result<(), S::Error> {
        self.hasher.write_u8(5);
        for at in 0_usize.. {
            let below = match self.volatile.is_empty() {
                true => Some(Pointers::new()),
                false => self.below(|first| first == at.to_string()),
            };
            let item = match below {
                Some(volatile) => {
                    items.next_element_seed(Values { key: self.key, hasher: &mut *self.hasher, volatile })?
                }
                None => items.next_element::<IgnoredAny>()?.map(|_| self.hasher.write_u8(0)),
            };
            if item.is_none() {
                break;
            }
        }
        self.hasher.write_u8(7);
        Ok(())
    }

    /// Each member has a hash of its own, and their sum has no order.
    fn visit_map<M: MapAccess<'t>>(self, mut members: M) -> Result<(), M::Error> {
        let (mut count, mut sum) = (0_u64, 0_u64);
        while let Some(name) = members.next_key::<String>()? {
            let below = self.below(|first| match first.contains('~') {
                true => first.replace("~1", "/").replace("~0", "~") == name,
                false => first == name,
            });
            let Some(volatile) = below else {
                members.next_value::<IgnoredAny>()?;
                continue;
            };
            let mut member = self.key.hasher();
            add_text(&mut member, 4, name.as_bytes());
            members.next_value_seed(Values { key: self.key, hasher: &mut member, volatile })?;
            count += 1;
            sum = sum.wrapping_add(member.finish());
        }
        self.hasher.write_u8(6);
        self.hasher.write_u64(count);
        self.hasher.write_u64(sum);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::super::json::JsonText;
    use super::*;

    #[test]
    fn a_text_has_the_hash_of_its_tree() {
        let key = RunKey::new([7; 16]);
        let volatile: Vec<Box<str>> = ["/a~1b", "/list/1/at", "/list/2", "/x/y/z"].map(Box::from).into();
        for text in [
            r#"{"a/b":1,"list":[1,{"at":5,"b":1.50},[],-3],"x":{"y":{"z":1,"q":null}},"t":true}"#,
            r#"[{}, [[]], "\u0061", 1e3, -0.0, 18446744073709551615]"#,
            "{}",
        ] {
            let text = Bytes::from(text);
            let tree = Json::read(&text).expect("JSON");
            for volatile in [&volatile[..], &[]] {
                let hash = key.hash_json(&tree, volatile).expect("a hash");
                assert_eq!(
                    key.hash_json(&Json::Text(JsonText::new(text.clone())), volatile),
                    Some(hash),
                    "{text:?}"
                );
            }
        }
    }
}
