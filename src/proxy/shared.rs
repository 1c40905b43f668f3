//! What all workers share: the rules and what they keep, and the counts of what was done.

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

/// What all workers share.
pub struct Shared {
    pub settings: Settings,
    /// What this proxy says of itself in `Via`.
    pub via: Option<Via>,
    pub tunnels: Arc<Tunnels>,
    /// What clients are served with over TLS.
    pub tls: Option<TlsAcceptor>,
    pub snapshots: Snapshots,
    pub state: Arc<StateAccess<MemoryStore>>,
    /// Where workers begin to count their tickets.
    pub first_ticket: u64,
    pub clock: Clock,
    pub counters: ProxyCounters,
    /// One permit for each long body that may be looked through at once, beside the workers.
    pub long_looks: Arc<Semaphore>,
    /// One permit for each connection that may still be accepted.
    pub connections: Arc<Semaphore>,
    /// Connections beyond them that a worker has at a time, to tell them so.
    pub surplus: usize,
}
