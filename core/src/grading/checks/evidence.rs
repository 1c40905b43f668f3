//! Which operations show something: a few, the clearest first.

/// The operations that show something best. Which ones are kept does not depend on their order.
#[derive(Clone, Debug, Default)]
pub struct EvidenceSample {
    /// How clear (higher is clearer) and which, sorted so that the clearest come first, then the oldest.
    kept: Vec<(std::cmp::Reverse<u64>, u64)>,
}

impl EvidenceSample {
    /// Maximum number of examples: readers skip more.
    const MOST: usize = 3;

    pub fn offer(&mut self, clearness: u64, operation: u64) {
        let entry = (std::cmp::Reverse(clearness), operation);
        // One entry an operation: its clearest.
        if let Some(known) = self.kept.iter_mut().find(|(_, kept)| *kept == operation) {
            *known = entry.min(*known);
        } else {
            self.kept.push(entry);
        }
        self.kept.sort_unstable();
        self.kept.truncate(EvidenceSample::MOST);
    }

    /// Adds the evidence of another one.
    pub fn add(&mut self, other: &EvidenceSample) {
        other.kept.iter().for_each(|(clearness, operation)| self.offer(clearness.0, *operation));
    }

    pub fn ids(&self) -> impl Iterator<Item = u64> {
        self.kept.iter().map(|(_, operation)| *operation)
    }
}

/// How many of how many, and which show it.
#[derive(Clone, Debug, Default)]
pub struct Marks {
    pub judged: u64,
    pub bad: u64,
    /// Those that nothing can be said of.
    pub unknown: u64,
    pub evidence: EvidenceSample,
}

impl Marks {
    /// `is_good`: `None` where nothing can be said.
    pub fn add(&mut self, is_good: Option<bool>, operation: u64) {
        match is_good {
            None => self.unknown += 1,
            Some(good) => {
                self.judged += 1;
                if !good {
                    self.bad += 1;
                    self.evidence.offer(0, operation);
                }
            }
        }
    }
}

/// The most extreme value seen, and the operations nearest to it.
#[derive(Clone, Debug, Default)]
pub struct Extreme {
    value: Option<u64>,
    pub evidence: EvidenceSample,
}

impl Extreme {
    /// Keeps the largest.
    pub fn most(&mut self, value: u64, operation: u64) {
        self.value = self.value.max(Some(value));
        self.evidence.offer(value, operation);
    }

    /// Keeps the smallest.
    pub fn least(&mut self, value: u64, operation: u64) {
        self.value = Some(self.value.map_or(value, |least| least.min(value)));
        self.evidence.offer(u64::MAX - value, operation);
    }

    pub fn value(&self) -> Option<u64> {
        self.value
    }
}
