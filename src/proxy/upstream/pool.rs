//! Idle connections to the upstream: one pool a worker, the one used last goes out first, so that
//! the others can grow old and be closed.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use hyper::client::conn::http1::SendRequest;

use super::super::body::request::RequestBody;
use super::driver::UnreadBytes;
use super::expect_continue::ContinueGate;
use super::identity::{BoundConnection, ConnectionLock};
use super::transport::Replayable;
use crate::clock::Clock;
use crate::model::Moment;

/// A way to send requests on one connection.
pub type Sender = SendRequest<RequestBody>;

/// One worker's idle connections.
pub struct Pool {
    idle: RefCell<Vec<Idle>>,
    is_closed: Cell<bool>,
    clock: Clock,
    /// A connection is not reused after this long without a request.
    keep: Duration,
}

/// A connection that waits for a request.
pub struct Idle {
    pub sender: Sender,
    pub replayable: Replayable,
    pub remains: UnreadBytes,
    /// Whether it may become a tunnel.
    pub may_upgrade: bool,
    /// End of use: before the upstream may close it.
    pub until: Moment,
}

impl Idle {
    /// Whether it can take a request `now`.
    pub fn can_serve(&self, now: Moment) -> bool {
        self.sender.is_ready() && now < self.until
    }
}

/// Maximum number of idle connections of a worker; each is a file descriptor on both sides.
const IDLE_CONNECTIONS: usize = 1024;
/// Earlier than the upstream, which counts from an earlier moment, closes an idle connection.
const MARGIN: Duration = Duration::from_secs(1);

impl Pool {
    pub fn new(clock: Clock, keep: Duration) -> Rc<Pool> {
        Rc::new(Pool { idle: RefCell::default(), is_closed: Cell::new(false), clock, keep })
    }

    /// The idle connection used last that can take a request `now`.
    pub fn take(self: &Rc<Pool>, now: Moment) -> Option<Lease> {
        let mut idle = self.idle.borrow_mut();
        let mut at = idle.len();
        while let Some(below) = at.checked_sub(1) {
            at = below;
            let Idle { sender, .. } = idle.get(at)?;
            if sender.is_closed() {
                idle.remove(at);
            } else if sender.is_ready() {
                let idle = idle.remove(at);
                if now < idle.until {
                    return Some(self.leased(idle));
                }
            }
            // Otherwise it has yet to notice that its last response is over.
        }
        None
    }

    /// A lease of a connection just made.
    pub fn lease(
        self: &Rc<Pool>,
        sender: Sender,
        replayable: Replayable,
        remains: UnreadBytes,
        may_upgrade: bool,
    ) -> Lease {
        let idle = Idle { sender, replayable, remains, may_upgrade, until: Moment::default() };
        Lease { reused: false, ..self.leased(idle) }
    }

    /// A lease of a connection that was idle.
    pub fn leased(self: &Rc<Pool>, idle: Idle) -> Lease {
        let Idle { sender, replayable, remains, may_upgrade, until: _ } = idle;
        let (keep, pool) = (self.keep, Rc::clone(self));
        Lease {
            sender,
            replayable,
            remains,
            may_upgrade,
            reused: true,
            keep,
            pool,
            owner: None,
            refused: None,
        }
    }

    /// Closes connections idle for too long; called now and then.
    pub fn close_old(&self) {
        let now = self.clock.now();
        self.idle.borrow_mut().retain(|idle| !idle.sender.is_closed() && now < idle.until);
    }

    /// Closes every idle connection, and from now on each one that would become idle.
    pub fn close(&self) {
        self.is_closed.set(true);
        self.idle.borrow_mut().clear();
    }
}

/// A connection in use.
pub struct Lease {
    pub sender: Sender,
    /// Whether it has served a request before, so that the upstream may be about to close it.
    pub reused: bool,
    /// Whether the request that goes next may be sent once more, should the connection be stale.
    pub replayable: Replayable,
    /// Bytes left over when the connection ends.
    pub remains: UnreadBytes,
    /// Whether it may become a tunnel.
    may_upgrade: bool,
    /// How long it may be idle.
    keep: Duration,
    pool: Rc<Pool>,
    /// The client that owns the connection, and this request's turn.
    owner: Option<(Rc<BoundConnection>, Option<ConnectionLock>)>,
    /// The body that was promised and never went: no other request can follow it.
    refused: Option<Refused>,
}

/// Ends the wait of a refused body, and with it its connection, when the response is over.
struct Refused(Arc<ContinueGate>);

impl Drop for Refused {
    fn drop(&mut self) {
        self.0.end();
    }
}

impl Lease {
    /// The connection carries the rest of this response and nothing more: the body that waits for
    /// `permission` has been refused.
    pub fn end_with(&mut self, permission: Arc<ContinueGate>) {
        self.refused = Some(Refused(permission));
    }

    /// The connection carries the client's identity: it belongs to that client from now on.
    pub fn belong_to(&mut self, identity: &Rc<BoundConnection>, turn: Option<ConnectionLock>) {
        if self.owner.is_none() {
            self.owner = Some((Rc::clone(identity), turn));
        }
    }

    /// The upstream has announced that it closes the connection after being idle for this long.
    pub fn announced(&mut self, timeout: Duration) {
        // A request must not be on its way when that time is over.
        self.keep = self.keep.min(timeout.saturating_sub(MARGIN).max(timeout / 2));
    }

    /// Makes the connection idle from `now` on: its response has been read to the end.
    pub fn give_back(self, now: Moment) {
        let Lease { sender, replayable, remains, may_upgrade, keep, pool, owner, refused, .. } = self;
        if refused.is_some() || sender.is_closed() || pool.is_closed.get() {
            return;
        }
        let connection = Idle { sender, replayable, remains, may_upgrade, until: now + keep };
        if let Some((identity, _turn)) = owner {
            return identity.keep(connection);
        }
        let mut idle = pool.idle.borrow_mut();
        if idle.len() < IDLE_CONNECTIONS {
            idle.push(connection);
        }
    }
}
