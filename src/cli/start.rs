//! The steps of `serve` and `run` before the proxy serves.

use std::net::{SocketAddr, ToSocketAddrs as _};
use std::num::NonZeroUsize;
use std::time::Duration;

use super::arguments::{ServeArguments, SettingOverride};
use super::banner::{url_of, url_to};
use super::demo::SampleApi;
use super::load::{Loaded, load};
use super::log::{Log, Volume};
use super::ready_file::{Published, Ready, ReadyFile};
use super::startup_error::StartupError;
use super::{places, reporting};
use crate::grading::Demands;
use crate::journal::RunOrigin;
use crate::proxy::descriptors;
use crate::proxy::descriptors::SoftLimit;
use crate::proxy::{Proxy, Running, StartError, reaches};
use crate::rules::{Mistakes, Settings, Upstream, UpstreamUrl, check_settings, own_listener};

/// A proxy that holds its port, and its companions.
pub struct Prepared {
    pub loaded: Loaded,
    pub log: Log,
    /// The sample API, if requests go there.
    pub demo: Option<SampleApi>,
    pub upstream: UpstreamUrl,
    pub proxy: Proxy,
    pub file: Option<ReadyFile>,
    /// The limit of descriptors for processes started beside it.
    pub soft_limit: SoftLimit,
}

/// The purpose of a proxy.
#[derive(Default)]
pub struct Purpose {
    /// The command line that runs behind it; empty under `serve`.
    pub command: Vec<String>,
    pub demands: Demands,
}

/// Reads rules and settings, and takes the ports.
pub fn prepare(
    arguments: &ServeArguments,
    given: &[SettingOverride],
    volume: Volume,
    purpose: Purpose,
) -> Result<Prepared, StartupError> {
    if let Some(flag) = arguments.not_yet() {
        return Err(StartupError::not_yet(flag));
    }
    let mut loaded = load(&arguments.rules, given)?;
    if let Some(file) = arguments.journal.clone().filter(|file| !file.as_os_str().is_empty()) {
        loaded.config.settings.journal.file = Some(file);
    }
    reporting::check(&arguments.report)?;
    places::check(arguments, &loaded)?;
    if !arguments.quiet {
        loaded.warn();
    }
    let log = Log::start(arguments.log_format, volume);
    let (demo, upstream) = match &loaded.config.settings.upstream {
        Upstream::Demo => {
            let demo = SampleApi::start()?;
            let url = demo.url.clone();
            (Some(demo), url)
        }
        Upstream::Url(url) => (None, url.clone()),
    };
    let soft_limit = descriptors::raise_limit();
    let mut proxy = Proxy::bind(loaded.config.clone(), upstream.clone())?;
    let mut files = loaded.files.iter().map(|file| file.display().to_string());
    proxy.set_origin(RunOrigin {
        rules_file: files.next().or_else(|| loaded.origin()),
        more_rules_files: files.collect(),
        rules_sha256: loaded.sha256.clone(),
        upstream: if demo.is_some() { "demo".to_owned() } else { url_of(&upstream) },
        command: purpose.command,
        demands: purpose.demands,
    });
    warn_of_descriptors(&loaded.config.settings, &proxy);
    loaded.config.settings.listen = proxy.address();
    // Port 0 may have become the very port of an upstream that is not up yet.
    check_settings(&loaded.config.settings)?;
    check_resolved(&upstream, proxy.address())?;
    let file = arguments.ready_file();
    let ready = Ready {
        listen: proxy.address(),
        url: url_to(&loaded.config.settings),
        upstream: &url_of(&upstream),
        certificate: proxy.certificate(),
    };
    let file = file.map(|path| ReadyFile::prepare(path, &ready)).transpose()?;
    Ok(Prepared { loaded, log, demo, upstream, proxy, file, soft_limit })
}

/// Warns where a rules file asks for more connections than there are descriptors for, or where those there are
/// would not even be enough for a test suite.
fn warn_of_descriptors(settings: &Settings, proxy: &Proxy) {
    const FEW: usize = 256;
    let served = proxy.connections();
    let wanted = settings.limits.connections.map_or(FEW, NonZeroUsize::get);
    if served < wanted {
        let (needed, limit) = (proxy.descriptors_for(wanted), descriptors::limit().unwrap_or_default());
        tracing::warn!(
            "{wanted} connections need {needed} file descriptors, and this process may have {limit}: {served} are \
             served at a time, others get 503; raise the limit (ulimit -n), or lower limits.connections"
        );
    }
}

/// As `check_settings`, by the addresses that the upstream's name has: a name of this machine, or an address
/// in another spelling, leads back here as well. Names are looked up only where the ports are the same.
fn check_resolved(upstream: &UpstreamUrl, own: SocketAddr) -> Result<(), StartupError> {
    /// A resolver that does not respond must not keep the proxy from starting: `Via` finds looping requests
    /// too.
    const PATIENCE: Duration = Duration::from_secs(2);
    let (host, port) = (upstream.authority.host.clone(), upstream.authority.port);
    if port != own.port() {
        return Ok(());
    }
    let (sender, resolved) = std::sync::mpsc::channel();
    let look_up =
        move || (&*host, port).to_socket_addrs().map(|found| sender.send(found.collect::<Vec<_>>()));
    std::thread::Builder::new().name("look up".to_owned()).spawn(look_up).map_err(StartError::Thread)?;
    let addresses = resolved.recv_timeout(PATIENCE).unwrap_or_default();
    match addresses.iter().any(|address| reaches(*address, own)) {
        true => Err(Mistakes::from(own_listener(own)).into()),
        false => Ok(()),
    }
}

/// Makes the ready file appear; the proxy stops if it cannot.
pub fn publish(file: Option<ReadyFile>, running: &Running) -> Result<Option<Published>, StartupError> {
    file.map(ReadyFile::publish).transpose().map_err(|error| {
        running.stop();
        StartupError::new(
            "ready-file",
            format!("the ready file cannot be put in its place: {error}"),
            "give `--ready-file` a folder that stays",
        )
    })
}
