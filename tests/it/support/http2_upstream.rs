//! An HTTP/2 upstream from the `h2` crate, which records its requests.

use std::future::Future;
use std::net::{SocketAddr, TcpListener};
use std::pin::Pin;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use h2::server::{Builder, SendResponse};
use h2::{RecvStream, SendStream};
use http::{HeaderMap, Request, Response};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::runtime::Runtime;

use super::LONG;
use super::upstream::start;

/// One request, on its stream.
pub struct Asked {
    pub request: Request<RecvStream>,
    pub response: SendResponse<Bytes>,
    /// Which connection it came on, from 0.
    pub connection: usize,
}

type Play = dyn Fn(Asked) -> Pin<Box<dyn Future<Output = ()>>> + Send + Sync;

/// A server on a port of its own, which plays a script for each request.
pub struct Http2Upstream {
    pub address: SocketAddr,
    heads: Arc<Mutex<Vec<Request<()>>>>,
    ends: Mutex<Receiver<usize>>,
}

impl Http2Upstream {
    /// Plays `script` for each request, on connections that allow `streams` at once.
    pub fn playing<F: Future<Output = ()> + 'static>(
        streams: u32,
        script: impl Fn(Asked) -> F + Send + Sync + 'static,
    ) -> Http2Upstream {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let address = listener.local_addr().expect("an address");
        let heads: Arc<Mutex<Vec<_>>> = Arc::default();
        let (end, ends) = channel();
        let recorder = Arc::clone(&heads);
        let script: Arc<Play> = Arc::new(move |asked| Box::pin(script(asked)));
        start("http2-upstream", move || {
            for (number, stream) in listener.incoming().flatten().enumerate() {
                let (script, recorder, end) = (Arc::clone(&script), Arc::clone(&recorder), end.clone());
                start("http2-connection", move || {
                    runtime().block_on(async {
                        stream.set_nonblocking(true).expect("a live socket");
                        let stream = tokio::net::TcpStream::from_std(stream).expect("a live socket");
                        serve(stream, streams, number, &script, &recorder).await;
                    });
                    let _ = end.send(number);
                });
            }
        });
        Http2Upstream { address, heads, ends: Mutex::new(ends) }
    }

    /// Echoes each request's body.
    pub fn echoing() -> Http2Upstream {
        Http2Upstream::playing(100, |mut asked| async move {
            let (body, trailers) = read(asked.request.body_mut()).await;
            let mut to = asked.response.send_response(Response::new(()), false).expect("it listens");
            to.send_data(body, trailers.is_none()).expect("it listens");
            if let Some(trailers) = trailers {
                to.send_trailers(trailers).expect("it listens");
            }
        })
    }

    /// The heads of the requests so far.
    pub fn heads(&self) -> Vec<Request<()>> {
        self.heads.lock().expect("no panic").iter().map(clone).collect()
    }

    /// Waits for the end of a connection; which one it was.
    pub fn ended(&self) -> usize {
        self.ends.lock().expect("no panic").recv_timeout(LONG).expect("the connection ends")
    }
}

/// Handler of one connection.
pub fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

async fn serve(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    streams: u32,
    number: usize,
    script: &Arc<Play>,
    recorder: &Mutex<Vec<Request<()>>>,
) {
    let local = tokio::task::LocalSet::new();
    local
        .run_until(async {
            let Ok(mut connection) =
                Builder::new().max_concurrent_streams(streams).handshake::<_, Bytes>(stream).await
            else {
                return;
            };
            let mut tasks = tokio::task::JoinSet::new();
            while let Some(Ok((request, response))) = connection.accept().await {
                recorder.lock().expect("no panic").push(clone(&request));
                tasks.spawn_local(script(Asked { request, response, connection: number }));
            }
        })
        .await;
}

fn clone<T>(request: &Request<T>) -> Request<()> {
    let mut head = Request::new(());
    *head.method_mut() = request.method().clone();
    *head.uri_mut() = request.uri().clone();
    *head.version_mut() = request.version();
    *head.headers_mut() = request.headers().clone();
    head
}

/// A whole body and its trailers.
pub async fn read(body: &mut RecvStream) -> (Bytes, Option<HeaderMap>) {
    let mut whole = Vec::new();
    while let Some(Ok(data)) = body.data().await {
        let _ = body.flow_control().release_capacity(data.len());
        whole.extend_from_slice(&data);
    }
    (whole.into(), body.trailers().await.unwrap_or_default())
}

impl Asked {
    /// Responds with a whole message.
    pub fn response(&mut self, head: http::response::Builder, body: &'static str) {
        let mut to = self.head(head, body.is_empty());
        if !body.is_empty() {
            to.send_data(body.into(), true).expect("it listens");
        }
    }

    /// Begins a response.
    pub fn head(&mut self, head: http::response::Builder, ends: bool) -> SendStream<Bytes> {
        self.response.send_response(head.body(()).expect("a head"), ends).expect("it listens")
    }

    /// Waits until the stream is reset; with which code.
    pub async fn reset(&mut self) -> h2::Reason {
        std::future::poll_fn(|cx| self.response.poll_reset(cx)).await.expect("a reset")
    }
}
