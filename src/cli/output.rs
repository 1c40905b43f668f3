//! Standard output and standard error.

use std::ffi::OsString;
use std::fmt::Display;
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use super::UNUSABLE;
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

/// Whether what is written to `stream` may hold colours.
pub fn paint(stream: &impl IsTerminal) -> Paint {
    paint_for(stream.is_terminal(), std::env::var_os("NO_COLOR"), std::env::var_os("TERM"))
}

/// Colours are for terminals that know them, unless `NO_COLOR` says anything.
fn paint_for(is_terminal: bool, no_color: Option<OsString>, term: Option<OsString>) -> Paint {
    let is_unwanted = no_color.is_some_and(|value| !value.is_empty());
    let is_dumb = term.is_some_and(|term| term == "dumb");
    if is_terminal && !is_unwanted && !is_dumb { Paint::Coloured } else { Paint::Plain }
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
    fn colours_are_for_terminals_that_want_them() {
        for (is_terminal, no_color, term, paint) in [
            (true, None, Some("xterm"), Paint::Coloured),
            (true, Some(""), None, Paint::Coloured),
            (true, Some("1"), Some("xterm"), Paint::Plain),
            (true, None, Some("dumb"), Paint::Plain),
            (false, None, Some("xterm"), Paint::Plain),
        ] {
            assert_eq!(paint_for(is_terminal, no_color.map(Into::into), term.map(Into::into)), paint);
        }
    }

    #[test]
    fn numbers_are_grouped_and_counted() {
        for (number, grouping) in [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(grouped(number), grouping);
        }
        assert_eq!(counted(1, "rule"), "1 rule");
        assert_eq!(counted(0, "rule"), "0 rules");
    }
}
