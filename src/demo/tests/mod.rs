//! The service as its clients see it: real sockets, every route.

mod exchanges;
mod streaming;
mod writing;

use std::net::SocketAddr;

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use super::{Demo, serve};

/// A running service, on a port of its own.
struct Service {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    tasks: JoinSet<()>,
}

/// One connection to it.
struct Client {
    address: SocketAddr,
    sender: SendRequest<Full<Bytes>>,
    /// Drives the connection.
    _task: JoinSet<()>,
}

/// A whole response.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Service {
    async fn start() -> Service {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let mut tasks = JoinSet::new();
        tasks.spawn(serve(listener, Demo::new(), async { drop(stopped.await) }));
        Service { address, stop, tasks }
    }

    async fn client(&self) -> Client {
        let stream = TcpStream::connect(self.address).await.unwrap();
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
        let mut task = JoinSet::new();
        task.spawn(async { drop(connection.await) });
        Client { address: self.address, sender, _task: task }
    }
}

impl Client {
    /// Sends `METHOD target`, as it would stand in the first line of a request.
    async fn start(&mut self, line: &str, headers: &[(&str, &str)], body: &str) -> Response<Incoming> {
        let (method, target) = line.split_once(' ').unwrap();
        let mut request = Request::builder().method(method).uri(target);
        if !headers.iter().any(|(name, _)| *name == "host") {
            request = request.header("host", self.address.to_string());
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::from(body.to_owned())).unwrap();
        self.sender.ready().await.unwrap();
        self.sender.send_request(request).await.unwrap()
    }

    async fn send(&mut self, line: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let (head, body) = self.start(line, headers, body).await.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answer { status: head.status, headers: head.headers, body }
    }

    async fn get(&mut self, target: &str) -> Answer {
        self.send(&format!("GET {target}"), &[], "").await
    }

    /// How often `name` (`POST /orders`) stands in a count (`requests`, `writes`) of `/stats`.
    async fn count(&mut self, of: &str, name: &str) -> u64 {
        let stats = self.get("/stats").await.json();
        stats.get(of).and_then(|counts| counts.get(name)).and_then(Value::as_u64).unwrap_or_default()
    }
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    fn text(&self) -> &str {
        str::from_utf8(&self.body).unwrap()
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}
