//! Standard output and standard error.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use anstream::stream::RawStream;
use anstream::{AutoStream, ColorChoice};

use super::exit_code::UNUSABLE;
use crate::report::Width;
use crate::rules::Paint;
pub use crate::rules::grouped;

/// Bytes that standard output, standard error and reports have taken.
static WRITTEN: AtomicU64 = AtomicU64::new(0);

/// Bytes written so far: while the number grows, the reader reads.
pub fn written() -> u64 {
    WRITTEN.load(Relaxed)
}

/// Counts the bytes written, for [`written`].
pub struct Counted<W>(pub W);

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = self.0.write(bytes)?;
        WRITTEN.fetch_add(taken as u64, Relaxed);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Writes a result to standard output. A reader that has seen enough (`| head`) is no failure.
pub fn result(text: impl Display) -> ExitCode {
    match try_result(text) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            talk(failure);
            ExitCode::from(UNUSABLE)
        }
    }
}

/// As [`result`]; the caller reports a failure.
pub fn try_result(text: impl Display) -> Result<(), String> {
    let mut out = Counted(io::stdout().lock());
    match write!(out, "{text}").and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(format!("error: standard output cannot be written: {error}\n"))
        }
        _ => Ok(()),
    }
}

/// Writes to standard error. A failure has no place left to be reported.
pub fn talk(text: impl Display) {
    let _ = write!(Counted(io::stderr().lock()), "{text}");
}

/// Whether text for `stream` may hold colours: `--color` decides, else `NO_COLOR`, `CLICOLOR_FORCE`,
/// `CLICOLOR`, `TERM`, and whether it is a terminal.
pub fn paint(stream: &impl RawStream) -> Paint {
    match AutoStream::choice(stream) {
        ColorChoice::Never => Paint::Plain,
        _ => Paint::Coloured,
    }
}

/// Width of the lines written to `stream`.
pub fn width(stream: &impl IsTerminal) -> Width {
    let terminal = stream.is_terminal().then(terminal_size::terminal_size).flatten();
    Width::of(terminal.map(|(terminal_size::Width(columns), _)| columns))
}

/// `1 rule`, `6 rules`.
pub fn counted(number: u64, one: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {one}{plural}", grouped(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_and_counted() {
        for (number, grouping) in [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(grouped(number), grouping);
        }
        assert_eq!(counted(1, "rule"), "1 rule");
        assert_eq!(counted(0, "rule"), "0 rules");
    }
}
