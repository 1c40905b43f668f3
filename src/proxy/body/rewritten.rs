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
    /// Bytes received and not rewritten yet.
    input: Bytes,
    /// Trailers, or the end, wait for it.
    then: Then,
}

enum Then {
    More,
    Trailers(Frame<Bytes>),
    End,
    Over,
}

impl Rewritten {
    pub fn new(inner: UpstreamBody, rewriter: Box<Rewriter>) -> Rewritten {
        Rewritten { inner, rewriter, input: Bytes::new(), then: Then::More }
    }

    /// Whether all of it has gone.
    pub fn is_over(&self) -> bool {
        matches!(self.then, Then::Over)
    }

    pub fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, ResponseError>>> {
        loop {
            match &self.then {
                Then::More if !self.input.is_empty() => {
                    match self.rewriter.take(&mut self.input, false).map_err(ResponseError::Encoding) {
                        Ok(out) if out.is_empty() => {}
                        out => return Poll::Ready(Some(out.map(Frame::data))),
                    }
                }
                Then::More => match std::task::ready!(Pin::new(&mut self.inner).poll_frame(cx)) {
                    None => self.then = Then::End,
                    Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                    Some(Ok(frame)) => match frame.into_data() {
                        Ok(data) => self.input = data,
                        Err(trailers) => self.then = Then::Trailers(trailers),
                    },
                },
                Then::Trailers(_) | Then::End => {
                    let out = self.rewriter.take(&mut self.input, true).map_err(ResponseError::Encoding);
                    let trailers = match std::mem::replace(&mut self.then, Then::Over) {
                        Then::Trailers(trailers) => Some(trailers),
                        _ => None,
                    };
                    match out {
                        Ok(out) if out.is_empty() => return Poll::Ready(trailers.map(Ok)),
                        Ok(out) => {
                            if let Some(trailers) = trailers {
                                // The rest is empty, so that the trailers come next.
                                self.then = Then::Trailers(trailers);
                            }
                            return Poll::Ready(Some(Ok(Frame::data(out))));
                        }
                        Err(error) => return Poll::Ready(Some(Err(error))),
                    }
                }
                Then::Over => return Poll::Ready(None),
            }
        }
    }
}
