//! The proxies compared, each set up to do the same: to add `Via` both ways and `X-Forwarded-For`,
//! `-Proto` and `-Host`, to keep connections alive on both sides, and to log nothing.

mod envoy;
mod floor;
mod fracas;
mod haproxy;
mod nginx;
mod slow;
mod toxiproxy;

use std::error::Error;
use std::net::SocketAddr;
use std::path::PathBuf;

pub use fracas::{Rules, fracas, rules_that_do_not_match};
pub use nginx::{BULK_BYTES, nginx_of_rules, upstream};

use crate::process::Process;

/// A proxy that serves.
pub struct Peer {
    pub name: String,
    pub address: SocketAddr,
    pub process: Process,
}

/// The task of the proxy.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Task {
    /// Forward a request, and its response.
    Forward,
    /// A fixed 409 of its own.
    Inject,
}

/// The core that the proxy under test has to itself.
pub const PROXY_CORE: &str = "0";
/// The core that the load and the upstream share.
pub const LOAD_CORE: &str = "1";

/// Body of every conflict.
pub const CONFLICT: &str = r#"{"type":"about:blank","title":"Conflict","status":409,"detail":"The request conflicts with the current state of the resource."}"#;

/// A peer's name, and how it starts: `None` where it is not installed, or does not do the task.
pub type Candidate = (&'static str, fn(Task, SocketAddr) -> Started);
pub type Started = Result<Option<Peer>, Box<dyn Error>>;

/// The peers that keep pace; nginx is the control.
pub const FAST: [Candidate; 8] = [
    ("nginx", nginx::nginx),
    ("fracas", fracas::shipped),
    ("fracas, journal file", fracas::journaling),
    ("HAProxy", haproxy::haproxy),
    ("Envoy", envoy::envoy),
    ("Toxiproxy", toxiproxy::toxiproxy),
    ("hyper alone", floor::hyper),
    ("TCP relay", floor::relay),
];

/// The peers of which every round takes long enough.
pub const SLOW: [Candidate; 3] =
    [("mitmproxy", slow::mitmproxy), ("WireMock", slow::wiremock), ("mountebank", slow::mountebank)];

/// The names of all peers.
pub fn names() -> impl Iterator<Item = &'static str> {
    FAST.iter().chain(&SLOW).map(|(name, _)| *name)
}

/// Folder into which `install-peers` puts the peers that no distribution has.
fn installed(path: &str) -> Option<PathBuf> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/target/peers");
    Some(PathBuf::from(folder).join(path)).filter(|path| path.exists())
}
