//! Makes connections to the upstream, plain or TLS.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use http::HeaderValue;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::error::{Cause, Failure, Late};
use super::transport::{Replayable, Stream, Transport};
use crate::rules::{Authority, Scheme, UpstreamUrl};

/// Makes connections to one upstream.
#[derive(Clone)]
pub struct Connector {
    authority: Authority,
    /// `Host` as the upstream knows itself.
    pub own_host: HeaderValue,
    tls: Option<(TlsConnector, ServerName<'static>)>,
    timeout: Duration,
    /// Requests sent once more.
    replays: Arc<AtomicU64>,
}

/// Why an upstream can never be connected to.
#[derive(Debug)]
pub enum ConnectorError {
    /// The host is not a name, or not one that a certificate can be for.
    ServerName,
    /// The system has no root certificates, or they cannot be read.
    Roots(String),
}

impl Connector {
    /// A connector to `url`; for https it trusts the system's roots. Requests that are sent once more
    /// are counted in `replays`.
    pub fn new(
        url: &UpstreamUrl,
        timeout: Duration,
        replays: Arc<AtomicU64>,
    ) -> Result<Connector, ConnectorError> {
        let tls = match url.scheme {
            Scheme::Http => None,
            Scheme::Https => Some((system_tls()?, server_name(&url.authority.host)?)),
        };
        let own_host = HeaderValue::try_from(url.host_header()).map_err(|_| ConnectorError::ServerName)?;
        Ok(Connector { authority: url.authority.clone(), own_host, tls, timeout, replays })
    }

    /// A connection on which a request can be sent.
    pub async fn connect(self: &Arc<Connector>, replayable: Replayable) -> Result<Transport, Failure> {
        Ok(Transport::new(self.open().await?, Arc::clone(self), replayable))
    }

    /// What a connection goes through.
    pub async fn open(&self) -> Result<Stream, Failure> {
        tokio::time::timeout(self.timeout, self.try_open())
            .await
            .unwrap_or(Err(Failure::TimedOut(Late::Connection)))
    }

    /// A request has been sent once more.
    pub fn count_replay(&self) {
        self.replays.fetch_add(1, Relaxed);
    }

    async fn try_open(&self) -> Result<Stream, Failure> {
        let host = &*self.authority.host;
        let tcp = TcpStream::connect((host, self.authority.port))
            .await
            .map_err(|error| Failure::Unreachable(cause(host, &error)))?;
        // Small writes must not wait for acknowledgements. It only fails on a dead socket.
        let _ = tcp.set_nodelay(true);
        match &self.tls {
            None => Ok(Stream::Plain(tcp)),
            Some((tls, name)) => match tls.connect(name.clone(), tcp).await {
                Ok(stream) => Ok(Stream::Tls(Box::new(stream))),
                Err(error) => {
                    tracing::debug!(%error, "TLS handshake with the upstream failed");
                    Err(Failure::Unreachable(Cause::Tls))
                }
            },
        }
    }
}

fn cause(host: &str, error: &io::Error) -> Cause {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => Cause::Refused,
        // The resolver's errors have no kind of their own.
        _ if host.parse::<IpAddr>().is_err() && error.raw_os_error().is_none() => Cause::Name,
        _ => Cause::Other,
    }
}

fn server_name(host: &str) -> Result<ServerName<'static>, ConnectorError> {
    ServerName::try_from(host.to_owned()).map_err(|_| ConnectorError::ServerName)
}

fn system_tls() -> Result<TlsConnector, ConnectorError> {
    let mut roots = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    let (trusted, _unusable) = roots.add_parsable_certificates(found.certs);
    if trusted == 0 {
        let why = found.errors.first().map_or("none found".to_owned(), ToString::to_string);
        return Err(ConnectorError::Roots(why));
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| ConnectorError::Roots(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}
