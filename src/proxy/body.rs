//! The bodies that pass through: never copied, never collected, but for what a rule looks at.

use std::cell::Cell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::sync::Notify;

use super::passage::Settlement;
use super::pool::Lease;
use super::tasks::Tasks;
use crate::clock::Clock;
use crate::words::{BodyFacts, Moment};

/// What goes to the client.
pub enum AnswerBody {
    /// Made here.
    Own(Option<Bytes>),
    /// The upstream's. Its end, and only its end, gives the connection back to the pool.
    Upstream { body: Incoming, lease: Option<Lease>, watch: Option<Box<Watch>> },
}

/// Keeps what passes, up to a limit, for whoever settles at the end.
pub struct Watch {
    seen: BytesMut,
    limit: u64,
    is_too_long: bool,
    settlement: Settlement,
}

impl AnswerBody {
    /// Settles when the body has passed; what is longer than `limit` is not kept.
    pub fn watch(&mut self, limit: u64, settlement: Settlement) {
        match self {
            AnswerBody::Upstream { body, watch, .. } if !body.is_end_stream() => {
                *watch =
                    Some(Box::new(Watch { seen: BytesMut::new(), limit, is_too_long: false, settlement }));
            }
            _ => settlement.finish(Some(Bytes::new())),
        }
    }
}

impl Watch {
    fn see(&mut self, frame: &Frame<Bytes>) {
        if let Some(data) = frame.data_ref() {
            self.is_too_long |= (self.seen.len() + data.len()) as u64 > self.limit;
            if self.is_too_long {
                self.seen.clear();
            } else {
                self.seen.extend_from_slice(data);
            }
        }
    }

    fn finish(self) {
        self.settlement.finish((!self.is_too_long).then(|| self.seen.freeze()));
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        match &mut *self {
            AnswerBody::Own(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            AnswerBody::Upstream { body, lease, watch } => {
                let frame = ready!(Pin::new(&mut *body).poll_frame(cx));
                if let (Some(watch), Some(Ok(frame))) = (watch.as_mut(), &frame) {
                    watch.see(frame);
                }
                match &frame {
                    Some(Err(_)) => drop(lease.take()),
                    Some(Ok(_)) if !body.is_end_stream() => {}
                    _ => {
                        if let Some(lease) = lease.take() {
                            lease.give_back();
                        }
                        if let Some(watch) = watch.take() {
                            watch.finish();
                        }
                    }
                }
                Poll::Ready(frame)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            AnswerBody::Own(bytes) => bytes.is_none(),
            AnswerBody::Upstream { body, .. } => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            AnswerBody::Own(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, Bytes::len) as u64),
            AnswerBody::Upstream { body, .. } => body.size_hint(),
        }
    }
}

/// A request's body on its way to the upstream.
pub struct RequestBody {
    /// What a rule looked at, before the rest.
    looked: Option<Bytes>,
    rest: Option<Incoming>,
    /// With `Expect: 100-continue`, nothing is read before the upstream says so: reading makes
    /// hyper tell the client to go on.
    hold: Option<Hold>,
    /// When a frame last went on.
    progress: Option<Progress>,
    /// Where what is left is read and dropped.
    tasks: Rc<Tasks>,
}

struct Progress {
    last: Rc<Cell<Moment>>,
    clock: Clock,
}

type Hold = Pin<Box<dyn Future<Output = ()>>>;

impl RequestBody {
    /// A body that nobody looked at.
    pub fn new(body: Incoming, tasks: Rc<Tasks>) -> RequestBody {
        RequestBody { looked: None, rest: Some(body), hold: None, progress: None, tasks }
    }

    /// Reads up to `limit` bytes for the rules; what was read is still forwarded.
    ///
    /// A body longer than `limit`, or one that breaks off, is [`BodyFacts::TooLong`].
    pub async fn look(&mut self, limit: u64) -> BodyFacts {
        if self.size_hint().lower() > limit {
            return BodyFacts::TooLong;
        }
        let mut seen = BytesMut::new();
        let mut whole = true;
        while let Some(body) = &mut self.rest {
            match body.frame().await {
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        seen.extend_from_slice(&data);
                    }
                    if seen.len() as u64 > limit {
                        whole = false;
                        break;
                    }
                }
                Some(Err(_)) => {
                    whole = false;
                    break;
                }
                None => self.rest = None,
            }
        }
        let seen = seen.freeze();
        self.looked = Some(seen.clone()).filter(|seen| !seen.is_empty());
        if whole { BodyFacts::read(seen) } else { BodyFacts::TooLong }
    }

    /// Holds the body until `go_on` is notified, or until `patience` is over: some upstreams never
    /// say anything before they have the body (RFC 9110 §10.1.1 lets a client wait no longer).
    pub fn hold_until(&mut self, go_on: std::sync::Arc<Notify>, patience: Duration) {
        self.hold = Some(Box::pin(async move {
            let _ = tokio::time::timeout(patience, go_on.notified()).await;
        }));
    }

    /// When the body last moved, from now on.
    pub fn watch(&mut self, clock: Clock) -> Rc<Cell<Moment>> {
        let last = Rc::new(Cell::new(clock.now()));
        if !self.is_end_stream() {
            self.progress = Some(Progress { last: Rc::clone(&last), clock });
        }
        last
    }

    /// Whether nothing of the body is left unread.
    pub fn is_read(&self) -> bool {
        self.rest.as_ref().is_none_or(Body::is_end_stream)
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        if let Some(hold) = &mut self.hold {
            ready!(hold.as_mut().poll(cx));
            self.hold = None;
        }
        if let Some(Progress { last, clock }) = &self.progress {
            last.set(clock.now());
        }
        if let Some(looked) = self.looked.take() {
            return Poll::Ready(Some(Ok(Frame::data(looked))));
        }
        match &mut self.rest {
            Some(body) => Pin::new(body).poll_frame(cx),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.looked.is_none() && self.is_read()
    }

    fn size_hint(&self) -> SizeHint {
        let looked = self.looked.as_ref().map_or(0, Bytes::len) as u64;
        let rest = self.rest.as_ref().map_or(SizeHint::with_exact(0), Body::size_hint);
        let mut hint = SizeHint::new();
        hint.set_lower(rest.lower() + looked);
        if let Some(upper) = rest.upper() {
            hint.set_upper(upper + looked);
        }
        hint
    }
}

impl Drop for RequestBody {
    /// Whoever answers early leaves the body unread. Closing the socket on unread bytes makes the
    /// kernel send a reset, which can overtake the answer: what is left is read and dropped.
    fn drop(&mut self) {
        if let Some(body) = self.rest.take()
            && !body.is_end_stream()
        {
            self.tasks.spawn(linger(body));
        }
    }
}

/// Reads and drops an answer that the client will not get, so that its connection can be used again;
/// what is long, or slow to come, is not worth it.
pub async fn drain(mut body: AnswerBody) {
    let drain = async {
        let mut read = 0;
        while read < DRAIN_BYTES {
            match body.frame().await {
                Some(Ok(frame)) => read += frame.data_ref().map_or(0, Bytes::len),
                _ => break,
            }
        }
    };
    let _ = tokio::time::timeout(LINGER_IDLE, drain).await;
}

/// Beyond this a new connection is cheaper.
const DRAIN_BYTES: usize = 1 << 20;

/// In all, as nginx's `lingering_time`.
const LINGER_TIME: Duration = Duration::from_secs(30);
/// Without a byte, as nginx's `lingering_timeout`.
const LINGER_IDLE: Duration = Duration::from_secs(5);
/// No client needs to send more than this to hear that it need not.
const LINGER_BYTES: u64 = 4 << 30;

/// Reads and drops what is left of a body, within bounds. When the client is gone it ends at once.
async fn linger(mut body: Incoming) {
    let drain = async {
        let mut read = 0;
        while read < LINGER_BYTES {
            match tokio::time::timeout(LINGER_IDLE, body.frame()).await {
                Ok(Some(Ok(frame))) => read += frame.data_ref().map_or(0, Bytes::len) as u64,
                _ => break,
            }
        }
    };
    let _ = tokio::time::timeout(LINGER_TIME, drain).await;
}
