//! State that all workers share: the rules, their state, and the proxy's counters.

use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;

use super::counters::ProxyCounters;
use super::snapshot::Snapshots;
use super::state::StateAccess;
use super::upstream::upgrade::Tunnels;
use super::via::Via;
use crate::clock::Clock;
use crate::rules::Settings;
use crate::store::MemoryStore;

/// State that all workers share.
pub struct Shared {
    pub settings: Settings,
    /// This proxy's entry in `Via`.
    pub via: Option<Via>,
    pub tunnels: Arc<Tunnels>,
    /// The acceptor of TLS clients.
    pub tls: Option<TlsAcceptor>,
    pub snapshots: Snapshots,
    pub state: Arc<StateAccess<MemoryStore>>,
    /// The first ticket of the workers.
    pub first_ticket: u64,
    pub clock: Clock,
    pub counters: ProxyCounters,
    /// One permit for each long body that may be inspected at once, beside the workers.
    pub long_looks: Arc<Semaphore>,
    /// One permit for each connection that may still be accepted.
    pub connections: Arc<Semaphore>,
    /// Connections beyond them that a worker has at a time, to refuse them with a response.
    pub surplus: usize,
}
