//! The effects that a request in flight owes to the store, settled however it ends.

use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};

use super::shared::Shared;
use super::tasks::Tasks;
use crate::engine::{Effects, Outcome, Store};
use crate::store::MemoryStore;

/// One request's unsettled effects. A request dropped before its response teaches nothing, and leaves its reservations.
pub struct Owed {
    pub effects: Effects,
    /// The reply that the settlement awaits.
    waiting: Option<Pin<Box<<MemoryStore as Store>::Later>>>,
    settler: Rc<Settler>,
}

/// One worker's way to the store, for all of its requests.
pub struct Settler {
    pub shared: Arc<Shared>,
    /// Runs the store's operations that a dropped request cannot await.
    pub tasks: Rc<Tasks>,
}

impl Owed {
    /// No effects yet.
    pub fn new(settler: &Rc<Settler>) -> Owed {
        Owed { effects: Effects::default(), waiting: None, settler: Rc::clone(settler) }
    }

    /// Settles with the head of the upstream's response to a request on `connection`, which a rule overrides or which
    /// the client gets. Effects still owed then are settled by the end of the response's body; until it
    /// has passed, the request is in flight.
    pub async fn settle(
        &mut self,
        connection: u64,
        status: StatusCode,
        headers: &HeaderMap,
        is_overridden: bool,
    ) {
        let outcome = Outcome { status, headers, body: None };
        self.effects.on_response(&outcome, connection, is_overridden);
        let shared = &self.settler.shared;
        let clock = shared.clock;
        shared.state.settle(&mut self.effects, &mut self.waiting, || clock.now()).await;
        let hold = self.effects.hold();
        if !hold.is_zero() {
            tokio::time::sleep(hold).await;
        }
    }

    /// The longest body, in bytes, that the end of the response is to be told of.
    pub fn body_limit(&self) -> u64 {
        if self.effects.reads_body() { self.settler.shared.settings.body_limit } else { 0 }
    }

    /// The response has ended, with this whole body; `None` where it was too long to keep.
    pub fn finish(mut self, body: Option<Bytes>) {
        self.effects.on_body_end(body);
    }
}

impl Drop for Owed {
    /// The request failed or was cancelled, or a rule responds; or the client left while it read, and the upstream has
    /// accepted all the same.
    fn drop(&mut self) {
        if self.effects.is_settled() {
            return;
        }
        let effects = std::mem::take(&mut self.effects);
        let waiting = self.waiting.take();
        let shared = Arc::clone(&self.settler.shared);
        let clock = shared.clock;
        let tasks = &self.settler.tasks;
        shared.state.settle_in_passing(effects, waiting, move || clock.now(), |rest| tasks.spawn(rest));
    }
}
