//! Choice of the place in which each rule is filed.

use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::Hash;

use super::super::outline::Outline;
use super::super::{Match, PathMatch};
use super::literals::{Gram, Literal, grams};
use super::values::{Field, MOST_FIELDS, ValueHash, asked};

/// The place of one rule in the index.
#[derive(Debug)]
pub(super) enum IndexSlot {
    /// By the leading segments of its outline.
    Segments,
    /// By literals, one of which its path must contain.
    Literals(Vec<Literal>),
    /// By a value of the host or of a header.
    Value(Field, ValueHash),
}

/// Maximum number of rules that share leading segments before the index tries another place.
const FEW: u32 = 8;

/// The outline and the place of each rule.
pub(super) fn choose<'m>(rules: &[&'m Match]) -> Vec<(Cow<'m, Outline>, IndexSlot)> {
    let outlines: Vec<Cow<Outline>> = rules.iter().map(|rule| outline(&rule.path)).collect();
    let mut by_segments = Census::default();
    for outline in &outlines {
        by_segments.count((&outline.segments, outline.tail));
    }
    // Number of rules that share the leading segments of `outline`.
    let crowd = |outline: &Outline| match outline.segments.iter().any(Option::is_some) {
        true => by_segments.of(&(&outline.segments, outline.tail)),
        false => u32::MAX,
    };
    let crowded: Vec<bool> = outlines.iter().map(|outline| crowd(outline) > FEW).collect();

    // Count further only for crowded rules.
    let mut by_gram = Census::default();
    let mut by_value = Census::default();
    let mut fields = Vec::new();
    for ((rule, outline), _) in rules.iter().zip(&outlines).zip(&crowded).filter(|(_, crowded)| **crowded) {
        for text in outline.literals.iter().flatten() {
            grams(text).for_each(|(_, gram)| by_gram.count(gram));
        }
        for (field, value) in asked(rule) {
            if !fields.contains(&field) && fields.len() < MOST_FIELDS {
                fields.push(field.clone());
            }
            by_value.count((field, value));
        }
    }

    let places: Vec<IndexSlot> = rules
        .iter()
        .zip(&outlines)
        .zip(&crowded)
        .map(|((rule, outline), crowded)| {
            if !crowded {
                return IndexSlot::Segments;
            }
            let values = asked(rule)
                .filter(|(field, _)| fields.contains(field))
                .map(|value| (by_value.of(&value), IndexSlot::Value(value.0, value.1)));
            let literals = outline.literals.iter().filter_map(|texts| rarest(texts, &by_gram));
            // Ties: the first of equally rare ones.
            let all = std::iter::once((crowd(outline), IndexSlot::Segments)).chain(values).chain(literals);
            all.min_by_key(|(crowd, _)| *crowd).map_or(IndexSlot::Segments, |(_, place)| place)
        })
        .collect();
    outlines.into_iter().zip(places).collect()
}

fn outline(path: &PathMatch) -> Cow<'_, Outline> {
    match path {
        PathMatch::Any => Cow::Owned(Outline::any()),
        PathMatch::Pattern(pattern) => Cow::Owned(pattern.outline()),
        PathMatch::Regex(regex) => Cow::Borrowed(regex.outline()),
    }
}

/// Each text with its rarest gram, and the count of the most frequent of these. `None` where a
/// text is shorter than a gram.
fn rarest(texts: &[Box<[u8]>], census: &Census<Gram>) -> Option<(u32, IndexSlot)> {
    let mut most = 0;
    let mut literals = Vec::with_capacity(texts.len());
    for text in texts {
        let (crowd, at) = grams(text).map(|(at, gram)| (census.of(&gram), at)).min()?;
        most = most.max(crowd);
        literals.push(Literal { text: text.clone(), at });
    }
    Some((most, IndexSlot::Literals(literals)))
}

/// Number of occurrences by key.
struct Census<T>(HashMap<T, u32>);

impl<T> Default for Census<T> {
    fn default() -> Census<T> {
        Census(HashMap::new())
    }
}

impl<T: Hash + Eq> Census<T> {
    fn count(&mut self, thing: T) {
        *self.0.entry(thing).or_default() += 1;
    }

    fn of(&self, thing: &T) -> u32 {
        self.0.get(thing).copied().unwrap_or_default()
    }
}
