//! What is told while it runs: one line per conflict and failure, or per request.
//!
//! Lines wait in a bounded queue for a thread that writes them. When the terminal, or whatever reads,
//! is slower than the traffic, lines are dropped and counted: requests never wait for the log.

mod line;

use std::fmt;
use std::io::{self, Write as _};

use jiff::tz::TimeZone;
use tracing_appender::non_blocking::{ErrorCounter, NonBlocking, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::FormatTime;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use self::line::Line;
use super::arguments::LogFormat;
use super::output::{counted, paint, talk};
use crate::clock::Clock;
use crate::model::HarmlessJson;
use crate::rules::Paint;

/// Lines that may wait to be written.
const MOST_LINES: usize = 8 * 1024;

/// The log of this process.
pub struct Log {
    format: LogFormat,
    volume: Volume,
    queue: NonBlocking,
    dropped: ErrorCounter,
    writer: WorkerGuard,
}

/// How much is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Volume {
    /// Errors only.
    Quiet,
    /// What is wrong, beside somebody else's output.
    Calm,
    Normal,
    /// Every request too.
    Verbose,
}

impl Log {
    /// Starts to log to standard error.
    pub fn start(format: LogFormat, volume: Volume) -> Log {
        let coloured = paint(&io::stderr()) == Paint::Coloured;
        let (queue, writer) = NonBlockingBuilder::default()
            .lossy(true)
            .buffered_lines_limit(MOST_LINES)
            .thread_name("fracas-log")
            .finish(io::stderr());
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
                let lines = lines.with_writer(to).with_ansi(coloured);
                lines.event_format(Line { clock: LocalTime::new() }).boxed()
            }
            LogFormat::Json => {
                let lines = lines.json().flatten_event(true).with_timer(UniversalTime::new());
                lines.with_writer(move || HarmlessJson(to.clone())).boxed()
            }
        };
        // Only a second log in one process could fail here, and the first one serves as well.
        let _ = tracing_subscriber::registry().with(lines.with_filter(ours)).try_init();
        Log { format, volume, dropped: queue.error_counter(), queue, writer }
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
            talk(format_args!("{text}"));
        }
    }

    /// Writes what waits, and says how much was lost.
    pub fn end(self) {
        drop(self.writer);
        let dropped = self.dropped.dropped_lines() as u64;
        if dropped > 0 && self.volume != Volume::Quiet {
            let lines = counted(dropped, "log line");
            talk(format_args!("warning: {lines} dropped: whatever reads them is slower than the traffic\n"));
        }
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
