//! `fracas run`: the proxy around a command, which is graded when it has ended.

mod command;
mod played;
mod remains;
mod signals;
mod status;

use std::io;
use std::process::ExitCode;

use tokio::runtime::Builder;

use self::command::{CannotRun, Output, end_of, start, wait, was_killed};
use self::played::Played;
use self::remains::{Remains, Trace};
use self::signals::Forwarded;
use self::status::Status;
use super::arguments::{self, Given, Serve};
use super::banner::{in_front, url_to};
use super::load::Loaded;
use super::log::{Log, Volume};
use super::output::{paint, talk, width};
use super::start::{Prepared, Purpose, prepare, publish};
use super::startup_error::Refusal;
use super::{SHORT, UNUSABLE, reporting};
use crate::grading::{Demands, Report, Verdict};
use crate::journal::{Clients, Kept};
use crate::proxy::{Running, StartError, Summary};
use crate::report::{self, Format, Subject};

/// Runs the command to its end, and grades it.
pub fn run(arguments: &arguments::Run, given: Vec<Given>) -> ExitCode {
    match behind(arguments, given) {
        Ok(code) => code,
        Err(refusal) => refusal.report(),
    }
}

fn behind(arguments: &arguments::Run, mut given: Vec<Given>) -> Result<ExitCode, Refusal> {
    // Runs beside each other must not meet: the file's own port is for `serve`.
    if !given.iter().any(|given| given.key == "listen") {
        given.push(Given { key: "listen", by: "fracas run".to_owned(), text: "127.0.0.1:0".to_owned() });
    }
    let Prepared { loaded, log, demo: _demo, upstream: _, proxy, file } =
        prepare(&arguments.serve, &given, volume(&arguments.serve), purpose(arguments))?;
    let runtime = Builder::new_current_thread().enable_all().build().map_err(StartError::Thread)?;
    let ended = runtime.block_on(async {
        // Before there is anybody to forward signals to, so that none is missed.
        let mut signals = Forwarded::listen().map_err(StartError::Thread)?;
        let running = proxy.start()?;
        let published = publish(file, &running)?;
        tell_start(&log, &loaded);
        let outcome = play(arguments, &loaded, &running, &mut signals).await;
        if let Ok(played) = &outcome {
            running.command_ended(end_of(played.status));
        }
        let clients = match &outcome {
            Ok(played) if !played.is_over() => Clients::MayGoOn,
            _ => Clients::Gone,
        };
        let (_, kept) = drain(running, clients, &mut signals).await;
        drop(published);
        Ok::<_, Refusal>(Ended { outcome, kept })
    });
    // A name that is still being resolved must not keep the process.
    runtime.shutdown_background();
    let ended = ended?;
    log.end();
    Ok(tell_end(arguments, &ended))
}

fn purpose(arguments: &arguments::Run) -> Purpose {
    Purpose {
        command: arguments.command.iter().map(|word| word.to_string_lossy().into_owned()).collect(),
        demands: Demands { min_operations: arguments.min_operations, require_fired: arguments.require_fired },
    }
}

/// The command's own output is what is read here: fracas speaks up when something is wrong.
fn volume(arguments: &Serve) -> Volume {
    match arguments {
        Serve { quiet: true, .. } => Volume::Quiet,
        Serve { verbose: true, .. } => Volume::Normal,
        _ => Volume::Calm,
    }
}

fn tell_start(log: &Log, loaded: &Loaded) {
    log.say_first(&format!("{}\n", in_front(loaded)));
}

/// Runs the command while the proxy serves.
async fn play(
    arguments: &arguments::Run,
    loaded: &Loaded,
    running: &Running,
    signals: &mut Forwarded,
) -> Result<Played, CannotRun> {
    let url = url_to(&loaded.config.settings);
    let names = arguments.env.iter().map(String::as_str).chain(["FRACAS_URL"]);
    let variables = names.map(|name| (name, url.as_str()));
    let output = if reporting::needs_output(&arguments.serve.report) { Output::Talk } else { Output::Own };
    let mut child = start(&arguments.command, variables, output, signals)?;
    let trace = Trace {
        process: child.id(),
        leads_group: signals.gives_a_group(),
        variable: format!("FRACAS_URL={url}"),
    };
    let status = Status::start(running, arguments.serve.quiet);
    let ended = wait(&mut child, signals, &status).await;
    status.end();
    let status = ended?;
    let was_ended = was_killed(status) || signals.interrupted();
    // What was ended has not given up, whatever is left of it.
    let remains = if was_ended { Remains::Nothing } else { remains::of(&trace, running).await };
    Ok(Played { status, was_ended, remains })
}

/// Lets requests in flight end; a signal ends them at once.
async fn drain(running: Running, clients: Clients, signals: &mut Forwarded) -> (Summary, Kept) {
    let control = running.control();
    control.drain();
    let mut joined = tokio::task::spawn_blocking(move || running.end(clients));
    let joined = tokio::select! {
        joined = &mut joined => joined,
        _ = signals.next() => {
            control.stop();
            joined.await
        }
    };
    // It only waits for threads, whose panics are counted where they happen.
    joined.unwrap_or_default()
}

/// How a run ended.
struct Ended {
    outcome: Result<Played, CannotRun>,
    kept: Kept,
}

fn tell_end(arguments: &arguments::Run, ended: &Ended) -> ExitCode {
    let own = match &ended.outcome {
        Ok(played) => {
            let is_any_open = ended.kept.report.as_ref().is_some_and(|report| report.totals.unfinished > 0);
            if let Some(caveat) = played.caveat().filter(|_| is_any_open && !arguments.serve.quiet) {
                talk(format_args!("warning: {caveat}\n"));
            }
            end_of(played.status).code
        }
        Err(cannot) => {
            cannot.refusal().report();
            return ExitCode::from(cannot.code());
        }
    };
    let Some(report) = &ended.kept.report else {
        reporting::tell_hung(&arguments.serve.report);
        return ExitCode::from(if own == 0 { UNUSABLE } else { own });
    };
    let is_short = report.verdict == Verdict::Fail;
    if is_short || !arguments.serve.quiet {
        tell_card(report, &ended.kept);
    }
    let is_written = reporting::write_all(&arguments.serve.report, report, &ended.kept);
    let is_whole = reporting::is_journal_whole(&ended.kept);
    ExitCode::from(match own {
        0 if is_short => SHORT,
        0 if !is_written || !is_whole => UNUSABLE,
        own => own,
    })
}

/// The score card, for people.
fn tell_card(report: &Report, kept: &Kept) {
    let mut err = io::stderr().lock();
    let (paint, width) = (paint(&err), width(&err));
    let subject = Subject { report, attempts: &[], started: kept.began, paint, width };
    // If that fails there is nobody left to tell.
    let _ = report::write(Format::Text, subject, &mut err);
}
