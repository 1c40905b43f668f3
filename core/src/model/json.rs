//! JSON bodies, with memory bounded by their bytes. A tree of values takes up to a hundred times the
//! bytes of its text (`[],[],…`), so only short bodies become trees. Longer ones stay text, which the first
//! look-up of each pointer scans.

use std::borrow::Cow;
use std::cell::RefCell;
use std::fmt;
use std::ops::Range;

use bytes::Bytes;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

/// A body that is JSON.
#[derive(Clone, Debug)]
pub enum Json {
    Tree(Value),
    /// Valid, and longer.
    Text(JsonText),
}

/// A long body, and the places in it that look-ups have found.
#[derive(Clone, Debug)]
pub struct JsonText {
    bytes: Bytes,
    found: RefCell<Vec<Found>>,
}

/// A pointer, and where in the text its value is.
type Found = (Box<str>, Option<Range<usize>>);

/// Look-ups remembered of one body. Each scans all of it, so that rules that ask the same pay once.
const REMEMBERED: usize = 64;

/// Maximum length in bytes of a body parsed into a tree, which takes 1.6 MB at worst.
const SHORT: usize = 16 * 1024;

impl Json {
    /// Maximum length in bytes: longer JSON is not looked at, as each look reads all of it.
    pub const MOST: usize = 4 << 20;

    /// Maximum length in bytes of what a worker looks through itself, in a few milliseconds: for 4 MiB its other
    /// clients would wait 10 to 30 ms for each look, and 100 ms for a hash.
    pub const QUICK: usize = 256 << 10;

    /// Parses a body; `None` if it is not JSON, or too long.
    pub fn read(bytes: &Bytes) -> Option<Json> {
        if bytes.len() <= SHORT {
            return serde_json::from_slice(bytes).ok().map(Json::Tree);
        }
        if bytes.len() > Json::MOST {
            return None;
        }
        let text = std::str::from_utf8(bytes).ok()?;
        if is_deep(bytes) {
            return None;
        }
        serde_json::from_str::<IgnoredAny>(text).ok()?;
        Some(Json::Text(JsonText::new(bytes.clone())))
    }

    /// Parses a body that is short enough to do so between other clients' requests.
    pub fn read_quickly(bytes: &Bytes) -> Option<Json> {
        if bytes.len() > Json::QUICK { None } else { Json::read(bytes) }
    }

    /// The value at a JSON pointer (RFC 6901). In a long body a value is a text, or a short one.
    pub fn pointer(&self, pointer: &str) -> Option<Cow<'_, Value>> {
        match self {
            Json::Tree(value) => value.pointer(pointer).map(Cow::Borrowed),
            Json::Text(text) => {
                let found = text.find(pointer)?;
                let is_bounded = found.len() <= SHORT || found.starts_with('"');
                is_bounded.then(|| serde_json::from_str(found).ok().map(Cow::Owned))?
            }
        }
    }

    /// The first items of the array at a pointer, as far as each is short.
    pub fn items(&self, pointer: &str, most: usize) -> Vec<Cow<'_, Value>> {
        match self {
            Json::Tree(value) => {
                let items = value.pointer(pointer).and_then(Value::as_array);
                items.into_iter().flatten().take(most).map(Cow::Borrowed).collect()
            }
            Json::Text(text) => {
                let items = text.find(pointer).and_then(|text| step(text, Step::Items(most)));
                let value = |text: &str| match text.len() {
                    ..=SHORT => serde_json::from_str(text).ok().map(Cow::Owned),
                    _ => None,
                };
                items.into_iter().flatten().map_while(value).collect()
            }
        }
    }
}

impl JsonText {
    pub(super) fn new(bytes: Bytes) -> JsonText {
        JsonText { bytes, found: RefCell::default() }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The text of the value that a pointer leads to.
    fn find(&self, pointer: &str) -> Option<&str> {
        let text = std::str::from_utf8(&self.bytes).ok()?;
        let known =
            self.found.borrow().iter().find(|(known, _)| **known == *pointer).map(|(_, at)| at.clone());
        if let Some(at) = known {
            return text.get(at?);
        }
        let found = find(text, pointer);
        let mut known = self.found.borrow_mut();
        if known.len() < REMEMBERED {
            let start = |found: &str| found.as_ptr() as usize - text.as_ptr() as usize;
            known.push((pointer.into(), found.map(|found| start(found)..start(found) + found.len())));
        }
        found
    }
}

/// The text of the value that a pointer leads to.
fn find<'t>(text: &'t str, pointer: &str) -> Option<&'t str> {
    let mut found = text.trim_ascii();
    if pointer.is_empty() {
        return Some(found);
    }
    for token in pointer.strip_prefix('/')?.split('/') {
        let token = token.replace("~1", "/").replace("~0", "~");
        found = step(found, Step::Into(&token))?.pop()?;
    }
    Some(found)
}

/// Whether values are nested deeper than serde_json follows them into a tree: to skip values it sets no limit.
fn is_deep(text: &[u8]) -> bool {
    const DEEPEST: u32 = 127;
    let (mut depth, mut is_string, mut bytes) = (0_u32, false, text.iter());
    while let Some(byte) = bytes.next() {
        match (byte, is_string) {
            (b'\\', true) => drop(bytes.next()),
            (b'"', _) => is_string = !is_string,
            (b'[' | b'{', false) => depth += 1,
            (b']' | b'}', false) => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEEPEST {
            return true;
        }
    }
    false
}

fn step<'t>(text: &'t str, step: Step<'_>) -> Option<Vec<&'t str>> {
    step.deserialize(&mut serde_json::Deserializer::from_str(text)).ok()
}

/// One step down: to the member or the item of that name, or to the first items.
#[derive(Clone, Copy)]
enum Step<'k> {
    Into(&'k str),
    Items(usize),
}

impl<'t> DeserializeSeed<'t> for Step<'_> {
    type Value = Vec<&'t str>;

    fn deserialize<D: Deserializer<'t>>(self, text: D) -> Result<Vec<&'t str>, D::Error> {
        text.deserialize_any(self)
    }
}

impl<'t> Visitor<'t> for Step<'_> {
    type Value = Vec<&'t str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object or an array")
    }

    /// Of members of one name the last counts, as in a tree.
    fn visit_map<M: MapAccess<'t>>(self, mut members: M) -> Result<Vec<&'t str>, M::Error> {
        let Step::Into(wanted) = self else {
            while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            return Ok(Vec::new());
        };
        let mut found = Vec::new();
        while let Some(is_wanted) = members.next_key_seed(Is(wanted))? {
            if is_wanted {
                found = vec![members.next_value::<&RawValue>()?.get()];
            } else {
                members.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }

    fn visit_seq<S: SeqAccess<'t>>(self, mut items: S) -> Result<Vec<&'t str>, S::Error> {
        let (first, most) = match self {
            Step::Items(most) => (0, most),
            // Digits without a zero before them (RFC 6901 §4).
            Step::Into(token) => match token.parse::<usize>() {
                Ok(index) if index.to_string() == token => (index, 1),
                _ => (0, 0),
            },
        };
        let mut found = Vec::new();
        for at in 0_usize.. {
            let is_wanted = at >= first && found.len() < most;
            if is_wanted {
                let Some(item) = items.next_element::<&RawValue>()? else { break };
                found.push(item.get());
            } else if items.next_element::<IgnoredAny>()?.is_none() {
                break;
            }
        }
        Ok(found)
    }
}

/// Whether a member's name is this.
struct Is<'k>(&'k str);

impl<'t> DeserializeSeed<'t> for Is<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'t>>(self, text: D) -> Result<bool, D::Error> {
        text.deserialize_str(self)
    }
}

impl Visitor<'_> for Is<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E>(self, name: &str) -> Result<bool, E> {
        Ok(name == self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn long_text_is_nested_as_deep_as_a_tree_may_be() {
        for padding in [0, SHORT] {
            let space = " ".repeat(padding);
            let read = |depth: usize| {
                let (open, close) = ("[".repeat(depth), "]".repeat(depth));
                Json::read(&format!("{open}\"\\\"[[{space}\"{close}").into()).is_some()
            };
            assert_eq!([1, 127, 128, 100_000].map(read), [true, true, false, false], "{padding}");
        }
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f32>().prop_map(Value::from),
            "[a\"\\\\é\n]{0,3}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 30, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::vec(("[ab~/\"0]{0,2}", inner), 0..4)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn a_pointer_finds_the_same_in_a_text_as_in_a_tree(
            value in value(),
            pointers in prop::collection::vec("(/(a|b|ab|~0|~1|0|1|00|))?(/(a|b|0|2|-))?(/(a|0))?", 1..6),
        ) {
            let pretty = serde_json::to_string_pretty(&value).expect("JSON");
            // Read again: a number's last digit may differ from the text.
            let tree = Json::Tree(serde_json::from_str(&pretty).expect("JSON"));
            let text = Json::Text(JsonText::new(Bytes::from(pretty)));
            for pointer in pointers {
                prop_assert_eq!(text.pointer(&pointer), tree.pointer(&pointer), "{}", pointer);
                prop_assert_eq!(text.items(&pointer, 2), tree.items(&pointer, 2), "{}", pointer);
                prop_assert_eq!(text.pointer(&pointer), tree.pointer(&pointer), "{} again", pointer);
            }
        }
    }

    #[test]
    fn what_is_long_is_text_and_what_is_longer_is_not_looked_at() {
        let of = |item: &str, length: usize| {
            let items = item.repeat(length / item.len());
            Json::read(&Bytes::from(format!("{{\"list\":[{items}0],\"a\":1,\"a\":\"x\"}}")))
        };
        assert!(matches!(of("[],", 1_000), Some(Json::Tree(_))));
        for item in ["[],", "{},", "{\"\":0},", "1,", "\"\\n\","] {
            let json = of(item, 1 << 20).expect("JSON");
            assert!(matches!(json, Json::Text(_)), "{item}");
            assert_eq!(json.pointer("/a").as_deref(), Some(&Value::from("x")), "the last counts");
            assert_eq!(json.pointer("/list/1").map(|value| value.to_string() + ","), Some(item.to_owned()));
            assert_eq!(json.items("/list", 3).len(), 3);
            assert_eq!(json.pointer("/list"), None, "a long list becomes no tree");
        }
        assert!(of("[],", Json::MOST).is_none());
        assert!(of("[,", 1 << 20).is_none(), "no JSON");
    }
}
