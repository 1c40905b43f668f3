//! Tunnels: after a 101, bytes pass both ways until either side ends.

use std::rc::Rc;

use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;

use super::client::Client;

/// Joins two upgraded connections. The client keeps its place under `limits.connections`.
pub async fn tunnel(near: OnUpgrade, far: OnUpgrade, _client: Rc<Client>) {
    let (client, upstream) = match tokio::try_join!(near, far) {
        Ok(both) => both,
        Err(error) => {
            tracing::debug!(%error, "a side did not upgrade");
            return;
        }
    };
    let (mut client, mut upstream) = (TokioIo::new(client), TokioIo::new(upstream));
    if let Err(error) = tokio::io::copy_bidirectional(&mut client, &mut upstream).await {
        tracing::debug!(%error, "a tunnel broke");
    }
}
