//! An upstream's body that rules look at before the client gets it. It is held back until then, within bounds of
//! length and time, and goes on with the bytes that came.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{self, HeaderMap};
use http_body::{Body, Frame, SizeHint};

use super::super::downstream::client::Client;
use super::super::downstream::deadlines::Wait;
use super::response::{ResponseError, ResponseSource, UpstreamBody};
use crate::model::{BodyFacts, Json};

/// Longer bodies are taken for streams, and go on unseen.
const LOOK_TIME: Duration = Duration::from_secs(5);
/// Bytes of the inspected part that go on at a time.
const PIECE: usize = 32 * 1024;

/// A body of which a part was inspected.
#[derive(Default)]
pub struct Looked {
    /// Inspected, and still to go on.
    seen: Bytes,
    /// Trailers, or an error, behind it.
    then: Option<Result<Frame<Bytes>, ResponseError>>,
    rest: Option<UpstreamBody>,
}

/// Reads a response's body as rules see it: up to `limit` bytes, and through its codings. A longer one, a stream and one
/// that breaks off are [`BodyFacts::TooLong`].
pub async fn look(
    source: &mut ResponseSource,
    headers: &HeaderMap,
    limit: u64,
    client: &Client,
) -> BodyFacts {
    // As for the versions of long responses: a look would keep the worker's other clients waiting.
    let limit = limit.min(Json::QUICK as u64);
    let body = match source {
        ResponseSource::Upstream { body, .. } => body,
        ResponseSource::Own(_) | ResponseSource::Unsent(_) => return BodyFacts::read(Bytes::new()),
        ResponseSource::Tunnel => return BodyFacts::TooLong,
    };
    if is_stream(headers) || body.size_hint().lower() > limit {
        return BodyFacts::TooLong;
    }
    let mut rest = std::mem::replace(body, UpstreamBody::Looked(Box::default()));
    let (mut seen, mut then, mut is_whole) = (BytesMut::new(), None, false);
    let reading = async {
        while seen.len() as u64 <= limit {
            let frame = poll_fn(|cx| {
                let frame = Pin::new(&mut rest).poll_frame(cx);
                match frame.is_pending() {
                    true => client.vitals.begin_once(Wait::ResponseBody),
                    false => client.vitals.end(Wait::ResponseBody),
                }
                frame
            });
            match frame.await {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => seen.extend_from_slice(&data),
                    Err(trailers) => {
                        (then, is_whole) = (Some(Ok(trailers)), true);
                        return;
                    }
                },
                Some(Err(error)) => {
                    then = Some(Err(error));
                    return;
                }
                None => {
                    is_whole = true;
                    return;
                }
            }
        }
    };
    let _ = tokio::time::timeout(LOOK_TIME, reading).await;
    client.vitals.end(Wait::ResponseBody);
    let seen = seen.freeze();
    let is_whole = is_whole && seen.len() as u64 <= limit;
    *body = UpstreamBody::Looked(Box::new(Looked { seen: seen.clone(), then, rest: Some(rest) }));
    match is_whole {
        true => BodyFacts::read(seen).decoded(headers, limit),
        false => BodyFacts::TooLong,
    }
}

/// Whether the parts of a body are each of use before its end.
fn is_stream(headers: &HeaderMap) -> bool {
    const STREAMS: [&str; 4] =
        ["text/event-stream", "multipart/x-mixed-replace", "application/grpc", "application/x-ndjson"];
    let kind = headers.get(header::CONTENT_TYPE).map(http::HeaderValue::as_bytes).unwrap_or_default();
    STREAMS.iter().any(|stream| {
        kind.get(..stream.len()).is_some_and(|start| start.eq_ignore_ascii_case(stream.as_bytes()))
    })
}

impl Looked {
    pub fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, ResponseError>>> {
        if !self.seen.is_empty() {
            let piece = self.seen.split_to(self.seen.len().min(PIECE));
            return Poll::Ready(Some(Ok(Frame::data(piece))));
        }
        match (self.then.take(), &mut self.rest) {
            (Some(then), _) => Poll::Ready(Some(then)),
            (None, Some(rest)) => Pin::new(rest).poll_frame(cx),
            (None, None) => Poll::Ready(None),
        }
    }

    /// Whether all of it has gone.
    pub fn is_over(&self) -> bool {
        self.seen.is_empty() && self.then.is_none() && self.rest.as_ref().is_none_or(Body::is_end_stream)
    }

    pub fn size_hint(&self) -> SizeHint {
        let rest = self.rest.as_ref().map(Body::size_hint).unwrap_or_default();
        let seen = self.seen.len() as u64;
        let mut hint = SizeHint::new();
        if let Some(upper) = rest.upper() {
            hint.set_upper(upper + seen);
        }
        hint.set_lower(rest.lower() + seen);
        hint
    }
}
