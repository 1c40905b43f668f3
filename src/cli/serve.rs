//! `fracas serve`: starts the proxy, and waits for its end.

use std::io;
use std::mem::ManuallyDrop;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Builder;
use tokio::task::{JoinError, JoinHandle};

use super::arguments::{ServeArguments, SettingOverride};
use super::banner::{banner, url_of};
use super::exit_code::UNUSABLE;
use super::load::Loaded;
use super::log::{Log, Volume};
use super::output::{talk, try_result, width};
use super::parting::part;
use super::reporting::{self, Reader, Wanted};
use super::signals::Signals;
use super::start::{Prepared, Purpose, prepare, publish};
use super::startup_error::StartupError;
use super::summary;
use crate::journal::{Clients, JournalResult};
use crate::proxy::{Control, Failure, OwnCertificate, Running, StartError, Summary};
use crate::rules::UpstreamUrl;

/// Serves until told to end.
pub fn serve(arguments: &ServeArguments, given: &[SettingOverride]) -> ExitCode {
    match run(arguments, given) {
        Ok(code) => code,
        Err(refusal) => refusal.report(),
    }
}

fn run(arguments: &ServeArguments, given: &[SettingOverride]) -> Result<ExitCode, StartupError> {
    let Prepared { loaded, log, demo, upstream, proxy, file, soft_limit: _ } =
        prepare(arguments, given, volume(arguments), Purpose::default())?;
    let certificate = proxy.certificate().cloned();
    let runtime = Builder::new_current_thread().enable_all().build().map_err(StartError::Thread)?;
    let code = runtime.block_on(async {
        // Before the address is published, so that no signal is missed.
        let mut signals = Signals::listen().map_err(StartError::Thread)?;
        let running = proxy.start()?;
        let published = publish(file, &running)?;
        tell_start(&log, &loaded, &upstream, certificate.as_ref());
        let ended = until_ended(running, &mut signals, &upstream, &log, demo.is_some()).await;
        drop(published);
        Ok::<_, StartupError>(tell_end(ended, &mut signals, log, arguments.report.clone()).await)
    });
    // A name that is still being resolved must not keep the process.
    runtime.shutdown_background();
    code
}

fn volume(arguments: &ServeArguments) -> Volume {
    match arguments {
        ServeArguments { quiet: true, .. } => Volume::Quiet,
        ServeArguments { verbose: true, .. } => Volume::Verbose,
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
            file = loaded.origin().map(tracing::field::display),
            rules = loaded.config.rules.len(),
            seed = settings.seed,
        );
    }
}

/// How a proxy ended.
struct Ended {
    summary: Summary,
    kept: JournalResult,
    /// Without a signal: every worker has ended.
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
        _ = signals.next() => None,
        () = look => None,
    };
    let (by_itself, joined) = match ended {
        Some(joined) => (true, joined),
        None => {
            control.drain();
            log.say("stopping: requests in flight may end; once more stops at once\n");
            (false, stop_at_signal(joined, &control, signals).await)
        }
    };
    // The task only joins threads, whose panics are counted where they happen.
    let (summary, kept) = joined.unwrap_or_default();
    Ended { summary, kept, by_itself }
}

/// Warns if the upstream cannot be reached, or fails its TLS verification. It may start later.
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

/// Waits for the end; a first signal cuts off the requests in flight, a second one stops the wait for hung threads.
pub async fn stop_at_signal(
    mut joined: JoinHandle<(Summary, JournalResult)>,
    control: &Control,
    signals: &mut Signals,
) -> Result<(Summary, JournalResult), JoinError> {
    tokio::select! {
        joined = &mut joined => return joined,
        _ = signals.next() => control.stop(),
    }
    tokio::select! {
        joined = joined => joined,
        _ = signals.next() => Ok((Summary::default(), JournalResult::default())),
    }
}

async fn tell_end(ended: Ended, signals: &mut Signals, log: Log, wanted: Vec<Wanted>) -> ExitCode {
    let (is_json, is_quiet) = (log.is_json(), log.is_quiet());
    // A report without a file takes standard output.
    let is_report_s = reporting::needs_output(&wanted);
    let losses = reporting::losses(&ended.kept);
    let is_good = !ended.by_itself && ended.kept.report.is_some() && losses.is_empty();
    // The process ends after this: its record of up to 100,000 attempts need not be freed one by one.
    let (end, wanted) = (Arc::new(ManuallyDrop::new(ended)), Arc::new(wanted));
    let table =
        |end: &Ended, width| format!("\n{}", summary::table(&end.summary, end.kept.report.as_ref(), width));
    let files = {
        let (end, wanted) = (Arc::clone(&end), Arc::clone(&wanted));
        move || end.reports(Reader::Nobody, &wanted)
    };
    let output = {
        let (end, wanted) = (Arc::clone(&end), Arc::clone(&wanted));
        move || {
            let told = match (is_quiet || is_report_s, is_json) {
                (true, _) => Ok(()),
                (false, true) => try_result(summary::json(&end.summary, end.kept.report.as_ref())),
                (false, false) => try_result(table(&end, width(&io::stdout()))),
            };
            let mut failures = Vec::from_iter(told.err());
            failures.extend(end.reports(Reader::Somebody, &wanted));
            failures
        }
    };
    let words = move |failures: Vec<String>| {
        if !is_quiet && is_report_s {
            talk(table(&end, width(&io::stderr())));
        }
        failures.iter().for_each(talk);
        if end.by_itself {
            talk("error: every worker has ended, although nobody said so\n");
        } else if end.kept.report.is_none() {
            talk(reporting::hung(&wanted));
        }
        losses.iter().for_each(talk);
    };
    let is_written = part(signals, log, files, output, words).await;
    if is_written && is_good { ExitCode::SUCCESS } else { ExitCode::from(UNUSABLE) }
}

impl Ended {
    fn reports(&self, reader: Reader, wanted: &[Wanted]) -> Vec<String> {
        let report = self.kept.report.as_ref().filter(|_| !self.by_itself);
        report.map_or_else(Vec::new, |report| reporting::write_for(reader, wanted, report, &self.kept))
    }
}
