//! A body on its way to the client in which the upstream's origin is rewritten.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame};

use super::super::rewrite::body::Rewriter;
use super::response::{ResponseError, UpstreamBody};

/// The upstream's body, rewritten.
pub struct Rewritten {
    inner: UpstreamBody,
    rewriter: Box<Rewriter>,
    then: Then,
}

/// The part that follows the rewriter's next pieces.
enum Then {
    More,
    Trailers(Frame<Bytes>),
    End,
    Over,
}

impl Rewritten {
    pub fn new(inner: UpstreamBody, rewriter: Box<Rewriter>) -> Rewritten {
        Rewritten { inner, rewriter, then: Then::More }
    }

    /// Whether all of it has gone.
    pub fn is_over(&self) -> bool {
        matches!(self.then, Then::Over)
    }

    pub fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, ResponseError>>> {
        loop {
            if self.is_over() {
                return Poll::Ready(None);
            }
            match self.rewriter.next_piece() {
                Ok(Some(piece)) => return Poll::Ready(Some(Ok(Frame::data(piece)))),
                Ok(None) => {}
                Err(error) => {
                    self.then = Then::Over;
                    return Poll::Ready(Some(Err(ResponseError::Encoding(error))));
                }
            }
            match std::mem::replace(&mut self.then, Then::Over) {
                Then::Trailers(trailers) => return Poll::Ready(Some(Ok(trailers))),
                Then::End | Then::Over => return Poll::Ready(None),
                Then::More => self.then = Then::More,
            }
            match std::task::ready!(Pin::new(&mut self.inner).poll_frame(cx)) {
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => self.rewriter.push(data),
                    Err(trailers) => {
                        self.rewriter.finish();
                        self.then = Then::Trailers(trailers);
                    }
                },
                None => {
                    self.rewriter.finish();
                    self.then = Then::End;
                }
            }
        }
    }
}
