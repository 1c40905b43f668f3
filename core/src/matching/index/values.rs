//! Rules by the exact value of the host or of a header.

use http::HeaderName;

use super::super::{Match, Presence, TextPattern};
use super::hash::{HashedMap, hash, mix};
use super::{Entry, Found};
use crate::model::Facts;

/// Rules by exact values.
#[derive(Debug, Default)]
pub(super) struct Values {
    by_host: HashedMap<Vec<Entry>>,
    by_header: Vec<(HeaderName, HashedMap<Vec<Entry>>)>,
}

/// A part of the request that has a value.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Field {
    Host,
    Header(HeaderName),
}

/// The hash of a value.
pub(super) type ValueHash = u64;

/// Maximum number of fields looked up per request; rules about further fields are filed elsewhere.
pub(super) const MOST_FIELDS: usize = 16;

impl Values {
    /// Files a rule that wants `field` to have a value of this hash.
    pub fn add(&mut self, field: Field, value: ValueHash, entry: Entry) {
        let by_value = match field {
            Field::Host => &mut self.by_host,
            Field::Header(name) => {
                let known = self.by_header.iter().position(|(known, _)| *known == name);
                let at = known.unwrap_or_else(|| {
                    self.by_header.push((name, HashedMap::default()));
                    self.by_header.len() - 1
                });
                let Some((_, by_value)) = self.by_header.get_mut(at) else { return };
                by_value
            }
        };
        by_value.entry(value).or_default().push(entry);
    }

    pub fn find(&self, facts: &Facts<'_>, found: &mut Found) {
        if !self.by_host.is_empty()
            && let Some(entries) = self.by_host.get(&host_hash(facts.host()))
        {
            found.add(entries);
        }
        for (name, by_value) in &self.by_header {
            for value in facts.headers.get_all(name) {
                if let Some(entries) = by_value.get(&hash(0, value.as_bytes())) {
                    found.add(entries);
                }
            }
        }
    }
}

/// The exact values that a rule asks for: one of each field's.
pub(super) fn asked(rule: &Match) -> impl Iterator<Item = (Field, Vec<ValueHash>)> {
    let host = rule.host.as_ref().and_then(|host| exact(host, host_hash));
    let headers = rule.headers.iter().filter_map(|(name, presence)| match presence {
        Presence::Like(pattern) => {
            Some((Field::Header(name.clone()), exact(pattern, |text| hash(0, text.as_bytes()))?))
        }
        Presence::Present | Presence::Absent => None,
    });
    host.map(|hosts| (Field::Host, hosts)).into_iter().chain(headers)
}

/// The hashes of the only values that fit, where there are only some; each once.
fn exact(pattern: &TextPattern, hash: impl Fn(&str) -> ValueHash) -> Option<Vec<ValueHash>> {
    let mut hashes: Vec<ValueHash> = pattern.exact()?.map(hash).collect();
    hashes.sort_unstable();
    hashes.dedup();
    Some(hashes)
}

/// Case-insensitive: sets the case bit of each byte. Some other bytes become the
/// same by that, too, which only adds candidates.
fn host_hash(host: &str) -> ValueHash {
    const CASE: u64 = 0x2020_2020_2020_2020;
    let (words, rest) = host.as_bytes().as_chunks::<8>();
    let start = words.iter().fold(0, |state, word| mix(state, u64::from_le_bytes(*word) | CASE));
    rest.iter().fold(start, |state, byte| mix(state, u64::from(*byte) | CASE))
}
