//! Whether anything of the command still lives when the command itself has ended: a child that it left in
//! the background may be about to try again, so that no call is given up yet.
//!
//! A process is the command's if it is in its group or session, or was started since with this run's
//! address in its environment. One that cannot be found so, in a container say, may still hold a connection
//! to the proxy. Where processes cannot be listed, and the group cannot be asked, the result is unknown.

use std::time::Duration;

use crate::proxy::Running;

/// How long processes and connections that are about to end have for it.
const GRACE: Duration = Duration::from_millis(250);
/// Between two looks.
const EACH: Duration = Duration::from_millis(10);

/// How to know the command's processes.
pub struct Trace {
    /// Of the command itself.
    pub process: Option<u32>,
    /// Whether it led a process group of its own.
    pub leads_group: bool,
    /// The variable in its environment, as `NAME=VALUE`.
    pub variable: String,
}

/// Processes and connections that a command has left behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeftoverProcesses {
    Nothing,
    /// Processes that still run, at least.
    Processes(usize),
    /// Connections that are still open.
    Connections(usize),
    /// This system does not say.
    Unknown,
}

/// Looks until nothing is left, or the rest has had time enough to end.
pub async fn of(trace: &Trace, running: &Running) -> LeftoverProcesses {
    let mut waited = Duration::ZERO;
    loop {
        // A system that does not list processes now will not do so later either.
        let Some(found) = trace.look() else { return LeftoverProcesses::Unknown };
        let connections = running.open_connections();
        let is_nothing = found == Found::default() && connections == 0;
        if is_nothing || waited >= GRACE {
            return match (found.living, connections) {
                (0, 0) => LeftoverProcesses::Nothing,
                (0, open) => LeftoverProcesses::Connections(open),
                (living, _) => LeftoverProcesses::Processes(living),
            };
        }
        tokio::time::sleep(EACH).await;
        waited += EACH;
    }
}

/// The processes that one look found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Found {
    /// Those that are the command's.
    living: usize,
    /// Those whose environment cannot be read yet. execve(2) replaces a process's memory, and until the new
    /// program's environment is in place, Linux shows an empty one.
    unclear: usize,
}

#[cfg(target_os = "linux")]
impl Trace {
    /// The processes of the command that run; `None` where that cannot be known.
    fn look(&self) -> Option<Found> {
        let own = Process::of("self")?;
        let listed = std::fs::read_dir("/proc").ok()?.filter_map(Result::ok);
        let names = listed.filter_map(|entry| entry.file_name().into_string().ok());
        let mut found = Found::default();
        for name in names.filter(|name| name.starts_with(|c: char| c.is_ascii_digit())) {
            // A process that ends meanwhile cannot be read, and counts as gone.
            let Some(process) = Process::of(&name) else { continue };
            if process.id == own.id || process.began < own.began || process.is_dead {
                continue;
            }
            let mark = if self.leads(&process) { Mark::Found } else { mark(&name, &self.variable) };
            match mark {
                Mark::Found => found.living += 1,
                // Threads of the kernel have no memory, and never an environment.
                Mark::Empty if process.has_memory => found.unclear += 1,
                Mark::Empty | Mark::Missing => {}
            }
        }
        Some(found)
    }

    fn leads(&self, process: &Process) -> bool {
        let of_group = self.leads_group && Some(process.group) == self.process;
        of_group || Some(process.session) == self.process
    }
}

/// Whether an environment holds a variable.
#[cfg(target_os = "linux")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mark {
    Found,
    Missing,
    /// There is no environment, or none yet.
    Empty,
}

#[cfg(target_os = "linux")]
fn mark(process: &str, variable: &str) -> Mark {
    // An environment that may not be read is another user's.
    let Ok(environment) = std::fs::read(format!("/proc/{process}/environ")) else { return Mark::Missing };
    let is_found = environment.split(|byte| *byte == 0).any(|entry| entry == variable.as_bytes());
    match (environment.is_empty(), is_found) {
        (true, _) => Mark::Empty,
        (false, true) => Mark::Found,
        (false, false) => Mark::Missing,
    }
}

/// Processes that were started with `variable` in their environment; none where that cannot be known.
#[cfg(target_os = "linux")]
pub fn marked(variable: &str) -> Vec<rustix::process::Pid> {
    let listed = std::fs::read_dir("/proc").into_iter().flatten().filter_map(Result::ok);
    let names = listed.filter_map(|entry| entry.file_name().into_string().ok());
    let marked = names.filter(|name| mark(name, variable) == Mark::Found);
    marked.filter_map(|name| rustix::process::Pid::from_raw(name.parse().ok()?)).collect()
}

#[cfg(all(unix, not(target_os = "linux")))]
pub fn marked(_: &str) -> Vec<rustix::process::Pid> {
    Vec::new()
}

/// The state of a process on Linux (proc_pid_stat(5)).
#[cfg(target_os = "linux")]
struct Process {
    id: u32,
    is_dead: bool,
    group: u32,
    session: u32,
    /// In ticks since the system started.
    began: u64,
    has_memory: bool,
}

#[cfg(target_os = "linux")]
impl Process {
    fn of(name: &str) -> Option<Process> {
        Process::read(&std::fs::read_to_string(format!("/proc/{name}/stat")).ok()?)
    }

    /// `1234 (any (name)) S 1 1234 1234 …`: fields 3, 5, 6, 22 and 23, after the name, which may hold anything.
    fn read(stat: &str) -> Option<Process> {
        let (before, after) = stat.rsplit_once(')')?;
        let id = before.split_whitespace().next()?.parse().ok()?;
        let fields: Vec<&str> = after.split_whitespace().collect();
        let field = |number: usize| fields.get(number - 3).copied();
        Some(Process {
            id,
            // Z: dead, and its parent has not asked for its code.
            is_dead: matches!(field(3)?, "Z" | "X" | "x"),
            group: field(5)?.parse().ok()?,
            session: field(6)?.parse().ok()?,
            began: field(22)?.parse().ok()?,
            has_memory: field(23)? != "0",
        })
    }
}

#[cfg(all(unix, not(target_os = "linux")))]
impl Trace {
    /// One, if the command's group has any process left. Those that left the group cannot be found.
    fn look(&self) -> Option<Found> {
        use rustix::process::{Pid, test_kill_process_group};
        let group = Pid::from_raw(i32::try_from(self.process?).ok()?).filter(|_| self.leads_group)?;
        let living = usize::from(test_kill_process_group(group) != Err(rustix::io::Errno::SRCH));
        Some(Found { living, unclear: 0 })
    }
}

#[cfg(not(unix))]
impl Trace {
    #[expect(clippy::unused_self, reason = "other systems ask about it")]
    fn look(&self) -> Option<Found> {
        None
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_environment_that_is_empty_is_told_from_one_without_the_variable() {
        for (environment, expected) in [("A=1", Mark::Found), ("A=2", Mark::Missing), ("", Mark::Empty)] {
            let mut command = std::process::Command::new("sleep");
            command.env_clear().envs(environment.split_once('=')).arg("60");
            let mut child = command.spawn().expect("sleep");
            // `spawn` may return before the new program's environment is in place.
            let mut seen = Mark::Empty;
            for _ in 0..200 {
                tokio::time::sleep(Duration::from_millis(1)).await;
                seen = mark(&child.id().to_string(), "A=1");
                if seen != Mark::Empty {
                    break;
                }
            }
            assert_eq!(seen, expected, "{environment}");
            child.kill().expect("to end it");
            child.wait().expect("its end");
        }
    }

    #[test]
    fn a_process_is_read_whatever_its_name_is() {
        let stat = "77 (a) S (b) Z 1 70 60 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 4711 2 3";
        let process = Process::read(stat).expect("a process");
        assert_eq!((process.id, process.group, process.session, process.began), (77, 70, 60, 4711));
        assert!(process.is_dead && process.has_memory);
        for broken in ["", "77", "77 (a", "77 (a) S", "x (a) S 1 1 1"] {
            assert!(Process::read(broken).is_none(), "{broken}");
        }
    }
}
