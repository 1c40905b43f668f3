//! Orders: each refers to an item, and is placed once per idempotency key.

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use serde_json::Value;
use siphasher::sip128::SipHasher13;

use super::Demo;
use super::body::SampleBody;
use super::items::{created, show};
use super::request::{object, parse, query_number, read};
use super::response::{HandlerResult, Problem, empty, json};
use super::routes::Route;
use super::shop::{Placed, no_order};
use super::streams::MAX_WAIT;

/// The longest idempotency key, in bytes.
const MAX_KEY: usize = 255;

/// `GET /orders`.
pub(super) fn list(demo: &Demo) -> Response<SampleBody> {
    let pieces = demo.shop().orders.pieces();
    json(StatusCode::OK, "").map(|_| SampleBody::pieces(pieces))
}

/// `POST /orders`. With `?ms=` it takes that long, so that the same key can be met running.
pub(super) async fn create(demo: &Demo, request: Request<Incoming>) -> HandlerResult {
    let pause = Duration::from_millis(query_number(&request, "ms", 0, MAX_WAIT)?);
    let key = idempotency_key(request.headers())?;
    let body = read(request.into_body()).await?;
    let item_id = object(parse(&body)?)?.get("item_id").and_then(Value::as_u64).ok_or_else(|| {
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "`item_id` must be the number of an item.")
    })?;
    let Some(key) = key else {
        wait(pause).await;
        return respond(place(demo, item_id));
    };
    if let Some(outcome) = demo.shop().claim(&key, fingerprint(&body))? {
        return respond(outcome);
    }
    let running = Running { demo, key };
    wait(pause).await;
    respond(running.place(item_id))
}

/// All methods of `/orders/{id}`.
pub(super) fn one<B>(demo: &Demo, id: u64, request: &Request<B>) -> HandlerResult {
    if *request.method() == Method::DELETE {
        demo.shop().remove_order(id)?;
        demo.stats().writes.add(Some(Route::Order), &Method::DELETE);
        return Ok(empty(StatusCode::NO_CONTENT));
    }
    let order = demo.shop().orders.get(id).cloned().ok_or_else(|| no_order(id))?;
    Ok(show(StatusCode::OK, order))
}

/// A claimed idempotency key. Dropped while still running, because the client left, it is free
/// again: nothing was placed.
struct Running<'d> {
    demo: &'d Demo,
    key: Arc<[u8]>,
}

impl Running<'_> {
    /// Places the order and keeps the outcome for the key, unless there is no room, which may pass.
    fn place(self, item_id: u64) -> Placed {
        let outcome = place(self.demo, item_id);
        if !matches!(&outcome, Err(problem) if problem.status == StatusCode::INSUFFICIENT_STORAGE) {
            self.demo.shop().settle(&self.key, &outcome);
        }
        outcome
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.demo.shop().abandon(&self.key);
    }
}

fn place(demo: &Demo, item_id: u64) -> Placed {
    let order = demo.shop().place(item_id)?;
    demo.stats().writes.add(Some(Route::Orders), &Method::POST);
    Ok(order)
}

fn respond(outcome: Placed) -> HandlerResult {
    created("/orders", outcome?)
}

async fn wait(pause: Duration) {
    if !pause.is_zero() {
        tokio::time::sleep(pause).await;
    }
}

/// The idempotency key of a request: any visible text, quotes and all, compared as it is.
fn idempotency_key(headers: &HeaderMap) -> Result<Option<Arc<[u8]>>, Problem> {
    let mut lines = headers.get_all("idempotency-key").into_iter();
    match (lines.next(), lines.next()) {
        (None, _) => Ok(None),
        (Some(key), None) if (1..=MAX_KEY).contains(&key.len()) => Ok(Some(Arc::from(key.as_bytes()))),
        _ => Err(Problem::new(
            StatusCode::BAD_REQUEST,
            format!("Idempotency-Key must be given once, with 1 to {MAX_KEY} characters."),
        )),
    }
}

/// Fingerprint of a payload.
fn fingerprint(body: &[u8]) -> u128 {
    // A client that forges a collision replays its own response.
    SipHasher13::new_with_keys(0, 0).hash(body).as_u128()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_idempotency_key_is_given_once_and_bounded() {
        let long = "k".repeat(MAX_KEY);
        let too_long = "k".repeat(MAX_KEY + 1);
        let cases = [
            (vec![], Ok(None)),
            (vec!["k"], Ok(Some("k"))),
            (vec!["\"k\""], Ok(Some("\"k\""))),
            (vec![long.as_str()], Ok(Some(long.as_str()))),
            (vec![too_long.as_str()], Err(400)),
            (vec![""], Err(400)),
            (vec!["k", "k"], Err(400)),
        ];
        for (lines, expected) in cases {
            let mut headers = HeaderMap::new();
            for line in &lines {
                headers.append("idempotency-key", line.parse().unwrap());
            }
            let key = idempotency_key(&headers).map_err(|problem| problem.status.as_u16());
            assert_eq!(key, expected.map(|key| key.map(|key| Arc::from(key.as_bytes()))), "{lines:?}");
        }
    }

    #[test]
    fn a_key_whose_request_ended_early_is_free_again() {
        let demo = Demo::new();
        let key: Arc<[u8]> = Arc::from(&b"k"[..]);
        assert_eq!(demo.shop().claim(&key, 1), Ok(None));
        drop(Running { demo: &demo, key: Arc::clone(&key) });
        assert_eq!(demo.shop().claim(&key, 2), Ok(None));

        let outcome = Running { demo: &demo, key: Arc::clone(&key) }.place(1);
        assert_eq!(demo.shop().claim(&key, 2), Ok(Some(outcome)));
    }
}
