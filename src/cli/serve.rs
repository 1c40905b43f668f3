//! `fracas serve`: the proxy from its start to its end.

use std::io;
use std::process::ExitCode;
use std::time::Duration;

use tokio::runtime::Builder;

use super::arguments::{Given, Serve};
use super::banner::{banner, url_of};
use super::load::Loaded;
use super::log::{Log, Volume};
use super::output::{result, talk, width};
use super::reporting::{self, Wanted};
use super::signals::Signals;
use super::start::{Prepared, Purpose, prepare, publish};
use super::startup_error::Refusal;
use super::{UNUSABLE, summary};
use crate::journal::{Clients, Kept};
use crate::proxy::{Failure, OwnCertificate, Running, StartError, Summary};
use crate::rules::UpstreamUrl;

/// Serves until told to end.
pub fn serve(arguments: &Serve, given: &[Given]) -> ExitCode {
    match run(arguments, given) {
        Ok(code) => code,
        Err(refusal) => refusal.report(),
    }
}

fn run(arguments: &Serve, given: &[Given]) -> Result<ExitCode, Refusal> {
    let Prepared { loaded, log, demo, upstream, proxy, file } =
        prepare(arguments, given, volume(arguments), Purpose::default())?;
    let certificate = proxy.certificate().cloned();
    let runtime = Builder::new_current_thread().enable_all().build().map_err(StartError::Thread)?;
    let ended = runtime.block_on(async {
        // Before anybody can know that it serves, so that no signal is missed.
        let mut signals = Signals::listen().map_err(StartError::Thread)?;
        let running = proxy.start()?;
        let published = publish(file, &running)?;
        tell_start(&log, &loaded, &upstream, certificate.as_ref());
        let ended = until_ended(running, &mut signals, &upstream, &log, demo.is_some()).await;
        drop(published);
        Ok::<_, Refusal>(ended)
    });
    // A name that is still being resolved must not keep the process.
    runtime.shutdown_background();
    let ended = ended?;
    let is_json = log.is_json();
    let is_quiet = log.is_quiet();
    log.end();
    Ok(tell_end(&ended, is_json, is_quiet, &arguments.report))
}

fn volume(arguments: &Serve) -> Volume {
    match arguments {
        Serve { quiet: true, .. } => Volume::Quiet,
        Serve { verbose: true, .. } => Volume::Verbose,
        _ => Volume::Normal,
    }
}

fn tell_start(log: &Log, loaded: &Loaded, upstream: &UpstreamUrl, certificate: Option<&OwnCertificate>) {
    let settings = &loaded.config.settings;
    log.say(&banner(loaded, settings.listen, certificate));
    if log.is_json() {
        tracing::info!(
            target: "fracas::start",
            version = env!("CARGO_PKG_VERSION"),
            listen = %settings.listen,
            scheme = settings.scheme().as_str(),
            certificate_sha256 = certificate.map(|certificate| &*certificate.sha256),
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
    kept: Kept,
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
    let look = running.look_at_upstream();
    let mut joined = tokio::task::spawn_blocking(move || running.end(Clients::MayGoOn));
    let look = async {
        if !is_demo {
            look_at(upstream, look).await;
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
    let (summary, kept) = joined.unwrap_or_default();
    Ended { summary, kept, by_itself }
}

/// One look at whether the upstream is there, and is who it has to be. It may well come later.
async fn look_at(upstream: &UpstreamUrl, look: impl Future<Output = Result<(), Failure>>) {
    /// Longer than a handshake round the world.
    const PATIENCE: Duration = Duration::from_secs(2);
    let url = url_of(upstream);
    match tokio::time::timeout(PATIENCE, look).await {
        Ok(Ok(())) => {}
        Ok(Err(failure)) if failure.is_refusal() => {
            tracing::warn!("the upstream {url} refuses connections; until it is up, requests get 502");
        }
        Ok(Err(failure)) => {
            let (status, help) = (failure.status().as_u16(), failure.help(upstream));
            tracing::warn!(help, "{url}: {failure}; requests get {status}");
        }
        Err(_) => tracing::warn!("the upstream {url} does not accept connections quickly"),
    }
}

fn tell_end(ended: &Ended, is_json: bool, is_quiet: bool, wanted: &[Wanted]) -> ExitCode {
    let written = match (is_quiet, is_json) {
        (true, _) => ExitCode::SUCCESS,
        // Standard output is the report's.
        _ if reporting::needs_output(wanted) => {
            let width = width(&io::stderr());
            talk(format_args!("\n{}", summary::table(&ended.summary, ended.kept.report.as_ref(), width)));
            ExitCode::SUCCESS
        }
        (false, true) => result(summary::json(&ended.summary, ended.kept.report.as_ref())),
        (false, false) => {
            let width = width(&io::stdout());
            result(format_args!("\n{}", summary::table(&ended.summary, ended.kept.report.as_ref(), width)))
        }
    };
    if ended.by_itself {
        talk("error: every worker has ended, although nobody said so\n");
        return ExitCode::from(UNUSABLE);
    }
    let Some(report) = &ended.kept.report else {
        reporting::tell_hung(wanted);
        return ExitCode::from(UNUSABLE);
    };
    let is_written = reporting::write_all(wanted, report, &ended.kept);
    if is_written && reporting::is_journal_whole(&ended.kept) { written } else { ExitCode::from(UNUSABLE) }
}
