//! Bodies of responses: whole, in pieces, or generated while they are sent.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use std::vec;

use bytes::{Bytes, BytesMut};
use http_body::{Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::Sleep;

/// Size of a chunk in bytes.
const CHUNK: usize = 64 * 1024;

/// The period of the byte pattern. A prime, so that a chunk lost or swapped shows.
const PERIOD: usize = 251;

/// `0, 1, … 250, 0, 1, …`, long enough to cut a chunk from at any phase.
#[expect(clippy::indexing_slicing, reason = "checked when it is compiled")]
static PATTERN: [u8; CHUNK + PERIOD] = {
    let mut pattern = [0; CHUNK + PERIOD];
    let mut at = 0;
    while at < pattern.len() {
        pattern[at] = (at % PERIOD) as u8;
        at += 1;
    }
    pattern
};

/// The body of a response.
pub(super) enum SampleBody {
    /// One piece, or nothing.
    Whole(Option<Bytes>),
    /// Shared pieces one after the other, and how many bytes are left of them.
    Pieces(vec::IntoIter<Bytes>, u64),
    /// The byte pattern from `at` to `end`; `sized` when the length is told beforehand.
    Pattern { at: u64, end: u64, sized: bool },
    /// The body of the request.
    Echo(Incoming),
    /// Server-sent events.
    Events(Box<Events>),
}

/// Server-sent events numbered from 1, the first at once.
pub(super) struct Events {
    next: u64,
    last: u64,
    pause: Duration,
    sleep: Option<Pin<Box<Sleep>>>,
}

impl SampleBody {
    /// A body of one piece.
    pub fn whole(bytes: Bytes) -> SampleBody {
        SampleBody::Whole((!bytes.is_empty()).then_some(bytes))
    }

    /// A body of several pieces.
    pub fn pieces(pieces: Vec<Bytes>) -> SampleBody {
        let length = pieces.iter().map(|piece| piece.len() as u64).sum();
        SampleBody::Pieces(pieces.into_iter(), length)
    }

    /// `count` events, `pause` apart.
    pub fn events(count: u64, pause: Duration) -> SampleBody {
        SampleBody::Events(Box::new(Events { next: 1, last: count, pause, sleep: None }))
    }
}

impl http_body::Body for SampleBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let data = match self.get_mut() {
            SampleBody::Whole(bytes) => bytes.take(),
            SampleBody::Pieces(pieces, left) => {
                let chunk = gather(pieces);
                *left = left.saturating_sub(chunk.as_ref().map_or(0, |chunk| chunk.len() as u64));
                chunk
            }
            SampleBody::Pattern { at, end, .. } => {
                let chunk = cut(*at, *end);
                *at += chunk.len() as u64;
                (!chunk.is_empty()).then_some(chunk)
            }
            SampleBody::Echo(body) => return Pin::new(body).poll_frame(context),
            SampleBody::Events(events) => ready!(events.poll_next(context)),
        };
        Poll::Ready(data.map(|data| Ok(Frame::data(data))))
    }

    fn is_end_stream(&self) -> bool {
        match self {
            SampleBody::Whole(bytes) => bytes.is_none(),
            SampleBody::Pieces(_, left) => *left == 0,
            SampleBody::Pattern { at, end, .. } => at >= end,
            SampleBody::Echo(body) => body.is_end_stream(),
            SampleBody::Events(events) => events.next > events.last,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            SampleBody::Whole(bytes) => {
                SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
            }
            SampleBody::Pieces(_, left) => SizeHint::with_exact(*left),
            SampleBody::Pattern { at, end, sized: true } => SizeHint::with_exact(end - at),
            SampleBody::Echo(body) => body.size_hint(),
            SampleBody::Pattern { .. } | SampleBody::Events(_) => SizeHint::default(),
        }
    }
}

impl Events {
    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Bytes>> {
        if self.next > self.last {
            return Poll::Ready(None);
        }
        if let Some(sleep) = &mut self.sleep {
            ready!(sleep.as_mut().poll(context));
        }
        let n = self.next;
        self.next += 1;
        self.sleep = Some(Box::pin(tokio::time::sleep(self.pause)));
        Poll::Ready(Some(format!("id: {n}\nevent: tick\ndata: {{\"n\":{n}}}\n\n").into()))
    }
}

/// The next chunk of small pieces, or the next large piece as it is.
fn gather(pieces: &mut vec::IntoIter<Bytes>) -> Option<Bytes> {
    let first = pieces.next()?;
    let mut chunk = BytesMut::new();
    while let Some(piece) = pieces.as_slice().first()
        && first.len() + chunk.len() + piece.len() <= CHUNK
    {
        if chunk.is_empty() {
            chunk.reserve(CHUNK);
            chunk.extend_from_slice(&first);
        }
        chunk.extend_from_slice(piece);
        pieces.next();
    }
    Some(if chunk.is_empty() { first } else { chunk.freeze() })
}

/// The chunk of the pattern that starts at `at`; empty at the end.
fn cut(at: u64, end: u64) -> Bytes {
    let length = end.saturating_sub(at).min(CHUNK as u64) as usize;
    let phase = (at % PERIOD as u64) as usize;
    Bytes::from_static(PATTERN.get(phase..phase + length).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;

    use super::*;

    fn read(body: SampleBody) -> Bytes {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(body.collect()).unwrap().to_bytes()
    }

    #[test]
    fn the_pattern_has_its_length_and_goes_on_across_chunks() {
        for length in [0, 1, 250, 65_535, 65_536, 65_537, 200_000] {
            for sized in [true, false] {
                let body = SampleBody::Pattern { at: 0, end: length, sized };
                assert_eq!(http_body::Body::size_hint(&body).exact(), sized.then_some(length));
                let bytes = read(body);
                assert_eq!(bytes.len() as u64, length);
                assert!(bytes.iter().enumerate().all(|(at, byte)| *byte as usize == at % PERIOD));
            }
        }
    }

    #[test]
    fn pieces_arrive_whole_and_in_order() {
        for lengths in [vec![], vec![1, 2, 3], vec![40_000, 40_000, 10], vec![100_000, 1, 70_000]] {
            let pieces: Vec<Bytes> =
                lengths.iter().zip(b'a'..).map(|(length, byte)| vec![byte; *length].into()).collect();
            let body = SampleBody::pieces(pieces.clone());
            assert_eq!(http_body::Body::size_hint(&body).exact(), Some(pieces.concat().len() as u64));
            assert_eq!(read(body), pieces.concat(), "{lengths:?}");
        }
    }
}
