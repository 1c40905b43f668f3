//! One worker: a thread with a runtime, a listener, connections and an upstream pool of its own.
//! Nothing of a request ever crosses to another thread.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, HeaderValue};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use super::exchange::exchange;
use super::forward::Forwarder;
use super::headers::FORWARDED_FOR;
use super::tally::{Counters, Tally};
use super::tasks::Tasks;
use crate::clock::Clock;
use crate::judgement::RuleSet;
use crate::matching::Cidr;
use crate::rules::Settings;
use crate::store::Store;

/// What all workers share.
pub struct Shared {
    pub settings: Settings,
    pub rules: RuleSet,
    pub store: Store,
    pub clock: Clock,
    /// One for each rule.
    pub tallies: Box<[Tally]>,
    pub counters: Counters,
    /// One permit for each connection that may still be accepted.
    pub connections: Arc<Semaphore>,
}

/// What one worker's requests share.
pub struct Worker {
    pub shared: Arc<Shared>,
    pub forwarder: Forwarder,
    pub tasks: Rc<Tasks>,
}

/// What the proxy is told to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Order {
    Serve,
    /// Accept nothing more, and end when the requests in flight have.
    Drain,
    /// End at once.
    Stop,
}

/// Idle upstream connections are looked through this often.
const SWEEP: Duration = Duration::from_secs(5);
/// How long to wait when the process is out of file descriptors: until then nothing can be done.
const OUT_OF_FILES: Duration = Duration::from_millis(50);

impl Worker {
    /// Serves until told to stop, and until what was in flight has ended.
    pub async fn run(self: Rc<Worker>, listener: TcpListener, mut order: watch::Receiver<Order>) {
        let pool = Rc::clone(&self.forwarder.pool);
        let mut sweep = tokio::time::interval(SWEEP);
        let orders = order.clone();
        loop {
            tokio::select! {
                biased;
                () = told(&mut order, Order::Drain) => break,
                accepted = self.accept(&listener) => {
                    if let Some((stream, peer, permit)) = accepted {
                        let connection = Rc::clone(&self).serve(stream, peer, permit, orders.clone());
                        self.tasks.spawn(connection);
                    }
                }
                _ = sweep.tick() => pool.close_old(),
            }
        }
        drop(listener);
        pool.close();
        let drain = self.shared.settings.timeouts.drain;
        tokio::select! {
            () = self.drained() => {}
            () = told(&mut order, Order::Stop) => {}
            () = tokio::time::sleep(drain) => {
                let left = self.tasks.len();
                tracing::warn!(left, "connections were still busy when the time to drain was over");
            }
        }
        self.tasks.stop().await;
    }

    /// Waits for the connections; those to the upstream end when the pool lets go of them.
    async fn drained(&self) {
        while !self.tasks.is_empty() {
            self.forwarder.pool.close();
            let _ = tokio::time::timeout(OUT_OF_FILES, self.tasks.ended()).await;
        }
    }

    /// The next connection; `None` when this one is not to be had.
    async fn accept(&self, listener: &TcpListener) -> Option<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
        // At the limit clients wait in the listener's backlog.
        let permit = Arc::clone(&self.shared.connections).acquire_owned().await.ok()?;
        match listener.accept().await {
            Ok((stream, peer)) => {
                // Small answers must not wait for acknowledgements. It only fails on a dead socket.
                let _ = stream.set_nodelay(true);
                Some((stream, peer, permit))
            }
            Err(error) => {
                if !is_about_one_connection(&error) {
                    tracing::warn!(%error, "cannot accept connections for now");
                    tokio::time::sleep(OUT_OF_FILES).await;
                }
                None
            }
        }
    }

    /// Serves one connection to its end.
    async fn serve(
        self: Rc<Worker>,
        stream: TcpStream,
        peer: SocketAddr,
        permit: OwnedSemaphorePermit,
        mut order: watch::Receiver<Order>,
    ) {
        let client = Rc::new(Client::new(peer.ip(), &self.shared.settings.trusted));
        let settings = &self.shared.settings;
        let mut http = hyper::server::conn::http1::Builder::new();
        http.timer(TokioTimer::new())
            .header_read_timeout(settings.timeouts.request_head)
            .max_header_size(settings.limits.header_bytes);
        // Setting it costs hyper a heap allocation a request, even to its own default.
        if settings.limits.header_count != 100 {
            http.max_headers(settings.limits.header_count);
        }
        let worker = Rc::clone(&self);
        let service = service_fn(move |request| exchange(Rc::clone(&worker), Rc::clone(&client), request));
        let mut connection =
            std::pin::pin!(http.serve_connection(TokioIo::new(stream), service).with_upgrades());
        let ended = tokio::select! {
            biased;
            ended = connection.as_mut() => ended,
            () = told(&mut order, Order::Drain) => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%error, %peer, "connection ended early");
        }
        drop(permit);
    }
}

/// Waits for `order` or a further one. What it gives must not be the value itself, which is a lock: in
/// a `select!` it would be held for as long as its arm runs, and whoever gives the next order waits.
async fn told(orders: &mut watch::Receiver<Order>, order: Order) {
    let _ = orders.wait_for(|given| *given >= order).await;
}

/// Whether accepting failed for one client only (accept(2): such errors are the client's own).
fn is_about_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

/// Who is on the other end of a connection.
pub struct Client {
    address: IpAddr,
    /// Whether what it says of whoever is behind it is believed.
    pub is_trusted: bool,
    /// The address, as `X-Forwarded-For` has it.
    pub forwarded_for: HeaderValue,
}

impl Client {
    /// The client at `address`.
    pub fn new(address: IpAddr, trusted: &[Cidr]) -> Client {
        let address = address.to_canonical();
        let forwarded_for = HeaderValue::try_from(address.to_string())
            .unwrap_or_else(|_| HeaderValue::from_static("unknown"));
        Client { address, is_trusted: is_trusted(address, trusted), forwarded_for }
    }

    /// The address that rules see: the nearest one that is not a trusted peer's.
    pub fn address_behind(&self, headers: &HeaderMap, trusted: &[Cidr]) -> IpAddr {
        if !self.is_trusted {
            return self.address;
        }
        let said: Vec<&str> = headers
            .get_all(FORWARDED_FOR)
            .iter()
            .filter_map(|line| line.to_str().ok())
            .flat_map(|line| line.split(','))
            .collect();
        let mut nearest = self.address;
        for hop in said.iter().rev() {
            let Ok(address) = hop.trim().parse::<IpAddr>() else { break };
            nearest = address.to_canonical();
            if !is_trusted(nearest, trusted) {
                break;
            }
        }
        nearest
    }
}

fn is_trusted(address: IpAddr, trusted: &[Cidr]) -> bool {
    trusted.iter().any(|network| network.contains(address))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_trusted_peers_are_believed() {
        let trusted: Vec<Cidr> = ["10.0.0.0/8".parse().expect("a network")].to_vec();
        for (peer, said, seen) in [
            ("192.0.2.1", "198.51.100.7", "192.0.2.1"),
            ("10.0.0.1", "198.51.100.7", "198.51.100.7"),
            ("10.0.0.1", "203.0.113.9, 198.51.100.7, 10.0.0.2", "198.51.100.7"),
            ("10.0.0.1", "203.0.113.9, nonsense", "10.0.0.1"),
            ("10.0.0.1", "", "10.0.0.1"),
        ] {
            let client = Client::new(peer.parse().expect("an address"), &trusted);
            let mut headers = HeaderMap::new();
            headers.insert(FORWARDED_FOR, HeaderValue::from_static(said));
            assert_eq!(client.address_behind(&headers, &trusted).to_string(), seen, "{peer}: {said}");
        }
    }
}
