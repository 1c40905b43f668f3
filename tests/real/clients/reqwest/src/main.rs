//! Plays reqwest-retry, told that a 409 is transient: SITUATION…, against $FRACAS_URL.

use std::error::Error;
use std::time::Duration;

use futures_util::future::join_all;
use reqwest::{Method, Response, StatusCode};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};
use reqwest_retry::policies::ExponentialBackoff;
use reqwest_retry::{RetryTransientMiddleware, Retryable, RetryableStrategy};

struct Conflicts;

impl RetryableStrategy for Conflicts {
    fn handle(&self, answer: &Result<Response, reqwest_middleware::Error>) -> Option<Retryable> {
        let is_conflict = answer.as_ref().is_ok_and(|answer| answer.status() == StatusCode::CONFLICT);
        is_conflict.then_some(Retryable::Transient)
    }
}

struct Client {
    http: ClientWithMiddleware,
    url: String,
}

impl Client {
    async fn send(&self, method: Method, path: String, body: &'static str, etag: Option<&str>) {
        let mut request = self.http.request(method, format!("{}{path}", self.url)).body(body);
        request = request.header("content-type", "application/json").header("user-agent", "reqwest/0.13");
        if let Some(etag) = etag {
            request = request.header("if-match", etag);
        }
        if let Err(error) = request.send().await {
            println!("{path}: {error}");
        }
    }

    async fn play(&self, situation: &str) -> Result<(), Box<dyn Error>> {
        const ITEM: &str = r#"{"name":"lamp","price_in_cents":2900}"#;
        let put =
            |item: u32, etag| self.send(Method::PUT, format!("/items/{item}?case={situation}"), ITEM, etag);
        match situation {
            "busy" => drop(join_all((10..16).map(|item| put(item, None))).await),
            "persistent" => put(2, None).await,
            "wait" => put(3, None).await,
            "stale" => {
                let read =
                    self.http.get(format!("{}/items/1", self.url)).header("user-agent", "reqwest/0.13");
                let read = read.send().await?;
                let etag = read.headers().get("etag").ok_or("no ETag")?.to_str()?.to_owned();
                put(1, Some(&etag)).await;
            }
            "order" => self.send(Method::POST, "/orders?case=order".into(), r#"{"item_id":1}"#, None).await,
            "taken" => {
                self.send(Method::POST, "/register?case=taken".into(), r#"{"username":"ada"}"#, None).await
            }
            other => return Err(format!("no situation {other}").into()),
        }
        Ok(())
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let policy = ExponentialBackoff::builder()
        .retry_bounds(Duration::from_millis(200), Duration::from_secs(5))
        .build_with_max_retries(4);
    let retry = RetryTransientMiddleware::new_with_policy_and_strategy(policy, Conflicts);
    let http = ClientBuilder::new(reqwest::Client::new()).with(retry).build();
    let client = Client { http, url: std::env::var("FRACAS_URL")? };
    for situation in std::env::args().skip(1) {
        client.play(&situation).await?;
    }
    Ok(())
}
