//! HTTP/2 with a client: with prior knowledge or by ALPN. Each of its streams is a task of its own and
//! has vitals of its own, so that one that is slow ends alone.

mod body;
mod heads;
mod meter;
mod translate;

use std::cell::RefCell;
use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;

use http::{Method, Request, Response};
use hyper::body::Incoming;
use hyper::rt::Executor;
use hyper::server::conn::http2::Builder;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::sync::watch;

use self::body::OutgoingBody;
pub use self::meter::{Meter, PREFACE, Violation};
pub use self::translate::translate;
use super::super::body::response::ResponseBody;
use super::super::lifecycle::{Lifecycle, reached};
use super::super::tasks::Tasks;
use super::client::Client;
use super::deadlines::{Deadlines, Wait};
use super::socket::ClientSocket;

/// Requests at once, on one connection (Envoy's advice for the edge).
const STREAMS: u32 = 100;
/// Unread bytes of a request's body: fixed, because windows that adapt make latency worse and need PINGs that
/// some clients take badly. With less, an upload of 100 MB waits for its window so often that a busy machine
/// does not hear it out in time.
const STREAM_WINDOW: u32 = 256 * 1024;
/// The same of all streams: as much as all of them may hold, so that unread uploads never keep another from
/// its bytes (RFC 9113 §5.2.2): 25 MiB. The memory that unread uploads take is measured in tests/it/wire/memory.rs.
const CONNECTION_WINDOW: u32 = STREAMS * STREAM_WINDOW;
/// Bytes of a response that the client has not let through yet.
const SEND_BUFFER: usize = 64 * 1024;
/// Streams reset by a client before the proxy took them up (CVE-2023-44487).
const UNSEEN_RESETS: usize = 20;
/// Streams reset for errors of the client (CVE-2025-8671), over a connection's life.
const RESETS_FOR_ERRORS: usize = 100;

/// Serves a connection to its end: `exchange` makes the response to each request, in a task of `tasks`. Heads have
/// at most `header_bytes`.
pub async fn serve<E, F, R>(
    exchange: E,
    header_bytes: usize,
    tasks: Rc<Tasks>,
    socket: ClientSocket,
    client: Rc<Client>,
    mut orders: watch::Receiver<Lifecycle>,
) -> hyper::Result<()>
where
    E: Fn(Rc<Client>, Request<Incoming>) -> F,
    F: Future<Output = Result<Response<ResponseBody>, R>> + 'static,
    R: std::error::Error + Send + Sync + 'static,
{
    let vitals = Arc::clone(&client.vitals);
    let streams = Streams { tasks, next: Rc::default() };
    let protocol = protocol(header_bytes, streams.clone());
    let service = service_fn(move |request: Request<Incoming>| {
        let vitals = Arc::new(Deadlines::of_stream(&client.vitals));
        *streams.next.borrow_mut() = Some(Arc::clone(&vitals));
        let is_head = request.method() == Method::HEAD;
        let exchanged = exchange(Rc::new(client.on_stream(Arc::clone(&vitals))), request);
        async move {
            // hyper leaves it to the service that a response to HEAD has no body.
            let body = |body| OutgoingBody::new((!is_head).then_some(body), vitals);
            exchanged.await.map(|response| response.map(body))
        }
    });
    let mut connection = pin!(protocol.serve_connection(TokioIo::new(socket), service));
    let mut ordered = pin!(reached(&mut orders, Lifecycle::Drain));
    let mut is_ordered = false;
    poll_fn(|cx| {
        loop {
            if let Poll::Ready(ended) = connection.as_mut().poll(cx) {
                return Poll::Ready(ended);
            }
            let has_come = !is_ordered && ordered.as_mut().poll(cx).is_ready();
            is_ordered |= has_come;
            if !has_come && vitals.take_overdue(&[Wait::Request]).is_none() {
                return Poll::Pending;
            }
            // Streams that were on their way are still served, and the client learns which were not.
            connection.as_mut().graceful_shutdown();
            if !vitals.has_streams() {
                vitals.end(Wait::Request);
                vitals.begin(Wait::Close);
            }
        }
    })
    .await
}

/// HTTP/2 as the settings limit it. Its timeouts are the vitals' business.
fn protocol(header_bytes: usize, streams: Streams) -> Builder<Streams> {
    let mut http = Builder::new(streams);
    http.max_header_list_size(u32::try_from(header_bytes).unwrap_or(u32::MAX))
        .max_concurrent_streams(STREAMS)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_send_buf_size(SEND_BUFFER)
        .max_pending_accept_reset_streams(UNSEEN_RESETS)
        .max_local_error_reset_streams(RESETS_FOR_ERRORS);
    http
}

/// Runs streams on this worker's thread, each within its vitals.
#[derive(Clone)]
struct Streams {
    tasks: Rc<Tasks>,
    /// Of the stream that comes next: hyper calls the service, and at once has the stream run.
    next: Rc<RefCell<Option<Arc<Deadlines>>>>,
}

impl<F: Future<Output = ()> + 'static> Executor<F> for Streams {
    fn execute(&self, stream: F) {
        let vitals = self.next.take();
        self.tasks.spawn(async move {
            match vitals {
                Some(vitals) => {
                    if let Err(late) = vitals.guard(stream).await {
                        tracing::debug!(?late, "stream reset: it waited too long");
                    }
                }
                None => stream.await,
            }
        });
    }
}
