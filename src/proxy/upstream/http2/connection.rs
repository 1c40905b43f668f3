//! One HTTP/2 connection, and a request's place on it.

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use h2::client::SendRequest;
use tokio::sync::oneshot;

use super::{News, Streams};
use crate::model::Moment;
use crate::proxy::error::Failure;
use crate::proxy::tasks::Tasks;
use crate::proxy::upstream::broken::told;
use crate::proxy::upstream::connect::Connector;
use crate::proxy::upstream::transport::Transport;

/// A connection that is open, as far as is known.
pub struct Connection {
    sender: RefCell<SendRequest<Bytes>>,
    in_flight: Cell<usize>,
    has_served: Cell<bool>,
    /// A request on it was given up before it was answered: the connection may be dead.
    is_doubtful: Cell<bool>,
    idle_since: Cell<Moment>,
    /// Dropped with the last handle: then the connection sends GOAWAY.
    _released: oneshot::Sender<()>,
}

/// Streams at once on one connection, however many the upstream allows: more go to a further one.
const STREAMS: u32 = 100;
/// Unread bytes of one response that the upstream may send: fixed, as windows that adapt have made latency
/// worse for others (linkerd2-proxy 609).
const STREAM_WINDOW: u32 = 128 * 1024;
/// The same of all responses on a connection: as much as all its streams may hold, so that clients that do
/// not read never keep a response from another client (RFC 9113 §5.2.2): 12.5 MiB. The memory that unread responses
/// take is measured in tests/it/wire/memory.rs.
const CONNECTION_WINDOW: u32 = STREAMS * STREAM_WINDOW;
/// Stands for the upstream's limit before its SETTINGS have come.
const UNSAID: usize = usize::MAX - 1;
/// Bytes of a request that wait for the socket.
const SEND_BUFFER: usize = 256 * 1024;

impl Connection {
    /// Begins HTTP/2 on a connection. No stream is opened before the upstream's SETTINGS have come.
    pub async fn make(
        transport: Transport,
        connector: Arc<Connector>,
        header_bytes: u32,
        news: &Rc<News>,
        tasks: &Tasks,
        now: Moment,
    ) -> Result<Rc<Connection>, Failure> {
        let (sender, mut driver) = h2::client::Builder::new()
            .initial_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_header_list_size(header_bytes)
            .max_send_buffer_size(SEND_BUFFER)
            .initial_max_send_streams(UNSAID)
            .enable_push(false)
            .handshake(transport)
            .await
            .map_err(|error| {
                tracing::debug!(%error, "no HTTP/2 with the upstream");
                Failure::reset(&error)
            })?;
        let (released, mut release) = oneshot::channel();
        let news = Rc::clone(news);
        tasks.spawn(async move {
            let (mut allowed, mut is_released) = (UNSAID, false);
            let ended = poll_fn(|cx| {
                // Without this the task does not learn that the last sender is gone.
                is_released = is_released || Pin::new(&mut release).poll(cx).is_ready();
                let ended = Pin::new(&mut driver).poll(cx);
                let now_allowed = driver.max_concurrent_send_streams();
                if now_allowed != allowed {
                    allowed = now_allowed;
                    news.changed.notify_waiters();
                }
                ended
            });
            let ended = ended.await;
            if let Err(error) = &ended {
                tracing::debug!(%error, "HTTP/2 connection to the upstream ended");
            }
            if allowed == UNSAID && !is_released {
                let cause = ended.as_ref().err().and_then(h2::Error::get_io);
                let broke =
                    || ended.as_ref().err().map_or(Failure::Reset(None), |error| Failure::reset(error));
                news.fail(cause.and_then(|error| told(error, &connector)).unwrap_or_else(broke));
            }
            news.changed.notify_waiters();
        });
        Ok(Rc::new(Connection {
            sender: RefCell::new(sender),
            in_flight: Cell::new(0),
            has_served: Cell::new(false),
            is_doubtful: Cell::new(false),
            idle_since: Cell::new(now),
            _released: released,
        }))
    }

    /// Whether it takes further requests: after a GOAWAY, and after its end, it does not. One in doubt
    /// is given up as soon as nothing is left on it that could clear it.
    pub fn is_open(&self) -> bool {
        if self.is_doubtful.get() && !self.is_busy() {
            return false;
        }
        let mut cx = Context::from_waker(Waker::noop());
        !matches!(self.sender.borrow_mut().poll_ready(&mut cx), Poll::Ready(Err(_)))
    }

    /// Streams that the upstream allows at once, once its SETTINGS have come.
    pub fn allowed(&self) -> Option<usize> {
        Some(self.sender.borrow().current_max_send_streams()).filter(|allowed| *allowed != UNSAID)
    }

    pub fn has_room(&self) -> bool {
        !self.is_doubtful.get()
            && self.allowed().is_some_and(|allowed| self.in_flight.get() < allowed.min(STREAMS as usize))
    }

    pub fn is_busy(&self) -> bool {
        self.in_flight.get() > 0
    }

    pub fn has_served(&self) -> bool {
        self.has_served.get()
    }

    pub fn idle_since(&self) -> Moment {
        self.idle_since.get()
    }
}

/// A request's place on a connection, until its response is over and its body has gone.
#[derive(Clone)]
pub struct Slot(Rc<Held>);

struct Held {
    connection: Rc<Connection>,
    streams: Rc<Streams>,
    is_answered: Cell<bool>,
    /// Whether the connection had served a request before.
    is_reused: bool,
}

impl Slot {
    pub fn new(connection: &Rc<Connection>, streams: &Rc<Streams>) -> Slot {
        connection.in_flight.set(connection.in_flight.get() + 1);
        Slot(Rc::new(Held {
            connection: Rc::clone(connection),
            streams: Rc::clone(streams),
            is_answered: Cell::new(false),
            is_reused: connection.has_served(),
        }))
    }

    /// The sender of its requests.
    pub fn sender(&self) -> SendRequest<Bytes> {
        self.0.connection.sender.borrow().clone()
    }

    pub fn is_reused(&self) -> bool {
        self.0.is_reused
    }

    /// The upstream has said something about the request, so that the connection is alive.
    pub fn answered(&self) {
        self.0.is_answered.set(true);
        self.0.connection.has_served.set(true);
        self.0.connection.is_doubtful.set(false);
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let Held { connection, streams, is_answered, .. } = self;
        if !is_answered.get() {
            connection.is_doubtful.set(true);
        }
        connection.in_flight.set(connection.in_flight.get() - 1);
        connection.idle_since.set(streams.clock.now());
        streams.news.changed.notify_one();
    }
}
