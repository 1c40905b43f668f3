//! Standard output and standard error.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use anstream::stream::RawStream;
use anstream::{AutoStream, ColorChoice};

use super::UNUSABLE;
use crate::report::Width;
use crate::rules::Paint;
pub use crate::rules::grouped;

/// Writes a result to standard output. A reader that has seen enough (`| head`) is no failure.
pub fn result(text: impl Display) -> ExitCode {
    let mut out = io::stdout().lock();
    match write!(out, "{text}").and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            talk(format_args!("error: standard output cannot be written: {error}\n"));
            ExitCode::from(UNUSABLE)
        }
        _ => ExitCode::SUCCESS,
    }
}

/// Writes to standard error. If that fails there is nobody left to tell.
pub fn talk(text: impl Display) {
    let _ = write!(io::stderr().lock(), "{text}");
}

/// Whether what is written to `stream` may hold colours: `--color` says, or else `NO_COLOR`,
/// `CLICOLOR_FORCE`, `CLICOLOR`, `TERM`, and whether it is a terminal.
pub fn paint(stream: &impl RawStream) -> Paint {
    match AutoStream::choice(stream) {
        ColorChoice::Never => Paint::Plain,
        _ => Paint::Coloured,
    }
}

/// How wide the lines of what is written to `stream` may be.
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
