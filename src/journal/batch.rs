//! Attempts on their way to the journal, many at a time.

use std::mem;
use std::sync::{Arc, Mutex};

use crate::model::Attempt;

/// A batch of attempts. It goes to the journal and comes back, and what is put into it changes places
/// with what lay there before: nothing is moved twice, and little is freed by another thread than made it.
#[derive(Debug, Default)]
pub struct Batch {
    /// The first [`Batch::len`] of them are in it. What lies behind them is of no use, but for its room.
    places: Vec<Attempt>,
    len: usize,
}

/// Empty batches on their way back. Whoever finds them locked goes without, and makes another.
#[derive(Clone, Debug, Default)]
pub(super) struct Spare(Arc<Mutex<Vec<Batch>>>);

impl Batch {
    /// How many attempts are in it.
    pub fn len(&self) -> usize {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Puts in an attempt. What is left of `attempt` is of no use.
    pub fn put(&mut self, attempt: &mut Attempt) {
        match self.places.get_mut(self.len) {
            Some(place) => mem::swap(place, attempt),
            None => self.places.push(mem::take(attempt)),
        }
        self.len += 1;
    }

    /// Takes out all attempts. What is left in their places is of no use.
    pub fn take(&mut self) -> impl Iterator<Item = &mut Attempt> {
        let len = mem::take(&mut self.len);
        self.places.iter_mut().take(len)
    }
}

impl Spare {
    /// More are not kept: so many batches can be on their way at once, hardly more.
    const MOST: usize = 16;

    /// An empty batch, with room if one has come back.
    pub fn get(&self) -> Batch {
        self.0.try_lock().ok().and_then(|mut spare| spare.pop()).unwrap_or_default()
    }

    /// Gives back a batch whose attempts were taken out.
    pub fn put(&self, batch: Batch) {
        if let Ok(mut spare) = self.0.try_lock()
            && spare.len() < Spare::MOST
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
        let spare = Spare::default();
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
