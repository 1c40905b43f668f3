//! `Expect: 100-continue` (RFC 9110 §10.1.1): the client waits for the upstream's 100, not ours.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering::Relaxed};
use std::time::Duration;

use tokio::sync::Notify;

/// How long a body waits: some upstreams never say anything before they have all of it, and the RFC
/// lets no client wait forever either.
const PATIENCE: Duration = Duration::from_secs(1);

/// The body waits.
const HELD: u8 = 0;
/// The upstream sent 100, or was silent for too long.
const GIVEN: u8 = 1;
/// The upstream responded first. The connection ends with the response: the head promised a body.
const REFUSED: u8 = 2;
/// That response is over.
const OVER: u8 = 3;

/// Whether a request's body may go upstream.
#[derive(Debug, Default)]
pub struct ContinueGate {
    state: AtomicU8,
    changed: Notify,
}

impl ContinueGate {
    /// One that was not given yet.
    pub fn new() -> Arc<ContinueGate> {
        Arc::default()
    }

    /// The upstream wants the body.
    pub fn give(&self) {
        self.change(HELD, GIVEN);
    }

    /// Whether the body still waits.
    pub fn is_held(&self) -> bool {
        self.state.load(Relaxed) == HELD
    }

    /// The upstream responded. `true` if the body was still held: it is never sent then.
    pub fn refuse(&self) -> bool {
        self.change(HELD, REFUSED)
    }

    /// The response is over.
    pub fn end(&self) {
        self.change(REFUSED, OVER);
    }

    /// Waits until it is known whether the body may be sent. A refusal returns only after the response, which
    /// the connection still has to carry.
    pub async fn wait(&self) -> bool {
        let _ = tokio::time::timeout(PATIENCE, self.changed.notified()).await;
        self.give();
        loop {
            match self.state.load(Relaxed) {
                GIVEN => return true,
                OVER => return false,
                _ => self.changed.notified().await,
            }
        }
    }

    fn change(&self, from: u8, to: u8) -> bool {
        let is_changed = self.state.compare_exchange(from, to, Relaxed, Relaxed).is_ok();
        if is_changed {
            self.changed.notify_one();
        }
        is_changed
    }
}
