//! The log of a running proxy: one line per conflict and failure, or per request.
//!
//! Lines wait in a bounded queue for a thread that writes them. When the terminal, or another reader,
//! is slower than the traffic, lines are dropped and counted: requests never wait for the log.

mod line;

use std::fmt;
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use jiff::tz::TimeZone;
use tracing_appender::non_blocking::{ErrorCounter, NonBlocking, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::FormatTime;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use self::line::LineFormat;
use super::arguments::LogFormat;
use super::output::{Counted, counted, paint, talk};
use crate::clock::Clock;
use crate::model::SanitizedJson;
use crate::rules::Paint;

/// Lines that may wait to be written.
const MOST_LINES: usize = 8 * 1024;

/// The log of this process.
pub struct Log {
    format: LogFormat,
    volume: Volume,
    queue: Queue,
    dropped: ErrorCounter,
    writer: WorkerGuard,
    /// Lines that were written, or could not be.
    written: Arc<AtomicU64>,
}

/// Maximum wait for a reader to take a line.
const PATIENCE: Duration = Duration::from_secs(1);
/// Between two looks at whether all lines are written.
const EACH: Duration = Duration::from_millis(2);

/// How much is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Volume {
    /// Errors only.
    Quiet,
    /// Warnings and errors, beside the output of a command.
    Calm,
    Normal,
    /// Every request too.
    Verbose,
}

impl Log {
    /// Starts to log to standard error.
    pub fn start(format: LogFormat, volume: Volume) -> Log {
        let coloured = paint(&io::stderr()) == Paint::Coloured;
        let written = Arc::<AtomicU64>::default();
        let output = Output { stream: Counted(io::stderr()), lines: Arc::clone(&written) };
        let (queue, writer) = NonBlockingBuilder::default()
            .lossy(true)
            .buffered_lines_limit(MOST_LINES)
            .thread_name("fracas-log")
            .finish(output);
        let dropped = queue.error_counter();
        let queue = Queue { lines: queue, given: Arc::default() };
        let level = match volume {
            Volume::Quiet => LevelFilter::ERROR,
            Volume::Calm => LevelFilter::WARN,
            Volume::Normal => LevelFilter::INFO,
            Volume::Verbose => LevelFilter::DEBUG,
        };
        let ours = Targets::new().with_target("fracas", level);
        let lines = tracing_subscriber::fmt::layer();
        let to = queue.clone();
        let lines = match format {
            LogFormat::Text => {
                let lines = lines.with_writer(move || to.clone()).with_ansi(coloured);
                lines.event_format(LineFormat { clock: LocalTime::new() }).boxed()
            }
            LogFormat::Json => {
                let lines = lines.json().flatten_event(true).with_timer(UniversalTime::new());
                lines.with_writer(move || SanitizedJson(to.clone())).boxed()
            }
        };
        // Only a second log in one process could fail here, and the first one serves as well.
        let _ = tracing_subscriber::registry().with(lines.with_filter(ours)).try_init();
        Log { format, volume, queue, dropped, writer, written }
    }

    /// Whether lines are JSON.
    pub fn is_json(&self) -> bool {
        self.format == LogFormat::Json
    }

    /// Whether only errors are told.
    pub fn is_quiet(&self) -> bool {
        self.volume == Volume::Quiet
    }

    /// Tells people something between the lines, in its turn.
    pub fn say(&self, text: &str) {
        if !self.is_quiet() && !self.is_json() {
            let _ = self.queue.clone().write_all(text.as_bytes());
        }
    }

    /// Tells people something at once, so that nothing that is started after it can come before it.
    pub fn say_first(&self, text: &str) {
        if !self.is_quiet() && !self.is_json() {
            let (sender, said) = std::sync::mpsc::channel();
            let text = text.to_owned();
            let talking = move || {
                talk(text);
                // The receiver is gone when it took too long.
                let _ = sender.send(());
            };
            // Without a thread or a reader the text is dropped.
            if std::thread::Builder::new().name("fracas-talk".to_owned()).spawn(talking).is_ok() {
                let _ = said.recv_timeout(PATIENCE);
            }
        }
    }

    /// Writes the lines that wait, and the number of lost ones. It waits as long as there is no reader.
    pub fn end(self) {
        while !self.is_written() {
            std::thread::park_timeout(EACH);
        }
        // With lines that still wait it would complain on standard output.
        drop(self.writer);
        let dropped = self.dropped.dropped_lines() as u64;
        if dropped > 0 && self.volume != Volume::Quiet {
            let lines = counted(dropped, "log line");
            talk(format_args!("warning: {lines} dropped: whatever reads them is slower than the traffic\n"));
        }
    }
}

impl Log {
    fn is_written(&self) -> bool {
        let given = self.queue.given.load(Relaxed).saturating_sub(self.dropped.dropped_lines() as u64);
        self.written.load(Relaxed) >= given
    }
}

/// Where lines wait.
#[derive(Clone)]
struct Queue {
    lines: NonBlocking,
    /// Those that were to be written, with those that there was no room for.
    given: Arc<AtomicU64>,
}

impl Write for Queue {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.given.fetch_add(1, Relaxed);
        self.lines.write(line)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Where lines go.
struct Output {
    stream: Counted<io::Stderr>,
    lines: Arc<AtomicU64>,
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.write(bytes)
    }

    fn write_all(&mut self, line: &[u8]) -> io::Result<()> {
        let written = self.stream.write_all(line);
        self.lines.fetch_add(1, Relaxed);
        written
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

/// The time of day where the machine stands, as `14:02:11.318`.
pub(super) struct LocalTime {
    clock: Clock,
    zone: TimeZone,
}

impl LocalTime {
    fn new() -> LocalTime {
        LocalTime { clock: Clock::start(), zone: TimeZone::system() }
    }
}

impl FormatTime for LocalTime {
    fn format_time(&self, writer: &mut Writer<'_>) -> fmt::Result {
        let time = self.clock.wall().to_zoned(self.zone.clone()).time();
        let milliseconds = time.subsec_nanosecond() / 1_000_000;
        write!(writer, "{:02}:{:02}:{:02}.{milliseconds:03}", time.hour(), time.minute(), time.second())
    }
}

/// The moment in UTC, as RFC 3339 has it.
struct UniversalTime {
    clock: Clock,
}

impl UniversalTime {
    fn new() -> UniversalTime {
        UniversalTime { clock: Clock::start() }
    }
}

impl FormatTime for UniversalTime {
    fn format_time(&self, writer: &mut Writer<'_>) -> fmt::Result {
        write!(writer, "{:.3}", self.clock.wall())
    }
}
