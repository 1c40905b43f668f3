//! What this process is told while the command runs is the command's to act on.
//!
//! On a terminal the command stays in the terminal's foreground process group, so that it may read from
//! it, and a Ctrl-C reaches it without our help. Anywhere else it leads a group of its own, and what
//! reaches this process is passed on to the whole group, a shell's children included.

use std::io;

use tokio::process::{Child, Command};

/// After so many, the command is ended for good.
const PATIENCE: u32 = 3;

#[cfg(unix)]
pub use unix::Forwarded;

#[cfg(unix)]
mod unix {
    use rustix::process::{Pid, Signal, getpgrp, kill_process, kill_process_group};
    use rustix::termios::tcgetpgrp;
    use tokio::signal::unix::{Signal as Signals, SignalKind, signal};

    use super::{Child, Command, PATIENCE, io};

    /// Signals that are the command's.
    pub struct Forwarded {
        interrupt: Signals,
        terminate: Signals,
        hang_up: Signals,
        quit: Signals,
        /// Whether the terminal tells the command by itself.
        is_in_foreground: bool,
        seen: u32,
    }

    impl Forwarded {
        /// Takes the signals over from the system, which would end the process at once.
        pub fn listen() -> io::Result<Forwarded> {
            let terminal = std::fs::File::open("/dev/tty").and_then(|terminal| Ok(tcgetpgrp(&terminal)?));
            Ok(Forwarded {
                interrupt: signal(SignalKind::interrupt())?,
                terminate: signal(SignalKind::terminate())?,
                hang_up: signal(SignalKind::hangup())?,
                quit: signal(SignalKind::quit())?,
                is_in_foreground: terminal.is_ok_and(|foreground| foreground == getpgrp()),
                seen: 0,
            })
        }

        /// The next one.
        pub async fn next(&mut self) -> Signal {
            tokio::select! {
                _ = self.interrupt.recv() => Signal::INT,
                _ = self.terminate.recv() => Signal::TERM,
                _ = self.hang_up.recv() => Signal::HUP,
                _ = self.quit.recv() => Signal::QUIT,
            }
        }

        /// Puts the command in the group where it belongs.
        pub fn prepare(&self, command: &mut Command) {
            if !self.is_in_foreground {
                command.process_group(0);
            }
        }

        /// Whether this process was told to end, and so the command.
        pub fn interrupted(&self) -> bool {
            self.seen > 0
        }

        /// Whether the command leads a process group of its own.
        pub fn gives_a_group(&self) -> bool {
            !self.is_in_foreground
        }

        /// Passes a signal on, unless the terminal has.
        pub fn forward(&mut self, signal: Signal, child: &Child) {
            self.seen += 1;
            let process = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
            let Some(process) = process else { return };
            let signal = if self.seen < PATIENCE { signal } else { Signal::KILL };
            // It only fails for what has ended.
            let _ = match (self.is_in_foreground, signal) {
                (true, Signal::INT | Signal::QUIT) => Ok(()),
                (true, signal) => kill_process(process, signal),
                (false, signal) => kill_process_group(process, signal),
            };
        }
    }
}

/// Where there are no signals, Ctrl-C reaches the command by itself.
#[cfg(not(unix))]
pub struct Forwarded {
    seen: u32,
}

#[cfg(not(unix))]
impl Forwarded {
    pub fn listen() -> io::Result<Forwarded> {
        Ok(Forwarded { seen: 0 })
    }

    pub async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    pub fn prepare(&self, _: &mut Command) {}

    pub fn interrupted(&self) -> bool {
        self.seen > 0
    }

    pub fn gives_a_group(&self) -> bool {
        false
    }

    pub fn forward(&mut self, (): (), child: &mut Child) {
        self.seen += 1;
        if self.seen >= PATIENCE {
            // It only fails for what has ended.
            let _ = child.start_kill();
        }
    }
}
