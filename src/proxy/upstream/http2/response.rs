//! The body of a response on an HTTP/2 stream.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use h2::RecvStream;
use http_body::{Body, Frame, SizeHint};

use super::Slot;
use super::upload::StreamUpload;

/// The rest of a response. Dropped before its end, it resets the stream.
pub struct IncomingBody {
    stream: RecvStream,
    is_data_over: bool,
    _slot: Slot,
    /// A body that the upstream has not asked for: the response can come as long as this holds its end of the
    /// stream.
    _unwanted: Option<StreamUpload>,
}

impl IncomingBody {
    pub fn new(stream: RecvStream, slot: Slot, unwanted: Option<StreamUpload>) -> IncomingBody {
        IncomingBody { stream, is_data_over: false, _slot: slot, _unwanted: unwanted }
    }
}

impl Body for IncomingBody {
    type Data = Bytes;
    type Error = h2::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, h2::Error>>> {
        while !self.is_data_over {
            match ready!(self.stream.poll_data(cx)) {
                Some(Ok(data)) => {
                    // Lets the upstream send as much again. It only fails on a stream that is over.
                    let _ = self.stream.flow_control().release_capacity(data.len());
                    if !data.is_empty() || self.stream.is_end_stream() {
                        return Poll::Ready(Some(Ok(Frame::data(data))));
                    }
                }
                // An error, even NO_ERROR, is not a response's end.
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => self.is_data_over = true,
            }
        }
        let trailers = ready!(self.stream.poll_trailers(cx)).transpose();
        Poll::Ready(trailers.map(|trailers| trailers.map(Frame::trailers)))
    }

    fn is_end_stream(&self) -> bool {
        self.stream.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        // Elsewhere Content-Length gives the length, if it is known.
        if self.stream.is_end_stream() { SizeHint::with_exact(0) } else { SizeHint::default() }
    }
}
