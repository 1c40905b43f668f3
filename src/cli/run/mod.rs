//! `fracas run`: the proxy around a command, which is graded when it has ended.

mod child;
mod command;
#[cfg(unix)]
mod guard;
mod played;
mod remains;
mod signals;
mod status;

use std::io;
use std::process::ExitCode;
use std::sync::Arc;

use tokio::runtime::Builder;

use self::child::ProcessGroup;
use self::command::{CannotRun, Output, end_of, start, wait, was_killed};
#[cfg(unix)]
pub use self::guard::{WORD as GUARD, main as guard};
use self::played::Played;
use self::remains::{LeftoverProcesses, Trace};
use self::signals::Forwarded;
use self::status::Status;
use super::arguments::{self, ServeArguments, SettingOverride};
use super::banner::{in_front, url_to};
use super::exit_code::{SHORT, UNUSABLE};
use super::load::Loaded;
use super::log::{Log, Volume};
use super::output::{Counted, paint, talk, width};
use super::parting::part;
use super::reporting;
use super::reporting::{Reader, Wanted};
use super::serve::stop_at_signal;
use super::start::{Prepared, Purpose, prepare, publish};
use super::startup_error::StartupError;
use crate::grading::{Demands, Report, Verdict};
use crate::journal::{Clients, JournalResult};
use crate::proxy::descriptors::SoftLimit;
use crate::proxy::{Running, StartError, Summary};
use crate::report::{self, Format, ReportInput};

/// Runs the command to its end, and grades it.
pub fn run(arguments: &arguments::RunArguments, given: Vec<SettingOverride>) -> ExitCode {
    match behind(arguments, given) {
        Ok(code) => code,
        Err(refusal) => refusal.report(),
    }
}

fn behind(
    arguments: &arguments::RunArguments,
    mut given: Vec<SettingOverride>,
) -> Result<ExitCode, StartupError> {
    // Runs beside each other must not meet: the file's own port is for `serve`.
    if !given.iter().any(|given| given.key == "listen") {
        given.push(SettingOverride {
            key: "listen",
            by: "fracas run".to_owned(),
            text: "127.0.0.1:0".to_owned(),
        });
    }
    let Prepared { loaded, log, demo: _demo, upstream: _, proxy, file, soft_limit } =
        prepare(&arguments.serve, &given, volume(&arguments.serve), purpose(arguments))?;
    let runtime = Builder::new_current_thread().enable_all().build().map_err(StartError::Thread)?;
    let code = runtime.block_on(async {
        // Before the command starts, so that no signal is missed.
        let mut signals = Forwarded::listen().map_err(StartError::Thread)?;
        let running = proxy.start()?;
        let published = publish(file, &running)?;
        tell_start(&log, &loaded);
        let outcome = play(arguments, &loaded, &running, &mut signals, soft_limit).await;
        if let Ok(played) = &outcome {
            running.command_ended(end_of(played.status));
        }
        let clients = match &outcome {
            Ok(played) if !played.is_over() => Clients::MayGoOn,
            _ => Clients::Gone,
        };
        let (_, kept) = drain(running, clients, &mut signals).await;
        drop(published);
        let ended = Ended { outcome, kept, is_quiet: arguments.serve.quiet };
        Ok::<_, StartupError>(tell_end(ended, &mut signals, log, arguments.serve.report.clone()).await)
    });
    // A name that is still being resolved must not keep the process.
    runtime.shutdown_background();
    code
}

fn purpose(arguments: &arguments::RunArguments) -> Purpose {
    Purpose {
        command: arguments.command.iter().map(|word| word.to_string_lossy().into_owned()).collect(),
        demands: Demands { min_operations: arguments.min_operations, require_fired: arguments.require_fired },
    }
}

/// The command's own output comes first: fracas speaks up when something is wrong.
fn volume(arguments: &ServeArguments) -> Volume {
    match arguments {
        ServeArguments { quiet: true, .. } => Volume::Quiet,
        ServeArguments { verbose: true, .. } => Volume::Normal,
        _ => Volume::Calm,
    }
}

fn tell_start(log: &Log, loaded: &Loaded) {
    log.say_first(&format!("{}\n", in_front(loaded)));
}

/// Runs the command while the proxy serves.
async fn play(
    arguments: &arguments::RunArguments,
    loaded: &Loaded,
    running: &Running,
    signals: &mut Forwarded,
    limit: SoftLimit,
) -> Result<Played, CannotRun> {
    let url = url_to(&loaded.config.settings);
    let names = arguments.env.iter().map(String::as_str).chain(["FRACAS_URL"]);
    let variables = names.map(|name| (name, url.as_str()));
    let output = if reporting::needs_output(&arguments.serve.report) { Output::Talk } else { Output::Own };
    let variable = format!("FRACAS_URL={url}");
    let group = if signals.is_in_foreground { ProcessGroup::Ours } else { ProcessGroup::Own };
    let mut child = start(&arguments.command, variables, output, (group, &variable), limit)?;
    let trace = Trace { process: child.id(), leads_group: group == ProcessGroup::Own, variable };
    let status = Status::start(running, arguments.serve.quiet);
    let ended = wait(&mut child, signals, &status).await;
    status.end();
    let status = ended?;
    let was_ended = was_killed(status) || signals.interrupted();
    // A command ended from outside has not given up, whatever is left of it.
    let remains = if was_ended { LeftoverProcesses::Nothing } else { remains::of(&trace, running).await };
    Ok(Played { status, was_ended, remains })
}

/// Lets requests in flight end; a signal ends them at once.
async fn drain(running: Running, clients: Clients, signals: &mut Forwarded) -> (Summary, JournalResult) {
    let control = running.control();
    control.drain();
    let joined = tokio::task::spawn_blocking(move || running.end(clients));
    let joined = stop_at_signal(joined, &control, &mut signals.signals).await;
    // It only waits for threads, whose panics are counted where they happen.
    joined.unwrap_or_default()
}

/// How a run ended.
struct Ended {
    outcome: Result<Played, CannotRun>,
    kept: JournalResult,
    is_quiet: bool,
}

impl Ended {
    fn reports(&self, reader: Reader, wanted: &[Wanted]) -> Vec<String> {
        let report = self.kept.report.as_ref().filter(|_| self.outcome.is_ok());
        report.map_or_else(Vec::new, |report| reporting::write_for(reader, wanted, report, &self.kept))
    }

    /// Prints the last words, without those on files that could not be written.
    fn tell(&self, wanted: &[Wanted]) {
        let report = self.kept.report.as_ref();
        match &self.outcome {
            Err(cannot) => {
                cannot.refusal().report();
                return;
            }
            Ok(played) => {
                let is_any_open = report.is_some_and(|report| report.totals.unfinished > 0);
                if let Some(caveat) = played.caveat().filter(|_| is_any_open && !self.is_quiet) {
                    talk(format_args!("warning: {caveat}\n"));
                }
            }
        }
        match report {
            None => talk(reporting::hung(wanted)),
            Some(report) if report.verdict == Verdict::Fail || !self.is_quiet => {
                tell_card(report, &self.kept);
            }
            Some(_) => {}
        }
    }
}

async fn tell_end(ended: Ended, signals: &mut Forwarded, log: Log, wanted: Vec<Wanted>) -> ExitCode {
    let own = match &ended.outcome {
        Ok(played) => end_of(played.status).code,
        Err(cannot) => cannot.code(),
    };
    let verdict = ended.kept.report.as_ref().map(|report| report.verdict);
    let losses = reporting::losses(&ended.kept);
    let is_whole = losses.is_empty() && verdict.is_some();
    let (end, wanted) = (Arc::new(ended), Arc::new(wanted));
    let reports = |reader| {
        let (end, wanted) = (Arc::clone(&end), Arc::clone(&wanted));
        move || end.reports(reader, &wanted)
    };
    let (files, output) = (reports(Reader::Nobody), reports(Reader::Somebody));
    let words = move |failures: Vec<String>| {
        end.tell(&wanted);
        failures.iter().chain(&losses).for_each(talk);
    };
    let is_written = part(&mut signals.signals, log, files, output, words).await;
    ExitCode::from(match own {
        0 if verdict == Some(Verdict::Fail) => SHORT,
        0 if !is_written || !is_whole => UNUSABLE,
        own => own,
    })
}

/// The score card, for people.
fn tell_card(report: &Report, kept: &JournalResult) {
    let err = io::stderr().lock();
    let (paint, width) = (paint(&err), width(&err));
    let subject = ReportInput { report, attempts: &[], started: kept.began, paint, width };
    // If that fails there is no place left to report it.
    let _ = report::write(Format::Text, subject, &mut Counted(err));
}
