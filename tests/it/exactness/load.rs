//! Many requests over several connections, and which of them met a conflict.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt as _, Empty};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// How long one request may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// What came of a request.
pub struct Seen {
    pub key: u32,
    pub status: StatusCode,
    pub conflict: Option<Conflict>,
}

/// What the `Fracas` header says.
#[derive(Debug, PartialEq, Eq)]
pub struct Conflict {
    pub rule: String,
    pub n: u64,
}

/// Sends `GET /items/1` for each of `keys`, as `X-Key`, in their order, over so many connections.
pub fn ask(address: SocketAddr, connections: usize, keys: &[u32]) -> Vec<Seen> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let keys: Arc<[u32]> = keys.into();
    let next = Arc::new(AtomicUsize::new(0));
    runtime.block_on(async {
        let mut clients = JoinSet::new();
        for _ in 0..connections {
            clients.spawn(client(address, Arc::clone(&keys), Arc::clone(&next)));
        }
        let seen: Vec<Seen> = clients.join_all().await.into_iter().flatten().collect();
        assert_eq!(seen.len(), keys.len(), "every request is answered");
        for Seen { key, status, conflict } in &seen {
            assert_eq!(conflict.is_none(), *status == StatusCode::OK, "{key}: {status}, {conflict:?}");
        }
        seen
    })
}

/// Takes the next key until there is none left.
async fn client(address: SocketAddr, keys: Arc<[u32]>, next: Arc<AtomicUsize>) -> Vec<Seen> {
    let stream = TcpStream::connect(address).await.expect("the proxy accepts");
    stream.set_nodelay(true).expect("a TCP option");
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.expect("HTTP");
    let requests = async move {
        let mut seen = Vec::new();
        while let Some(&key) = keys.get(next.fetch_add(1, Ordering::Relaxed)) {
            let answer = tokio::time::timeout(PATIENCE, request(&mut sender, address, key));
            let (status, conflict) = answer.await.expect("an answer in time");
            seen.push(Seen { key, status, conflict });
        }
        seen
    };
    // The connection ends with its sender, which the requests own.
    let (seen, connection) = tokio::join!(requests, connection);
    connection.expect("a connection without a failure");
    seen
}

async fn request(
    sender: &mut SendRequest<Empty<Bytes>>,
    address: SocketAddr,
    key: u32,
) -> (StatusCode, Option<Conflict>) {
    let request = Request::get("/items/1").header("host", address.to_string()).header("x-key", key);
    sender.ready().await.expect("a connection that stays open");
    let answer =
        sender.send_request(request.body(Empty::new()).expect("a request")).await.expect("an answer");
    let (head, body) = answer.into_parts();
    body.collect().await.expect("a whole body");
    (head.status, conflict(&head.headers))
}

/// Reads `rule="first-3", kind=transient, phase=before, n=2`.
fn conflict(headers: &HeaderMap) -> Option<Conflict> {
    let text = headers.get("fracas")?.to_str().expect("text");
    let value = |name: &str| text.split(", ").find_map(|part| part.strip_prefix(name)).expect(name);
    let n = value("n=").parse().expect("a number");
    Some(Conflict { rule: value("rule=").trim_matches('"').to_owned(), n })
}

#[test]
fn a_conflict_is_read_from_its_header() {
    let mut headers = HeaderMap::new();
    assert_eq!(conflict(&headers), None);
    let value = "rule=\"first-3\", kind=transient, phase=before, n=17";
    headers.insert("fracas", value.parse().expect("a header value"));
    assert_eq!(conflict(&headers), Some(Conflict { rule: "first-3".to_owned(), n: 17 }));
}
