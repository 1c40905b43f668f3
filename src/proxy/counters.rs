//! Exact counters of the proxy.

use std::sync::atomic::AtomicU64;

/// Counters since the start.
#[derive(Debug, Default)]
pub struct ProxyCounters {
    /// Connections that were accepted.
    pub connections: AtomicU64,
    /// Requests that arrived.
    pub requests: AtomicU64,
    /// Requests without a response from the upstream.
    pub failures: AtomicU64,
    /// Panics, each contained to one connection.
    pub panics: std::sync::Arc<AtomicU64>,
    /// Requests that went to the upstream once more.
    pub replays: std::sync::Arc<AtomicU64>,
}
