//! The command's process: its start, and its exit status.
//!
//! On Unix every child that has ended is asked for its status, the command or not: a process with the id 1, as in
//! a container, inherits orphans, and one that is not asked for stays as a zombie.

use std::io;
use std::process::{Command, ExitStatus};

#[cfg(unix)]
pub use unix::Child;

/// Where the command's process stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProcessGroup {
    /// In this process's group, which is the terminal's.
    Ours,
    /// At the head of its own.
    Own,
}

#[cfg(unix)]
mod unix {
    use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};

    use rustix::io::Errno;
    use rustix::process::{Pid, WaitOptions};
    use tokio::signal::unix::{Signal, SignalKind, signal};

    use super::super::guard::CommandGuard;
    use super::{Command, ExitStatus, ProcessGroup, io};

    /// A command that was started.
    pub struct Child {
        pid: Pid,
        /// A child of this process has ended, any of them.
        news: Signal,
        guard: CommandGuard,
    }

    impl Child {
        pub fn start(command: &mut Command, group: ProcessGroup, variable: &str) -> io::Result<Child> {
            // Before there is a child to end.
            let news = signal(SignalKind::child())?;
            let mut guard = CommandGuard::start(variable);
            if group == ProcessGroup::Own {
                command.process_group(0);
            }
            let pid = Pid::from_child(&command.spawn()?);
            guard.watch(pid, group);
            Ok(Child { pid, news, guard })
        }

        pub fn pid(&self) -> Pid {
            self.pid
        }

        pub fn id(&self) -> Option<u32> {
            u32::try_from(self.pid.as_raw_nonzero().get()).ok()
        }

        /// Waits for its end.
        pub async fn wait(&mut self) -> io::Result<ExitStatus> {
            loop {
                if let Some(status) = self.reap()? {
                    // From now on its id may become another process's.
                    self.guard.stand_down();
                    return Ok(status);
                }
                if self.news.recv().await.is_none() {
                    return Err(io::Error::other("the system no longer says when it ends"));
                }
            }
        }

        /// Takes the status of every child that has ended; the command's, if it is among them.
        fn reap(&self) -> io::Result<Option<ExitStatus>> {
            let mut own = None;
            loop {
                match rustix::process::wait(WaitOptions::NOHANG) {
                    Ok(Some((pid, status))) if pid == self.pid => {
                        own = Some(ExitStatus::from_raw(status.as_raw()));
                    }
                    Ok(Some(_)) | Err(Errno::INTR) => {}
                    Ok(None) | Err(Errno::CHILD) => return Ok(own),
                    Err(error) => return Err(error.into()),
                }
            }
        }
    }
}

/// A command that was started.
#[cfg(not(unix))]
pub struct Child(tokio::process::Child);

#[cfg(not(unix))]
impl Child {
    pub fn start(command: &mut Command, _: ProcessGroup, _: &str) -> io::Result<Child> {
        tokio::process::Command::from(std::mem::replace(command, Command::new(""))).spawn().map(Child)
    }

    pub fn id(&self) -> Option<u32> {
        self.0.id()
    }

    /// Waits for its end.
    pub async fn wait(&mut self) -> io::Result<ExitStatus> {
        self.0.wait().await
    }

    pub fn kill(&mut self) {
        // It only fails for a process that has ended.
        let _ = self.0.start_kill();
    }
}
