//! Finds the rules that may match a request, in about the same time for ten rules as for ten
//! thousand.
//!
//! Every rule is filed in one place, where only a few others are: by the leading segments of its
//! path; else, where too many share those, by its host, by a header's value, or by a piece of
//! literal text in its path. A rule about one of several paths is filed once for each. A request is looked up in each place once. Filing uses hashes without
//! telling collisions apart: a collision only adds a candidate.

mod hash;
mod literals;
mod places;
mod segments;
#[cfg(test)]
mod tests;
mod values;

use http::Method;
use smallvec::SmallVec;

use super::{Match, Methods};
use crate::model::Facts;
use literals::Literals;
use places::IndexSlot;
use segments::Segments;
use values::Values;

/// Finds the rules that may match a request. A rule that it leaves out does not match.
#[derive(Debug, Default)]
pub struct RuleIndex {
    segments: Segments,
    literals: Literals,
    values: Values,
}

impl RuleIndex {
    /// An index over rules in file order.
    pub fn new<'m>(rules: impl IntoIterator<Item = &'m Match>) -> RuleIndex {
        let rules: Vec<&Match> = rules.into_iter().collect();
        let mut index = RuleIndex::default();
        for (position, outline, place) in places::choose(&rules) {
            let Some(rule) = rules.get(position as usize) else { continue };
            let entry = Entry { position, methods: MethodSet::of(&rule.method) };
            match place {
                IndexSlot::Segments => index.segments.add(&outline, entry),
                IndexSlot::Literals(grams) => {
                    grams.into_iter().for_each(|gram| index.literals.add(gram, entry));
                }
                IndexSlot::Value(field, values) => {
                    values.into_iter().for_each(|value| index.values.add(field.clone(), value, entry));
                }
            }
        }
        index.literals.finish();
        index
    }

    /// The positions of the rules that may match, ascending. Few candidates need no allocation.
    pub fn candidates(&self, facts: &Facts<'_>) -> Candidates {
        let mut found = Found { method: MethodSet::one(facts.method), positions: SmallVec::new() };
        self.segments.find(&facts.path, &mut found);
        self.literals.find(&facts.path, &mut found);
        self.values.find(facts, &mut found);
        let mut positions = found.positions;
        if positions.len() > 1 {
            positions.sort_unstable();
            positions.dedup();
        }
        Candidates(positions.into_iter())
    }
}

/// Maximum number of candidates kept without an allocation.
const FEW: usize = 8;

/// Positions of rules, ascending.
#[derive(Clone, Debug)]
pub struct Candidates(smallvec::IntoIter<[u32; FEW]>);

impl From<Vec<u32>> for Candidates {
    /// Exactly these, ascending.
    fn from(positions: Vec<u32>) -> Candidates {
        Candidates(SmallVec::from_vec(positions).into_iter())
    }
}

impl Iterator for Candidates {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        self.0.next()
    }
}

/// A rule in the index.
#[derive(Clone, Copy, Debug)]
struct Entry {
    position: u32,
    methods: MethodSet,
}

/// The candidates found so far.
struct Found {
    method: MethodSet,
    positions: SmallVec<[u32; FEW]>,
}

impl Found {
    fn add(&mut self, entries: &[Entry]) {
        for entry in entries {
            if entry.methods.0 & self.method.0 != 0 {
                self.positions.push(entry.position);
            }
        }
    }
}

/// Methods as bits; methods without a bit of their own share one.
#[derive(Clone, Copy, Debug)]
struct MethodSet(u16);

impl MethodSet {
    const OPTIONS: u16 = 1 << 5;
    const CONNECT: u16 = 1 << 6;

    fn one(method: &Method) -> MethodSet {
        MethodSet(match *method {
            Method::GET => 1,
            Method::POST => 1 << 1,
            Method::PUT => 1 << 2,
            Method::DELETE => 1 << 3,
            Method::HEAD => 1 << 4,
            Method::OPTIONS => MethodSet::OPTIONS,
            Method::CONNECT => MethodSet::CONNECT,
            Method::PATCH => 1 << 7,
            _ => 1 << 8,
        })
    }

    fn of(methods: &Methods) -> MethodSet {
        match methods {
            Methods::Any => MethodSet(!(MethodSet::OPTIONS | MethodSet::CONNECT)),
            Methods::Only(methods) => {
                MethodSet(methods.iter().fold(0, |set, method| set | MethodSet::one(method).0))
            }
        }
    }
}
