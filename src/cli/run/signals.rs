//! Signals that this process gets while the command runs are passed on to the command.
//!
//! On a terminal the command stays in the terminal's foreground process group, so that it may read from
//! it, and a Ctrl-C reaches it without our help. Anywhere else it leads a group of its own, and signals
//! to this process are passed on to the whole group, a shell's children included.

use std::io;

use super::child::Child;
use crate::cli::signals::Signals;

/// After so many, the command is ended for good.
const PATIENCE: u32 = 3;

/// Signals that are the command's.
pub struct Forwarded {
    pub signals: Signals,
    /// Whether the terminal tells the command by itself.
    pub is_in_foreground: bool,
    seen: u32,
}

impl Forwarded {
    /// Takes the signals over from the system, which would end the process at once.
    pub fn listen() -> io::Result<Forwarded> {
        Ok(Forwarded { signals: Signals::listen()?, is_in_foreground: is_in_foreground(), seen: 0 })
    }

    /// Whether this process was told to end, and so the command.
    pub fn interrupted(&self) -> bool {
        self.seen > 0
    }

    /// Passes a signal on, unless the terminal has.
    #[cfg(unix)]
    pub fn forward(&mut self, signal: crate::cli::signals::Signal, child: &mut Child) {
        use rustix::process::{Signal, kill_process, kill_process_group};
        self.seen += 1;
        let signal = if self.seen < PATIENCE { signal } else { Signal::KILL };
        // It only fails for a process that has ended.
        let _ = match (self.is_in_foreground, signal) {
            (true, Signal::INT | Signal::QUIT) => Ok(()),
            (true, signal) => kill_process(child.pid(), signal),
            (false, signal) => kill_process_group(child.pid(), signal),
        };
    }

    /// Where there are no signals, Ctrl-C reaches the command by itself.
    #[cfg(not(unix))]
    pub fn forward(&mut self, (): (), child: &mut Child) {
        self.seen += 1;
        if self.seen >= PATIENCE {
            child.kill();
        }
    }
}

#[cfg(unix)]
fn is_in_foreground() -> bool {
    let terminal =
        std::fs::File::open("/dev/tty").and_then(|terminal| Ok(rustix::termios::tcgetpgrp(&terminal)?));
    terminal.is_ok_and(|foreground| foreground == rustix::process::getpgrp())
}

#[cfg(not(unix))]
fn is_in_foreground() -> bool {
    // It shares the console.
    true
}
