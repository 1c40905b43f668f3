//! The one thread that all attempts come together on.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use super::file::JournalFile;
use super::line::{Header, Tallies};
use crate::clock::Clock;
use crate::words::Attempt;

/// Batches that may wait for the thread: beyond them attempts are dropped, and counted.
const MOST_WAITING: usize = 256;
/// How often the file is told what the rules have done.
const TALLY: Duration = Duration::from_secs(1);
/// At the end a disk that does not answer is not waited for any longer.
const PATIENCE: Duration = Duration::from_secs(5);
/// Between two looks at something that is about to be ready.
const PAUSE: Duration = Duration::from_millis(5);

/// What the rules have done so far: for each, requests matched and conflicts injected.
pub type Tallying = Box<dyn Fn() -> Vec<(u64, u64)> + Send>;

/// A journal that is kept. It ends when every [`Inlet`] of it is gone.
pub struct Journal {
    inlet: Inlet,
    thread: JoinHandle<Kept>,
}

/// Where attempts go in.
#[derive(Clone)]
pub struct Inlet {
    batches: SyncSender<Vec<Attempt>>,
    dropped: Arc<AtomicU64>,
}

/// What a journal has in the end.
#[derive(Debug, Default)]
pub struct Kept {
    /// The latest, the oldest first.
    pub attempts: VecDeque<Attempt>,
    /// Older ones that there was no room for any more.
    pub forgotten: u64,
    /// Attempts that came faster than they could be taken: nobody has seen them.
    pub dropped: u64,
    /// Lines that the file could not take.
    pub unwritten: u64,
}

impl Journal {
    /// Starts a journal that keeps the latest `room` attempts, and appends all to `file`.
    pub fn start(
        room: usize,
        file: Option<(JournalFile, Header)>,
        tallying: Tallying,
    ) -> io::Result<Journal> {
        let (sender, batches) = sync_channel(MOST_WAITING);
        let inlet = Inlet { batches: sender, dropped: Arc::default() };
        let dropped = Arc::clone(&inlet.dropped);
        let file = file.map(|(mut file, header)| {
            file.add(&header);
            file.write();
            Appending { file, told: vec![(0, 0); header.rules.len()], dropped: 0, tallying }
        });
        let collector = Collector { room, file, dropped, kept: Kept::default(), clock: Clock::start() };
        let thread = std::thread::Builder::new()
            .name("fracas-journal".to_owned())
            .spawn(move || collector.run(&batches))?;
        Ok(Journal { inlet, thread })
    }

    /// A way in.
    pub fn inlet(&self) -> Inlet {
        self.inlet.clone()
    }

    /// Waits until all that was handed in has been taken, once every other inlet is gone.
    pub fn end(self) -> Kept {
        let Journal { inlet, thread } = self;
        let dropped = Arc::clone(&inlet.dropped);
        drop(inlet);
        let lost = || {
            tracing::warn!("the journal is not written in time, its last lines are lost");
            Kept { dropped: dropped.load(Relaxed), ..Kept::default() }
        };
        for _ in 0..PATIENCE.as_millis() / PAUSE.as_millis() {
            if thread.is_finished() {
                break;
            }
            std::thread::park_timeout(PAUSE);
        }
        // Its end is not waited for where it hangs; a panic of it is as good as no end.
        if thread.is_finished() { thread.join().unwrap_or_else(|_| lost()) } else { lost() }
    }
}

impl Inlet {
    /// Hands a batch in, or drops it if too many wait.
    pub fn try_give(&self, batch: Vec<Attempt>) {
        if let Err(TrySendError::Full(batch) | TrySendError::Disconnected(batch)) =
            self.batches.try_send(batch)
        {
            self.dropped.fetch_add(batch.len() as u64, Relaxed);
        }
    }

    /// Hands a batch in, and waits a while if too many wait.
    pub fn give(&self, mut batch: Vec<Attempt>) {
        for _ in 0..200 {
            match self.batches.try_send(batch) {
                Ok(()) => return,
                Err(TrySendError::Disconnected(back)) => {
                    batch = back;
                    break;
                }
                Err(TrySendError::Full(back)) => batch = back,
            }
            std::thread::park_timeout(PAUSE);
        }
        self.try_give(batch);
    }
}

struct Collector {
    room: usize,
    file: Option<Appending>,
    dropped: Arc<AtomicU64>,
    kept: Kept,
    clock: Clock,
}

impl Collector {
    fn run(mut self, inlet: &Receiver<Vec<Attempt>>) -> Kept {
        let mut next_id = 1;
        let mut tallied = self.clock.now();
        loop {
            match inlet.recv_timeout(TALLY) {
                Ok(batch) => {
                    for mut attempt in batch {
                        attempt.id = next_id;
                        next_id += 1;
                        self.take(attempt);
                    }
                    if let Some(appending) = &mut self.file {
                        appending.file.write();
                    }
                    if self.clock.now().since(tallied) >= TALLY {
                        self.tally();
                        tallied = self.clock.now();
                    }
                }
                Err(RecvTimeoutError::Timeout) => {
                    self.tally();
                    tallied = self.clock.now();
                }
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        self.tally();
        self.kept.dropped = self.dropped.load(Relaxed);
        self.kept.unwritten = self.file.as_ref().map_or(0, |appending| appending.file.lost());
        self.kept
    }

    fn take(&mut self, attempt: Attempt) {
        if let Some(appending) = &mut self.file {
            appending.file.add(&attempt);
        }
        if self.kept.attempts.len() >= self.room {
            self.kept.attempts.pop_front();
            self.kept.forgotten += 1;
        }
        self.kept.attempts.push_back(attempt);
    }

    fn tally(&mut self) {
        if let Some(appending) = &mut self.file {
            appending.tally(self.dropped.load(Relaxed));
        }
    }
}

/// The file that all attempts are appended to.
struct Appending {
    file: JournalFile,
    tallying: Tallying,
    /// What the file has been told so far.
    told: Vec<(u64, u64)>,
    dropped: u64,
}

impl Appending {
    /// Tells the file what the rules have done since it was told last.
    fn tally(&mut self, dropped: u64) {
        let counts = (self.tallying)();
        let news: Vec<_> = (0..)
            .zip(counts.iter().zip(&self.told))
            .filter(|(_, (count, told))| count != told)
            .map(|(rule, ((matched, fired), _))| (rule, *matched, *fired))
            .collect();
        if !news.is_empty() || dropped != self.dropped {
            self.file.add(&Tallies { tallies: news, dropped });
            self.file.write();
            self.told = counts;
            self.dropped = dropped;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(starts: std::ops::Range<u64>) -> Vec<Attempt> {
        starts.map(|start| Attempt { start, ..Attempt::default() }).collect()
    }

    fn nothing() -> Tallying {
        Box::new(Vec::new)
    }

    #[test]
    fn the_latest_are_kept_with_ids_in_their_order() {
        let journal = Journal::start(3, None, nothing()).expect("a thread");
        let inlet = journal.inlet();
        inlet.try_give(batch(10..12));
        inlet.give(batch(12..15));
        drop(inlet);
        let kept = journal.end();
        let pairs: Vec<_> = kept.attempts.iter().map(|attempt| (attempt.id, attempt.start)).collect();
        assert_eq!(pairs, [(3, 12), (4, 13), (5, 14)]);
        assert_eq!((kept.forgotten, kept.dropped), (2, 0));
    }

    #[test]
    fn whoever_comes_too_fast_is_counted_and_does_not_wait() {
        let (batches, inlet) = sync_channel(1);
        let full = Inlet { batches, dropped: Arc::default() };
        for _ in 0..3 {
            full.try_give(batch(0..5));
        }
        assert_eq!(full.dropped.load(Relaxed), 10);
        drop(inlet);
        full.give(batch(0..5));
        assert_eq!(full.dropped.load(Relaxed), 15);
    }
}
