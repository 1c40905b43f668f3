//! JSON bodies, with memory bounded by their bytes. A tree of values takes up to a hundred times the
//! bytes of its text (`[],[],…`), so only short bodies become trees. Longer ones stay text, which the first
//! look-up of each pointer scans.

mod pointer;

use std::borrow::Cow;
use std::cell::RefCell;
use std::ops::Range;

use bytes::Bytes;
use serde::de::IgnoredAny;
use serde_json::Value;

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

/// A pointer, and where in the text its values are.
type Found = (Box<str>, Box<[Range<usize>]>);

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

    /// The value at a JSON pointer (RFC 6901); the first one where the pointer has a `*`, which stands for every
    /// item or member. In a long body a value is a text, or a short one.
    pub fn pointer(&self, pointer: &str) -> Option<Cow<'_, Value>> {
        match self {
            Json::Tree(value) if pointer::is_plain(pointer) => value.pointer(pointer).map(Cow::Borrowed),
            Json::Tree(value) => {
                let mut first = None;
                pointer::any_in_tree(value, pointer, &mut |found| {
                    first = Some(found);
                    true
                });
                first.map(Cow::Borrowed)
            }
            Json::Text(text) => text.values(pointer).next().flatten().map(Cow::Owned),
        }
    }

    /// Whether a pointer leads to something.
    pub fn has(&self, pointer: &str) -> bool {
        match self {
            Json::Tree(value) => pointer::any_in_tree(value, pointer, &mut |_| true),
            Json::Text(text) => text.values(pointer).next().is_some(),
        }
    }

    /// Whether one of the values that a pointer leads to is as wanted.
    pub fn any(&self, pointer: &str, is_wanted: &mut dyn FnMut(&Value) -> bool) -> bool {
        match self {
            Json::Tree(value) => pointer::any_in_tree(value, pointer, &mut |found| is_wanted(found)),
            Json::Text(text) => text.values(pointer).flatten().any(|found| is_wanted(&found)),
        }
    }

    /// The first items of the array at a pointer without a `*`, as far as each is short.
    pub fn items(&self, pointer: &str, most: usize) -> Vec<Cow<'_, Value>> {
        match self {
            Json::Tree(value) => {
                let items = value.pointer(pointer).and_then(Value::as_array);
                items.into_iter().flatten().take(most).map(Cow::Borrowed).collect()
            }
            Json::Text(text) => {
                let at = text.find(pointer).first().cloned();
                let items = at.and_then(|at| pointer::items(text.text()?.get(at)?, most));
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

    fn text(&self) -> Option<&str> {
        std::str::from_utf8(&self.bytes).ok()
    }

    /// The values that a pointer leads to; `None` for one that is long and no text.
    fn values(&self, pointer: &str) -> impl Iterator<Item = Option<Value>> + use<> {
        let bytes = self.bytes.clone();
        self.find(pointer).into_iter().map(move |at| {
            let found = bytes.get(at)?;
            let is_bounded = found.len() <= SHORT || found.starts_with(b"\"");
            is_bounded.then(|| serde_json::from_slice(found).ok())?
        })
    }

    /// The places of the values that a pointer leads to.
    fn find(&self, pointer: &str) -> Box<[Range<usize>]> {
        let known =
            self.found.borrow().iter().find(|(known, _)| **known == *pointer).map(|(_, at)| at.clone());
        if let Some(places) = known {
            return places;
        }
        let places = self.text().map(|text| pointer::find(text, pointer)).unwrap_or_default();
        let mut known = self.found.borrow_mut();
        if known.len() < REMEMBERED {
            known.push((pointer.into(), places.clone()));
        }
        places
    }
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
                prop::collection::vec(("[ab~/\"0*]{0,2}", inner), 0..4)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn a_pointer_finds_the_same_in_a_text_as_in_a_tree(
            value in value(),
            pointers in prop::collection::vec("(/(a|b|ab|~0|~1|~2|\\*|0|1|00|))?(/(a|b|0|2|-|\\*))?(/(a|0|\\*))?", 1..6),
        ) {
            let pretty = serde_json::to_string_pretty(&value).expect("JSON");
            // Read again: a number's last digit may differ from the text.
            let tree = Json::Tree(serde_json::from_str(&pretty).expect("JSON"));
            let text = Json::Text(JsonText::new(Bytes::from(pretty)));
            for pointer in pointers {
                prop_assert_eq!(text.pointer(&pointer), tree.pointer(&pointer), "{}", pointer);
                if pointer::is_plain(&pointer) {
                    prop_assert_eq!(text.items(&pointer, 2), tree.items(&pointer, 2), "{}", pointer);
                }
                prop_assert_eq!(text.pointer(&pointer), tree.pointer(&pointer), "{} again", pointer);
                let all = |json: &Json| {
                    let mut all = Vec::new();
                    json.any(&pointer, &mut |found| {
                        all.push(found.clone());
                        false
                    });
                    (json.has(&pointer), all)
                };
                prop_assert_eq!(all(&text), all(&tree), "{}", pointer);
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
