//! Many requests over several connections, and which of them met a conflict.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// How long one request may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// Outcome of a request.
pub struct Seen {
    pub key: u32,
    pub status: u16,
    pub conflict: Option<Conflict>,
}

/// The parsed `Fracas` header.
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
            assert_eq!(conflict.is_none(), *status == 200, "{key}: {status}, {conflict:?}");
        }
        seen
    })
}

/// Takes the next key until there is none left. A client of few instructions, as it shares the
/// machine with the proxy.
async fn client(address: SocketAddr, keys: Arc<[u32]>, next: Arc<AtomicUsize>) -> Vec<Seen> {
    let mut stream = TcpStream::connect(address).await.expect("the proxy accepts");
    stream.set_nodelay(true).expect("a TCP option");
    let mut buffer = Vec::new();
    let mut seen = Vec::new();
    while let Some(&key) = keys.get(next.fetch_add(1, Ordering::Relaxed)) {
        let request = format!("GET /items/1 HTTP/1.1\r\nhost: {address}\r\nx-key: {key}\r\n\r\n");
        stream.write_all(request.as_bytes()).await.expect("a connection that stays open");
        let response = tokio::time::timeout(PATIENCE, response(&mut stream, &mut buffer));
        let (status, conflict) = response.await.expect("an answer in time");
        seen.push(Seen { key, status, conflict });
    }
    seen
}

/// Reads one whole response, and nothing of another.
async fn response(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> (u16, Option<Conflict>) {
    buffer.clear();
    loop {
        assert!(stream.read_buf(buffer).await.expect("a connection") > 0, "closed within an answer");
        let text = std::str::from_utf8(buffer).expect("this answer is all text");
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length: usize = header(head, "content-length").expect("a length").parse().expect("a number");
        assert!(body.len() <= length, "more than the answer: {text}");
        if body.len() == length {
            let status = head.get("HTTP/1.1 ".len()..).and_then(|rest| rest.get(..3));
            return (status.expect("a status").parse().expect("a number"), conflict(head));
        }
    }
}

/// The value of a header, as hyper writes it.
fn header<'h>(head: &'h str, name: &str) -> Option<&'h str> {
    let (_, rest) = head.split_once(&format!("\r\n{name}: "))?;
    rest.split("\r\n").next()
}

/// Reads `fracas: rule="first-3", kind=transient, phase=before, n=2`.
fn conflict(head: &str) -> Option<Conflict> {
    let text = header(head, "fracas")?;
    let value = |name: &str| text.split(", ").find_map(|part| part.strip_prefix(name)).expect(name);
    let n = value("n=").parse().expect("a number");
    Some(Conflict { rule: value("rule=").trim_matches('"').to_owned(), n })
}

#[test]
fn a_conflict_is_read_from_its_header() {
    let head = "HTTP/1.1 409 Conflict\r\nfracas: rule=\"first-3\", kind=transient, n=17\r\nvia: x";
    assert_eq!(conflict(head), Some(Conflict { rule: "first-3".to_owned(), n: 17 }));
    assert_eq!(conflict("HTTP/1.1 200 OK\r\nvia: x"), None);
}
