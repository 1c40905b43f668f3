//! A proxy that serves: its counts, its rules, its end.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;

use tokio::sync::watch;

use super::error::Failure;
use super::lifecycle::Lifecycle;
use super::shared::Shared;
use super::snapshot::Snapshot;
use super::start_error::StartError;
use super::summary::Summary;
use super::upstream::connect::Connector;
use crate::grading::CommandEnd;
use crate::journal::{Clients, Journal, JournalResult, Progress};
use crate::model::RunKey;
use crate::rules::{Rule, UpstreamUrl};

/// A proxy that serves.
pub struct Running {
    pub(super) address: SocketAddr,
    pub(super) upstream: UpstreamUrl,
    pub(super) key: RunKey,
    pub(super) shared: Arc<Shared>,
    /// Connections of clients that are served at a time.
    pub(super) places: usize,
    pub(super) connector: Arc<Connector>,
    pub(super) order: watch::Sender<Lifecycle>,
    pub(super) threads: Vec<JoinHandle<()>>,
    pub(super) journal: Journal,
    /// How the command ended, and when, in microseconds since the run began.
    pub(super) command: Arc<OnceLock<(CommandEnd, u64)>>,
}

impl Running {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// A handle that ends the proxy from any thread.
    pub fn control(&self) -> Control {
        Control(self.order.clone())
    }

    /// [`Control::drain`].
    pub fn drain(&self) {
        self.control().drain();
    }

    /// [`Control::stop`].
    pub fn stop(&self) {
        self.control().stop();
    }

    /// Waits for the workers to end, after [`Running::drain`] or [`Running::stop`].
    pub fn join(self) -> Summary {
        self.end(Clients::MayGoOn).0
    }

    /// As [`Running::join`]; also returns the journal's content at the end, `clients` having gone or not.
    pub fn end(self, clients: Clients) -> (Summary, JournalResult) {
        for thread in self.threads {
            // A worker that panicked was counted where it did.
            let _ = thread.join();
        }
        let kept = self.journal.end(clients);
        let mut summary = self.shared.summary();
        self.shared.count_open(&mut summary);
        (summary, kept)
    }

    /// Connects to the upstream once, TLS included.
    pub fn look_at_upstream(&self) -> impl Future<Output = Result<(), Failure>> + use<> {
        let connector = Arc::clone(&self.connector);
        async move { connector.look().await }
    }

    /// Connections of clients that are open.
    pub fn open_connections(&self) -> usize {
        self.places.saturating_sub(self.shared.connections.available_permits())
    }

    /// Records the end of the command that the proxy was started for, at this moment.
    pub fn command_ended(&self, end: CommandEnd) {
        // Only the first call counts: the command ends once.
        let _ = self.command.set((end, self.shared.clock.now().0 / 1_000));
    }

    /// The progress of clients.
    pub fn progress(&self) -> Arc<Progress> {
        self.journal.progress()
    }

    /// Gives new requests other rules; requests in flight keep the rules that they began with. A rule that keeps its
    /// name and its meaning keeps its counts and its state. The journal's header still shows the first rules.
    ///
    /// # Errors
    /// A reply that can never be made from its template; the rules stay as they are.
    pub fn replace_rules(&self, rules: Vec<Rule>) -> Result<(), StartError> {
        let (settings, upstream) = (&self.shared.settings, &self.upstream);
        let next =
            |latest: &Snapshot| Snapshot::new(settings, upstream, self.key, rules, Some(&latest.rules));
        self.shared.snapshots.replace(next)
    }

    /// The counters so far.
    pub fn summary(&self) -> Summary {
        self.shared.summary()
    }
}

/// Ends a proxy that serves.
#[derive(Clone, Debug)]
pub struct Control(watch::Sender<Lifecycle>);

impl Control {
    /// Accepts nothing more; requests in flight may end, within `timeouts.drain`.
    pub fn drain(&self) {
        self.send(Lifecycle::Drain);
    }

    /// Ends everything at once.
    pub fn stop(&self) {
        self.send(Lifecycle::Stop);
    }

    fn send(&self, order: Lifecycle) {
        self.0.send_if_modified(|current| {
            let is_further = order > *current;
            *current = order.max(*current);
            is_further
        });
    }
}
