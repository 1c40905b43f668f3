//! The command that runs behind the proxy: its start, its end, and its code.

use std::error::Error;
use std::ffi::OsString;
use std::fmt;
use std::io;
use std::process::{Command, ExitStatus, Stdio};

use super::child::{Child, ProcessGroup};
use super::signals::Forwarded;
use super::status::Status;
use crate::cli::startup_error::StartupError;
use crate::grading::CommandEnd;
use crate::proxy::descriptors::SoftLimit;

/// Why a command has no code of its own.
#[derive(Debug)]
pub struct CannotRun {
    command: String,
    error: io::Error,
}

impl CannotRun {
    /// Exit code, as of shells: 127 for a command that is not there, 126 for one that cannot be run.
    pub fn code(&self) -> u8 {
        if self.error.kind() == io::ErrorKind::NotFound { 127 } else { 126 }
    }
}

impl fmt::Display for CannotRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` cannot be run", self.command)
    }
}

impl Error for CannotRun {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.error)
    }
}

impl CannotRun {
    /// Why, and what to do about it.
    pub fn refusal(&self) -> StartupError {
        let CannotRun { command, error } = self;
        let is_shell = command.contains(['|', '&', ';', '=', '$']) || BUILT_IN.contains(&&**command);
        let help = match error.kind() {
            _ if is_shell => "the words of a shell need one: `fracas run -- sh -c '…'`".to_owned(),
            io::ErrorKind::NotFound if command.contains(' ') => format!(
                "the command and its arguments are words of their own: `fracas run -- {command}`, without quotes"
            ),
            io::ErrorKind::NotFound if command.contains('/') => {
                "is that its path from this folder, and is the interpreter that its first line names there?"
                    .to_owned()
            }
            io::ErrorKind::NotFound => {
                format!(
                    "is it installed, and on the PATH? `command -v {command}` finds it, and `./{command}` is the one in this folder"
                )
            }
            io::ErrorKind::PermissionDenied => {
                format!(
                    "is it a program? `chmod +x {command}` makes a file one, or name what runs it: `fracas run -- sh {command}`"
                )
            }
            _ => format!(
                "does it run by itself? A script names what runs it in its first line, as `#!/bin/sh`; or `fracas run -- sh {command}`"
            ),
        };
        StartupError::new("cannot-run", format!("{self}: {error}"), help)
    }
}

/// Commands that only shells have.
const BUILT_IN: [&str; 8] = ["cd", "source", ".", "export", "alias", "set", "ulimit", "exec"];

/// Where the command's standard output goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// To this process's own.
    Own,
    /// To standard error: a report that a program reads has standard output to itself.
    Talk,
}

#[cfg(unix)]
fn shared_error() -> io::Result<Stdio> {
    use std::os::fd::AsFd as _;
    Ok(Stdio::from(io::stderr().as_fd().try_clone_to_owned()?))
}

#[cfg(windows)]
fn shared_error() -> io::Result<Stdio> {
    use std::os::windows::io::AsHandle as _;
    Ok(Stdio::from(io::stderr().as_handle().try_clone_to_owned()?))
}

/// Starts the command with `variables`. Its standard streams are this process's own, but for `output`.
pub fn start<'v>(
    line: &[OsString],
    variables: impl Iterator<Item = (&'v str, &'v str)>,
    output: Output,
    (group, variable): (ProcessGroup, &str),
    limit: SoftLimit,
) -> Result<Child, CannotRun> {
    let (program, arguments) = line.split_first().unwrap_or((const { &OsString::new() }, &[]));
    let mut command = Command::new(program);
    command.args(arguments).envs(variables);
    // Where standard error cannot be shared, it is closed, and nothing could be read there.
    if let (Output::Talk, Ok(talk)) = (output, shared_error()) {
        command.stdout(talk);
    }
    let started = limit.around(|| Child::start(&mut command, group, variable));
    started.map_err(|error| CannotRun { command: program.to_string_lossy().into_owned(), error })
}

/// Waits for its end, and passes on signals that this process gets meanwhile.
pub async fn wait(
    child: &mut Child,
    signals: &mut Forwarded,
    status: &Status,
) -> Result<ExitStatus, CannotRun> {
    loop {
        tokio::select! {
            ended = child.wait() => {
                return ended.map_err(|error| CannotRun { command: "the command".to_owned(), error });
            }
            signal = signals.signals.next() => signals.forward(signal, child),
            () = status.shown() => {}
        }
    }
}

/// Whether it was ended from outside, so that its clients have not come to their own end: by a signal, or with a code
/// by which `timeout` (124) and shells (128 and the signal's number) report one.
pub fn was_killed(status: ExitStatus) -> bool {
    /// A shell's word for a signal; there are at most 64 of them.
    const SIGNALS: std::ops::RangeInclusive<i32> = 129..=192;
    // Without a code it was a signal; Windows' own codes for a killed process are negative.
    status.code().is_none_or(|code| code == 124 || code < 0 || SIGNALS.contains(&code))
}

/// Its code, or as shells say which signal ended it: 128 and the signal's number.
pub fn end_of(status: ExitStatus) -> CommandEnd {
    #[cfg(unix)]
    let signal = std::os::unix::process::ExitStatusExt::signal(&status);
    #[cfg(not(unix))]
    let signal: Option<i32> = None;
    let code = status.code().or_else(|| signal.map(|number| 128 + number)).unwrap_or(1);
    // A code that does not fit, which only some systems have, is a failure all the same.
    CommandEnd { code: u8::try_from(code).unwrap_or(1), signal }
}
