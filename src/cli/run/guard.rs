//! A process that ends the command when this one is killed (SIGKILL, out of memory) and can no longer.
//!
//! It is this program again, which reads its standard input: a pipe whose other end closes with this process,
//! whatever ended it. `PR_SET_PDEATHSIG` would do so for the command's first process alone, on Linux alone, and
//! must be set between fork and exec, which is not possible without `unsafe`.

use std::io::{Read as _, Write as _};
use std::process::{ChildStdin, Command, ExitCode, Stdio};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use super::child::ProcessGroup;
use super::remains;

/// The first argument of a guard: a word that no command has.
pub const WORD: &str = "__guard-of-fracas-run";
const OF_A_GROUP: &str = "group";
const OF_A_PROCESS: &str = "process";
const OVER: &str = "over\n";

/// The end of the pipe that is here.
pub struct CommandGuard(Option<ChildStdin>);

impl CommandGuard {
    /// Starts it, in a group of its own: signals to this process's group are not for it. Where it cannot be started,
    /// the command lives on after this process, as it would without a guard.
    /// `variable`, as `NAME=VALUE`, is in the environment of this run's command alone.
    pub fn start(variable: &str) -> CommandGuard {
        use std::os::unix::process::CommandExt as _;
        // The file may have been replaced since this process started.
        let own = std::path::Path::new("/proc/self/exe");
        let program = if own.exists() { Ok(own.to_owned()) } else { std::env::current_exe() };
        let started = program.and_then(|program| {
            let mut command = Command::new(program);
            command.arg0("fracas").arg(WORD).process_group(0);
            command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()
        });
        match started {
            Ok(child) => {
                let mut guard = CommandGuard(child.stdin);
                guard.tell(&format!("{variable}\n"));
                guard
            }
            Err(error) => {
                tracing::warn!(%error, "if fracas is killed, the command is left behind: its guard cannot be started");
                CommandGuard(None)
            }
        }
    }

    /// Tells it whom to end.
    pub fn watch(&mut self, command: Pid, group: ProcessGroup) {
        let kind = match group {
            ProcessGroup::Own => OF_A_GROUP,
            ProcessGroup::Ours => OF_A_PROCESS,
        };
        self.tell(&format!("{kind} {}\n", command.as_raw_nonzero()));
    }

    /// Tells it that the command has ended. It ends too.
    pub fn stand_down(&mut self) {
        self.tell(OVER);
        self.0 = None;
    }

    fn tell(&mut self, words: &str) {
        // It only fails when the guard has ended.
        let _ = self.0.as_mut().map(|pipe| pipe.write_all(words.as_bytes()));
    }
}

/// Waits for the parent's end, and ends the command unless the parent wrote that it is over.
pub fn main() -> ExitCode {
    const MOST: u64 = 256;
    let mut told = String::new();
    // The parent alone writes to it.
    if std::io::stdin().take(MOST).read_to_string(&mut told).is_ok() {
        end(Task::read(&told));
    }
    ExitCode::SUCCESS
}

fn end(task: Task<'_>) {
    // It only fails for a process that has ended.
    let _ = match task {
        Task::Nothing => Ok(()),
        Task::End(ProcessGroup::Own, leader) => kill_process_group(leader, Signal::KILL),
        Task::End(ProcessGroup::Ours, process) => kill_process(process, Signal::KILL),
        Task::Find(variable) => {
            for process in remains::marked(variable) {
                let _ = kill_process(process, Signal::KILL);
            }
            Ok(())
        }
    };
}

/// The guard's task when the other end has closed.
#[derive(Debug, PartialEq, Eq)]
enum Task<'t> {
    Nothing,
    End(ProcessGroup, Pid),
    /// The command may have been started just before its id could be told: this is in its environment.
    Find(&'t str),
}

impl Task<'_> {
    fn read(told: &str) -> Task<'_> {
        let mut lines = told.split_inclusive('\n').map(|line| line.strip_suffix('\n'));
        let (Some(Some(variable)), command, over) = (lines.next(), lines.next(), lines.next()) else {
            return Task::Nothing;
        };
        let Some(command) = command else { return Task::Find(variable) };
        let known = command.and_then(|line| line.split_once(' ')).and_then(|(kind, id)| {
            let group = if kind == OF_A_GROUP { ProcessGroup::Own } else { ProcessGroup::Ours };
            // The id 1 is never a command's, and as a group it would be everybody.
            Some((group, Pid::from_raw(id.parse().ok().filter(|id| *id > 1)?)?))
        });
        match (known, over) {
            (Some((group, id)), None) => Task::End(group, id),
            _ => Task::Nothing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guard_ends_only_what_it_was_told_of_and_is_not_over() {
        let id = Pid::from_raw(77).expect("an id");
        for (told, expected) in [
            ("A=b\ngroup 77\n", Task::End(ProcessGroup::Own, id)),
            ("A=b\nprocess 77\n", Task::End(ProcessGroup::Ours, id)),
            ("A=b\n", Task::Find("A=b")),
            ("A=b\ngroup 77\nover\n", Task::Nothing),
            ("A=b\ngroup 77", Task::Nothing),
            ("A=b\ngroup 1\n", Task::Nothing),
            ("A=b\ngroup -1\n", Task::Nothing),
            ("A=b\ngroup x\n", Task::Nothing),
            ("A=b\nover\n", Task::Nothing),
            ("A=b", Task::Nothing),
            ("", Task::Nothing),
        ] {
            assert_eq!(Task::read(told), expected, "{told:?}");
        }
    }
}
