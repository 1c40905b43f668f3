//! Ways along a JSON pointer (RFC 6901 §4), in a tree and in a text. A name that is `*` stands for every item of an
//! array and every member of an object, these by name; `~2` in a name is a `*` that stands for itself.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

/// Maximum number of values of one pointer that are looked at in a long text, at each of its `*`.
const MOST: usize = 4_096;

/// Whether a pointer leads to one value at most, by the RFC's own rules.
pub fn is_plain(pointer: &str) -> bool {
    !pointer.contains("/*") && !pointer.contains("~2")
}

/// Whether one of the values that a pointer leads to is as wanted.
pub fn any_in_tree<'v>(
    value: &'v Value,
    pointer: &str,
    is_wanted: &mut dyn FnMut(&'v Value) -> bool,
) -> bool {
    if is_plain(pointer) {
        return value.pointer(pointer).is_some_and(is_wanted);
    }
    let Some(rest) = pointer.strip_prefix('/') else { return pointer.is_empty() && is_wanted(value) };
    let (name, rest) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    match (value, name) {
        (Value::Array(items), "*") => items.iter().any(|item| any_in_tree(item, rest, is_wanted)),
        (Value::Object(members), "*") => members.values().any(|member| any_in_tree(member, rest, is_wanted)),
        (Value::Array(items), name) => {
            index(name).and_then(|at| items.get(at)).is_some_and(|item| any_in_tree(item, rest, is_wanted))
        }
        (Value::Object(members), name) => {
            members.get(&*unescaped(name)).is_some_and(|member| any_in_tree(member, rest, is_wanted))
        }
        _ => false,
    }
}

/// The places in a text of the values that a pointer leads to.
pub fn find(text: &str, pointer: &str) -> Box<[Range<usize>]> {
    let mut found = vec![text.trim_ascii()];
    for name in pointer.split('/').skip(1) {
        let literal = unescaped(name);
        let into = if name == "*" { Step::All } else { Step::Into(&literal) };
        found = found.into_iter().filter_map(|text| step(text, into)).flatten().take(MOST).collect();
    }
    let start = |found: &str| found.as_ptr() as usize - text.as_ptr() as usize;
    found.into_iter().map(|found| start(found)..start(found) + found.len()).collect()
}

/// The first items of an array.
pub fn items(text: &str, most: usize) -> Option<Vec<&str>> {
    step(text, Step::Items(most))
}

fn unescaped(name: &str) -> Cow<'_, str> {
    if name.contains('~') {
        Cow::Owned(name.replace("~2", "*").replace("~1", "/").replace("~0", "~"))
    } else {
        Cow::Borrowed(name)
    }
}

/// Digits without a zero before them (RFC 6901 §4).
fn index(name: &str) -> Option<usize> {
    name.parse::<usize>().ok().filter(|index| index.to_string() == name)
}

fn step<'t>(text: &'t str, step: Step<'_>) -> Option<Vec<&'t str>> {
    step.deserialize(&mut serde_json::Deserializer::from_str(text)).ok()
}

/// One step down: to the member or the item of that name, to the first items, or to every item and member.
#[derive(Clone, Copy)]
enum Step<'k> {
    Into(&'k str),
    Items(usize),
    All,
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
        if let Step::All = self {
            let mut found = BTreeMap::new();
            while let Some((name, value)) = members.next_entry::<String, &RawValue>()? {
                if found.len() < MOST || found.contains_key(&name) {
                    found.insert(name, value.get());
                }
            }
            return Ok(found.into_values().collect());
        }
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
            Step::All => (0, MOST),
            Step::Into(name) => index(name).map_or((0, 0), |index| (index, 1)),
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
