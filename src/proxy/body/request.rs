//! The body of a request on its way to the upstream: streamed, and collected only as far as a rule looks at it.

use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use hyper::body::Incoming;

use super::super::downstream::backlog::Backlog;
use super::super::downstream::deadlines::{Deadlines, RequestNumber, UploadProgress, Wait};
use super::super::record::RequestRecorder;
use super::super::tasks::Tasks;
use super::super::upstream::expect_continue::ContinueGate;
use crate::model::BodyFacts;

/// A request's body. Most requests have none, and an empty body is small: a request is moved a dozen times on
/// its way.
#[derive(Default)]
pub struct RequestBody(Option<Box<Upcoming>>);

/// A body of which something was to come when the head had.
struct Upcoming {
    /// Chunks buffered for inspection, in one piece, as a body that came byte by byte would take as many times
    /// the memory.
    looked: Bytes,
    /// The lengths of these chunks, which are replayed as they came.
    pieces: VecDeque<usize>,
    rest: Option<Incoming>,
    /// Trailers found by an inspection.
    trailers: Option<Box<HeaderMap>>,
    hold: Option<Hold>,
    /// Bytes held by an HTTP/1.1 connection to the upstream. Streams have windows.
    backlog: Option<Arc<Backlog>>,
    vitals: Arc<Deadlines>,
    turn: RequestNumber,
    /// Runs the task that drops the rest of the body.
    tasks: Rc<Tasks>,
    record: Rc<RequestRecorder>,
}

/// Pieces that go on as they came. A body of more is cut anew: to note each byte would cost more than the byte.
const PIECES: usize = 1_024;
/// Bytes of the inspected part that go on at a time.
const PIECE: usize = 32 * 1024;

/// Whether the body may go.
type Hold = Pin<Box<dyn Future<Output = bool>>>;

/// Why a body ends before its end.
#[derive(Debug)]
pub enum BodyError {
    /// The client's body is incomplete or malformed.
    Broken(hyper::Error),
    /// The upstream has responded without it.
    Unwanted,
}

impl fmt::Display for BodyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BodyError::Broken(error) => write!(f, "the request's body broke off: {error}"),
            BodyError::Unwanted => f.write_str("the upstream answered without the request's body"),
        }
    }
}

impl std::error::Error for BodyError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            BodyError::Broken(error) => Some(error),
            BodyError::Unwanted => None,
        }
    }
}

impl RequestBody {
    /// The body of a request with a head that has just come.
    pub fn new(
        body: Incoming,
        vitals: &Arc<Deadlines>,
        tasks: &Rc<Tasks>,
        record: &Rc<RequestRecorder>,
    ) -> RequestBody {
        if body.is_end_stream() {
            vitals.begin_request(UploadProgress::Over);
            return RequestBody(None);
        }
        RequestBody(Some(Box::new(Upcoming {
            looked: Bytes::new(),
            pieces: VecDeque::new(),
            rest: Some(body),
            trailers: None,
            hold: None,
            backlog: None,
            vitals: Arc::clone(vitals),
            turn: vitals.begin_request(UploadProgress::Forwarded),
            tasks: Rc::clone(tasks),
            record: Rc::clone(record),
        })))
    }

    /// Reads up to `limit` bytes for the rules; they are still forwarded. A body longer than `limit` is
    /// [`BodyFacts::TooLong`].
    pub async fn look(&mut self, limit: u64) -> Result<BodyFacts, BodyError> {
        match &mut self.0 {
            Some(upcoming) => upcoming.look(limit).await,
            None => Ok(BodyFacts::read(Bytes::new())),
        }
    }

    /// Holds the body until the upstream wants it. Reading makes hyper tell the client to go on, so
    /// that it must not begin before.
    pub fn hold(&mut self, permission: Arc<ContinueGate>) {
        if let Some(upcoming) = &mut self.0 {
            upcoming.hold = Some(Box::pin(async move { permission.wait().await }));
        }
    }

    /// Lets the body go no faster than the upstream's socket takes it: an upstream that does not read costs two pieces.
    pub fn pace(&mut self, backlog: &Arc<Backlog>) {
        if let Some(upcoming) = &mut self.0 {
            upcoming.backlog = Some(Arc::clone(backlog));
        }
    }

    /// Puts the bytes back: they come again, before the rest.
    pub fn unread(&mut self, mut read: BytesMut) {
        if let Some(upcoming) = &mut self.0 {
            upcoming.pieces.push_front(read.len());
            read.extend_from_slice(&upcoming.looked);
            upcoming.looked = read.freeze();
        }
    }

    /// Whether nothing of the body is left unread.
    pub fn is_read(&self) -> bool {
        self.0.as_ref().is_none_or(|upcoming| upcoming.rest.is_none())
    }
}

impl Upcoming {
    async fn look(&mut self, limit: u64) -> Result<BodyFacts, BodyError> {
        if self.size_hint().lower() > limit {
            return Ok(BodyFacts::TooLong);
        }
        let mut looked = BytesMut::from(&*self.looked);
        while looked.len() as u64 <= limit {
            match poll_fn(|cx| self.poll_rest(cx)).await.transpose()?.map(Frame::into_data) {
                Some(Ok(data)) => {
                    if self.pieces.len() < PIECES {
                        self.pieces.push_back(data.len());
                    }
                    looked.extend_from_slice(&data);
                }
                Some(Err(frame)) => self.trailers = frame.into_trailers().ok().map(Box::new),
                None => break,
            }
        }
        self.looked = looked.freeze();
        if self.looked.len() as u64 > limit {
            return Ok(BodyFacts::TooLong);
        }
        Ok(BodyFacts::read(self.looked.clone()))
    }

    /// The next frame from the client. While the client is slow the upstream cannot be late.
    fn poll_rest(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let Some(body) = &mut self.rest else { return Poll::Ready(None) };
        let is_latest = self.vitals.is_latest(self.turn);
        let Poll::Ready(frame) = Pin::new(&mut *body).poll_frame(cx) else {
            if is_latest {
                self.vitals.suspend(Wait::Answer);
                self.vitals.begin_once(Wait::RequestBody);
            }
            return Poll::Pending;
        };
        if is_latest {
            self.vitals.end(Wait::RequestBody);
            self.vitals.restart(Wait::Answer);
        }
        if let Some(Ok(frame)) = &frame
            && let Some(data) = frame.data_ref()
        {
            self.record.see_sent(data);
        }
        if frame.is_none() || body.is_end_stream() {
            self.record.finish_sent();
            self.rest = None;
            self.vitals.set_upload(self.turn, UploadProgress::Over);
        }
        Poll::Ready(frame.map(|frame| frame.map_err(BodyError::Broken)))
    }

    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if let Some(hold) = &mut self.hold {
            let may_go = ready!(hold.as_mut().poll(cx));
            self.hold = None;
            if !may_go {
                return Poll::Ready(Some(Err(BodyError::Unwanted)));
            }
        }
        if let Some(backlog) = &self.backlog {
            ready!(backlog.poll_room(cx));
        }
        let frame = ready!(self.poll_next(cx));
        if let (Some(backlog), Some(Ok(frame))) = (&self.backlog, &frame) {
            backlog.add(frame.data_ref().map_or(0, Bytes::len));
        }
        Poll::Ready(frame)
    }

    /// The next frame: of the inspected part, then from the client.
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if !self.looked.is_empty() {
            let length = self.pieces.pop_front().unwrap_or(PIECE);
            let piece = self.looked.split_to(self.looked.len().min(length));
            return Poll::Ready(Some(Ok(Frame::data(piece))));
        }
        match ready!(self.poll_rest(cx)) {
            None => Poll::Ready(self.trailers.take().map(|trailers| Ok(Frame::trailers(*trailers)))),
            frame => Poll::Ready(frame),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.looked.is_empty() && self.rest.is_none() && self.trailers.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        let looked = self.looked.len() as u64;
        let rest = self.rest.as_ref().map_or(SizeHint::with_exact(0), Body::size_hint);
        let mut hint = SizeHint::new();
        hint.set_lower(rest.lower().saturating_add(looked));
        if let Some(upper) = rest.upper() {
            hint.set_upper(upper.saturating_add(looked));
        }
        hint
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        self.0.as_mut().map_or(Poll::Ready(None), |upcoming| upcoming.poll_frame(cx))
    }

    fn is_end_stream(&self) -> bool {
        self.0.as_ref().is_none_or(|upcoming| upcoming.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        self.0.as_ref().map_or(SizeHint::with_exact(0), |upcoming| upcoming.size_hint())
    }
}

impl Drop for Upcoming {
    /// An early response leaves the body unread. Closing the socket on unread bytes makes the kernel send a
    /// reset, which can overtake the response: the rest is read and dropped.
    fn drop(&mut self) {
        if let Some(body) = self.rest.take() {
            self.vitals.set_upload(self.turn, UploadProgress::Dropped);
            let (vitals, record) = (Arc::clone(&self.vitals), Rc::clone(&self.record));
            self.tasks.spawn(linger(body, vitals, self.turn, record));
        }
    }
}

/// In all, as nginx's `lingering_time`.
const LINGER_TIME: Duration = Duration::from_secs(30);
/// Without a byte, as nginx's `lingering_timeout`.
const LINGER_IDLE: Duration = Duration::from_secs(5);
/// Maximum number of bytes read so that a client hears that it need not send the rest.
const LINGER_BYTES: u64 = 4 << 30;

/// Reads and drops the rest of a body, within bounds. When the client is gone it ends at once.
async fn linger(
    mut body: Incoming,
    vitals: Arc<Deadlines>,
    turn: RequestNumber,
    record: Rc<RequestRecorder>,
) {
    let drain = async {
        let mut read = 0;
        // hyper says that a body is over when the next request comes; its length says so at once.
        while read < LINGER_BYTES && !body.is_end_stream() {
            match tokio::time::timeout(LINGER_IDLE, body.frame()).await {
                Ok(Some(Ok(frame))) => {
                    let Some(data) = frame.data_ref() else { continue };
                    record.see_sent(data);
                    read += data.len() as u64;
                }
                Ok(None) => return record.finish_sent(),
                _ => return,
            }
        }
        if body.is_end_stream() {
            record.finish_sent();
        }
    };
    let _ = tokio::time::timeout(LINGER_TIME, drain).await;
    vitals.set_upload(turn, UploadProgress::Over);
}
