//! `fracas serve`: the proxy from its start to its end.

use std::io;
use std::process::ExitCode;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::runtime::Builder;

use super::arguments::{Given, Serve};
use super::banner::{banner, url_of};
use super::demo::Beside;
use super::load::{Loaded, load};
use super::log::{Log, Volume};
use super::output::{result, talk};
use super::ready_file::ReadyFile;
use super::refusal::Refusal;
use super::signals::Signals;
use super::{UNUSABLE, summary};
use crate::proxy::{Proxy, Running, StartError, Summary};
use crate::rules::{Upstream, UpstreamUrl, check_settings};

/// Serves until told to end.
pub fn serve(arguments: &Serve, given: &[Given]) -> ExitCode {
    match run(arguments, given) {
        Ok(code) => code,
        Err(refusal) => refusal.report(),
    }
}

fn run(arguments: &Serve, given: &[Given]) -> Result<ExitCode, Refusal> {
    if let Some(flag) = arguments.not_yet() {
        return Err(Refusal::not_yet(flag));
    }
    let mut loaded = load(&arguments.rules, given)?;
    if let Some(file) = arguments.journal.clone().filter(|file| !file.as_os_str().is_empty()) {
        loaded.config.settings.journal.file = Some(file);
    }
    if !arguments.quiet {
        loaded.warn();
    }
    let log = Log::start(arguments.log_format, volume(arguments));
    let (_demo, upstream) = match &loaded.config.settings.upstream {
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
    let is_demo = loaded.config.settings.upstream == Upstream::Demo;
    let file = arguments.ready_file.as_deref().filter(|path| !path.as_os_str().is_empty());
    let file = file.map(|path| ReadyFile::prepare(path, proxy.address(), &url_of(&upstream))).transpose()?;

    let runtime = Builder::new_current_thread().enable_all().build().map_err(StartError::Thread)?;
    let ended = runtime.block_on(async {
        // Before anybody can know that it serves, so that no signal is missed.
        let mut signals = Signals::listen().map_err(StartError::Thread)?;
        let running = proxy.start()?;
        let control = running.control();
        let published = file.map(ReadyFile::publish).transpose().map_err(|error| {
            control.stop();
            Refusal::new(
                "ready-file",
                format!("the ready file cannot be put in its place: {error}"),
                "give `--ready-file` a folder that stays",
            )
        })?;
        tell_start(&log, &loaded, &upstream);
        let ended = until_ended(running, &mut signals, &upstream, &log, is_demo).await;
        drop(published);
        Ok::<_, Refusal>(ended)
    });
    // A name that is still being resolved must not keep the process.
    runtime.shutdown_background();
    let ended = ended?;
    let is_json = log.is_json();
    let is_quiet = log.is_quiet();
    log.end();
    Ok(tell_end(&ended, is_json, is_quiet))
}

fn volume(arguments: &Serve) -> Volume {
    match arguments {
        Serve { quiet: true, .. } => Volume::Quiet,
        Serve { verbose: true, .. } => Volume::Verbose,
        _ => Volume::Normal,
    }
}

fn tell_start(log: &Log, loaded: &Loaded, upstream: &UpstreamUrl) {
    let settings = &loaded.config.settings;
    log.say(&banner(loaded, settings.listen));
    if log.is_json() {
        tracing::info!(
            target: "fracas::start",
            version = env!("CARGO_PKG_VERSION"),
            listen = %settings.listen,
            upstream = url_of(upstream),
            file = loaded.file.as_deref().map(|file| tracing::field::display(file.display())),
            rules = loaded.config.rules.len(),
            seed = settings.seed,
        );
    }
}

/// How a proxy ended.
struct Ended {
    summary: Summary,
    /// Not because somebody said so.
    by_itself: bool,
}

/// Serves until a signal, then lets requests in flight end; until a second one, then ends at once.
async fn until_ended(
    running: Running,
    signals: &mut Signals,
    upstream: &UpstreamUrl,
    log: &Log,
    is_demo: bool,
) -> Ended {
    let control = running.control();
    let mut joined = tokio::task::spawn_blocking(move || running.join());
    let look = async {
        if !is_demo {
            look_at(upstream).await;
        }
        std::future::pending::<()>().await;
    };
    let ended = tokio::select! {
        joined = &mut joined => Some(joined),
        () = signals.next() => None,
        () = look => None,
    };
    let (by_itself, joined) = match ended {
        Some(joined) => (true, joined),
        None => {
            control.drain();
            log.say("stopping: requests in flight may end; once more stops at once\n");
            tokio::select! {
                joined = &mut joined => (false, joined),
                () = signals.next() => {
                    control.stop();
                    (false, joined.await)
                }
            }
        }
    };
    // It only waits for threads, whose panics are counted where they happen.
    Ended { summary: joined.unwrap_or_default(), by_itself }
}

/// One quick look at whether the upstream is there. It may well come later.
async fn look_at(upstream: &UpstreamUrl) {
    /// Longer than any handshake on one continent.
    const PATIENCE: Duration = Duration::from_millis(300);
    let (host, port) = (&*upstream.authority.host, upstream.authority.port);
    let why = match tokio::time::timeout(PATIENCE, TcpStream::connect((host, port))).await {
        Ok(Ok(_)) => return,
        Ok(Err(error)) if error.kind() == io::ErrorKind::ConnectionRefused => {
            "refuses connections".to_owned()
        }
        Ok(Err(error)) => format!("cannot be reached: {error}"),
        Err(_) => "does not accept connections quickly".to_owned(),
    };
    tracing::warn!("the upstream {} {why}; until it is up, requests get 502", url_of(upstream));
}

fn tell_end(ended: &Ended, is_json: bool, is_quiet: bool) -> ExitCode {
    let written = match (is_quiet, is_json) {
        (true, _) => ExitCode::SUCCESS,
        (false, true) => result(summary::json(&ended.summary)),
        (false, false) => result(format_args!("\n{}", summary::table(&ended.summary))),
    };
    if ended.by_itself {
        talk("error: every worker has ended, although nobody said so\n");
        return ExitCode::from(UNUSABLE);
    }
    written
}
