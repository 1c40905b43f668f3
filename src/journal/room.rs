//! Room among the batches that wait for the journal's thread: waited for as an event, not looked for.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

/// Tells those that wait for room among the waiting batches when the thread has taken one.
#[derive(Debug, Default)]
pub struct Room {
    /// Without anyone who waits, telling costs one load.
    waiting: AtomicUsize,
    lock: Mutex<()>,
    freed: Condvar,
}

impl Room {
    /// Calls `is_done` at once and each time a batch was taken, until it is true or `patience` is over.
    pub fn until(&self, patience: Duration, mut is_done: impl FnMut() -> bool) {
        let guard = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        self.waiting.fetch_add(1, SeqCst);
        // Under the lock from the look to the wait, so that no news falls between them.
        let waited = self.freed.wait_timeout_while(guard, patience, |()| !is_done());
        self.waiting.fetch_sub(1, SeqCst);
        drop(waited);
    }

    /// A batch was taken.
    pub fn tell(&self) {
        if self.waiting.load(SeqCst) > 0 {
            drop(self.lock.lock());
            self.freed.notify_all();
        }
    }
}
