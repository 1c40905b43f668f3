//! The way of attempts into the journal, which never makes a request wait.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{SyncSender, TrySendError};
use std::time::Duration;

use super::batch::{Batch, BatchPool};
use super::room::Room;

/// The last batch of a worker waits so long for room among those that wait.
const LINGER: Duration = Duration::from_secs(1);

/// Where attempts go in.
#[derive(Clone)]
pub struct JournalSender {
    batches: SyncSender<Batch>,
    pub(super) spare: BatchPool,
    pub(super) room: Arc<Room>,
    pub(super) dropped: Arc<AtomicU64>,
}

impl JournalSender {
    /// A way in to what `batches` leads to.
    pub(super) fn new(batches: SyncSender<Batch>) -> JournalSender {
        JournalSender { batches, spare: BatchPool::default(), room: Arc::default(), dropped: Arc::default() }
    }

    /// An empty batch, which has room if one has come back.
    pub fn empty(&self) -> Batch {
        self.spare.get()
    }

    /// Hands a batch in, or drops it if too many wait.
    pub fn try_give(&self, batch: Batch) {
        if let Err(TrySendError::Full(batch) | TrySendError::Disconnected(batch)) =
            self.batches.try_send(batch)
        {
            self.dropped.fetch_add(batch.len() as u64, Relaxed);
        }
    }

    /// Hands a batch in, and waits a while if too many wait.
    pub fn give(&self, batch: Batch) {
        let mut left = Some(batch);
        self.room.until(LINGER, || {
            let Some(batch) = left.take() else { return true };
            match self.batches.try_send(batch) {
                Ok(()) => true,
                Err(TrySendError::Disconnected(back)) => {
                    left = Some(back);
                    true
                }
                Err(TrySendError::Full(back)) => {
                    left = Some(back);
                    false
                }
            }
        });
        if let Some(batch) = left {
            self.dropped.fetch_add(batch.len() as u64, Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::sync_channel;

    use super::*;
    use crate::model::Attempt;

    fn batch(starts: std::ops::Range<u64>) -> Batch {
        let mut batch = Batch::default();
        starts.for_each(|start| batch.put(&mut Attempt { start, ..Attempt::default() }));
        batch
    }

    #[test]
    fn the_last_batch_of_a_worker_goes_as_soon_as_there_is_room() {
        let (batches, taken) = sync_channel(1);
        let inlet = JournalSender::new(batches);
        inlet.try_give(batch(0..1));
        let (room, dropped) = (Arc::clone(&inlet.room), Arc::clone(&inlet.dropped));
        let giving = std::thread::Builder::new()
            .spawn(move || (1..200).for_each(|start| inlet.give(batch(start..start + 1))))
            .expect("a thread");
        let mut starts = Vec::new();
        while let Ok(mut batch) = taken.recv() {
            room.tell();
            starts.extend(batch.take().map(|attempt| attempt.start));
        }
        giving.join().expect("no panic");
        assert_eq!(starts, (0..200).collect::<Vec<_>>());
        assert_eq!(dropped.load(Relaxed), 0);
    }

    #[test]
    fn whoever_comes_too_fast_is_counted_and_does_not_wait() {
        let (batches, inlet) = sync_channel(1);
        let full = JournalSender::new(batches);
        for _ in 0..3 {
            full.try_give(batch(0..5));
        }
        assert_eq!(full.dropped.load(Relaxed), 10);
        drop(inlet);
        full.give(batch(0..5));
        assert_eq!(full.dropped.load(Relaxed), 15);
    }
}
