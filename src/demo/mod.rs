//! The built-in sample API (`upstream = "demo"`, and `fracas demo`): a small, real, versioned REST
//! service in memory, so that every rule has a real resource to conflict about.
//!
//! | route | behaviour |
//! | --- | --- |
//! | `GET /` | this list, as HTML or JSON by `Accept` |
//! | `POST /register` | `{"username"}`: 201, or 409 when the name is taken (`john_doe` and `jane_smith` are) |
//! | `POST /login` | `{"username"}` of a registered user: a `session` cookie; a password is not looked at |
//! | `GET /me` | the user of the session, or 401 |
//! | `GET`, `POST /items` | all items; a new one: 201 with `Location` and `ETag` |
//! | `GET`, `PUT`, `PATCH`, `DELETE /items/{id}` | one item; `If-Match` and `If-None-Match` are honoured, `PATCH` is a JSON merge patch, an ordered item is not deleted (409) |
//! | `GET`, `POST /orders` | all orders; a new one for `{"item_id"}`, with `Idempotency-Key` honoured; `?ms=` makes it take that long |
//! | `GET`, `DELETE /orders/{id}` | one order |
//! | `GET /pages/{n}` | fifty linked HTML pages |
//! | `GET /slow?ms=1000` | a response after that many milliseconds, at most 60,000 |
//! | `GET /bytes/{n}` | `n` bytes, at most 4 GiB; `?chunked=1` leaves out the length |
//! | `/echo` | the request's body, streamed back, for any method |
//! | `GET /events?n=5&ms=100` | `n` server-sent events, one every `ms` milliseconds |
//! | `GET /ws` | a WebSocket that echoes |
//! | `GET /stats` | requests seen and writes applied, per route |
//! | `GET /redirect` | 302 to `/items/1`, as an absolute URL on the request's host |
//! | `GET /cookie` | a cookie for the request's host |
//!
//! Items and orders carry their `id` and `rev`, the version, which in quotes is the `ETag`; all
//! other members of an item are the client's. `HEAD` goes wherever `GET` does, except to `/ws`. Other failures are problem details (RFC 9457).
//!
//! Bounds: 100,000 each of items, orders, users, sessions and idempotency keys, and 256 MiB of
//! items (507 beyond); 1 MiB for a JSON body, an item (413) and a WebSocket message; 100,000 events
//! of a stream; 16,384 connections, further ones wait. A connection may idle for 75 seconds. Nothing
//! is evicted and nothing outlives the process.

mod body;
mod connection;
mod dispatch;
mod items;
mod orders;
mod pages;
mod preconditions;
mod request;
mod response;
mod routes;
mod shop;
mod stats;
mod streams;
mod table;
#[cfg(test)]
mod tests;
mod users;
mod websocket;

use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use shop::Shop;
use stats::Stats;
use users::Users;

/// Connections served at once; further ones wait in the listener's backlog.
const MAX_CONNECTIONS: usize = 16_384;

/// Deadline for requests in flight once the service shuts down.
const DRAIN: Duration = Duration::from_secs(5);

/// Pause after a failed accept, most likely for want of descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// The state of one sample API. Clones share it.
#[derive(Clone)]
pub struct Demo(Arc<State>);

struct State {
    shop: Mutex<Shop>,
    users: Mutex<Users>,
    stats: Stats,
}

impl Demo {
    /// A fresh service: ten items, two users, no orders.
    pub fn new() -> Demo {
        Demo(Arc::new(State {
            shop: Mutex::new(Shop::new()),
            users: Mutex::new(Users::new()),
            stats: Stats::default(),
        }))
    }

    /// Items, orders and idempotency keys. Never held across an await.
    fn shop(&self) -> MutexGuard<'_, Shop> {
        self.0.shop.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Users and sessions. Never held across an await.
    fn users(&self) -> MutexGuard<'_, Users> {
        self.0.users.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn stats(&self) -> &Stats {
        &self.0.stats
    }
}

impl Default for Demo {
    fn default() -> Demo {
        Demo::new()
    }
}

/// Serves `demo` on `listener` until `shutdown` resolves, then takes no more connections, lets
/// the requests in flight end for up to five seconds, and returns. Dropping it stops at once.
pub async fn serve(listener: TcpListener, demo: Demo, shutdown: impl Future<Output = ()>) {
    let (close, closing) = watch::channel(false);
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            () = &mut shutdown => break,
            Some(_) = connections.join_next() => continue,
            accepted = listener.accept(), if connections.len() < MAX_CONNECTIONS => accepted,
        };
        match accepted {
            Ok((stream, _)) => {
                connections.spawn(connection::serve(stream, demo.clone(), closing.clone()));
            }
            Err(error) if is_about_one_connection(&error) => {}
            Err(error) => {
                tracing::warn!(%error, "the sample API cannot accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    close.send_replace(true);
    let drained = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(DRAIN, drained).await.is_err() {
        connections.shutdown().await;
    }
}

/// Whether the client, not the listener, is why `accept` failed.
fn is_about_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}
