//! Attempts on their way to the journal, many at a time.

use std::mem;
use std::sync::{Arc, Mutex};

use crate::model::Attempt;

/// A batch of attempts, reused after the journal has taken them. A new attempt swaps places with an
/// old one, so that few allocations are freed by another thread than made them.
#[derive(Debug, Default)]
pub struct Batch {
    /// The first [`Batch::len`] are in the batch. The rest are old ones, kept for their allocations.
    places: Vec<Attempt>,
    len: usize,
}

/// Pool of empty batches. A thread that finds it locked makes a new batch, or drops its own.
#[derive(Clone, Debug, Default)]
pub(super) struct BatchPool(Arc<Mutex<Vec<Batch>>>);

impl Batch {
    /// The number of attempts in the batch.
    pub fn len(&self) -> usize {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Adds an attempt, and leaves an arbitrary one in `attempt`.
    pub fn put(&mut self, attempt: &mut Attempt) {
        match self.places.get_mut(self.len) {
            Some(place) => mem::swap(place, attempt),
            None => self.places.push(mem::take(attempt)),
        }
        self.len += 1;
    }

    /// Takes out all attempts. The caller may leave arbitrary ones in their places.
    pub fn take(&mut self) -> impl Iterator<Item = &mut Attempt> {
        let len = mem::take(&mut self.len);
        self.places.iter_mut().take(len)
    }
}

impl BatchPool {
    /// Maximum number of batches in the pool; hardly more are in flight at once.
    const MOST: usize = 16;

    /// An empty batch, reused if the pool has one.
    pub fn get(&self) -> Batch {
        self.0.try_lock().ok().and_then(|mut spare| spare.pop()).unwrap_or_default()
    }

    /// Gives back a batch whose attempts were taken out.
    pub fn put(&self, batch: Batch) {
        if let Ok(mut spare) = self.0.try_lock()
            && spare.len() < BatchPool::MOST
        {
            spare.push(batch);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_that_came_back_holds_only_what_was_put_in_since() {
        let spare = BatchPool::default();
        for starts in [0..5, 10..12, 20..27, 30..30] {
            let mut batch = spare.get();
            assert!(batch.is_empty());
            for start in starts.clone() {
                batch.put(&mut Attempt { start, ..Attempt::default() });
            }
            assert_eq!(batch.len(), starts.clone().count());
            let taken: Vec<u64> = batch.take().map(|attempt| attempt.start).collect();
            assert_eq!(taken, starts.collect::<Vec<_>>());
            spare.put(batch);
        }
        assert_eq!(spare.get().places.len(), 7, "its room is used again");
        assert_eq!(spare.get().places.len(), 0, "there was one");
    }
}
