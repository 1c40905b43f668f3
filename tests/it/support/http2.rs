//! A client that speaks HTTP/2 as it should, from the `h2` crate.

use std::net::SocketAddr;

use bytes::Bytes;
use h2::client::SendRequest;
use http::{HeaderMap, Request, StatusCode};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;

use super::LONG;

/// A whole response.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
    pub trailers: Option<HeaderMap>,
}

impl Answer {
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("text")
    }

    /// The only value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        assert!(self.headers.get_all(name).iter().count() <= 1, "{name}: {:?}", self.headers);
        self.headers.get(name).map(|value| value.to_str().expect("text"))
    }
}

/// One connection.
pub struct Client {
    pub runtime: Runtime,
    pub sender: SendRequest<Bytes>,
    /// Task that drives the connection.
    _tasks: JoinSet<Result<(), h2::Error>>,
}

impl Client {
    /// With prior knowledge.
    pub fn connect(address: SocketAddr) -> Client {
        Client::over(async move {
            let stream = TcpStream::connect(address).await.expect("it listens");
            // As every client does: the end of a window must not wait for an acknowledgement.
            stream.set_nodelay(true).expect("a live socket");
            stream
        })
    }

    /// On any connected stream.
    pub fn over<T>(connect: impl Future<Output = T>) -> Client
    where
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let mut tasks = JoinSet::new();
        let sender = runtime.block_on(async {
            let (sender, connection) = h2::client::handshake(connect.await).await.expect("it speaks HTTP/2");
            tasks.spawn(connection);
            sender
        });
        Client { runtime, sender, _tasks: tasks }
    }

    /// Sends a request and reads its response, as [`exchange`] does.
    pub fn ask(&mut self, request: http::request::Builder, body: &'static str) -> Result<Answer, h2::Error> {
        let request = request.body(()).expect("a request");
        let exchange = exchange(self.sender.clone(), request, [body.into()].into(), None);
        self.runtime
            .block_on(async { tokio::time::timeout(LONG, exchange).await.expect("an answer in time") })
    }
}

/// Sends a request, its body in these pieces, and reads its whole response.
pub async fn exchange(
    sender: SendRequest<Bytes>,
    request: Request<()>,
    pieces: Vec<Bytes>,
    trailers: Option<HeaderMap>,
) -> Result<Answer, h2::Error> {
    let is_bodiless = pieces.iter().all(Bytes::is_empty) && trailers.is_none();
    let mut sender = sender.ready().await?;
    let (response, mut stream) = sender.send_request(request, is_bodiless)?;
    if !is_bodiless {
        let last = pieces.len() - 1;
        for (at, piece) in pieces.into_iter().enumerate() {
            send(&mut stream, piece, at == last && trailers.is_none()).await?;
        }
        if let Some(trailers) = trailers {
            stream.send_trailers(trailers)?;
        }
    }
    let (head, mut body) = response.await?.into_parts();
    let mut whole = Vec::new();
    while let Some(piece) = body.data().await {
        let piece = piece?;
        body.flow_control().release_capacity(piece.len())?;
        whole.extend_from_slice(&piece);
    }
    let trailers = body.trailers().await?;
    Ok(Answer { status: head.status, headers: head.headers, body: whole.into(), trailers })
}

/// Sends a piece as the windows let it through.
async fn send(stream: &mut h2::SendStream<Bytes>, mut piece: Bytes, is_last: bool) -> Result<(), h2::Error> {
    while !piece.is_empty() {
        stream.reserve_capacity(piece.len());
        let capacity =
            std::future::poll_fn(|cx| stream.poll_capacity(cx)).await.ok_or(h2::Reason::CANCEL)??;
        let part = piece.split_to(capacity.min(piece.len()));
        stream.send_data(part, is_last && piece.is_empty())?;
    }
    Ok(())
}
