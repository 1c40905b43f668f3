//! Connections to the upstream, plain or TLS.

use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::HeaderValue;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::error::{Cause, Failure, Late};
use super::gather;
use crate::rules::{Authority, Scheme, UpstreamUrl};

/// Makes connections to one upstream.
#[derive(Clone)]
pub struct Connector {
    authority: Authority,
    /// `Host` as the upstream knows itself.
    pub own_host: HeaderValue,
    tls: Option<(TlsConnector, ServerName<'static>)>,
    timeout: Duration,
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
    /// A connector to `url`; for https it trusts the system's roots.
    pub fn new(url: &UpstreamUrl, timeout: Duration) -> Result<Connector, ConnectorError> {
        let tls = match url.scheme {
            Scheme::Http => None,
            Scheme::Https => Some((system_tls()?, server_name(&url.authority.host)?)),
        };
        let own_host = HeaderValue::try_from(url.host_header()).map_err(|_| ConnectorError::ServerName)?;
        Ok(Connector { authority: url.authority.clone(), own_host, tls, timeout })
    }

    /// A connection on which a request can be sent.
    pub async fn connect(&self) -> Result<Transport, Failure> {
        tokio::time::timeout(self.timeout, self.open())
            .await
            .unwrap_or(Err(Failure::TimedOut(Late::Connection)))
    }

    async fn open(&self) -> Result<Transport, Failure> {
        let host = &*self.authority.host;
        let tcp = TcpStream::connect((host, self.authority.port))
            .await
            .map_err(|error| Failure::Unreachable(cause(host, &error)))?;
        // Small writes must not wait for acknowledgements. It only fails on a dead socket.
        let _ = tcp.set_nodelay(true);
        match &self.tls {
            None => Ok(Transport::new(Stream::Plain(tcp))),
            Some((tls, name)) => match tls.connect(name.clone(), tcp).await {
                Ok(stream) => Ok(Transport::new(Stream::Tls(Box::new(stream)))),
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

/// A connection to the upstream.
///
/// An upstream that has answered may close without having read all of the request. What it said
/// counts, so that its refusal to hear more is not an error: what is written from then on is lost,
/// and the reading side tells the end.
pub struct Transport {
    stream: Stream,
    is_deaf: bool,
}

enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

macro_rules! delegate {
    ($stream:expr, $method:ident($($argument:expr),*)) => {
        match $stream {
            Stream::Plain(stream) => Pin::new(stream).$method($($argument),*),
            Stream::Tls(stream) => Pin::new(stream).$method($($argument),*),
        }
    };
}

impl Transport {
    fn new(stream: Stream) -> Transport {
        Transport { stream, is_deaf: false }
    }

    /// What a write came to; `all` is what it would be had everything been taken.
    fn heard<T>(&mut self, written: Poll<io::Result<T>>, all: T) -> Poll<io::Result<T>> {
        match written {
            Poll::Ready(Err(error)) => {
                tracing::debug!(%error, "the upstream reads no more");
                self.is_deaf = true;
                Poll::Ready(Ok(all))
            }
            written => written,
        }
    }
}

impl AsyncRead for Transport {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        delegate!(&mut self.stream, poll_read(cx, buffer))
    }
}

impl AsyncWrite for Transport {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.is_deaf {
            return Poll::Ready(Ok(bytes.len()));
        }
        let written = delegate!(&mut self.stream, poll_write(cx, bytes));
        self.heard(written, bytes.len())
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let all = slices.iter().map(|slice| slice.len()).sum();
        if self.is_deaf {
            return Poll::Ready(Ok(all));
        }
        let written = match &mut self.stream {
            Stream::Plain(stream) => gather::write(Pin::new(stream), cx, slices),
            Stream::Tls(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
        };
        self.heard(written, all)
    }

    fn is_write_vectored(&self) -> bool {
        match &self.stream {
            Stream::Plain(stream) => stream.is_write_vectored(),
            Stream::Tls(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.is_deaf {
            return Poll::Ready(Ok(()));
        }
        let flushed = delegate!(&mut self.stream, poll_flush(cx));
        self.heard(flushed, ())
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        delegate!(&mut self.stream, poll_shutdown(cx))
    }
}
