//! One worker's attempts on their way to the journal: collected without a lock, and handed over in
//! batches, so that a request never waits for the journal.

use std::cell::RefCell;
use std::convert::Infallible;
use std::time::Duration;

use tokio::sync::Notify;

use super::agent::LatestAgent;
use crate::clock::Clock;
use crate::journal::{Batch, JournalSender};
use crate::model::{Attempt, RunKey};

/// Attempts of a batch: each wakes the journal's thread, which costs as much as two hundred of them.
const BATCH: usize = 256;
/// No attempt waits longer for its batch to fill: half of the time that a killed process may lose.
const WAIT: Duration = Duration::from_millis(50);

/// Where one worker's records go when they are complete.
pub struct Recorder {
    pub key: RunKey,
    pub clock: Clock,
    pub(super) latest: RefCell<LatestAgent>,
    batch: RefCell<Batch>,
    /// There is something in an empty batch.
    has_begun: Notify,
    inlet: JournalSender,
}

impl Recorder {
    /// A worker's recorder, which hands over to the journal behind `inlet`.
    pub fn new(key: RunKey, clock: Clock, inlet: JournalSender) -> Recorder {
        Recorder {
            key,
            clock,
            latest: RefCell::default(),
            batch: RefCell::default(),
            has_begun: Notify::new(),
            inlet,
        }
    }

    /// Takes a completed attempt. The rest of `attempt` is of no use.
    pub fn take(&self, attempt: &mut Attempt) {
        let mut batch = self.batch.borrow_mut();
        if batch.is_empty() {
            self.has_begun.notify_one();
        }
        batch.put(attempt);
        if batch.len() >= BATCH {
            self.inlet.try_give(std::mem::replace(&mut batch, self.inlet.empty()));
        }
    }

    /// Hands over incomplete batches in time.
    pub async fn hand_over(&self) -> Infallible {
        loop {
            self.has_begun.notified().await;
            tokio::time::sleep(WAIT).await;
            let mut batch = self.batch.borrow_mut();
            if !batch.is_empty() {
                self.inlet.try_give(std::mem::replace(&mut batch, self.inlet.empty()));
            }
        }
    }
}

impl Drop for Recorder {
    /// The worker has ended: there is time to wait for the journal.
    fn drop(&mut self) {
        let batch = std::mem::take(self.batch.get_mut());
        if !batch.is_empty() {
            self.inlet.give(batch);
        }
    }
}
