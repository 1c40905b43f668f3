//! How far the command is, on one line that is drawn again and again.
//!
//! The line needs a terminal that the command's own output does not go to: two writers on one line
//! would garble the command's output, which is passed through untouched.

use std::io::{self, IsTerminal as _};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::cli::output::counted;
use crate::journal::Progress;
use crate::proxy::Running;

/// Between two looks.
const EACH: Duration = Duration::from_millis(200);

/// The line, or nothing where it has no place.
pub struct Status {
    line: ProgressBar,
    progress: Arc<Progress>,
}

impl Status {
    /// Draws the line from now on, if standard error is a terminal of its own.
    pub fn start(running: &Running, is_quiet: bool) -> Status {
        let is_seen = io::stderr().is_terminal() && !io::stdout().is_terminal();
        // CI systems set it, and keep every line that is drawn.
        let is_on_ci = std::env::var_os("CI").is_some_and(|value| !value.is_empty());
        let target = if is_seen && !is_on_ci && !is_quiet {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        let line = ProgressBar::with_draw_target(None, target);
        if let Ok(style) = ProgressStyle::with_template("{msg}, {elapsed}") {
            line.set_style(style);
        }
        Status { line, progress: running.progress() }
    }

    /// Waits until it is time to draw the line again, and draws it.
    pub async fn shown(&self) {
        if self.line.is_hidden() {
            return std::future::pending().await;
        }
        tokio::time::sleep(EACH).await;
        self.line.set_message(self.words());
        self.line.tick();
    }

    fn words(&self) -> String {
        let conflicted = self.progress.conflicted.load(Relaxed);
        let recovered = self.progress.recovered.load(Relaxed);
        let gave_up = self.progress.gave_up.load(Relaxed);
        words(conflicted, recovered, gave_up)
    }

    /// Takes the line away.
    pub fn end(&self) {
        self.line.finish_and_clear();
    }
}

/// Open operations are those seen to end in neither way.
fn words(conflicted: u64, recovered: u64, gave_up: u64) -> String {
    // The three are read one after the other, while they grow.
    let open = conflicted.saturating_sub(recovered.saturating_add(gave_up));
    let met = counted(conflicted, "operation");
    format!("{met} met a conflict, {recovered} recovered, {gave_up} gave up, {open} open")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_not_ended_is_counted_as_open() {
        assert_eq!(words(9, 4, 3), "9 operations met a conflict, 4 recovered, 3 gave up, 2 open");
        assert_eq!(words(1, 2, 0), "1 operation met a conflict, 2 recovered, 0 gave up, 0 open");
    }
}
