//! The data path, seen on the wire from both sides. `c01` to `c44` in names are the points of the checklist
//! of a proxy's duties, so that one can be found by its number.

mod allowed_hosts;
mod answers;
mod bodies;
mod coded_bodies;
mod connection_identity;
mod connections;
mod desync;
mod drain;
mod early;
mod expect;
mod failures;
mod first_match;
mod half_closed;
mod hop_by_hop;
mod http2;
mod identity;
mod injection;
mod long_json;
mod loops;
mod memory;
mod panics;
mod passing;
mod requests;
mod reuse;
mod rewriting;
mod rewritten_bodies;
mod small;
mod streaming;
mod streams;
mod targets;
mod timeouts;
mod tls;
mod upgrade;
mod upstream_tls;

/// The bytes that servers disagree about.
pub fn desync_bytes() -> Vec<Vec<u8>> {
    desync::corpus().into_iter().map(|case| case.bytes).collect()
}
