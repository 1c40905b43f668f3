//! A client's socket: it reports the bytes that arrive, and does not hang up on a client that is still
//! sending.
//!
//! The first bytes tell HTTP/1 from HTTP/2. They are read once, together with any that come along, and
//! replayed to the protocol's server.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

use super::backlog::Backlog;
use super::coalesce;
use super::deadlines::{Deadlines, Wait};
use super::http2::{Meter, PREFACE, Violation};
use super::portion;
use crate::clock::Clock;

/// A connection accepted from a client.
pub struct ClientSocket {
    stream: ClientStream,
    vitals: Arc<Deadlines>,
    /// Told when all written bytes have been taken.
    backlog: Option<Arc<Backlog>>,
    /// Bytes read before the protocol was known.
    early: Bytes,
    /// Over HTTP/2: meters the client's frames.
    meter: Option<Box<Meter>>,
    /// Buffer of bytes that come after the last response.
    sink: Option<Box<[u8]>>,
    /// Whether the client has sent its end. hyper hears of it one turn later, so that a response that is ready goes
    /// first: hyper takes a half-closed client for gone.
    has_ended: bool,
    /// Whether we have sent ours.
    is_shut: bool,
}

/// Plain or TLS.
pub enum ClientStream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

macro_rules! delegate {
    ($stream:expr, $method:ident($($argument:expr),*)) => {
        match $stream {
            ClientStream::Plain(stream) => Pin::new(stream).$method($($argument),*),
            ClientStream::Tls(stream) => Pin::new(stream).$method($($argument),*),
        }
    };
}

/// Protocols of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientProtocol {
    Http1,
    Http2,
}

/// Bytes of a first read: most requests' heads.
const EARLY_BYTES: usize = 4 * 1024;
/// Read and dropped at a time.
const SINK_BYTES: usize = 16 * 1024;

impl ClientSocket {
    pub fn new(stream: ClientStream, vitals: Arc<Deadlines>) -> ClientSocket {
        ClientSocket {
            stream,
            vitals,
            backlog: None,
            early: Bytes::new(),
            meter: None,
            sink: None,
            has_ended: false,
            is_shut: false,
        }
    }

    /// Waits for the first bytes, up to where they can only be of one protocol.
    pub async fn protocol(&mut self) -> io::Result<ClientProtocol> {
        if let ClientStream::Tls(stream) = &self.stream {
            // Behind TLS, ALPN has settled it (RFC 9113 §3.2).
            let is_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
            return Ok(if is_http2 { ClientProtocol::Http2 } else { ClientProtocol::Http1 });
        }
        let mut early = Vec::new();
        let protocol = loop {
            let before = early.len();
            poll_fn(|cx| self.poll_early(cx, &mut early)).await?;
            let is_preface_so_far = early.iter().zip(PREFACE).all(|(byte, expected)| byte == expected);
            if !is_preface_so_far || early.len() == before {
                break ClientProtocol::Http1;
            }
            if early.len() >= PREFACE.len() {
                break ClientProtocol::Http2;
            }
        };
        self.early = Bytes::from(early);
        Ok(protocol)
    }

    /// From now on this is told when all written bytes have been taken.
    pub fn tell(&mut self, backlog: Option<Arc<Backlog>>) {
        self.backlog = backlog;
    }

    /// Takes back the bytes read before the connection rests: the beginning of a request.
    pub fn put_back(&mut self, early: Bytes) {
        self.early = early;
    }

    /// Waits until the client sends more, or hangs up.
    pub async fn stirs(&mut self) -> io::Result<()> {
        if self.early.is_empty() {
            let mut early = Vec::new();
            poll_fn(|cx| self.poll_early(cx, &mut early)).await?;
            self.early = Bytes::from(early);
        }
        Ok(())
    }

    /// Reads on in front of the protocol; no bytes are the end.
    fn poll_early(&mut self, cx: &mut Context<'_>, early: &mut Vec<u8>) -> Poll<io::Result<()>> {
        let mut bytes = [0; EARLY_BYTES];
        let mut buffer = ReadBuf::new(&mut bytes);
        ready!(Pin::new(&mut *self).poll_read(cx, &mut buffer))?;
        early.extend_from_slice(buffer.filled());
        Poll::Ready(Ok(()))
    }

    /// From now on the client sends frames, so that bytes are no longer a request's start.
    pub fn expect_frames(&mut self, clock: Clock) {
        self.vitals.end(Wait::Head);
        self.vitals.begin(Wait::Request);
        self.meter = Some(Box::new(Meter::new(clock)));
    }

    /// Sends our end.
    fn poll_shut(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let shut = delegate!(&mut self.stream, poll_shutdown(cx));
        self.is_shut = shut.is_ready();
        shut
    }

    /// Records bytes from the client.
    fn heard(&mut self, bytes: &[u8]) -> io::Result<()> {
        let Some(meter) = &mut self.meter else {
            if !bytes.is_empty() {
                self.vitals.heard();
            }
            return Ok(());
        };
        meter.see(bytes).map_err(|wrong| {
            io::Error::other(match wrong {
                Violation::NoSettings => "HTTP/2 that does not begin with SETTINGS",
                Violation::Flood => "a flood of frames that carry nothing",
            })
        })?;
        if meter.is_in_head() {
            self.vitals.begin_once(Wait::Head);
        } else {
            self.vitals.end(Wait::Head);
        }
        Ok(())
    }

    /// Notes whether the client lets us write.
    fn wrote(
        &mut self,
        slices: &[io::IoSlice<'_>],
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if written.is_pending() {
            self.vitals.begin_once(Wait::Write);
            self.vitals.suspend(Wait::Request);
        } else if self.vitals.is_waiting(Wait::Write) {
            self.vitals.end(Wait::Write);
            self.vitals.restart(Wait::Request);
        }
        if let Some(meter) = &mut self.meter
            && let Poll::Ready(Ok(mut left)) = written
        {
            let mut carries = false;
            for slice in slices {
                let (taken, _) = slice.split_at(left.min(slice.len()));
                carries |= meter.wrote(taken);
                left -= taken.len();
            }
            // A response's stream may be over for us and not yet for the client. A mere PING acknowledgement does not
            // prolong the connection.
            if carries {
                self.vitals.restart(Wait::Request);
            }
        }
        written
    }
}

impl ClientStream {
    fn tcp(&mut self) -> Pin<&mut TcpStream> {
        match self {
            ClientStream::Plain(stream) => Pin::new(stream),
            ClientStream::Tls(stream) => Pin::new(stream.get_mut().0),
        }
    }
}

impl AsyncRead for ClientSocket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        if self.early.is_empty() {
            ready!(match &mut self.stream {
                ClientStream::Plain(stream) => portion::read(stream, cx, buffer),
                ClientStream::Tls(stream) => portion::read(stream, cx, buffer),
            })?;
            let is_end = buffer.filled().len() == before && buffer.remaining() > 0;
            if is_end && !std::mem::replace(&mut self.has_ended, true) {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
        } else {
            let length = self.early.len().min(buffer.remaining());
            buffer.put_slice(&self.early.split_to(length));
        }
        Poll::Ready(self.heard(buffer.filled().get(before..).unwrap_or_default()))
    }
}

impl AsyncWrite for ClientSocket {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = delegate!(&mut self.stream, poll_write(cx, bytes));
        self.wrote(&[io::IoSlice::new(bytes)], written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = match &mut self.stream {
            ClientStream::Plain(stream) => coalesce::write(Pin::new(stream), cx, slices),
            ClientStream::Tls(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
        };
        self.wrote(slices, written)
    }

    fn is_write_vectored(&self) -> bool {
        match &self.stream {
            ClientStream::Plain(stream) => stream.is_write_vectored(),
            ClientStream::Tls(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = delegate!(&mut self.stream, poll_flush(cx));
        // TLS takes bytes that the socket has not taken yet.
        if flushed.is_pending() {
            self.vitals.begin_once(Wait::Write);
        } else if let Some(backlog) = &self.backlog {
            // hyper flushes when it has nothing left to write.
            backlog.clear();
        }
        ready!(flushed)?;
        // A client that still has to send its body learns at once that it need not: bytes that come all the same are
        // read and dropped (RFC 9112 §9.6).
        if !self.is_shut && self.meter.is_none() && self.vitals.has_said_all() {
            ready!(self.poll_shut(cx))?;
        }
        Poll::Ready(Ok(()))
    }

    /// Half-closes, and when bytes came after the last response, reads until the client closes: closing on unread
    /// bytes makes the kernel send a reset, which can overtake that response.
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.sink.is_none() {
            let shut = if this.is_shut { Poll::Ready(Ok(())) } else { this.poll_shut(cx) };
            if shut.is_pending() {
                this.vitals.begin_once(Wait::Close);
            }
            ready!(shut)?;
            // Over HTTP/2 the proxy always hangs up first, while the client may still send.
            if this.meter.is_none() && !this.vitals.expects_more() {
                return Poll::Ready(Ok(()));
            }
            this.vitals.end(Wait::Head);
            this.vitals.begin(Wait::Close);
        }
        let sink = this.sink.get_or_insert_with(|| vec![0; SINK_BYTES].into());
        loop {
            let mut buffer = ReadBuf::new(sink);
            // The bytes are dropped: behind TLS, not even decrypted.
            match ready!(this.stream.tcp().poll_read(cx, &mut buffer)) {
                Ok(()) if !buffer.filled().is_empty() => {}
                // It has closed, one way or the other.
                _ => return Poll::Ready(Ok(())),
            }
        }
    }
}

impl Drop for ClientSocket {
    /// A connection that ends with its response's body must not end cleanly when the response is incomplete.
    fn drop(&mut self) {
        if self.vitals.is_broken() {
            // It only fails on a socket that is dead already.
            let _ = self.stream.tcp().set_zero_linger();
        }
    }
}
