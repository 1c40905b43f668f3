//! One worker: a thread with a runtime, a listener, connections and an upstream pool of its own.
//! Nothing of a request ever crosses to another thread.

use std::cell::Cell;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::task::Poll;
use std::time::Duration;

use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use super::downstream::client::{Client, ConnectionPermit};
use super::downstream::deadlines::{Deadlines, Wait};
use super::downstream::http2;
use super::downstream::socket::{ClientProtocol, ClientSocket, ClientStream};
use super::exchange::exchange;
use super::folded::Folded;
use super::lifecycle::{Lifecycle, reached};
use super::owed::Settler;
use super::record::Recorder;
use super::shared::Shared;
use super::snapshot::Current;
use super::tasks::Tasks;
use super::upstream::forward::Forwarder;
use crate::rules::Timeouts;

/// State shared by one worker's requests.
pub struct Worker {
    pub shared: Arc<Shared>,
    pub forwarder: Forwarder,
    pub tasks: Rc<Tasks>,
    pub settler: Rc<Settler>,
    pub recorder: Rc<Recorder>,
    pub snapshot: Current,
    pub tickets: Tickets,
    /// From now on a response is the last one on its connection.
    pub is_draining: Cell<bool>,
    /// Connections without a place, which get a refusal.
    pub surplus: Arc<Semaphore>,
    /// Requests that could not be read.
    pub unread: Folded,
}

/// Unique numbers of requests: workers begin far apart, and each process at a random number.
pub struct Tickets(Cell<u64>);

impl Tickets {
    /// The tickets of this worker; `first` is the first one of the process.
    pub fn new(first: u64, worker: usize) -> Tickets {
        Tickets(Cell::new(first.wrapping_add((worker as u64) << 48)))
    }

    pub fn next(&self) -> u64 {
        self.0.replace(self.0.get().wrapping_add(1))
    }
}

/// A client's socket and address.
type Arrival = (TcpStream, SocketAddr);

/// The next state of a connection.
enum Next {
    End,
    Rest,
}

/// Interval at which expired idle upstream connections are closed.
const SWEEP: Duration = Duration::from_secs(5);
/// Delay of accepting when the process is out of file descriptors.
const OUT_OF_FILES: Duration = Duration::from_millis(50);
/// Maximum wait of a new connection for a place.
const PATIENCE: Duration = Duration::from_millis(500);
/// Deadlines of a refused connection: to send its request, and to read the refusal.
const BRIEF: Timeouts = Timeouts::all(Duration::from_millis(250));
/// When draining, a connection silent for this long counts as idle: closing it earlier would fail a request
/// that is on its way.
const GRACE: Duration = Duration::from_millis(200);

impl Worker {
    /// Serves until told to stop, and until the requests in flight have ended.
    pub async fn run(self: Rc<Worker>, listener: TcpListener, mut order: watch::Receiver<Lifecycle>) {
        let orders = order.clone();
        let mut sweep = tokio::time::interval(SWEEP);
        let mut counted = 0;
        let unaccepted = Folded::default();
        loop {
            tokio::select! {
                biased;
                () = reached(&mut order, Lifecycle::Drain) => break,
                (spare, accepted) = self.accept(&listener) => match accepted {
                    Ok(arrival) => self.welcome(arrival, spare, &orders),
                    Err(error) if is_about_one_connection(&error) => {}
                    Err(error) => {
                        if let Some(more) = unaccepted.again(self.shared.clock.now()) {
                            tracing::warn!(%error, more, "cannot accept connections for now");
                        }
                        tokio::time::sleep(OUT_OF_FILES).await;
                    }
                },
                _ = sweep.tick() => {
                    self.forwarder.close_old();
                    let tasks = self.tasks.len();
                    // Every task is a connection, a tunnel or a body to be drained: `tests/soak` watches it.
                    if std::mem::replace(&mut counted, tasks) != tasks {
                        tracing::debug!(tasks, worker = std::thread::current().name(), "tasks of a worker");
                    }
                }
            }
        }
        self.is_draining.set(true);
        self.accept_rest(&listener, &orders).await;
        drop(listener);
        self.forwarder.close();
        tokio::select! {
            () = self.tasks.ended() => {}
            () = reached(&mut order, Lifecycle::Stop) => {}
            () = tokio::time::sleep(self.shared.settings.timeouts.drain) => {
                let left = self.tasks.len();
                tracing::warn!(left, "connections were still busy when the time to drain was over");
            }
        }
    }

    /// The next connection, and a permit to refuse it. While every permit is taken, further connections wait in
    /// the listener's queue.
    async fn accept(&self, listener: &TcpListener) -> (Option<OwnedSemaphorePermit>, io::Result<Arrival>) {
        // The semaphore is never closed.
        let spare = Arc::clone(&self.surplus).acquire_owned().await.ok();
        (spare, listener.accept().await)
    }

    /// Serves the clients that had connected before the order to drain: to them the proxy still accepted.
    async fn accept_rest(self: &Rc<Worker>, listener: &TcpListener, orders: &watch::Receiver<Lifecycle>) {
        while let Ok(spare) = Arc::clone(&self.surplus).try_acquire_owned()
            && let Poll::Ready(Ok(arrival)) = poll_fn(|cx| Poll::Ready(listener.poll_accept(cx))).await
        {
            self.welcome(arrival, Some(spare), orders);
        }
    }

    /// Serves a connection beside the others.
    fn welcome(
        self: &Rc<Worker>,
        (stream, peer): Arrival,
        mut spare: Option<OwnedSemaphorePermit>,
        orders: &watch::Receiver<Lifecycle>,
    ) {
        // Small responses must not wait for acknowledgements. It only fails on a dead socket.
        let _ = stream.set_nodelay(true);
        let (worker, orders) = (Rc::clone(self), orders.clone());
        let places = Arc::clone(&self.shared.connections);
        match places.clone().try_acquire_owned() {
            Ok(permit) => {
                self.tasks.spawn(worker.serve(stream, peer, ConnectionPermit::within(permit), orders));
            }
            Err(_) => self.tasks.spawn(async move {
                worker.shared.tunnels.give_way(worker.shared.clock, worker.shared.settings.timeouts.tunnel);
                // Most connections are short, so that a place may be free in time. In a crowd there is no time
                // to wait.
                let is_crowd = worker.surplus.available_permits() < worker.shared.surplus / 4;
                let patience = if is_crowd { Duration::ZERO } else { PATIENCE };
                let place = match tokio::time::timeout(patience, places.acquire_owned()).await {
                    Ok(Ok(permit)) => ConnectionPermit::within(permit),
                    _ => ConnectionPermit::surplus(spare.take()),
                };
                drop(spare);
                worker.serve(stream, peer, place, orders).await;
            }),
        }
    }

    /// Serves a connection of HTTP/2 to its end.
    async fn serve_http2(
        self: Rc<Self>,
        socket: ClientSocket,
        client: Rc<Client>,
        states: watch::Receiver<Lifecycle>,
    ) -> hyper::Result<()> {
        let (header_bytes, tasks) = (self.shared.settings.limits.header_bytes, Rc::clone(&self.tasks));
        let respond = move |client, request| exchange(Rc::clone(&self), client, request);
        http2::serve(respond, header_bytes, tasks, socket, client, states).await
    }

    /// Serves one connection to its end.
    async fn serve(
        self: Rc<Worker>,
        stream: TcpStream,
        peer: SocketAddr,
        place: ConnectionPermit,
        orders: watch::Receiver<Lifecycle>,
    ) {
        let worker = Rc::clone(&self);
        let settings = &worker.shared.settings;
        let timeouts = if place.is_surplus() { &BRIEF } else { &settings.timeouts };
        let vitals = Arc::new(Deadlines::new(self.shared.clock, timeouts));
        let connection = self.shared.counters.connections.fetch_add(1, Relaxed) + 1;
        let client = Rc::new(Client::new(peer.ip(), connection, settings, Arc::clone(&vitals), place));
        let serving = async {
            let mut first_order = orders.clone();
            let protocol = tokio::select! {
                biased;
                protocol = self.greet(stream, &vitals) => protocol,
                // Until then it was an idle connection.
                () = time_to_go(&mut first_order, &vitals) => return Ok(()),
            };
            match protocol {
                Ok((mut socket, ClientProtocol::Http1)) => {
                    socket.tell(client.backlog.clone());
                    self.serve_and_rest(socket, client, orders).await
                }
                Ok((mut socket, ClientProtocol::Http2)) => {
                    socket.expect_frames(self.shared.clock);
                    // Box the rare branch: the future is big.
                    Box::pin(self.serve_http2(socket, client, orders)).await
                }
                // There was no client to be served.
                Err(error) => {
                    tracing::debug!(%error, %peer, "connection ended before it said anything");
                    Ok(())
                }
            }
        };
        match vitals.guard(serving).await {
            Ok(Ok(())) => {}
            // hyper has responded with a 400, a 414 or a 431, before there was a request to be recorded.
            Ok(Err(error)) if error.is_parse() => {
                if let Some(more) = worker.unread.again(worker.shared.clock.now()) {
                    tracing::warn!(%error, %peer, more, "a request could not be read, and was refused");
                }
            }
            Ok(Err(error)) => tracing::debug!(%error, %peer, "connection ended early"),
            Err(late) => tracing::debug!(?late, %peer, "connection ended: it waited too long"),
        }
    }

    /// Learns a client's protocol. A TLS handshake counts as part of the first request's head.
    async fn greet(
        &self,
        stream: TcpStream,
        vitals: &Arc<Deadlines>,
    ) -> io::Result<(ClientSocket, ClientProtocol)> {
        let stream = match &self.shared.tls {
            None => ClientStream::Plain(stream),
            Some(tls) => {
                vitals.heard();
                let stream = Box::pin(tls.accept(stream)).await?;
                vitals.end(Wait::Head);
                vitals.begin(Wait::Request);
                ClientStream::Tls(Box::new(stream))
            }
        };
        let mut socket = ClientSocket::new(stream, Arc::clone(vitals));
        let protocol = socket.protocol().await?;
        Ok((socket, protocol))
    }

    /// Serves a connection over HTTP/1 to its end. While it is idle it holds little: hyper alone would
    /// keep two buffers of 8 KiB and the room for a request's future.
    async fn serve_and_rest(
        self: Rc<Worker>,
        mut socket: ClientSocket,
        client: Rc<Client>,
        orders: watch::Receiver<Lifecycle>,
    ) -> hyper::Result<()> {
        loop {
            let serving = Rc::clone(&self).serve_http1(socket, Rc::clone(&client), orders.clone());
            match Box::pin(serving).await? {
                None => return Ok(()),
                Some(idle) => socket = idle,
            }
            let mut order = orders.clone();
            tokio::select! {
                biased;
                stirs = socket.stirs() => if stirs.is_err() { return Ok(()) },
                () = time_to_go(&mut order, &client.vitals) => return Ok(()),
            }
        }
    }

    /// Serves a connection over HTTP/1, to its end or until it rests: then its socket is returned.
    async fn serve_http1(
        self: Rc<Worker>,
        socket: ClientSocket,
        client: Rc<Client>,
        mut order: watch::Receiver<Lifecycle>,
    ) -> hyper::Result<Option<ClientSocket>> {
        let vitals = Arc::clone(&client.vitals);
        let http = self.http1();
        let service = service_fn(move |request| exchange(Rc::clone(&self), Rc::clone(&client), request));
        let mut connection = http.serve_connection(TokioIo::new(socket), service).with_upgrades();
        let news = order.clone();
        let mut time_to_go = pin!(time_to_go(&mut order, &vitals));
        let mut is_listening = false;
        let ended = poll_fn(|cx| {
            if let Poll::Ready(ended) = Pin::new(&mut connection).poll(cx) {
                return Poll::Ready(Some(ended.map(|()| Next::End)));
            }
            if may_rest(&vitals) {
                return Poll::Ready(Some(Ok(Next::Rest)));
            }
            // An order wakes the task: until there is one, asking again costs a lock.
            if is_listening && !news.has_changed().unwrap_or(true) {
                return Poll::Pending;
            }
            is_listening = true;
            time_to_go.as_mut().poll(cx).map(|()| None)
        });
        match ended.await.transpose()? {
            Some(Next::End) => return Ok(None),
            Some(Next::Rest) => {
                return Ok(connection.into_parts().map(|parts| {
                    let mut socket = parts.io.into_inner();
                    socket.put_back(parts.read_buf);
                    socket
                }));
            }
            None => {}
        }
        Pin::new(&mut connection).graceful_shutdown();
        connection.await.map(|()| None)
    }

    /// HTTP/1 with the limits of the settings. Its timeouts are the vitals'.
    fn http1(&self) -> hyper::server::conn::http1::Builder {
        let limits = &self.shared.settings.limits;
        let mut http = hyper::server::conn::http1::Builder::new();
        http.max_header_size(limits.header_bytes);
        // Setting it costs hyper a heap allocation a request, even to its own default.
        if limits.header_count != 100 {
            http.max_headers(limits.header_count);
        }
        http
    }
}

/// Whether a connection has been idle for long enough to rest: once for each idle period.
fn may_rest(vitals: &Deadlines) -> bool {
    vitals.take_overdue(&[Wait::Rest]).is_some()
        && vitals.is_waiting(Wait::Request)
        && !vitals.is_waiting(Wait::Write)
}

/// Waits until a connection is to end as soon as it can: when the order has come, with the request
/// in flight, or else when none comes.
async fn time_to_go(order: &mut watch::Receiver<Lifecycle>, vitals: &Deadlines) {
    let ordered = order.wait_for(|order| *order != Lifecycle::Serve).await.map(|order| *order);
    if !matches!(ordered, Ok(Lifecycle::Drain)) {
        return;
    }
    let in_flight = poll_fn(|_| match vitals.is_waiting(Wait::Request) || vitals.is_waiting(Wait::Head) {
        true => Poll::Pending,
        false => Poll::Ready(()),
    });
    let _ = tokio::time::timeout(GRACE, in_flight).await;
}

/// Whether accepting failed for one client only (accept(2): such errors are the client's own).
fn is_about_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}
