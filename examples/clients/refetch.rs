//! A client that handles conflicts well, with hyper: `cargo run --example refetch -- ADDRESS`
//!
//! It renames an item, by the version that it read, and places one order. After a conflict it reads
//! the item again and applies its change to that; the order keeps its key through all tries.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "it stands alone, and has no clock but the system's"
)]

use std::error::Error;
use std::hash::{BuildHasher as _, RandomState};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{Method, Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpStream;

type Response = http::Response<Bytes>;
type Failure = Box<dyn Error + Send + Sync>;

const MOST_TRIES: u32 = 5;
/// Bounds of the backoff.
const SHORTEST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(5);
const PATIENCE: Duration = Duration::from_secs(10);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let address = std::env::args().nth(1).ok_or("usage: refetch ADDRESS, such as localhost:4090")?;
    for line in run(&address).await? {
        println!("{line}");
    }
    Ok(())
}

/// Does both; a line tells of each.
pub async fn run(address: &str) -> Result<[String; 2], Failure> {
    let item = insist("item", || rename_item(address)).await?;
    // One key for all tries: it is one order.
    let key = format!("{:016x}{:016x}", random(), random());
    let order = json!({ "item_id": 1 });
    let placed =
        insist("order", || send(address, Method::POST, "/orders", Some(("idempotency-key", &key)), &order));
    Ok([item, placed.await?])
}

async fn rename_item(address: &str) -> Result<Response, Failure> {
    let read = send(address, Method::GET, "/items/1", None, &Value::Null).await?;
    if read.status() != StatusCode::OK {
        return Ok(read);
    }
    let mut item: Value = serde_json::from_slice(read.body())?;
    if let Some(name) = item.get_mut("name") {
        *name = json!("lamp, by Rust");
    }
    let version = read.headers().get(header::ETAG).ok_or("an item without an ETag")?.to_str()?;
    send(address, Method::PUT, "/items/1", Some(("if-match", version)), &item).await
}

/// Tries until it passes.
async fn insist<F>(what: &str, mut attempt: impl FnMut() -> F) -> Result<String, Failure>
where
    F: Future<Output = Result<Response, Failure>>,
{
    let mut tries = 1;
    loop {
        // Without a response the request may have been applied, or not.
        let answer = tokio::time::timeout(PATIENCE, attempt()).await.map_err(Failure::from).flatten();
        let (outcome, wait) = match &answer {
            Ok(answer) if answer.status().is_success() => {
                return Ok(format!("{what}: {}, tries: {tries}", answer.status().as_u16()));
            }
            // Refusals that may pass when the request is repeated.
            Ok(answer) if matches!(answer.status().as_u16(), 409 | 412 | 429 | 503) => {
                (answer.status().to_string(), asked_to_wait(answer))
            }
            Ok(answer) => return Err(format!("{what}: {}", answer.status()).into()),
            Err(failure) => (failure.to_string(), Duration::ZERO),
        };
        if tries == MOST_TRIES {
            return Err(format!("{what}: gave up after {tries} tries: {outcome}").into());
        }
        tokio::time::sleep(wait + full_jitter(tries)).await;
        tries += 1;
    }
}

/// `Retry-After`, whichever of its two forms it has.
fn asked_to_wait(answer: &Response) -> Duration {
    let value =
        answer.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()).unwrap_or("0");
    match (value.parse(), jiff::fmt::rfc2822::parse(value)) {
        (Ok(seconds), _) => Duration::from_secs(seconds),
        (_, Ok(date)) => {
            SystemTime::from(date.timestamp()).duration_since(SystemTime::now()).unwrap_or_default()
        }
        _ => Duration::ZERO,
    }
}

/// By chance up to a bound that doubles, so that clients do not come back as one herd.
fn full_jitter(tries: u32) -> Duration {
    LONGEST.min(SHORTEST * 2_u32.pow(tries)).mul_f64(random() as f64 / u64::MAX as f64)
}

fn random() -> u64 {
    RandomState::new().hash_one(())
}

/// One request on a connection of its own.
async fn send(
    address: &str,
    method: Method,
    path: &str,
    extra: Option<(&str, &str)>,
    body: &Value,
) -> Result<Response, Failure> {
    let mut request = Request::builder().method(method).uri(path).header(header::HOST, address);
    if let Some((name, value)) = extra {
        request = request.header(name, value);
    }
    let body = if body.is_null() { Bytes::new() } else { Bytes::from(body.to_string()) };
    let request = request.header(header::CONTENT_TYPE, "application/json").body(Full::new(body))?;
    let stream = TokioIo::new(TcpStream::connect(address).await?);
    let (mut sender, connection) = hyper::client::conn::http1::handshake(stream).await?;
    let exchange = async move {
        let (head, body) = sender.send_request(request).await?.into_parts();
        Ok(Response::from_parts(head, body.collect().await?.to_bytes()))
    };
    // The connection ends once its sender is dropped; the exchange reports its errors, too.
    let (answer, _) = tokio::join!(exchange, connection);
    answer
}
