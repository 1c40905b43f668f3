//! One connection, from its first request to its last, or to the end of the WebSocket it became.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::sync::watch;

use super::{Demo, dispatch, websocket};

/// Deadline of an idle connection, and of a request's head.
const IDLE: Duration = Duration::from_secs(75);

/// Place in which a handler leaves the connection to be upgraded to a WebSocket.
pub(super) type Upgrade = Mutex<Option<OnUpgrade>>;

/// Serves one connection until its client is done, or soon after `closing` turns true.
pub(super) async fn serve(stream: TcpStream, demo: Demo, mut closing: watch::Receiver<bool>) {
    // Small responses must not wait for an acknowledgement; without the option they only come later.
    let _ = stream.set_nodelay(true);
    let upgrade = Upgrade::default();
    {
        let (demo, upgrade) = (&demo, &upgrade);
        let service = service_fn(move |request| async move {
            Ok::<_, Infallible>(dispatch::respond(demo, upgrade, request).await)
        });
        let mut http = pin!(
            http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(IDLE)
                .serve_connection(TokioIo::new(stream), service)
                .with_upgrades()
        );
        // A failed connection concerns only its client, which knows.
        let over = tokio::select! {
            _ = http.as_mut() => true,
            _ = closing.wait_for(|closing| *closing) => false,
        };
        if !over {
            http.as_mut().graceful_shutdown();
            let _ = http.await;
        }
    }
    let upgrade = upgrade.into_inner().unwrap_or_else(PoisonError::into_inner);
    if let Some(upgrade) = upgrade
        && let Ok(stream) = upgrade.await
    {
        let _ = websocket::echo(TokioIo::new(stream), closing).await;
    }
}
