//! Writes that meet: idempotency keys, races, bodies over the bound.

use std::future::Future;
use std::pin::pin;

use http::StatusCode;
use tokio::task::JoinSet;

use super::{Answer, Service};

const ORDER: &str = r#"{"item_id":1}"#;
const KEY: &[(&str, &str)] = &[("idempotency-key", "\"k\"")];

/// The earlier of two responses.
async fn first(one: impl Future<Output = Answer>, other: impl Future<Output = Answer>) -> Answer {
    let (one, other) = (pin!(one), pin!(other));
    tokio::select! {
        response = one => response,
        response = other => response,
    }
}

#[tokio::test]
async fn a_finished_request_is_replayed_for_its_key_and_payload() {
    let service = Service::start().await;
    let mut client = service.client().await;
    let placed = client.send("POST /orders", KEY, ORDER).await;
    let replayed = client.send("POST /orders", KEY, ORDER).await;
    assert_eq!(placed.status, StatusCode::CREATED);
    assert_eq!((replayed.status, &replayed.body), (placed.status, &placed.body));
    assert_eq!(replayed.header("location"), placed.header("location"));
    assert_eq!(replayed.header("etag"), placed.header("etag"));
    assert_eq!(client.count("writes", "POST /orders").await, 1);

    let other = client.send("POST /orders", KEY, r#"{"item_id":2}"#).await;
    assert_eq!(other.status, StatusCode::UNPROCESSABLE_ENTITY);

    // A refusal is an outcome as well: it does not change when the item appears.
    let key = &[("idempotency-key", "refused")];
    for _ in 0..2 {
        let refused = client.send("POST /orders", key, r#"{"item_id":11}"#).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        client.send("PUT /items/11", &[], "{}").await;
    }
}

#[tokio::test]
async fn a_running_request_refuses_its_key_and_frees_it_when_its_client_leaves() {
    let service = Service::start().await;
    let (mut one, mut other) = (service.client().await, service.client().await);
    let refused =
        first(one.send("POST /orders?ms=60000", KEY, ORDER), other.send("POST /orders?ms=60000", KEY, ORDER))
            .await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    assert!(refused.text().contains("still running"));
    drop((one, other));

    let mut client = service.client().await;
    loop {
        match client.send("POST /orders", KEY, ORDER).await.status {
            // The service has yet to see that the client left.
            StatusCode::CONFLICT => {}
            status => break assert_eq!(status, StatusCode::CREATED),
        }
    }
    assert_eq!(client.count("writes", "POST /orders").await, 1);
}

#[tokio::test]
async fn of_many_writes_to_one_version_exactly_one_wins() {
    let service = Service::start().await;
    let mut writers = JoinSet::new();
    for n in 0..20 {
        let mut client = service.client().await;
        writers.spawn(async move {
            let body = format!("{{\"writer\":{n}}}");
            client.send("PUT /items/1", &[("if-match", "\"1\"")], &body).await.status.as_u16()
        });
    }
    let mut statuses = writers.join_all().await;
    statuses.sort_unstable();
    assert_eq!(statuses.split_first(), Some((&200, &[412; 19][..])));
}

#[tokio::test]
async fn a_json_body_over_1_mib_is_refused() {
    let service = Service::start().await;
    let long = |length: usize| format!("{{\"text\":\"{}\"}}", "x".repeat(length - 11));
    let limit = 1024 * 1024;
    for (length, expected) in [(limit / 2, 201), (limit + 1, 413)] {
        let body = long(length);
        assert_eq!(body.len(), length);
        let mut client = service.client().await;
        assert_eq!(client.send("POST /items", &[], &body).await.status.as_u16(), expected);
    }
}

#[tokio::test]
async fn an_item_does_not_grow_over_1_mib_by_patches() {
    let service = Service::start().await;
    let mut client = service.client().await;
    let half = "x".repeat(600 * 1024);
    for (name, expected) in [("a", 200), ("a", 200), ("b", 413)] {
        let patch = format!("{{\"{name}\":\"{half}\"}}");
        assert_eq!(client.send("PATCH /items/1", &[], &patch).await.status.as_u16(), expected);
    }
    assert_eq!(client.get("/items/1").await.header("etag"), "\"3\"");
}
