//! Counts of requests and writes per method and route, so that tests can tell "refused" from "lost".

use std::sync::atomic::{AtomicU64, Ordering};

use http::{Method, Response, StatusCode};
use serde_json::{Map, Value, json};

use super::Demo;
use super::body::SampleBody;
use super::response::json;
use super::routes::Route;

/// Both counts.
#[derive(Default)]
pub(super) struct Stats {
    /// Requests, counted when their head has arrived, independently of their outcome.
    pub requests: Counts,
    /// Writes that were applied: one that was refused or replayed is not.
    pub writes: Counts,
}

/// A count for each method of each route.
#[derive(Default)]
pub(super) struct Counts([[AtomicU64; COLUMNS.len()]; Route::ALL.len() + 1]);

/// The methods counted apart; the last column is for all others.
const COLUMNS: [&str; 8] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "OTHER"];

/// Name for all paths that are no route.
const UNKNOWN: &str = "(unknown)";

impl Counts {
    /// Counts one more of `method` on `route`; `None` stands for a path that is no route.
    pub fn add(&self, route: Option<Route>, method: &Method) {
        let row = route.map_or(Route::ALL.len(), |route| route as usize);
        let column = COLUMNS.iter().position(|name| *name == method.as_str()).unwrap_or(COLUMNS.len() - 1);
        if let Some(count) = self.0.get(row).and_then(|row| row.get(column)) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The counts that are not zero, named `POST /orders`.
    fn to_json(&self) -> Value {
        let templates = Route::ALL.into_iter().map(Route::template).chain([UNKNOWN]);
        let mut shown = Map::new();
        for (template, row) in templates.zip(&self.0) {
            for (method, count) in COLUMNS.iter().zip(row) {
                match count.load(Ordering::Relaxed) {
                    0 => {}
                    count => _ = shown.insert(format!("{method} {template}"), count.into()),
                }
            }
        }
        Value::Object(shown)
    }
}

/// `GET /stats`, which counts itself too.
pub(super) fn show(demo: &Demo) -> Response<SampleBody> {
    let stats = demo.stats();
    let shown = json!({"requests": stats.requests.to_json(), "writes": stats.writes.to_json()});
    json(StatusCode::OK, shown.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_kept_per_method_and_template() {
        let counts = Counts::default();
        let strange = Method::from_bytes(b"STRANGE").unwrap();
        for (route, method) in [
            (Some(Route::Orders), &Method::POST),
            (Some(Route::Orders), &Method::POST),
            (Some(Route::Item), &Method::GET),
            (Some(Route::Echo), &strange),
            (None, &Method::DELETE),
        ] {
            counts.add(route, method);
        }
        let expected = json!({
            "POST /orders": 2, "GET /items/{id}": 1, "OTHER /echo": 1, "DELETE (unknown)": 1,
        });
        assert_eq!(counts.to_json(), expected);
    }

    #[test]
    fn routes_count_in_the_order_of_their_list() {
        for (at, route) in Route::ALL.into_iter().enumerate() {
            assert_eq!(route as usize, at, "{route:?}");
        }
    }
}
