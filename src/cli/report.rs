//! `fracas report`: grades the clients of a journal, as the run that wrote it would have.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use super::arguments;
use super::output::{counted, talk};
use super::refusal::Refusal;
use super::{SHORT, UNUSABLE, reporting};
use crate::journal::{Damage, Ending, Header, Line, read};
use crate::judgement::grading::{Grading, Report, Verdict};
use crate::reports::{Format, Subject, Width};
use crate::rules::Paint;
use crate::words::Attempt;

/// Attempts of an archive: those of a longer run are its last ones, as [`crate::rules::Journal`]'s.
const MOST_ATTEMPTS: usize = 100_000;

/// Reads the journal, and reports.
pub fn report(arguments: &arguments::Report) -> ExitCode {
    let graded = open(&arguments.journal).and_then(|journal| graded(journal, arguments.format));
    let graded = match graded {
        Ok(graded) => graded,
        Err(error) => return refusal(&arguments.journal, &error).report_alone(),
    };
    graded.warn();
    let report = &graded.report;
    let subject = Subject {
        report,
        attempts: &graded.attempts,
        started: graded.header.began(),
        paint: Paint::Plain,
        width: Width::of(None),
    };
    if let Err(error) = reporting::write_to(arguments.format, subject, arguments.output.as_deref()) {
        talk(format_args!("error: the report cannot be written: {error}\n"));
        return ExitCode::from(UNUSABLE);
    }
    if report.verdict == Verdict::Fail { ExitCode::from(SHORT) } else { ExitCode::SUCCESS }
}

/// The last run of a journal, graded.
struct Graded {
    header: Header,
    report: Report,
    /// Only for those who look at them.
    attempts: Vec<Arc<Attempt>>,
    runs: u64,
    damage: Damage,
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

/// A run that is being read.
struct Run {
    header: Header,
    grading: Grading,
    counts: Vec<(u64, u64)>,
    dropped: u64,
    ending: Ending,
    attempts: VecDeque<Arc<Attempt>>,
}

fn graded(journal: Box<dyn BufRead>, format: Format) -> io::Result<Graded> {
    let mut run: Option<Run> = None;
    let mut runs = 0;
    let damage = read(journal, &mut |line| match (line, &mut run) {
        (Line::Header(header), run) => {
            runs += 1;
            *run = Some(Run {
                grading: Grading::new(header.asked.clone()),
                counts: vec![(0, 0); header.rules.len()],
                dropped: 0,
                ending: Ending::default(),
                attempts: VecDeque::new(),
                header: *header,
            });
        }
        (Line::Attempt(attempt), Some(run)) => {
            let attempt: Arc<Attempt> = attempt.into();
            if format == Format::Har {
                if run.attempts.len() >= MOST_ATTEMPTS {
                    run.attempts.pop_front();
                }
                run.attempts.push_back(Arc::clone(&attempt));
            }
            run.grading.add(attempt);
        }
        (Line::Tallies(tallies), Some(run)) => {
            for (rule, matched, fired) in tallies.tallies {
                if let Some(count) = run.counts.get_mut(rule as usize) {
                    *count = (matched, fired);
                }
            }
            run.dropped = tallies.dropped;
            run.ending = tallies.ending.unwrap_or(std::mem::take(&mut run.ending));
            if tallies.clients_gone {
                run.grading.clients_gone();
            }
        }
        (_, None) => {}
    })?;
    // What reads has seen a header.
    let Some(Run { header, grading, counts, dropped, ending, attempts }) = run else {
        return Err(io::ErrorKind::InvalidData.into());
    };
    let mut report = grading.finish(header.rule_reports(&counts, &ending), dropped);
    header.conclude(&mut report, &counts, &ending);
    Ok(Graded { header, report, attempts: attempts.into(), runs, damage })
}

impl Graded {
    fn warn(&self) {
        if self.runs > 1 {
            talk(format_args!("the journal holds {} runs; this is the last one\n", self.runs));
        }
        if self.damage.lines > 0 {
            let lines = counted(self.damage.lines, "line");
            talk(format_args!("warning: {lines} of the journal cannot be read, and left out\n"));
        }
    }
}

fn refusal(path: &Path, error: &io::Error) -> Refusal {
    let title = format!("the journal {} cannot be read: {error}", path.display());
    Refusal::new("journal", title, "give a file that `fracas --journal FILE` wrote")
}
