//! Which classes of clients are told apart: those that met trouble, as long as there are places; all others
//! are one class, which is judged too.

use std::collections::{BTreeMap, BTreeSet};

use siphasher::sip::SipHasher13;

use super::class::ClassTally;

/// The classes, by product.
#[derive(Clone, Debug)]
pub(super) struct Classes {
    /// For each class: tallies of parts of the record.
    excepts: usize,
    told_apart: BTreeMap<Box<str>, ClassTally>,
    /// Of all products without a place.
    rest: Option<ClassTally>,
    /// Hashes of the products that are, or were, among the rest; at most [`Classes::MOST_OTHERS`].
    others: BTreeSet<u64>,
}

impl Classes {
    /// Products told apart.
    pub const MOST: usize = 32;
    /// Products counted beyond; more are as good as this many.
    const MOST_OTHERS: usize = 10_000;
    /// The name of the rest. It holds a space, as no product does.
    pub const REST: &str = "(all others)";

    pub fn new(excepts: usize) -> Classes {
        Classes { excepts, told_apart: BTreeMap::new(), rest: None, others: BTreeSet::new() }
    }

    /// The class of a product. A product with an operation that `is_troubled` evicts one that never had any.
    pub fn of(&mut self, product: &str, is_troubled: bool) -> &mut ClassTally {
        if !self.told_apart.contains_key(product) && self.has_place(is_troubled) {
            let is_partial =
                self.others.contains(&hash(product)) || self.others.len() == Classes::MOST_OTHERS;
            self.told_apart.insert(product.into(), ClassTally::new(self.excepts, is_partial));
        }
        let is_told_apart = self.told_apart.contains_key(product);
        if !is_told_apart {
            self.count(product);
        }
        match self.told_apart.get_mut(product) {
            Some(class) => class,
            None => self.rest.get_or_insert_with(|| ClassTally::new(self.excepts, true)),
        }
    }

    /// The class of a product that has a place.
    pub fn placed(&mut self, product: &str) -> Option<&mut ClassTally> {
        self.told_apart.get_mut(product)
    }

    /// Whether there is a place, or one could be made.
    fn has_place(&mut self, is_troubled: bool) -> bool {
        if self.told_apart.len() < Classes::MOST {
            return true;
        }
        let idle = self.told_apart.iter().find(|(_, class)| class.is_idle());
        let Some(product) = idle.filter(|_| is_troubled).map(|(product, _)| product.clone()) else {
            return false;
        };
        if let Some(class) = self.told_apart.remove(&product) {
            self.rest.get_or_insert_with(|| ClassTally::new(self.excepts, true)).add_idle(class);
        }
        self.count(&product);
        true
    }

    fn count(&mut self, product: &str) {
        if self.others.len() < Classes::MOST_OTHERS {
            self.others.insert(hash(product));
        }
    }

    /// How many products are among the rest, at most [`Classes::MOST_OTHERS`].
    pub fn others(&self) -> u64 {
        self.others.len() as u64
    }

    /// Every class by its name, and whether it is one of several products.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &ClassTally, bool)> {
        let told_apart = self.told_apart.iter().map(|(product, class)| (&**product, class, false));
        told_apart.chain(self.rest.iter().map(|rest| (Classes::REST, rest, true)))
    }
}

fn hash(product: &str) -> u64 {
    SipHasher13::new().hash(product.as_bytes())
}
