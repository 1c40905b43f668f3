//! A client's socket, which tells what it hears and which does not hang up on somebody who talks.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::gather;
use super::vitals::{Vitals, Wait};

/// A connection accepted from a client.
pub struct ClientSocket {
    stream: TcpStream,
    vitals: Arc<Vitals>,
    /// Where bytes go that come after the last answer.
    sink: Option<Box<[u8]>>,
    /// Whether the client has sent its end. hyper hears of it one turn later, so that an answer that
    /// is ready goes first: to hyper a client that sends no more is gone.
    has_ended: bool,
}

/// Read and dropped at a time.
const SINK_BYTES: usize = 16 * 1024;

impl ClientSocket {
    pub fn new(stream: TcpStream, vitals: Arc<Vitals>) -> ClientSocket {
        ClientSocket { stream, vitals, sink: None, has_ended: false }
    }

    /// Notes whether the client lets us write.
    fn wrote(&self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if written.is_pending() {
            self.vitals.begin_once(Wait::Write);
            self.vitals.suspend(Wait::Request);
        } else if self.vitals.is_waiting(Wait::Write) {
            self.vitals.end(Wait::Write);
            self.vitals.restart(Wait::Request);
        }
        written
    }
}

impl AsyncRead for ClientSocket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buffer))?;
        if buffer.filled().len() > before {
            self.vitals.heard();
        } else if buffer.remaining() > 0 && !std::mem::replace(&mut self.has_ended, true) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for ClientSocket {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.wrote(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = gather::write(Pin::new(&mut self.stream), cx, slices);
        self.wrote(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    /// Says goodbye, and when something came after the last answer, hears the client out: closing on
    /// unread bytes makes the kernel send a reset, which can overtake that answer.
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.sink.is_none() {
            ready!(Pin::new(&mut this.stream).poll_shutdown(cx))?;
            if !this.vitals.expects_more() {
                return Poll::Ready(Ok(()));
            }
            this.vitals.end(Wait::Head);
            this.vitals.begin(Wait::Close);
        }
        let sink = this.sink.get_or_insert_with(|| vec![0; SINK_BYTES].into());
        loop {
            let mut buffer = ReadBuf::new(sink);
            match ready!(Pin::new(&mut this.stream).poll_read(cx, &mut buffer)) {
                Ok(()) if !buffer.filled().is_empty() => {}
                // It has closed, one way or the other.
                _ => return Poll::Ready(Ok(())),
            }
        }
    }
}

impl Drop for ClientSocket {
    /// A connection whose end is an answer's end must not end cleanly when the answer is not whole.
    fn drop(&mut self) {
        if self.vitals.is_broken() {
            // It only fails on a socket that is dead already.
            let _ = self.stream.set_zero_linger();
        }
    }
}
