//! The body of a response on its way to the client: streamed, never collected.

use std::fmt;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use hyper::body::Incoming;

use super::super::downstream::backlog::Backlog;
use super::super::downstream::client::Client;
use super::super::downstream::deadlines::{Deadlines, Wait};
use super::super::owed::Owed;
use super::super::record::RequestRecorder;
use super::super::rewrite::body::{Look, Rewriter, Seen};
use super::super::upstream::http2::IncomingBody;
use super::super::upstream::pool::Lease;
use super::super::upstream::wants_tls::Suspect;
use super::faulty::Faulty;
use super::looked::Looked;
use super::rewritten::Rewritten;
use crate::clock::Clock;
use crate::content_coding::UndecodableBody;
use crate::model::ErrorWord;
use crate::rules::PassFaults;

/// Source of a response's body.
pub enum ResponseSource {
    /// Made here.
    Own(Option<Bytes>),
    /// The upstream's. Its end, and only its end, gives the connection back to the pool.
    Upstream { body: UpstreamBody, lease: Option<Lease>, watch: Option<Box<Watch>>, look: Option<Box<Look>> },
    /// None is sent, though its length is given: a 304's. hyper keeps the length only of a body that claims
    /// it.
    Unsent(u64),
    /// There is none: the bytes that follow are not HTTP.
    Tunnel,
}

/// The upstream's body.
pub enum UpstreamBody {
    /// On an HTTP/1.1 connection, which the lease gives back.
    Connection(Incoming),
    /// The same, of an upstream that may want TLS.
    Suspect(Box<Suspect>),
    /// On a stream of its own.
    Stream(Box<IncomingBody>),
    /// Any of these, with the upstream's URLs in it rewritten.
    Rewritten(Box<Rewritten>),
    /// Any of these, of which a rule has looked at the beginning.
    Looked(Box<Looked>),
    /// Any of these, with the faults of a rule.
    Faulty(Box<Faulty>),
}

impl UpstreamBody {
    pub fn rewritten(self, rewriter: Option<Box<Rewriter>>) -> UpstreamBody {
        match rewriter {
            None => self,
            Some(rewriter) => UpstreamBody::Rewritten(Box::new(Rewritten::new(self, rewriter))),
        }
    }

    /// Whether it waits of its own accord, and not for the upstream.
    fn is_paused(&self) -> bool {
        matches!(self, UpstreamBody::Faulty(body) if body.is_paused())
    }
}

/// Why a response broke off.
#[derive(Debug)]
pub enum ResponseError {
    Connection(hyper::Error),
    Stream(h2::Error),
    /// The body is not in the encoding that its head names.
    Encoding(UndecodableBody),
    /// A rule cut it.
    Cut,
}

impl ResponseError {
    /// The word of the journal.
    fn word(&self) -> &'static str {
        match self {
            ResponseError::Cut => ErrorWord::CUT,
            _ => "reset",
        }
    }
}

impl fmt::Display for ResponseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ResponseError::Connection(error) => error.fmt(f),
            ResponseError::Stream(error) => error.fmt(f),
            ResponseError::Encoding(error) => write!(f, "its {error}"),
            ResponseError::Cut => f.write_str("a rule cut it on purpose"),
        }
    }
}

impl std::error::Error for ResponseError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            ResponseError::Connection(error) => error.source(),
            ResponseError::Stream(error) => error.source(),
            ResponseError::Encoding(error) => Some(error),
            ResponseError::Cut => None,
        }
    }
}

impl Body for UpstreamBody {
    type Data = Bytes;
    type Error = ResponseError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, ResponseError>>> {
        match self.get_mut() {
            UpstreamBody::Connection(body) => {
                Pin::new(body).poll_frame(cx).map_err(ResponseError::Connection)
            }
            UpstreamBody::Suspect(body) => Pin::new(body).poll_frame(cx).map_err(ResponseError::Connection),
            UpstreamBody::Stream(body) => Pin::new(body).poll_frame(cx).map_err(ResponseError::Stream),
            UpstreamBody::Rewritten(body) => body.poll(cx),
            UpstreamBody::Looked(body) => body.poll(cx),
            UpstreamBody::Faulty(body) => body.poll(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            UpstreamBody::Connection(body) => body.is_end_stream(),
            UpstreamBody::Suspect(body) => body.is_end_stream(),
            UpstreamBody::Stream(body) => body.is_end_stream(),
            UpstreamBody::Rewritten(body) => body.is_over(),
            UpstreamBody::Looked(body) => body.is_over(),
            UpstreamBody::Faulty(body) => body.is_over(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            UpstreamBody::Connection(body) => body.size_hint(),
            UpstreamBody::Suspect(body) => body.size_hint(),
            UpstreamBody::Stream(body) => body.size_hint(),
            UpstreamBody::Rewritten(_) => SizeHint::default(),
            UpstreamBody::Looked(body) => body.size_hint(),
            UpstreamBody::Faulty(body) => body.size_hint(),
        }
    }
}

impl ResponseSource {
    /// Settles `owed` when the body has passed; a body longer than its limit is not kept.
    pub fn watch(&mut self, owed: Owed) {
        let limit = owed.body_limit();
        match self {
            ResponseSource::Upstream { body, watch, .. } if !body.is_end_stream() => {
                *watch = Some(Box::new(Watch { seen: BytesMut::new(), limit, is_too_long: false, owed }));
            }
            _ => owed.finish(Some(Bytes::new())),
        }
    }

    /// The same with the faults of a rule, where it has a body.
    pub fn with_faults(self, faults: &PassFaults, vitals: &Arc<Deadlines>, clock: Clock) -> ResponseSource {
        match self {
            ResponseSource::Upstream { body, lease, watch, look }
                if faults.touches_body() && !body.is_end_stream() =>
            {
                let body = UpstreamBody::Faulty(Box::new(Faulty::new(body, faults, vitals, clock)));
                ResponseSource::Upstream { body, lease, watch, look }
            }
            source => source,
        }
    }
}

/// Keeps the bytes that pass, up to a limit, for the settlement at the end.
pub struct Watch {
    seen: BytesMut,
    limit: u64,
    is_too_long: bool,
    owed: Owed,
}

impl Watch {
    fn see(&mut self, frame: &Frame<Bytes>) {
        let Some(data) = frame.data_ref() else { return };
        self.is_too_long |= (self.seen.len() + data.len()) as u64 > self.limit;
        if self.is_too_long {
            self.seen = BytesMut::new();
        } else {
            self.seen.extend_from_slice(data);
        }
    }

    fn finish(self) {
        // It may be kept for long: without spare capacity.
        self.owed.finish((!self.is_too_long).then(|| Bytes::copy_from_slice(&self.seen)));
    }
}

/// The body sent to the client. When it ends, the connection waits for the next request.
pub struct ResponseBody {
    source: ResponseSource,
    vitals: Arc<Deadlines>,
    backlog: Option<Arc<Backlog>>,
    /// HTTP/1.0 may know a body's end by the connection's end alone.
    ends_with_connection: bool,
    /// Of the upstream's, all has come.
    is_whole: bool,
    record: Rc<RequestRecorder>,
}

impl ResponseBody {
    pub fn new(
        source: ResponseSource,
        client: &Client,
        is_http_10: bool,
        record: Rc<RequestRecorder>,
    ) -> ResponseBody {
        let (vitals, backlog) = (Arc::clone(&client.vitals), client.backlog.clone());
        ResponseBody { source, vitals, backlog, ends_with_connection: is_http_10, is_whole: false, record }
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = ResponseError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, ResponseError>>> {
        let this = &mut *self;
        let (body, lease, watch, look) = match &mut this.source {
            ResponseSource::Own(bytes) => {
                let bytes = bytes.take();
                if let Some(bytes) = &bytes {
                    this.record.see_got(bytes);
                }
                return Poll::Ready(bytes.map(|bytes| Ok(Frame::data(bytes))));
            }
            ResponseSource::Unsent(_) | ResponseSource::Tunnel => return Poll::Ready(None),
            ResponseSource::Upstream { body, lease, watch, look } => (body, lease, watch, look),
        };
        // While the client is slow the upstream cannot be late.
        if let Some(backlog) = &this.backlog {
            ready!(backlog.poll_room(cx));
        }
        let Poll::Ready(frame) = Pin::new(&mut *body).poll_frame(cx) else {
            match body.is_paused() {
                true => this.vitals.end(Wait::ResponseBody),
                false => this.vitals.begin_once(Wait::ResponseBody),
            }
            return Poll::Pending;
        };
        this.vitals.end(Wait::ResponseBody);
        if let (Some(watch), Some(Ok(frame))) = (watch.as_mut(), &frame) {
            watch.see(frame);
        }
        if let Some(Ok(frame)) = &frame {
            if let Some(data) = frame.data_ref() {
                this.record.see_got(data);
                if let Some(backlog) = &this.backlog {
                    backlog.add(data.len());
                }
                let seen = look.as_mut().map(|look| look.see(data, body.is_end_stream()));
                if seen == Some(Seen::Found) {
                    this.record.see_upstream_named();
                }
                if seen.is_some_and(|seen| seen != Seen::NotYet) {
                    *look = None;
                }
            }
            if let Some(trailers) = frame.trailers_ref() {
                this.record.see_trailers(trailers);
            }
        }
        match &frame {
            Some(Err(error)) => {
                tracing::debug!(%error, "the upstream's answer broke off");
                this.record.break_off(error.word());
                drop(lease.take());
                if this.ends_with_connection {
                    this.vitals.break_off();
                }
            }
            Some(Ok(frame)) if frame.is_data() && !body.is_end_stream() => {}
            _ => {
                this.is_whole = true;
                let now = this.record.end();
                if let Some(lease) = lease.take() {
                    lease.give_back(now);
                }
                // Before the client can have seen the end, and act on it.
                if let Some(watch) = watch.take() {
                    watch.finish();
                }
            }
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        match &self.source {
            ResponseSource::Own(bytes) => bytes.is_none(),
            ResponseSource::Upstream { body, .. } => body.is_end_stream(),
            ResponseSource::Unsent(_) => false,
            ResponseSource::Tunnel => true,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.source {
            ResponseSource::Own(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, Bytes::len) as u64),
            ResponseSource::Upstream { body, .. } => body.size_hint(),
            ResponseSource::Unsent(length) => SizeHint::with_exact(*length),
            ResponseSource::Tunnel => SizeHint::with_exact(0),
        }
    }
}

impl Drop for ResponseBody {
    fn drop(&mut self) {
        if self.is_end_stream() || matches!(self.source, ResponseSource::Unsent(_)) {
            self.record.end();
        } else if self.vitals.is_late(Wait::ResponseBody) {
            self.record.break_off("timeout");
        }
        let is_sent =
            self.is_whole || matches!(self.source, ResponseSource::Own(None) | ResponseSource::Unsent(_));
        if !is_sent && !self.is_end_stream() || matches!(self.source, ResponseSource::Tunnel) {
            // An incomplete body must not end as if it were whole.
            self.vitals.set_last(false);
        }
        if !matches!(self.source, ResponseSource::Tunnel) {
            self.vitals.end_response();
        }
    }
}

/// Reads and drops a response that the client will not get, so that its connection can be used again and a
/// watching rule sees its end; a long or slow one is not worth it.
pub async fn drain(source: ResponseSource, clock: Clock) {
    let ResponseSource::Upstream { mut body, mut lease, mut watch, .. } = source else { return };
    let drain = async {
        let mut read = 0;
        while read < DRAIN_BYTES {
            match body.frame().await {
                Some(Ok(frame)) => {
                    read += frame.data_ref().map_or(0, Bytes::len);
                    if let Some(watch) = &mut watch {
                        watch.see(&frame);
                    }
                }
                Some(Err(_)) => return,
                None => {
                    if let Some(lease) = lease.take() {
                        lease.give_back(clock.now());
                    }
                    if let Some(watch) = watch.take() {
                        watch.finish();
                    }
                    return;
                }
            }
        }
    };
    let _ = tokio::time::timeout(DRAIN_TIME, drain).await;
}

/// Beyond this a new connection is cheaper.
const DRAIN_BYTES: usize = 1 << 20;
const DRAIN_TIME: Duration = Duration::from_secs(5);
