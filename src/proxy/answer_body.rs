//! The body of an answer on its way to the client: streamed, never collected.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;

use super::pool::Lease;
use super::vitals::{Vitals, Wait};

/// Where an answer's body comes from.
pub enum Source {
    /// Made here.
    Own(Option<Bytes>),
    /// The upstream's. Its end, and only its end, gives the connection back to the pool.
    Upstream { body: Incoming, lease: Option<Lease> },
    /// There is none: what follows is not HTTP.
    Tunnel,
}

/// What goes to the client. When it ends, the connection waits for the next request.
pub struct AnswerBody {
    source: Source,
    vitals: Arc<Vitals>,
    /// HTTP/1.0 may know a body's end by the connection's end alone.
    ends_with_connection: bool,
}

impl AnswerBody {
    pub fn new(source: Source, vitals: Arc<Vitals>, is_http_10: bool) -> AnswerBody {
        AnswerBody { source, vitals, ends_with_connection: is_http_10 }
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let this = &mut *self;
        let (body, lease) = match &mut this.source {
            Source::Own(bytes) => return Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Source::Tunnel => return Poll::Ready(None),
            Source::Upstream { body, lease } => (body, lease),
        };
        let Poll::Ready(frame) = Pin::new(&mut *body).poll_frame(cx) else {
            this.vitals.begin_once(Wait::AnswerBody);
            return Poll::Pending;
        };
        this.vitals.end(Wait::AnswerBody);
        match &frame {
            Some(Err(error)) => {
                tracing::debug!(%error, "the upstream's answer broke off");
                drop(lease.take());
                if this.ends_with_connection {
                    this.vitals.break_off();
                }
            }
            Some(Ok(frame)) if frame.is_data() && !body.is_end_stream() => {}
            _ => {
                if let Some(lease) = lease.take() {
                    lease.give_back();
                }
            }
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        match &self.source {
            Source::Own(bytes) => bytes.is_none(),
            Source::Upstream { body, .. } => body.is_end_stream(),
            Source::Tunnel => true,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.source {
            Source::Own(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, Bytes::len) as u64),
            Source::Upstream { body, .. } => body.size_hint(),
            Source::Tunnel => SizeHint::with_exact(0),
        }
    }
}

impl Drop for AnswerBody {
    fn drop(&mut self) {
        if !matches!(self.source, Source::Tunnel) {
            self.vitals.end_answer();
        }
    }
}
