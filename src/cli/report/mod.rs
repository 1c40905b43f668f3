//! `fracas report`: grades the clients of a journal, as the run that wrote it would have.

mod runs;

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;
use std::process::ExitCode;

use self::runs::{Graded, RunSelection, Runs, graded};
use super::arguments;
use super::exit_code::{SHORT, UNUSABLE};
use super::output::talk;
use super::startup_error::StartupError;
use super::{places, reporting};
use crate::grading::Verdict;
use crate::report::{Format, ReportInput, Width};
use crate::rules::Paint;

/// Reads the journal, and reports.
pub fn report(arguments: &arguments::ReportArguments) -> ExitCode {
    match reported(arguments) {
        Ok(code) => code,
        Err(refusal) => refusal.report_alone(),
    }
}

fn reported(arguments: &arguments::ReportArguments) -> Result<ExitCode, StartupError> {
    let which = which(arguments)?;
    places::check_report(arguments)?;
    let mut all = Vec::new();
    let read = open(&arguments.journal)
        .and_then(|journal| graded(journal, which, arguments.format, &mut |run| all.push(run)));
    let runs = read.map_err(|error| unreadable(&arguments.journal, &error))?;
    if all.is_empty() {
        return Err(no_such_run(arguments, &runs));
    }
    if which == RunSelection::Last && runs.count > 1 {
        talk(format_args!(
            "the journal holds {} runs; this is the last one (`--run ID` grades another, `--all-runs` each: {})\n",
            runs.count,
            shown(&runs)
        ));
    }
    let rules_files: Vec<&str> = all.iter().flat_map(|run| run.header.origin.rules_files()).collect();
    places::check_report_of(arguments, &rules_files)?;
    for run in &all {
        run.warn(which);
    }
    let subjects: Vec<ReportInput> = all.iter().map(Graded::subject).collect();
    if let Err(error) = reporting::write_to(arguments.format, &subjects, arguments.output.as_deref()) {
        talk(format_args!("error: the report cannot be written: {error}\n"));
        return Ok(ExitCode::from(UNUSABLE));
    }
    Ok(if all.iter().any(|run| run.report.verdict == Verdict::Fail) {
        ExitCode::from(SHORT)
    } else if all.iter().any(|run| run.lack.is_some()) {
        ExitCode::from(UNUSABLE)
    } else {
        ExitCode::SUCCESS
    })
}

fn which(arguments: &arguments::ReportArguments) -> Result<RunSelection<'_>, StartupError> {
    match (&arguments.run, arguments.all_runs) {
        (Some(id), _) => Ok(RunSelection::Id(id)),
        (None, false) => Ok(RunSelection::Last),
        (None, true) if matches!(arguments.format, Format::Text | Format::Markdown | Format::Json) => {
            Ok(RunSelection::All)
        }
        (None, true) => Err(StartupError::new(
            "journal",
            format!("a {} report is about one run", arguments.format),
            "choose it with `--run ID`, or take `--format text`, `markdown` or `json`, one after the other",
        )),
    }
}

fn open(path: &Path) -> io::Result<Box<dyn BufRead>> {
    /// Bytes read at once.
    const BUFFER: usize = 256 * 1024;
    Ok(if path == Path::new("-") {
        Box::new(io::stdin().lock())
    } else {
        Box::new(BufReader::with_capacity(BUFFER, File::open(path)?))
    })
}

impl Graded {
    fn subject(&self) -> ReportInput<'_> {
        ReportInput {
            report: &self.report,
            attempts: &self.attempts,
            started: self.header.began(),
            paint: Paint::Plain,
            width: Width::of(None),
        }
    }

    fn warn(&self, which: RunSelection<'_>) {
        let run = &self.header.run;
        if which == RunSelection::All {
            talk(format_args!("run {run}, which began at {}\n", self.header.started));
        }
        if let Some(lack) = &self.lack {
            talk(format_args!(
                "error: the record of run {run} is incomplete: {lack}; nothing passes by it: run it again\n"
            ));
        }
    }
}

fn shown(runs: &Runs) -> String {
    let ids: Vec<&str> = runs.ids.iter().map(String::as_str).collect();
    let more = if runs.count > ids.len() as u64 { "…, " } else { "" };
    format!("{more}{}", ids.join(", "))
}

fn unreadable(path: &Path, error: &io::Error) -> StartupError {
    let title = format!("the journal {} cannot be read: {error}", path.display());
    StartupError::new("journal", title, "give a file that `fracas --journal FILE` wrote")
}

fn no_such_run(arguments: &arguments::ReportArguments, runs: &Runs) -> StartupError {
    let id = arguments.run.as_deref().unwrap_or_default();
    let title = format!("the journal {} holds no run `{id}`", arguments.journal.display());
    StartupError::new("journal", title, format!("it holds {}", shown(runs)))
}
