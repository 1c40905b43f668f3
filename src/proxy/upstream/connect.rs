//! Makes connections to the upstream, plain or TLS.

use std::error::Error;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use http::HeaderValue;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::AsyncReadExt as _;
use tokio_rustls::TlsConnector;

use super::super::downstream::deadlines::ANOTHER_LOOK;
use super::super::error::{Cause, Failure, Late, Scarce};
use super::dial::{DialError, Dialer, System};
use super::tls;
use super::tls_failure::{TlsFailure, refused_by_tls};
use super::transport::{Replayable, Transport, UpstreamStream};
use crate::rules::{Diagnostic, Scheme, Settings, UpstreamUrl};

/// Makes connections to one upstream.
#[derive(Clone)]
pub struct Connector {
    dialer: Arc<Dialer>,
    /// `Host` as the upstream knows itself.
    pub own_host: HeaderValue,
    scheme: Scheme,
    tls: Option<Tls>,
    /// Whether an upstream that asks for a certificate is shown one.
    has_identity: bool,
    timeout: Duration,
    /// Requests sent once more.
    replays: Arc<AtomicU64>,
}

/// Protocols offered on a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offer {
    /// HTTP/1.1 alone.
    Http1,
    /// HTTP/2 where the upstream speaks it.
    Any,
}

/// The protocol agreed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UpstreamProtocol {
    Http1,
    Http2,
}

/// TLS to one upstream.
#[derive(Clone)]
struct Tls {
    name: ServerName<'static>,
    http1: TlsConnector,
    any: TlsConnector,
}

/// Why an upstream can never be connected to.
#[derive(Debug)]
pub enum ConnectorError {
    /// The host is not a name, or not one that a certificate can be for.
    ServerName,
    /// The system has no root certificates, or they cannot be read.
    Roots(Box<dyn Error + Send + Sync>),
    /// A file of `[upstream_tls]` cannot be used.
    File(Box<Diagnostic>),
}

impl fmt::Display for ConnectorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ConnectorError::ServerName => "the upstream's host is not a name that a certificate can be for",
            ConnectorError::Roots(_) => "no certificate authorities to check an https upstream with",
            ConnectorError::File(_) => "a file of `upstream_tls` cannot be used",
        })
    }
}

impl Error for ConnectorError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            ConnectorError::ServerName => None,
            ConnectorError::Roots(error) => Some(&**error),
            ConnectorError::File(mistake) => Some(&**mistake),
        }
    }
}

impl Connector {
    /// A connector to `url`. Requests that are sent once more
    /// are counted in `replays`.
    pub fn new(
        url: &UpstreamUrl,
        settings: &Settings,
        replays: Arc<AtomicU64>,
    ) -> Result<Connector, ConnectorError> {
        let tls = match url.scheme {
            Scheme::Http | Scheme::H2c => None,
            Scheme::Https => {
                let config = tls::client_config(&settings.upstream_tls)?;
                let name = server_name(&url.authority.host)?;
                Some(Tls {
                    name,
                    http1: speaking(&config, &[HTTP1]),
                    any: speaking(&config, &[HTTP2, HTTP1]),
                })
            }
        };
        let own_host = HeaderValue::try_from(url.host_header()).map_err(|_| ConnectorError::ServerName)?;
        let scheme = url.scheme;
        let timeout = settings.timeouts.connect;
        let dialer = Arc::new(Dialer::new(&url.authority.host, url.authority.port, timeout));
        let has_identity = settings.upstream_tls.identity.is_some();
        Ok(Connector { dialer, own_host, scheme, tls, has_identity, timeout, replays })
    }

    /// Whether the upstream may speak HTTP/2.
    pub fn may_speak_http2(&self) -> bool {
        self.scheme != Scheme::Http
    }

    /// The scheme of requests in HTTP/2.
    pub fn scheme(&self) -> http::uri::Scheme {
        match self.scheme {
            Scheme::Https => http::uri::Scheme::HTTPS,
            Scheme::Http | Scheme::H2c => http::uri::Scheme::HTTP,
        }
    }

    /// A connection that speaks HTTP/1.1.
    pub async fn connect(self: &Arc<Connector>, replayable: Replayable) -> Result<Transport, Failure> {
        let (stream, _) = self.open(Offer::Http1).await?;
        Ok(Transport::new(stream, Arc::clone(self), replayable))
    }

    /// Opens a connection, and returns its protocol.
    pub async fn negotiate(
        self: &Arc<Connector>,
        replayable: Replayable,
    ) -> Result<(Transport, UpstreamProtocol), Failure> {
        let (stream, protocol) = self.open(Offer::Any).await?;
        Ok((Transport::new(stream, Arc::clone(self), replayable), protocol))
    }

    /// The transport of a connection.
    pub async fn open(&self, offer: Offer) -> Result<(UpstreamStream, UpstreamProtocol), Failure> {
        let mut late = Late::Name;
        let opened = {
            let mut opening = Box::pin(self.try_open(offer, &mut late));
            match tokio::time::timeout(self.timeout, &mut opening).await {
                Ok(opened) => Some(opened),
                Err(_) => tokio::time::timeout(ANOTHER_LOOK, opening).await.ok(),
            }
        };
        opened.unwrap_or(Err(Failure::TimedOut(late)))
    }

    /// Connects once, and sends no request.
    pub async fn look(&self) -> Result<(), Failure> {
        /// An upstream that misses a client's certificate reports it after the handshake, or never.
        const AFTERTHOUGHT: Duration = Duration::from_millis(200);
        let (UpstreamStream::Tls(mut stream), _) = self.open(Offer::Any).await? else { return Ok(()) };
        let said = tokio::time::timeout(AFTERTHOUGHT, stream.read_u8()).await;
        said.ok().and_then(Result::err).and_then(|error| self.refused_by_tls(&error)).map_or(Ok(()), Err)
    }

    /// The TLS failure behind the end of a connection, if there is one.
    pub fn refused_by_tls(&self, error: &io::Error) -> Option<Failure> {
        let failure = refused_by_tls(error, self.has_identity)?;
        Some(Failure::Unreachable(Cause::Tls(Arc::new(failure))))
    }

    /// A request has been sent once more.
    pub fn count_replay(&self) {
        self.replays.fetch_add(1, Relaxed);
    }

    /// `late` names the step under way.
    async fn try_open(
        &self,
        offer: Offer,
        late: &mut Late,
    ) -> Result<(UpstreamStream, UpstreamProtocol), Failure> {
        let tcp = self.dialer.dial(&System, late).await.map_err(unreachable)?;
        // Small writes must not wait for acknowledgements. It only fails on a dead socket.
        let _ = tcp.set_nodelay(true);
        let Some(Tls { name, http1, any }) = &self.tls else {
            let protocol = match (self.scheme, offer) {
                (Scheme::H2c, Offer::Any) => UpstreamProtocol::Http2,
                _ => UpstreamProtocol::Http1,
            };
            return Ok((UpstreamStream::Plain(tcp), protocol));
        };
        let tls = if offer == Offer::Any { any } else { http1 };
        *late = Late::Handshake;
        match tls.connect(name.clone(), tcp).await {
            Ok(stream) => {
                let is_http2 = stream.get_ref().1.alpn_protocol() == Some(HTTP2);
                let protocol = if is_http2 { UpstreamProtocol::Http2 } else { UpstreamProtocol::Http1 };
                Ok((UpstreamStream::Tls(Box::new(stream)), protocol))
            }
            Err(error) => Err(match TlsFailure::of(&error, self.has_identity) {
                Some(failure) => Failure::Unreachable(Cause::Tls(Arc::new(failure))),
                None => Failure::Unreachable(Cause::Other(error.to_string().into())),
            }),
        }
    }
}

/// The names of the protocols in TLS (RFC 7301 §6, RFC 9113 §3.2).
const HTTP1: &[u8] = b"http/1.1";
const HTTP2: &[u8] = b"h2";

fn speaking(config: &ClientConfig, protocols: &[&[u8]]) -> TlsConnector {
    let mut config = config.clone();
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
    TlsConnector::from(Arc::new(config))
}

fn unreachable(error: DialError) -> Failure {
    tracing::debug!(?error, "no connection to the upstream");
    let error = match error {
        DialError::Resolve(error) => return Failure::Unreachable(Cause::Name(error.to_string().into())),
        DialError::Connect(error) => error,
    };
    match error.kind() {
        // Of this process, and of the system.
        _ if matches!(error.raw_os_error(), Some(EMFILE | ENFILE)) => Failure::Exhausted(Scarce::Files),
        io::ErrorKind::ConnectionRefused => Failure::Unreachable(Cause::Refused),
        _ => Failure::Unreachable(Cause::Other(error.to_string().into())),
    }
}

/// No file descriptor left, in the process or in the system: the same numbers on every Unix.
const EMFILE: i32 = 24;
const ENFILE: i32 = 23;

fn server_name(host: &str) -> Result<ServerName<'static>, ConnectorError> {
    ServerName::try_from(host.to_owned()).map_err(|_| ConnectorError::ServerName)
}
