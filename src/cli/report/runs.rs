//! The runs of a journal, each graded by itself.

use std::collections::VecDeque;
use std::io::{self, BufRead};
use std::sync::Arc;

use crate::cli::output::counted;
use crate::grading::{Extent, Grading, Missing, Report};
use crate::journal::{Ending, Header, JournalLine, RuleCounts, read};
use crate::model::Attempt;
use crate::report::Format;

/// Attempts of an archive: those of a longer run are its last ones, as [`crate::rules::Journal`]'s.
const MOST_ATTEMPTS: usize = 100_000;
/// Ids that are shown to choose from, the last ones.
const MOST_IDS: usize = 20;

/// Which runs of a journal are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunSelection<'w> {
    Last,
    Id(&'w str),
    All,
}

/// One run, graded.
pub struct Graded {
    pub header: Header,
    pub report: Report,
    /// Only for formats that look at single attempts.
    pub attempts: Vec<Arc<Attempt>>,
    /// Why the record is incomplete, if it is.
    pub lack: Option<String>,
}

/// The runs that a journal holds.
#[derive(Debug, Default)]
pub struct Runs {
    pub count: u64,
    /// Attempts that were read, the last ones.
    pub ids: VecDeque<String>,
}

/// Calls `each` with the runs that are asked for, in their order.
pub fn graded(
    journal: Box<dyn BufRead>,
    which: RunSelection<'_>,
    format: Format,
    each: &mut dyn FnMut(Graded),
) -> io::Result<Runs> {
    let mut runs = Runs::default();
    let mut run: Option<Run> = None;
    let mut found = None;
    let mut done = |run: Option<Run>, is_last: bool| match which {
        RunSelection::All => run.into_iter().for_each(|run| each(run.finish())),
        // Only copied lines give two runs one id: the last one counts.
        RunSelection::Id(id) => {
            found = run.filter(|run| run.header.run == id).or(found.take());
            found.take_if(|_| is_last).into_iter().for_each(|run| each(run.finish()));
        }
        RunSelection::Last => run.filter(|_| is_last).into_iter().for_each(|run| each(run.finish())),
    };
    read(journal, &mut |line| match (line, &mut run) {
        (JournalLine::Header(header), Some(run))
            if !header.run.is_empty() && header.run == run.header.run =>
        {
            run.go_on();
        }
        (JournalLine::Header(header), run) => {
            runs.note(&header.run);
            done(run.replace(Run::new(*header)), false);
        }
        (_, Some(run)) if matches!(which, RunSelection::Id(id) if run.header.run != id) => {}
        (JournalLine::Attempt(attempt), Some(run)) => run.attempt((*attempt).into(), format),
        (JournalLine::Tallies(tallies), Some(run)) => run.tallies(tallies),
        (JournalLine::Torn, Some(run)) => run.torn(),
        (_, None) => {}
    })?;
    done(run, true);
    Ok(runs)
}

impl Runs {
    fn note(&mut self, id: &str) {
        self.count += 1;
        if self.ids.len() == MOST_IDS {
            self.ids.pop_front();
        }
        self.ids.push_back(id.to_owned());
    }
}

/// A run that is being read.
struct Run {
    header: Header,
    grading: Grading,
    counts: Vec<(u64, u64)>,
    dropped: u64,
    /// Lines that were lost, by the run's own count.
    lost: u64,
    /// Lines that cannot be read, and whether another one followed them.
    torn: u64,
    is_torn_within: bool,
    has_ended: bool,
    ending: Ending,
    attempts: VecDeque<Arc<Attempt>>,
}

impl Run {
    fn new(header: Header) -> Run {
        Run {
            grading: Grading::new(header.asked.clone()),
            counts: vec![(0, 0); header.rules.len()],
            dropped: 0,
            lost: 0,
            torn: 0,
            is_torn_within: false,
            has_ended: false,
            ending: Ending::default(),
            attempts: VecDeque::new(),
            header,
        }
    }

    /// Another line of it.
    fn go_on(&mut self) {
        self.is_torn_within |= self.torn > 0;
    }

    fn torn(&mut self) {
        self.go_on();
        self.torn += 1;
    }

    fn attempt(&mut self, attempt: Arc<Attempt>, format: Format) {
        self.go_on();
        if format == Format::Har {
            if self.attempts.len() >= MOST_ATTEMPTS {
                self.attempts.pop_front();
            }
            self.attempts.push_back(Arc::clone(&attempt));
        }
        self.grading.add(attempt);
    }

    fn tallies(&mut self, tallies: RuleCounts) {
        self.go_on();
        for (rule, matched, fired) in tallies.tallies {
            if let Some(count) = self.counts.get_mut(rule as usize) {
                *count = (matched, fired);
            }
        }
        self.dropped = self.dropped.max(tallies.dropped);
        self.lost = self.lost.max(tallies.lost);
        self.has_ended |= tallies.ended;
        self.ending = tallies.ending.unwrap_or(std::mem::take(&mut self.ending));
        if tallies.clients_gone {
            self.grading.clients_gone();
        }
    }

    fn finish(self) -> Graded {
        let has_holes = self.dropped > 0 || self.lost > 0 || self.is_torn_within;
        let extent = match (has_holes, self.has_ended && self.torn == 0) {
            (true, _) => Extent::Holes,
            (false, false) => Extent::CutOff,
            (false, true) => Extent::Whole,
        };
        // A part of a line that was lost may be there.
        let missing = Missing { dropped: self.dropped, lost_lines: self.lost.max(self.torn), extent };
        let lack = lack(missing, self.has_ended);
        let rules = self.header.rule_reports(&self.counts, &self.ending);
        let mut grading = self.grading;
        if let Some(at) = self.ending.killed_at() {
            grading.command_killed(at);
        }
        let mut report = grading.finish(rules, missing);
        self.header.conclude(&mut report, &self.counts, &self.ending);
        Graded { header: self.header, report, attempts: self.attempts.into(), lack }
    }
}

fn lack(missing: Missing, has_ended: bool) -> Option<String> {
    let mut lacks = Vec::new();
    match missing.lost_lines {
        0 => {}
        1 => lacks.push("1 line of it is lost".to_owned()),
        lines => lacks.push(format!("{} of it are lost", counted(lines, "line"))),
    }
    if missing.dropped > 0 {
        lacks.push(format!("{} came too fast to be kept", counted(missing.dropped, "attempt")));
    }
    if !has_ended {
        lacks.push("it has no end mark, so that it was killed, or still runs".to_owned());
    }
    (!lacks.is_empty()).then(|| lacks.join("; "))
}
