//! One connection to the upstream as bytes, plain or TLS, and the one case in which it is replaced
//! unseen: a stale one, for a request that may be sent once more.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use super::super::downstream::backlog::Backlog;
use super::super::downstream::{coalesce, portion};
use super::super::error::Failure;
use super::connect::{Connector, Offer};

/// A connection to the upstream.
///
/// An upstream that has responded may close without having read all of the request. Its response counts, so
/// that its refusal to read more is not an error: later writes are lost, and the reading side reports the
/// end.
pub struct Transport {
    stream: UpstreamStream,
    is_deaf: bool,
    stale: Stale,
}

/// The layers below HTTP.
pub enum UpstreamStream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// Whether the next request on a connection may be sent once more should the connection prove stale (cleared by the
/// first byte of a response), and how much may come before its response's head is whole.
#[derive(Clone, Debug, Default)]
pub struct Replayable(Arc<Word>);

#[derive(Debug)]
struct Word {
    is_allowed: AtomicBool,
    /// Bytes that may still be read before the head is whole; [`UNAWAITED`] when none is awaited.
    head_bytes: AtomicUsize,
    backlog: Arc<Backlog>,
}

const UNAWAITED: usize = usize::MAX;
/// Bytes of interim responses (1xx) before a response: far more than Early Hints take, and too few to hold up a
/// worker.
const INTERIM_BYTES: usize = 64 * 1024;

impl Default for Word {
    fn default() -> Word {
        Word {
            is_allowed: AtomicBool::new(false),
            head_bytes: AtomicUsize::new(UNAWAITED),
            backlog: Arc::default(),
        }
    }
}

impl Replayable {
    /// The next request may be sent once more: it is safe, and has no body.
    pub fn allow(&self) {
        self.0.is_allowed.store(true, Relaxed);
    }

    fn is_allowed(&self) -> bool {
        self.0.is_allowed.load(Relaxed)
    }

    fn forbid(&self) {
        self.0.is_allowed.store(false, Relaxed);
    }

    /// Bytes of the request's body held by the connection.
    pub fn backlog(&self) -> &Arc<Backlog> {
        &self.0.backlog
    }

    /// Begins to await a response, with a head of `most` bytes at most.
    pub fn await_head(&self, most: usize) {
        self.0.head_bytes.store(most.saturating_add(INTERIM_BYTES).min(UNAWAITED - 1), Relaxed);
    }

    /// The response's head has come.
    pub fn end_head(&self) {
        self.0.head_bytes.store(UNAWAITED, Relaxed);
    }

    /// Whether too much was read without the head being whole: hyper would read interim responses for ever.
    fn is_flooded(&self) -> bool {
        self.0.head_bytes.load(Relaxed) == 0
    }

    fn read(&self, bytes: usize) {
        let left = self.0.head_bytes.load(Relaxed);
        if left != UNAWAITED {
            self.0.head_bytes.store(left.saturating_sub(bytes), Relaxed);
        }
    }
}

/// The bytes of the latest request, to send it once more. Keeping them as written costs less than a second copy of
/// the header map: 15 ns, not 180.
struct Stale {
    connector: Arc<Connector>,
    replayable: Replayable,
    /// Of a request that may be sent once more, and of no other.
    written: Vec<u8>,
    renewal: Option<Renewal>,
}

/// A fresh connection on which the request has been written.
type Renewal = Pin<Box<dyn Future<Output = Result<UpstreamStream, Failure>> + Send>>;

/// Longer heads are not kept, in bytes.
const KEPT_BYTES: usize = 64 * 1024;
/// Capacity of the buffer that is kept between requests.
const KEPT_CAPACITY: usize = 4 * 1024;

macro_rules! delegate {
    ($stream:expr, $method:ident($($argument:expr),*)) => {
        match $stream {
            UpstreamStream::Plain(stream) => Pin::new(stream).$method($($argument),*),
            UpstreamStream::Tls(stream) => Pin::new(stream).$method($($argument),*),
        }
    };
}

impl Transport {
    /// A connection just made by `connector`.
    pub fn new(stream: UpstreamStream, connector: Arc<Connector>, replayable: Replayable) -> Transport {
        let stale = Stale { connector, replayable, written: Vec::new(), renewal: None };
        Transport { stream, is_deaf: false, stale }
    }

    /// The outcome of a write; `all` is the value had everything been taken.
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

    /// Waits until a stale connection has been replaced, if it is about to be.
    fn poll_renewed(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Some(renewal) = &mut self.stale.renewal else { return Poll::Ready(Ok(())) };
        let renewed = ready!(renewal.as_mut().poll(cx));
        self.stale.renewal = None;
        self.stream = renewed.map_err(io::Error::other)?;
        self.is_deaf = false;
        Poll::Ready(Ok(()))
    }
}

impl Stale {
    /// Records the bytes taken of a request.
    fn note<'b>(&mut self, slices: impl Iterator<Item = &'b [u8]>, taken: &Poll<io::Result<usize>>) {
        let &Poll::Ready(Ok(mut taken)) = taken else { return };
        if !self.replayable.is_allowed() {
            return;
        }
        for slice in slices {
            let (bytes, _) = slice.split_at(taken.min(slice.len()));
            taken -= bytes.len();
            self.written.extend_from_slice(bytes);
        }
        if self.written.len() > KEPT_BYTES {
            self.forget();
        }
    }

    /// The upstream has begun to respond.
    fn forget(&mut self) {
        if self.replayable.is_allowed() {
            self.replayable.forbid();
            self.written.clear();
            self.written.shrink_to(KEPT_CAPACITY);
        }
    }

    /// Begins to send the request once more, if that is allowed, and clears the permission.
    fn begin_renewal(&mut self) -> bool {
        if !self.replayable.is_allowed() || self.written.is_empty() {
            return false;
        }
        self.replayable.forbid();
        let request = std::mem::take(&mut self.written);
        let connector = Arc::clone(&self.connector);
        self.renewal = Some(Box::pin(async move {
            let (mut stream, _) = connector.open(Offer::Http1).await?;
            let written = write(&mut stream, &request).await;
            written.map_err(|error| Failure::reset(&error))?;
            connector.count_replay();
            Ok(stream)
        }));
        true
    }
}

async fn write(stream: &mut UpstreamStream, bytes: &[u8]) -> io::Result<()> {
    match stream {
        UpstreamStream::Plain(stream) => stream.write_all(bytes).await,
        UpstreamStream::Tls(stream) => {
            stream.write_all(bytes).await?;
            stream.flush().await
        }
    }
}

impl AsyncRead for Transport {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        loop {
            ready!(this.poll_renewed(cx))?;
            if this.stale.replayable.is_flooded() {
                let why = format!("more than {INTERIM_BYTES} bytes of interim answers (1xx) came before it");
                return Poll::Ready(Err(io::Error::other(Failure::Garbled(why.into()))));
            }
            let before = buffer.filled().len();
            let read = ready!(match &mut this.stream {
                UpstreamStream::Plain(stream) => portion::read(stream, cx, buffer),
                UpstreamStream::Tls(stream) => portion::read(stream, cx, buffer),
            });
            if read.is_ok() && buffer.filled().len() > before {
                this.stale.forget();
                this.stale.replayable.read(buffer.filled().len() - before);
                return Poll::Ready(read);
            }
            if !this.stale.begin_renewal() {
                return Poll::Ready(read);
            }
        }
    }
}

impl AsyncWrite for Transport {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        ready!(this.poll_renewed(cx))?;
        let written = match this.is_deaf {
            true => Poll::Ready(Ok(bytes.len())),
            false => {
                let written = delegate!(&mut this.stream, poll_write(cx, bytes));
                this.heard(written, bytes.len())
            }
        };
        this.stale.note(std::iter::once(bytes), &written);
        written
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        ready!(this.poll_renewed(cx))?;
        let all = slices.iter().map(|slice| slice.len()).sum();
        let written = match (&mut this.stream, this.is_deaf) {
            (_, true) => Poll::Ready(Ok(all)),
            (UpstreamStream::Plain(stream), _) => coalesce::write(Pin::new(stream), cx, slices),
            (UpstreamStream::Tls(stream), _) => Pin::new(stream).poll_write_vectored(cx, slices),
        };
        let written = this.heard(written, all);
        this.stale.note(slices.iter().map(|slice| &**slice), &written);
        written
    }

    fn is_write_vectored(&self) -> bool {
        match &self.stream {
            UpstreamStream::Plain(stream) => stream.is_write_vectored(),
            UpstreamStream::Tls(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        ready!(this.poll_renewed(cx))?;
        let flushed = match this.is_deaf {
            true => Poll::Ready(Ok(())),
            false => {
                let flushed = delegate!(&mut this.stream, poll_flush(cx));
                this.heard(flushed, ())
            }
        };
        if flushed.is_ready() {
            // hyper flushes when it has nothing left to write.
            this.stale.replayable.backlog().clear();
        }
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        delegate!(&mut self.stream, poll_shutdown(cx))
    }
}
