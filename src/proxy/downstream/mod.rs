//! The side of the clients: listening, connections, TLS, HTTP/2, deadlines.

pub(super) mod backlog;
pub(super) mod client;
pub(super) mod coalesce;
pub(super) mod deadlines;
pub mod descriptors;
pub(super) mod http2;
pub(super) mod listen;
pub(super) mod portion;
pub(super) mod shared_timer;
pub(super) mod socket;
pub(super) mod tls;
