//! The effects that a request in flight owes to the store, settled however it ends.

use std::rc::Rc;
use std::sync::Arc;

use bytes::Bytes;
use http::Response;

use super::body::response::ResponseSource;
use super::worker::Worker;
use crate::engine::{Conflict, Effects, Outcome};

/// One request's unsettled effects. A request dropped before its response teaches nothing, and leaves what it entered.
pub struct Owed {
    pub effects: Effects,
    worker: Rc<Worker>,
}

impl Owed {
    /// Nothing yet.
    pub fn new(worker: &Rc<Worker>) -> Owed {
        Owed { effects: Effects::default(), worker: Rc::clone(worker) }
    }

    /// Settles with the upstream's response to a request on `connection`: its head is observed now, its body when that
    /// has passed. Until then the request is in flight. Returns the conflict that takes the response's place, if any.
    pub async fn settle(
        mut self,
        connection: u64,
        response: &mut Response<ResponseSource>,
    ) -> Option<Conflict> {
        let outcome = Outcome { status: response.status(), headers: response.headers(), body: None };
        let conflict = self.effects.on_response(&outcome, connection);
        let worker = Rc::clone(&self.worker);
        let shared = &worker.shared;
        let clock = shared.clock;
        shared.state.settle(&mut self.effects, || clock.now()).await;
        let hold = self.effects.hold();
        if !hold.is_zero() {
            tokio::time::sleep(hold).await;
        }
        if !self.effects.is_settled() {
            let limit = if self.effects.reads_body() { shared.settings.body_limit } else { 0 };
            response.body_mut().watch(limit, self);
        }
        conflict
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
        let mut effects = std::mem::take(&mut self.effects);
        effects.on_failure();
        let shared = Arc::clone(&self.worker.shared);
        let clock = shared.clock;
        let tasks = &self.worker.tasks;
        shared.state.settle_in_passing(effects, move || clock.now(), |rest| tasks.spawn(rest));
    }
}
