//! The journal's thread, which collects the attempts of all workers.

use std::collections::VecDeque;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use super::batch::{Batch, BatchPool};
use super::file::JournalFile;
use super::line::{Ending, Header, RuleCounts};
use super::place::shared;
use super::room::Room;
use super::sender::JournalSender;
use crate::clock::Clock;
use crate::grading::{Grading, Missing, Operation, OperationOutcome, Report};
use crate::model::Attempt;

/// Maximum number of batches waiting for the thread; further ones are dropped and counted.
const MOST_WAITING: usize = 64;
/// Interval between lines with the rules' counts.
const TALLY: Duration = Duration::from_secs(1);
/// Interval between checks for operations that have timed out.
const LOOK: Duration = Duration::from_millis(250);
/// Deadline for the thread at shutdown: a disk may hang.
const PATIENCE: Duration = Duration::from_secs(5);
/// Returns the rules' counts so far: for each rule, requests matched and conflicts injected.
pub type Tallying = Box<dyn Fn() -> Vec<(u64, u64)> + Send>;

/// Returns the ending of a run, given the attempts kept.
pub type AtEnd = Box<dyn Fn(&VecDeque<Arc<Attempt>>) -> Ending + Send + Sync>;

/// A running journal. It ends when all its [`JournalSender`]s are dropped.
pub struct Journal {
    inlet: JournalSender,
    progress: Arc<Progress>,
    clients_gone: Arc<AtomicBool>,
    at_end: Arc<OnceLock<AtEnd>>,
    /// Receives the contents when the thread ends.
    ended: Mutex<Receiver<JournalResult>>,
}

/// Progress of the clients: finished operations that met a conflict.
#[derive(Debug, Default)]
pub struct Progress {
    pub conflicted: AtomicU64,
    pub recovered: AtomicU64,
    pub gave_up: AtomicU64,
}

/// State of the clients when a journal ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clients {
    /// They may be about to retry: open operations are unfinished.
    MayGoOn,
    /// They have ended, and so have their operations.
    Gone,
}

/// The contents of a journal at its end.
#[derive(Debug, Default)]
pub struct JournalResult {
    /// The latest, the oldest first.
    pub attempts: VecDeque<Arc<Attempt>>,
    /// The moment 0 of their times.
    pub began: jiff::Timestamp,
    /// Number of older attempts that were evicted.
    pub evicted: u64,
    /// Number of attempts that came faster than the journal could take them; they are not graded.
    pub dropped: u64,
    /// Number of lines that could not be written to the file.
    pub lost_lines: u64,
    /// The report on the clients; `None` when the journal did not end in time.
    pub report: Option<Report>,
}

impl Journal {
    /// Starts the journal of the run that `header` is about, which keeps the latest `room` attempts and
    /// appends all to `file`.
    pub fn start(
        header: Header,
        room: usize,
        file: Option<JournalFile>,
        clock: Clock,
        tallying: Tallying,
    ) -> io::Result<Journal> {
        let (sender, batches) = sync_channel(MOST_WAITING);
        let inlet = JournalSender::new(sender);
        let progress = Arc::new(Progress::default());
        let clients_gone = Arc::<AtomicBool>::default();
        let at_end = Arc::<OnceLock<AtEnd>>::default();
        let file = file.map(|mut file| {
            file.begin(&header);
            Appending { file, told: vec![(0, 0); header.rules.len()], dropped: 0 }
        });
        let collector = Collector {
            room,
            file,
            grading: Grading::new(header.asked.clone()),
            header,
            tallying,
            spare: inlet.spare.clone(),
            freed: Arc::clone(&inlet.room),
            dropped: Arc::clone(&inlet.dropped),
            progress: Arc::clone(&progress),
            clients_gone: Arc::clone(&clients_gone),
            at_end: Arc::clone(&at_end),
            kept: JournalResult::default(),
            clock,
        };
        let (end, ended) = sync_channel(1);
        std::thread::Builder::new().name("fracas-journal".to_owned()).spawn(move || {
            // The receiver is gone if the journal was dropped without `end`.
            let _ = end.send(collector.run(&batches));
        })?;
        Ok(Journal { inlet, progress, clients_gone, at_end, ended: Mutex::new(ended) })
    }

    /// The clients' progress.
    pub fn progress(&self) -> Arc<Progress> {
        Arc::clone(&self.progress)
    }

    /// Sets the function that is called once all attempts have arrived.
    pub fn tell_at_end(&self, ending: AtEnd) {
        // The first call counts, and there is only one.
        let _ = self.at_end.set(ending);
    }

    /// Another sender.
    pub fn inlet(&self) -> JournalSender {
        self.inlet.clone()
    }

    /// Waits until all batches are processed, once every other inlet is dropped.
    pub fn end(self, clients: Clients) -> JournalResult {
        let Journal { inlet, clients_gone, ended, .. } = self;
        clients_gone.store(clients == Clients::Gone, Relaxed);
        let dropped = Arc::clone(&inlet.dropped);
        drop(inlet);
        // Don't block on a hung writer; treat its panic as a timeout.
        let ended = ended.into_inner().unwrap_or_else(PoisonError::into_inner);
        ended.recv_timeout(PATIENCE).unwrap_or_else(|_| {
            tracing::warn!("the journal is not written in time, its last lines are lost");
            JournalResult { dropped: dropped.load(Relaxed), ..JournalResult::default() }
        })
    }
}

struct Collector {
    header: Header,
    room: usize,
    file: Option<Appending>,
    grading: Grading,
    tallying: Tallying,
    spare: BatchPool,
    freed: Arc<Room>,
    dropped: Arc<AtomicU64>,
    progress: Arc<Progress>,
    clients_gone: Arc<AtomicBool>,
    at_end: Arc<OnceLock<AtEnd>>,
    kept: JournalResult,
    clock: Clock,
}

impl Collector {
    fn run(mut self, inlet: &Receiver<Batch>) -> JournalResult {
        let mut next_id = 1;
        let mut tallied = self.clock.now();
        loop {
            match inlet.recv_timeout(LOOK) {
                Ok(mut batch) => {
                    self.freed.tell();
                    for attempt in batch.take() {
                        attempt.id = next_id;
                        next_id += 1;
                        self.take(attempt);
                    }
                    self.spare.put(batch);
                    if let Some(appending) = &mut self.file {
                        appending.file.write();
                    }
                }
                Err(RecvTimeoutError::Timeout) => {
                    let over = self.grading.pass(self.clock.now().0 / 1_000);
                    self.note(&over);
                }
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if self.clock.now().since(tallied) >= TALLY {
                self.tally();
                tallied = self.clock.now();
            }
        }
        self.end()
    }

    fn take(&mut self, attempt: &mut Attempt) {
        if let Some(appending) = &mut self.file {
            appending.file.add(attempt);
        }
        let mut oldest = None;
        if self.kept.attempts.len() >= self.room {
            oldest = self.kept.attempts.pop_front();
            self.kept.evicted += 1;
        }
        let attempt = shared(attempt, oldest);
        self.kept.attempts.push_back(Arc::clone(&attempt));
        let over = self.grading.add(attempt);
        self.note(&over);
    }

    /// Counts how operations ended, and logs those that recovered from a conflict.
    fn note(&self, over: &[Operation]) {
        for operation in over.iter().filter(|operation| operation.met_conflict()) {
            self.progress.conflicted.fetch_add(1, Relaxed);
            match operation.outcome {
                OperationOutcome::Recovered => {
                    self.progress.recovered.fetch_add(1, Relaxed);
                    tell(operation);
                }
                OperationOutcome::GaveUp => {
                    self.progress.gave_up.fetch_add(1, Relaxed);
                }
                OperationOutcome::Untroubled | OperationOutcome::Unfinished => {}
            }
        }
    }

    fn tally(&mut self) {
        if let Some(appending) = &mut self.file {
            appending.tally((self.tallying)(), self.dropped.load(Relaxed));
        }
    }

    fn end(mut self) -> JournalResult {
        self.tally();
        let ending = self.at_end.get().map(|ending| ending(&self.kept.attempts)).unwrap_or_default();
        if let Some(appending) = &mut self.file
            && ending != Ending::default()
        {
            let counts = (0..).zip((self.tallying)()).filter(|(_, count)| *count != (0, 0));
            appending.file.add(&RuleCounts {
                tallies: counts.map(|(rule, (matched, fired))| (rule, matched, fired)).collect(),
                dropped: appending.dropped,
                ending: Some(ending.clone()),
                ..RuleCounts::default()
            });
        }
        if let Some(at) = ending.killed_at() {
            self.grading.command_killed(at);
        }
        let clients_gone = self.clients_gone.load(Relaxed);
        if clients_gone {
            self.grading.clients_gone();
        }
        if let Some(appending) = &mut self.file {
            appending.end(clients_gone);
        }
        let dropped = self.dropped.load(Relaxed);
        let lost_lines = self.file.as_ref().map_or(0, |appending| appending.file.lost());
        let counts = (self.tallying)();
        let rules = self.header.rule_reports(&counts, &ending);
        // Attempts that the file lacks were graded all the same.
        let mut report = self.grading.finish(rules, Missing { lost_lines, ..Missing::from(dropped) });
        self.header.conclude(&mut report, &counts, &ending);
        JournalResult { began: self.header.began(), dropped, lost_lines, report: Some(report), ..self.kept }
    }
}

/// `ok  PUT /items/7  recovered after 3 tries, 1.58 s`, for the log.
fn tell(operation: &Operation) {
    let (Some(first), Some(last)) = (operation.tries.first(), operation.tries.last()) else { return };
    let microseconds = last.attempt.end.saturating_sub(first.attempt.start);
    tracing::info!(
        target: "fracas::recovered",
        status = "ok",
        method = &*first.attempt.method,
        path = &*first.attempt.path,
        tries = operation.count,
        seconds = microseconds as f64 / 1e6,
        client = operation.agent().unwrap_or("-"),
    );
}

/// The file to which all attempts are appended.
struct Appending {
    file: JournalFile,
    /// The counts last written to the file.
    told: Vec<(u64, u64)>,
    dropped: u64,
}

impl Appending {
    /// Writes the rules' counts that changed since the last such line.
    fn tally(&mut self, counts: Vec<(u64, u64)>, dropped: u64) {
        let news: Vec<_> = (0..)
            .zip(counts.iter().zip(&self.told))
            .filter(|(_, (count, told))| count != told)
            .map(|(rule, ((matched, fired), _))| (rule, *matched, *fired))
            .collect();
        if !news.is_empty() || dropped != self.dropped {
            self.file.add(&RuleCounts { tallies: news, dropped, ..RuleCounts::default() });
            self.told = counts;
            self.dropped = dropped;
        }
        // Also without new counts: the file may lack the count of lines it lost.
        self.file.write();
    }

    /// Writes the end mark, and whether the clients are gone.
    fn end(&mut self, clients_gone: bool) {
        self.file.end(&RuleCounts { dropped: self.dropped, clients_gone, ..RuleCounts::default() });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::Config;

    fn batch(starts: std::ops::Range<u64>) -> Batch {
        let mut batch = Batch::default();
        starts.for_each(|start| batch.put(&mut Attempt { start, ..Attempt::default() }));
        batch
    }

    #[test]
    fn the_latest_are_kept_with_ids_in_their_order() {
        let header = Header::new(&Config::builtin(), String::new());
        let nothing = Box::new(Vec::new);
        let journal = Journal::start(header, 3, None, Clock::start(), nothing).expect("a thread");
        let inlet = journal.inlet();
        inlet.try_give(batch(10..12));
        inlet.give(batch(12..15));
        drop(inlet);
        let kept = journal.end(Clients::MayGoOn);
        let pairs: Vec<_> = kept.attempts.iter().map(|attempt| (attempt.id, attempt.start)).collect();
        assert_eq!(pairs, [(3, 12), (4, 13), (5, 14)]);
        assert_eq!((kept.evicted, kept.dropped), (2, 0));
    }
}
