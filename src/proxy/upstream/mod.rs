//! The side of the upstream: connecting, TLS, HTTP/1.1 and HTTP/2, forwarding, tunnels.

pub(super) mod broken;
pub(super) mod connect;
pub(super) mod dial;
pub(super) mod driver;
pub(super) mod expect_continue;
pub(super) mod forward;
pub(super) mod framing;
pub(super) mod http2;
pub(super) mod identity;
pub(super) mod pool;
pub(super) mod send;
pub(super) mod tls;
pub(super) mod tls_failure;
pub(super) mod transport;
pub(super) mod unreadable;
pub(super) mod upgrade;
pub(super) mod verify;
pub(super) mod wants_tls;
