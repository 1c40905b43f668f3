//! What all workers share: the rules and what they keep, and the counts of what was done.

use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;

use super::allowed_hosts::AllowedHosts;
use super::counters::{Counters, Tally};
use super::upstream::upgrade::Tunnels;
use super::via::Via;
use crate::clock::Clock;
use crate::engine::RuleSet;
use crate::rules::Settings;
use crate::store::Store;

/// What all workers share.
pub struct Shared {
    pub settings: Settings,
    /// Where only some names in `Host` are served, those.
    pub allowed_hosts: Option<AllowedHosts>,
    /// What this proxy says of itself in `Via`.
    pub via: Option<Via>,
    pub tunnels: Arc<Tunnels>,
    /// What clients are served with over TLS.
    pub tls: Option<TlsAcceptor>,
    pub rules: RuleSet,
    pub store: Store,
    pub clock: Clock,
    /// One for each rule.
    pub tallies: Box<[Tally]>,
    pub counters: Counters,
    /// One permit for each connection that may still be accepted.
    pub connections: Arc<Semaphore>,
    /// Connections beyond them that a worker has at a time, to tell them so.
    pub surplus: usize,
}
