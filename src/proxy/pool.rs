//! Idle connections to the upstream: one pool a worker, the one used last goes out first, so that
//! the others can grow old and be closed.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use hyper::client::conn::http1::SendRequest;

use super::body::RequestBody;
use crate::clock::Clock;
use crate::words::Moment;

/// One worker's idle connections.
pub struct Pool {
    idle: RefCell<Vec<Idle>>,
    clock: Clock,
    /// A connection is not reused after this long without a request.
    keep: Duration,
}

struct Idle {
    sender: SendRequest<RequestBody>,
    since: Moment,
}

/// A connection in use.
pub struct Lease {
    pub sender: SendRequest<RequestBody>,
    /// Whether it has served a request before, so that the upstream may be about to close it.
    pub reused: bool,
    pool: Rc<Pool>,
}

/// Idle connections a worker keeps; each is a file descriptor on both sides.
const IDLE_CONNECTIONS: usize = 1024;

impl Pool {
    pub fn new(clock: Clock, keep: Duration) -> Rc<Pool> {
        Rc::new(Pool { idle: RefCell::default(), clock, keep })
    }

    /// The idle connection used last that can take a request now.
    pub fn take(self: &Rc<Pool>) -> Option<Lease> {
        let mut idle = self.idle.borrow_mut();
        let mut at = idle.len();
        while let Some(below) = at.checked_sub(1) {
            at = below;
            let Idle { sender, .. } = idle.get(at)?;
            if sender.is_closed() {
                idle.remove(at);
            } else if sender.is_ready() {
                let Idle { sender, since } = idle.remove(at);
                if self.clock.now().since(since) < self.keep {
                    return Some(Lease { sender, reused: true, pool: Rc::clone(self) });
                }
                // What lies below is older still.
                idle.truncate(at);
                return None;
            }
            // Otherwise it has yet to notice that its last answer is over.
        }
        None
    }

    /// A lease of a connection just made.
    pub fn lease(self: &Rc<Pool>, sender: SendRequest<RequestBody>) -> Lease {
        Lease { sender, reused: false, pool: Rc::clone(self) }
    }

    /// Closes what has been idle for too long; called now and then.
    pub fn close_old(&self) {
        let now = self.clock.now();
        self.idle.borrow_mut().retain(|idle| !idle.sender.is_closed() && now.since(idle.since) < self.keep);
    }

    /// Closes every idle connection.
    pub fn close(&self) {
        self.idle.borrow_mut().clear();
    }
}

impl Lease {
    /// Makes the connection idle: its answer has been read to the end.
    pub fn give_back(self) {
        let Lease { sender, pool, .. } = self;
        if sender.is_closed() {
            return;
        }
        let since = pool.clock.now();
        let mut idle = pool.idle.borrow_mut();
        if idle.len() < IDLE_CONNECTIONS {
            idle.push(Idle { sender, since });
        }
    }
}
