//! What `serve` and `run` do before the proxy serves.

use super::arguments::{Given, Serve};
use super::banner::{url_of, url_to};
use super::demo::Beside;
use super::load::{Loaded, load};
use super::log::{Log, Volume};
use super::ready_file::{Published, Ready, ReadyFile};
use super::refusal::Refusal;
use super::reporting;
use crate::proxy::{Proxy, Running};
use crate::rules::{Upstream, UpstreamUrl, check_settings};

/// A proxy that holds its port, and what stands around it.
pub struct Prepared {
    pub loaded: Loaded,
    pub log: Log,
    /// The sample API, if requests go there.
    pub demo: Option<Beside>,
    pub upstream: UpstreamUrl,
    pub proxy: Proxy,
    pub file: Option<ReadyFile>,
}

/// Reads what is to run, and takes the ports.
pub fn prepare(arguments: &Serve, given: &[Given], volume: Volume) -> Result<Prepared, Refusal> {
    if let Some(flag) = arguments.not_yet() {
        return Err(Refusal::not_yet(flag));
    }
    let mut loaded = load(&arguments.rules, given)?;
    if let Some(file) = arguments.journal.clone().filter(|file| !file.as_os_str().is_empty()) {
        loaded.config.settings.journal.file = Some(file);
    }
    reporting::check(&arguments.report)?;
    if !arguments.quiet {
        loaded.warn();
    }
    let log = Log::start(arguments.log_format, volume);
    let (demo, upstream) = match &loaded.config.settings.upstream {
        Upstream::Demo => {
            let demo = Beside::start()?;
            let url = demo.url.clone();
            (Some(demo), url)
        }
        Upstream::Url(url) => (None, url.clone()),
    };
    let proxy = Proxy::bind(loaded.config.clone(), upstream.clone())?;
    loaded.config.settings.listen = proxy.address();
    // Port 0 may have become the very port of an upstream that is not up yet.
    check_settings(&loaded.config.settings)?;
    let file = arguments.ready_file.as_deref().filter(|path| !path.as_os_str().is_empty());
    let ready = Ready {
        listen: proxy.address(),
        url: url_to(&loaded.config.settings),
        upstream: &url_of(&upstream),
        certificate: proxy.certificate(),
    };
    let file = file.map(|path| ReadyFile::prepare(path, &ready)).transpose()?;
    Ok(Prepared { loaded, log, demo, upstream, proxy, file })
}

/// Makes the ready file appear; the proxy stops if it cannot.
pub fn publish(file: Option<ReadyFile>, running: &Running) -> Result<Option<Published>, Refusal> {
    file.map(ReadyFile::publish).transpose().map_err(|error| {
        running.stop();
        Refusal::new(
            "ready-file",
            format!("the ready file cannot be put in its place: {error}"),
            "give `--ready-file` a folder that stays",
        )
    })
}
