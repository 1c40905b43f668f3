//! Choice of the place in which each rule is filed.

use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::Hash;

use super::super::Match;
use super::super::outline::Outline;
use super::literals::{Gram, Literal, grams};
use super::values::{Field, MOST_FIELDS, ValueHash, asked};

/// The place of one rule in the index.
#[derive(Debug)]
pub(super) enum IndexSlot {
    /// By the leading segments of its outline.
    Segments,
    /// By literals, one of which its path must contain.
    Literals(Vec<Literal>),
    /// By the values of the host or of a header, one of which it must have.
    Value(Field, Vec<ValueHash>),
}

/// Maximum number of rules that share leading segments before the index tries another place.
const FEW: u32 = 8;

/// The position, the outline and the place of each rule; a rule with several outlines is filed once for each.
pub(super) fn choose<'m>(rules: &[&'m Match]) -> Vec<(u32, Cow<'m, Outline>, IndexSlot)> {
    let each = (0..).zip(rules).flat_map(|(position, rule)| {
        rule.path.outlines().into_iter().map(move |outline| (position, *rule, outline))
    });
    let entries: Vec<(u32, &Match, Cow<Outline>)> = each.collect();
    let mut by_segments = Census::default();
    for (.., outline) in &entries {
        by_segments.count((&outline.segments, outline.tail));
    }
    // Number of rules that share the leading segments of `outline`.
    let crowd = |outline: &Outline| match outline.segments.iter().any(Option::is_some) {
        true => by_segments.of(&(&outline.segments, outline.tail)),
        false => u32::MAX,
    };
    let crowded: Vec<bool> = entries.iter().map(|(.., outline)| crowd(outline) > FEW).collect();

    // Count further only for crowded rules.
    let mut by_gram = Census::default();
    let mut by_value = Census::default();
    let mut fields = Vec::new();
    for ((_, rule, outline), _) in entries.iter().zip(&crowded).filter(|(_, crowded)| **crowded) {
        for text in outline.literals.iter().flatten() {
            grams(text).for_each(|(_, gram)| by_gram.count(gram));
        }
        for (field, values) in asked(rule) {
            if !fields.contains(&field) && fields.len() < MOST_FIELDS {
                fields.push(field.clone());
            }
            values.into_iter().for_each(|value| by_value.count((field.clone(), value)));
        }
    }

    let places: Vec<IndexSlot> = entries
        .iter()
        .zip(&crowded)
        .map(|((_, rule, outline), crowded)| {
            if !crowded {
                return IndexSlot::Segments;
            }
            let values = asked(rule).filter(|(field, _)| fields.contains(field)).map(|(field, values)| {
                let crowds = values.iter().map(|value| by_value.of(&(field.clone(), *value)));
                (crowds.max().unwrap_or_default(), IndexSlot::Value(field, values))
            });
            let literals = outline.literals.iter().filter_map(|texts| rarest(texts, &by_gram));
            // Ties: the first of equally rare ones.
            let all = std::iter::once((crowd(outline), IndexSlot::Segments)).chain(values).chain(literals);
            all.min_by_key(|(crowd, _)| *crowd).map_or(IndexSlot::Segments, |(_, place)| place)
        })
        .collect();
    entries
        .into_iter()
        .zip(places)
        .map(|((position, _, outline), place)| (position, outline, place))
        .collect()
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
