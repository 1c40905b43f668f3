//! Floor 3: the data path.
//!
//! [`Proxy::bind`] takes the port and [`Proxy::start`] the threads; a request's life is
//! `exchange.rs`, read from top to bottom.

mod access_log;
mod admit;
mod allowed_hosts;
mod body;
mod check_files;
mod connection_auth;
mod counters;
mod decide;
mod downstream;
mod error;
mod error_response;
mod exchange;
mod faults;
mod folded;
pub mod headers;
mod lifecycle;
mod max_forwards;
mod owed;
mod pem;
mod record;
mod request_origin;
pub mod rewrite;
mod running;
mod shared;
mod snapshot;
mod start_error;
mod state;
mod summary;
mod tasks;
mod upstream;
mod via;
mod worker;

use std::cell::RefCell;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;

use tokio::runtime::{Builder, LocalOptions};
use tokio::sync::{Semaphore, watch};

pub use self::check_files::check_files;
pub use self::downstream::descriptors;
use self::downstream::descriptors::UpstreamPlace;
pub use self::downstream::listen::reaches;
use self::downstream::tls::acceptor;
pub use self::downstream::tls::{OwnCertificate, TlsError};
pub use self::error::Failure;
use self::lifecycle::Lifecycle;
use self::owed::Settler;
use self::record::Recorder;
pub use self::running::{Control, Running};
use self::shared::Shared;
use self::snapshot::{Current, Snapshot, Snapshots};
pub use self::start_error::StartError;
pub use self::state::StateAccess;
pub use self::summary::{RuleSummary, Summary};
use self::tasks::Tasks;
use self::upstream::connect::Connector;
pub use self::upstream::connect::ConnectorError;
use self::upstream::forward::Forwarder;
use self::upstream::http2::Streams;
use self::upstream::pool::Pool;
use self::via::Via;
use self::worker::{Tickets, Worker};
use crate::clock::Clock;
use crate::grading::CommandEnd;
use crate::journal::{Header, Journal, JournalFile, JournalSender, RunOrigin};
use crate::model::RunKey;
use crate::rules::{Config, Limits, Settings, UpstreamUrl};
use crate::store::MemoryStore;

/// A proxy that holds its port and does not serve yet.
pub struct Proxy {
    listeners: Vec<TcpListener>,
    address: SocketAddr,
    upstream: UpstreamUrl,
    connector: Arc<Connector>,
    shared: Arc<Shared>,
    certificate: Option<OwnCertificate>,
    key: RunKey,
    header: Header,
    file: Option<JournalFile>,
}

impl Proxy {
    /// Takes the port. `upstream` is where requests go: `config` may name the sample API, which
    /// runs wherever the caller started it.
    pub fn bind(config: Config, upstream: UpstreamUrl) -> Result<Proxy, StartError> {
        let clock = Clock::start();
        let run = format!("{:08x}", random().map(u32::from_ne_bytes)?);
        let mut header = Header { run, ..Header::new(&config, format!("{:.3}", clock.wall())) };
        let Config { settings, rules } = config;
        let counters = counters::ProxyCounters::default();
        let via = settings.via.then(|| random().map(u64::from_ne_bytes).map(Via::new)).transpose()?;
        let connector = Connector::new(&upstream, &settings, Arc::clone(&counters.replays))
            .map_err(StartError::Upstream)?;
        let key = RunKey::new(random()?);
        let snapshot = Snapshot::new(&settings, &upstream, key, rules, None)?;
        let (tls, certificate) = match &settings.tls {
            Some(tls) => {
                let (tls, certificate) = acceptor(tls, settings.listen).map_err(StartError::Tls)?;
                (Some(tls), certificate)
            }
            None => (None, None),
        };
        let open = |path: &PathBuf| {
            JournalFile::open(path).map_err(|error| StartError::Journal(path.clone(), error))
        };
        let file = settings.journal.file.as_ref().map(open).transpose()?;
        let workers = worker_count(&settings);
        let descriptor_limit = downstream::descriptors::limit();
        let place = UpstreamPlace::of(&settings);
        let connections = settings.limits.connections.unwrap_or(Limits::CONNECTIONS);
        let connections = connections.min(downstream::descriptors::clients(descriptor_limit, workers, place));
        let listeners = downstream::listen::listeners(settings.listen, workers)
            .map_err(|error| StartError::Listen(settings.listen, error))?;
        let address = match listeners.first().map(TcpListener::local_addr) {
            Some(Ok(address)) => address,
            _ => settings.listen,
        };
        header.proxy = downstream::listen::url(address, settings.tls.is_some());
        let shared = Arc::new(Shared {
            via,
            tunnels: Arc::default(),
            snapshots: Snapshots::new(snapshot),
            state: Arc::new(StateAccess::new(MemoryStore::new(
                settings.limits.keys,
                settings.limits.key_ttl,
            ))),
            first_ticket: random().map(u64::from_ne_bytes)?,
            long_looks: Arc::new(Semaphore::new(decide::LONG_LOOKS)),
            connections: Arc::new(Semaphore::new(connections.get().min(Semaphore::MAX_PERMITS))),
            surplus: downstream::descriptors::surplus(descriptor_limit),
            clock,
            counters,
            settings,
            tls,
        });
        let connector = Arc::new(connector);
        Ok(Proxy { listeners, address, upstream, connector, shared, certificate, key, header, file })
    }

    /// Sets the origin of its rules and its purpose: its journal and reports name them.
    pub fn set_origin(&mut self, origin: RunOrigin) {
        self.header.origin = origin;
    }

    /// Where it listens, with the port that was chosen for port 0.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Maximum number of client connections served at a time.
    pub fn connections(&self) -> usize {
        self.shared.connections.available_permits()
    }

    /// Number of file descriptors that `connections` need.
    pub fn descriptors_for(&self, connections: usize) -> usize {
        downstream::descriptors::needed(
            connections,
            self.listeners.len(),
            UpstreamPlace::of(&self.shared.settings),
        )
    }

    /// The certificate that was made for this run, if one was.
    pub fn certificate(&self) -> Option<&OwnCertificate> {
        self.certificate.as_ref()
    }

    /// Starts the workers; requests are served from here on.
    pub fn start(mut self) -> Result<Running, StartError> {
        let places = self.connections();
        let (order, _) = watch::channel(Lifecycle::Serve);
        let room = usize::try_from(self.shared.settings.journal.attempts.get()).unwrap_or(usize::MAX);
        let shared = Arc::clone(&self.shared);
        let tallying = move || {
            let rules = shared.snapshots.latest().rules;
            rules.iter().map(|active| (active.counters.matched(), active.counters.fired())).collect()
        };
        let journal = Journal::start(self.header, room, self.file, self.shared.clock, Box::new(tallying));
        let journal = journal.map_err(StartError::Thread)?;
        let command = Arc::<OnceLock<(CommandEnd, u64)>>::default();
        journal.tell_at_end(self.shared.at_end(Arc::clone(&command)));
        let mut threads = Vec::new();
        for (number, listener) in std::mem::take(&mut self.listeners).into_iter().enumerate() {
            let thread = thread(
                number,
                Arc::clone(&self.shared),
                self.upstream.clone(),
                Arc::clone(&self.connector),
                listener,
                order.subscribe(),
                (self.key, journal.inlet()),
            );
            threads.push(thread.map_err(StartError::Thread)?);
        }
        let Proxy { address, shared, connector, upstream, key, .. } = self;
        Ok(Running { upstream, key, address, shared, places, connector, order, threads, journal, command })
    }
}

/// One worker for each core that this process may use.
fn worker_count(settings: &Settings) -> usize {
    settings.workers.or_else(|| std::thread::available_parallelism().ok()).map_or(1, NonZeroUsize::get)
}

/// Unguessable bytes.
fn random<const BYTES: usize>() -> Result<[u8; BYTES], StartError> {
    let mut random = [0; BYTES];
    let source = rustls::crypto::ring::default_provider().secure_random;
    source.fill(&mut random).map_err(|_| StartError::Randomness)?;
    Ok(random)
}

/// Starts a worker's thread. The worker's state is made there: none of it may leave.
fn thread(
    number: usize,
    shared: Arc<Shared>,
    upstream: UpstreamUrl,
    connector: Arc<Connector>,
    listener: TcpListener,
    order: watch::Receiver<Lifecycle>,
    (key, inlet): (RunKey, JournalSender),
) -> io::Result<JoinHandle<()>> {
    std::thread::Builder::new().name(format!("fracas-worker-{number}")).spawn(move || {
        let runtime = match Builder::new_current_thread().enable_all().build_local(LocalOptions::default()) {
            Ok(runtime) => runtime,
            Err(error) => return tracing::error!(%error, "a worker could not start"),
        };
        runtime.block_on(async move {
            let listener = match tokio::net::TcpListener::from_std(listener) {
                Ok(listener) => listener,
                Err(error) => return tracing::error!(%error, "a worker could not listen"),
            };
            let tasks = Rc::new(Tasks::new(Arc::clone(&shared.counters.panics)));
            let settings = &shared.settings;
            let streams = connector.may_speak_http2().then(|| {
                let (timeouts, limits) = (&settings.timeouts, &settings.limits);
                Streams::new(Arc::clone(&connector), Rc::clone(&tasks), shared.clock, timeouts, limits)
            });
            let forwarder = Forwarder {
                host: settings.host,
                via: shared.via.clone(),
                upgrades: settings.upgrades.clone(),
                tunnels: Arc::clone(&shared.tunnels),
                tunnel_idle: settings.timeouts.tunnel,
                replays: settings.replay,
                streams,
                fresh: RefCell::default(),
                limits: settings.limits.clone(),
                has_answered: std::cell::Cell::default(),
                patience: settings.timeouts.response_head,
                clock: shared.clock,
                pool: Pool::new(shared.clock, settings.timeouts.keep_alive),
                tasks: Rc::clone(&tasks),
                origin: Rc::new(rewrite::Origin::of(&upstream)),
                rewrites_bodies: settings.rewrite_bodies,
                upstream,
                connector,
            };
            let is_draining = std::cell::Cell::new(false);
            let recorder = Rc::new(Recorder::new(key, shared.clock, inlet));
            let records = Rc::clone(&recorder);
            let unread = folded::Folded::default();
            let surplus = Arc::new(Semaphore::new(shared.surplus));
            let snapshot = Current::new(&shared.snapshots);
            let tickets = Tickets::new(shared.first_ticket, number);
            let settler = Rc::new(Settler { shared: Arc::clone(&shared), tasks: Rc::clone(&tasks) });
            let worker = Worker {
                shared,
                forwarder,
                tasks,
                settler,
                recorder,
                snapshot,
                tickets,
                is_draining,
                surplus,
                unread,
            };
            tokio::select! {
                () = Rc::new(worker).run(listener, order) => {}
                never = records.hand_over() => match never {},
            }
        });
    })
}
