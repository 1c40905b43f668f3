//! A response's body on a stream, in pieces no longer than a frame, so that a client that lets the stream go
//! on, however slowly, is seen to.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use crate::proxy::body::response::{ResponseBody, ResponseError};
use crate::proxy::downstream::deadlines::{Deadlines, Wait};

/// Bytes of a piece: a frame's, unless a client allows longer ones (RFC 9113 §4.2).
const PIECE: usize = 16 * 1024;

/// The body sent to the client on one stream.
pub struct OutgoingBody {
    /// `None`: the response has no body, despite its headers (to HEAD).
    body: Option<ResponseBody>,
    /// The part of the latest frame beyond a piece.
    rest: Bytes,
    vitals: Arc<Deadlines>,
}

impl OutgoingBody {
    pub fn new(body: Option<ResponseBody>, vitals: Arc<Deadlines>) -> OutgoingBody {
        OutgoingBody { body, rest: Bytes::new(), vitals }
    }
}

impl Body for OutgoingBody {
    type Data = Bytes;
    type Error = ResponseError;

    /// hyper asks for more when the stream has room for it. Until it asks again, the client is waited
    /// for.
    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, ResponseError>>> {
        let this = &mut *self;
        this.vitals.end(Wait::Write);
        if this.rest.is_empty() {
            let Some(body) = &mut this.body else { return Poll::Ready(None) };
            match ready!(Pin::new(body).poll_frame(cx)).transpose()?.map(Frame::into_data) {
                Some(Ok(data)) => this.rest = data,
                Some(Err(other)) => return Poll::Ready(Some(Ok(other))),
                None => return Poll::Ready(None),
            }
        }
        let piece = this.rest.split_to(this.rest.len().min(PIECE));
        this.vitals.begin(Wait::Write);
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        let length = self.rest.len() as u64;
        let body = self.body.as_ref().map_or(SizeHint::with_exact(0), Body::size_hint);
        let mut hint = SizeHint::new();
        hint.set_lower(body.lower().saturating_add(length));
        if let Some(upper) = body.upper() {
            hint.set_upper(upper.saturating_add(length));
        }
        hint
    }
}
