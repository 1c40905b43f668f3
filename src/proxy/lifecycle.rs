//! The life of a proxy: it serves, drains, and stops.

use tokio::sync::watch;

/// State of the workers; a later state never goes back to an earlier one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lifecycle {
    Serve,
    /// Accept nothing more, and end when the requests in flight have.
    Drain,
    /// End at once.
    Stop,
}

/// Waits until `state` or a later one is reached. The value itself is not returned: it is a lock, which a `select!`
/// would hold for as long as its arm runs, while the next change of state waits for it.
pub async fn reached(states: &mut watch::Receiver<Lifecycle>, state: Lifecycle) {
    let _ = states.wait_for(|current| *current >= state).await;
}
