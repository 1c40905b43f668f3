//! The upstream connection that belongs to one client's connection alone, once a scheme that authenticates
//! connections is offered or used (`connection_auth.rs`).

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::pool::Idle;
use crate::model::Moment;

/// A client connection's own connection to the upstream, dropped with it. All streams of an HTTP/2 connection
/// share it.
#[derive(Default)]
pub struct BoundConnection(RefCell<Option<Box<Bound>>>);

struct Bound {
    /// One request at a time: those of other streams wait for the authenticated connection.
    turns: Arc<Semaphore>,
    idle: Option<Idle>,
}

/// A request's turn on the connection.
pub type ConnectionLock = OwnedSemaphorePermit;

impl BoundConnection {
    /// From now on the client has connections of its own, in HTTP/1.1.
    pub fn bind(&self) {
        let bound = || Box::new(Bound { turns: Arc::new(Semaphore::new(1)), idle: None });
        self.0.borrow_mut().get_or_insert_with(bound);
    }

    pub fn is_bound(&self) -> bool {
        self.0.borrow().is_some()
    }

    /// Waits for the connection to be free, but not for ever: a response may stream all day, and then a
    /// further connection is better than none.
    pub async fn turn(&self, patience: Duration) -> Option<ConnectionLock> {
        let turns = self.0.borrow().as_ref().map(|bound| Arc::clone(&bound.turns))?;
        tokio::time::timeout(patience, turns.acquire_owned()).await.ok()?.ok()
    }

    /// The connection, if it can take a request `now`, which may make a tunnel of it.
    pub fn take(&self, now: Moment, upgrades: bool) -> Option<Idle> {
        let idle = self.0.borrow_mut().as_mut()?.idle.take()?;
        (idle.can_serve(now) && (idle.may_upgrade || !upgrades)).then_some(idle)
    }

    /// Keeps a connection that has become idle. A second one is closed: it would be unknown which of the two is
    /// authenticated.
    pub fn keep(&self, idle: Idle) {
        if let Some(bound) = self.0.borrow_mut().as_mut()
            && bound.idle.is_none()
        {
            bound.idle = Some(idle);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn requests_take_turns_and_wait_no_longer_than_they_may() {
        let identity = BoundConnection::default();
        assert!(!identity.is_bound() && identity.turn(Duration::from_secs(1)).await.is_none());
        identity.bind();
        identity.bind();
        let first = identity.turn(Duration::from_secs(1)).await;
        assert!(identity.is_bound() && first.is_some());
        assert!(identity.turn(Duration::from_secs(1)).await.is_none(), "the first has not ended");
        drop(first);
        assert!(identity.turn(Duration::from_secs(1)).await.is_some());
    }
}
