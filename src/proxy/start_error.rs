//! Why a proxy cannot start.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use super::downstream::tls::TlsError;
use super::upstream::connect::ConnectorError;
use crate::rules::template::TemplateMistake;

/// Why a proxy cannot start.
#[derive(Debug)]
pub enum StartError {
    /// The address cannot be listened on.
    Listen(SocketAddr, io::Error),
    /// The upstream can never be connected to.
    Upstream(ConnectorError),
    /// Clients cannot be served over TLS.
    Tls(TlsError),
    /// Replies that can never be rendered.
    Replies(Vec<TemplateMistake>),
    /// The journal's file cannot be appended to.
    Journal(PathBuf, io::Error),
    /// The system gives no randomness.
    Randomness,
    /// The system gives no thread or no event queue.
    Thread(io::Error),
}
