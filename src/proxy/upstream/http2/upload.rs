//! A request's body on its way into an HTTP/2 stream, no faster than the upstream takes it.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use h2::{Reason, SendStream};
use http_body::Body;

use super::Slot;
use crate::proxy::body::request::RequestBody;

/// A body that is being sent.
pub struct StreamUpload {
    body: RequestBody,
    to: SendStream<Bytes>,
    /// Bytes that wait for the upstream's window, and whether they are the last.
    next: Option<(Bytes, End)>,
    sent: Sent,
    /// Pieces that were handed over.
    taken: u64,
    is_over: bool,
    _slot: Slot,
}

/// The bytes sent, in case the upstream has not processed them.
struct Sent {
    /// `None` beyond the bytes kept for another try.
    bytes: Option<BytesMut>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Last,
    More,
}

/// Why a body is not sent to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// It broke off, and so did the stream.
    Body,
    /// The upstream takes no more, or the connection is gone: the response says which.
    Stream,
}

/// Bytes kept for another try, the initial window of a stream (RFC 9113 §6.9.2): an upstream that takes more
/// has processed it.
const KEPT_BYTES: usize = 65_535;

impl StreamUpload {
    pub fn new(body: RequestBody, to: SendStream<Bytes>, slot: Slot) -> StreamUpload {
        StreamUpload { body, to, next: None, sent: Sent::new(), taken: 0, is_over: false, _slot: slot }
    }

    /// Sends as much as the windows allow.
    pub fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Stopped>> {
        if self.is_over {
            return Poll::Ready(Ok(()));
        }
        let done = ready!(self.poll_all(cx));
        self.is_over = true;
        Poll::Ready(done)
    }

    fn poll_all(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Stopped>> {
        loop {
            // This also wakes the task when the stream is reset later.
            if self.to.poll_reset(cx).is_ready() {
                return Poll::Ready(Err(Stopped::Stream));
            }
            if self.next.is_some() {
                ready!(self.poll_room(cx))?;
                let Some((data, end)) = self.next.take() else { continue };
                self.to.send_data(data, end == End::Last).map_err(|_| Stopped::Stream)?;
                self.taken += 1;
                if end == End::Last {
                    return Poll::Ready(Ok(()));
                }
            }
            match ready!(Pin::new(&mut self.body).poll_frame(cx)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => {
                        self.sent.keep(&data);
                        let end = if self.body.is_end_stream() { End::Last } else { End::More };
                        self.next = Some((data, end));
                    }
                    Err(frame) => {
                        self.sent.forget();
                        let trailers = frame.into_trailers().unwrap_or_default();
                        return Poll::Ready(self.to.send_trailers(trailers).map_err(|_| Stopped::Stream));
                    }
                },
                Some(Err(_)) => {
                    // An end would make the upstream take it for whole.
                    self.to.send_reset(Reason::CANCEL);
                    return Poll::Ready(Err(Stopped::Body));
                }
                None => {
                    let end = self.to.send_data(Bytes::new(), true);
                    return Poll::Ready(end.map_err(|_| Stopped::Stream));
                }
            }
        }
    }

    /// Waits until the upstream takes at least a byte. To ask for more at once would keep the window of the
    /// connection from other streams; each write is bounded by one frame.
    fn poll_room(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Stopped>> {
        self.to.reserve_capacity(1);
        while self.to.capacity() == 0 {
            match ready!(self.to.poll_capacity(cx)) {
                Some(Ok(_)) => {}
                _ => return Poll::Ready(Err(Stopped::Stream)),
            }
        }
        Poll::Ready(Ok(()))
    }

    /// The body as it was before any of it was sent, if that can still be had.
    pub fn take_back(self) -> Option<RequestBody> {
        let StreamUpload { mut body, sent, .. } = self;
        body.unread(sent.bytes?);
        Some(body)
    }

    pub fn is_over(&self) -> bool {
        self.is_over
    }

    /// Goes on beside an early response, for as long as the upstream takes something now and then.
    pub async fn finish(mut self, patience: Duration) {
        loop {
            let before = self.taken;
            let is_over = tokio::time::timeout(patience, poll_fn(|cx| self.poll(cx))).await.is_ok();
            // A wait for the client ends with the client, which is timed elsewhere.
            let has_moved = self.taken > before || self.next.is_none();
            if is_over || !has_moved {
                return;
            }
        }
    }
}

impl Sent {
    fn new() -> Sent {
        Sent { bytes: Some(BytesMut::new()) }
    }

    fn keep(&mut self, data: &Bytes) {
        let Some(bytes) = &mut self.bytes else { return };
        if bytes.len() + data.len() > KEPT_BYTES {
            self.forget();
        } else {
            bytes.extend_from_slice(data);
        }
    }

    fn forget(&mut self) {
        self.bytes = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The number of pieces of `length` bytes that are kept.
    fn kept(length: usize) -> usize {
        let mut sent = Sent::new();
        let piece = Bytes::from(vec![0; length]);
        let keeps = |sent: &mut Sent| {
            sent.keep(&piece);
            sent.bytes.is_some()
        };
        (0..100_000).take_while(|_| keeps(&mut sent)).count()
    }

    #[test]
    fn what_is_kept_is_bounded_by_its_bytes() {
        assert_eq!([1, 1_000, 65_535, 65_536].map(kept), [65_535, 65, 1, 0]);
    }
}
