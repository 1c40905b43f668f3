//! Shared parts of tests: the real binary, sockets that show their bytes, an upstream that plays a script, a
//! proxy between them. Everything waits with a bound and for events, never for a while.

pub mod demo;
pub mod encoded;
pub mod frames;
pub mod http;
pub mod http2;
pub mod http2_upstream;
pub mod message;
pub mod program;
pub mod proxy;
pub mod socket;
pub mod strict;
pub mod tls_upstream;
pub mod upstream;

use std::time::Duration;

/// No event that a test waits for takes this long, unless something is broken.
pub const LONG: Duration = Duration::from_secs(20);

/// A call upstream outlasts a client that has left by no more than this (point 22 of the checklist).
pub const GONE: Duration = Duration::from_secs(1);

/// Whether tests do all that they can, which takes minutes: `FRACAS_FULL=1`.
pub fn is_full() -> bool {
    std::env::var("FRACAS_FULL").is_ok_and(|full| full == "1")
}
