//! HTTP/2 to the upstream: a small pool of connections a worker, each of which carries as many
//! requests at once as the upstream allows.

mod call;
mod connection;
mod response;
mod translate;
mod upload;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;

pub use self::call::{Call, Called};
use self::connection::Connection;
pub use self::connection::Slot;
pub use self::response::IncomingBody;
use super::super::error::{Failure, Late, Scarce};
use super::super::tasks::Tasks;
use super::connect::{Connector, UpstreamProtocol};
use super::transport::{Replayable, Transport};
use crate::clock::Clock;
use crate::rules::{Limits, Timeouts};

/// One worker's HTTP/2 connections.
pub struct Streams {
    connector: Arc<Connector>,
    tasks: Rc<Tasks>,
    clock: Clock,
    /// A connection is closed after this long without a request.
    keep: Duration,
    /// How long a request waits for a stream.
    patience: Duration,
    /// Bytes of a response's head, and of its trailers.
    header_bytes: u32,
    connections: RefCell<Vec<Rc<Connection>>>,
    speaks: Cell<UpstreamProtocol>,
    /// Connections that are being made.
    opening: Cell<usize>,
    /// Requests that wait for a stream.
    waiting: Cell<usize>,
    /// Streams that one more connection is likely to carry.
    typical: Cell<usize>,
    is_closed: Cell<bool>,
    news: Rc<News>,
}

/// Events that wake requests waiting for a stream.
#[derive(Default)]
pub struct News {
    /// Notified on each change of the pool.
    changed: Notify,
    /// Attempts to connect that failed, and why the latest did.
    failed: RefCell<(u64, Option<Failure>)>,
}

impl News {
    /// An attempt to connect has failed.
    fn fail(&self, failure: Failure) {
        let (number, latest) = &mut *self.failed.borrow_mut();
        *number += 1;
        *latest = Some(failure);
    }
}

/// Where a request goes.
pub enum StreamSlot {
    /// On this stream.
    Stream(Slot),
    /// On an HTTP/1.1 connection: the upstream speaks nothing else. One that was just made for it comes
    /// along.
    Http1(Option<Fresh>),
}

/// A connection just made, and the outcome of its first request.
pub type Fresh = (Transport, Replayable);

/// The usable connections for a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Eligible {
    Any,
    /// One that has not served a request.
    Fresh,
}

/// Connections a worker has at most; each is a file descriptor.
const CONNECTIONS: usize = 256;
/// Streams that a connection is taken to carry until its SETTINGS come (RFC 9113 §6.5.2 recommends no less).
const TYPICAL: usize = 100;

impl Streams {
    /// No connections yet, to an upstream that is taken to support HTTP/2 until it turns out otherwise.
    pub fn new(
        connector: Arc<Connector>,
        tasks: Rc<Tasks>,
        clock: Clock,
        timeouts: &Timeouts,
        limits: &Limits,
    ) -> Rc<Streams> {
        Rc::new(Streams {
            connector,
            tasks,
            clock,
            keep: timeouts.keep_alive,
            patience: timeouts.connect,
            header_bytes: u32::try_from(limits.response_header_bytes).unwrap_or(u32::MAX),
            connections: RefCell::default(),
            speaks: Cell::new(UpstreamProtocol::Http2),
            opening: Cell::new(0),
            waiting: Cell::new(0),
            typical: Cell::new(TYPICAL),
            is_closed: Cell::new(false),
            news: Rc::default(),
        })
    }

    /// A place for a request, on a connection that exists or on a further one. When none can be had in
    /// time the proxy itself is out of streams.
    pub async fn place(self: &Rc<Streams>, mut which: Eligible) -> Result<StreamSlot, Failure> {
        let deadline = self.clock.instant(self.clock.now() + self.patience);
        let (failures, _) = *self.news.failed.borrow();
        loop {
            if self.speaks.get() == UpstreamProtocol::Http1 {
                return Ok(StreamSlot::Http1(None));
            }
            if let Some(slot) = self.pick(which) {
                return Ok(StreamSlot::Stream(slot));
            }
            let (number, failure) = self.news.failed.borrow().clone();
            let has_failed = number != failures;
            if let Some(failure) = failure.filter(|_| has_failed && self.connections.borrow().is_empty()) {
                return Err(failure);
            }
            let changed = self.news.changed.notified();
            if !has_failed && self.may_open() {
                if let Some(transport) = self.open().await? {
                    return Ok(StreamSlot::Http1(Some(transport)));
                }
                continue;
            }
            let waiting = Count::of(&self.waiting);
            let in_time = tokio::time::timeout_at(deadline, changed).await;
            drop(waiting);
            if in_time.is_err() {
                let is_connected = self.drop_silent();
                return Err(match is_connected {
                    // A fresh one may be too much to ask.
                    true if which == Eligible::Fresh => Failure::Reset(None),
                    true => Failure::Exhausted(Scarce::Streams),
                    false => Failure::TimedOut(Late::Connection),
                });
            }
            which = if self.connections.borrow().len() >= CONNECTIONS { Eligible::Any } else { which };
        }
    }

    /// A stream on a connection that has room for one. Those used first are filled first, so that the
    /// others grow old and are closed.
    fn pick(self: &Rc<Streams>, which: Eligible) -> Option<Slot> {
        let mut connections = self.connections.borrow_mut();
        connections.retain(|connection| connection.is_open());
        if let Some(allowed) = connections.iter().rev().find_map(|connection| connection.allowed()) {
            self.typical.set(allowed.min(TYPICAL));
        }
        let connection = connections.iter().find(|connection| {
            connection.has_room() && (which == Eligible::Any || !connection.has_served())
        })?;
        Some(Slot::new(connection, self))
    }

    /// Whether more requests wait than the connections under way will carry.
    fn may_open(&self) -> bool {
        let connections = self.connections.borrow();
        let unsettled = connections.iter().filter(|connection| connection.allowed().is_none()).count();
        let coming = (self.opening.get() + unsettled) * self.typical.get();
        connections.len() + self.opening.get() < CONNECTIONS && self.waiting.get() >= coming
    }

    /// Gives up connections on which the upstream has been silent for as long as most of the waiting requests
    /// have waited, so that the next request does not wait for them too. Returns whether one is left that has
    /// spoken.
    fn drop_silent(&self) -> bool {
        let now = self.clock.now();
        let mut connections = self.connections.borrow_mut();
        connections.retain(|connection| {
            connection.allowed().is_some() || now.since(connection.idle_since()) < self.patience / 2
        });
        connections.iter().any(|connection| connection.allowed().is_some())
    }

    /// Opens one more connection. A returned one speaks HTTP/1.1.
    async fn open(self: &Rc<Streams>) -> Result<Option<Fresh>, Failure> {
        let opening = Count::of(&self.opening);
        let replayable = Replayable::default();
        let opened = match self.connector.negotiate(replayable.clone()).await {
            Ok((transport, UpstreamProtocol::Http2)) => {
                let connector = Arc::clone(&self.connector);
                let made = Connection::make(
                    transport,
                    connector,
                    self.header_bytes,
                    &self.news,
                    &self.tasks,
                    self.clock.now(),
                );
                made.await.map(|connection| {
                    if !self.is_closed.get() {
                        self.connections.borrow_mut().push(connection);
                    }
                    None
                })
            }
            Ok((transport, UpstreamProtocol::Http1)) => {
                self.speaks.set(UpstreamProtocol::Http1);
                Ok(Some((transport, replayable)))
            }
            Err(failure) => Err(failure),
        };
        drop(opening);
        if let Err(failure) = &opened {
            self.news.fail(failure.clone());
        }
        self.news.changed.notify_waiters();
        opened
    }

    /// Closes connections idle for too long; called now and then.
    pub fn close_old(&self) {
        let now = self.clock.now();
        let is_kept = |connection: &Rc<Connection>| {
            connection.is_open() && (connection.is_busy() || now.since(connection.idle_since()) < self.keep)
        };
        self.connections.borrow_mut().retain(is_kept);
    }

    /// Closes every connection as soon as it carries nothing more.
    pub fn close(&self) {
        self.is_closed.set(true);
        self.connections.borrow_mut().clear();
    }
}

/// One more, until it is dropped.
struct Count<'c>(&'c Cell<usize>);

impl Count<'_> {
    fn of(cell: &Cell<usize>) -> Count<'_> {
        cell.set(cell.get() + 1);
        Count(cell)
    }
}

impl Drop for Count<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}
