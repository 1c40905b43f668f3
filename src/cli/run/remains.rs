//! Whether anything of the command still lives when the command itself has ended: a child that it left in
//! the background may be about to try again, so that nobody has given up yet.
//!
//! A process is the command's if it is in its group or session, or was started since with this run's
//! address in its environment. One that cannot be found so, in a container say, may still hold a connection
//! to the proxy. Where processes cannot be listed, and the group cannot be asked, nobody knows.

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
    /// What its environment says, as `NAME=VALUE`.
    pub variable: String,
}

/// What is left of a command that has ended.
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

/// Looks until nothing is left, or what is left has had time enough to end.
pub async fn of(trace: &Trace, running: &Running) -> LeftoverProcesses {
    let mut waited = Duration::ZERO;
    loop {
        let found = match trace.living() {
            Some(0) if running.open_connections() == 0 => return LeftoverProcesses::Nothing,
            Some(0) => LeftoverProcesses::Connections(running.open_connections()),
            Some(living) => LeftoverProcesses::Processes(living),
            // It will not know later either.
            None => return LeftoverProcesses::Unknown,
        };
        if waited >= GRACE {
            return found;
        }
        tokio::time::sleep(EACH).await;
        waited += EACH;
    }
}

#[cfg(target_os = "linux")]
impl Trace {
    /// How many processes of the command run; `None` where that cannot be known.
    fn living(&self) -> Option<usize> {
        let own = Process::of("self")?;
        let listed = std::fs::read_dir("/proc").ok()?.filter_map(Result::ok);
        let names = listed.filter_map(|entry| entry.file_name().into_string().ok());
        // Those that end meanwhile cannot be read, and count as gone.
        let living = names.filter(|name| name.starts_with(|c: char| c.is_ascii_digit())).filter(|name| {
            Process::of(name).is_some_and(|process| {
                let is_later = process.id != own.id && process.began >= own.began;
                is_later
                    && !process.is_dead
                    && (self.leads(&process) || is_in_environment(name, &self.variable))
            })
        });
        Some(living.count())
    }

    fn leads(&self, process: &Process) -> bool {
        let of_group = self.leads_group && Some(process.group) == self.process;
        of_group || Some(process.session) == self.process
    }
}

#[cfg(target_os = "linux")]
fn is_in_environment(process: &str, variable: &str) -> bool {
    let environment = std::fs::read(format!("/proc/{process}/environ")).unwrap_or_default();
    environment.split(|byte| *byte == 0).any(|found| found == variable.as_bytes())
}

/// Processes that were started with `variable` in their environment; none where that cannot be known.
#[cfg(target_os = "linux")]
pub fn marked(variable: &str) -> Vec<rustix::process::Pid> {
    let listed = std::fs::read_dir("/proc").into_iter().flatten().filter_map(Result::ok);
    let names = listed.filter_map(|entry| entry.file_name().into_string().ok());
    let marked = names.filter(|name| is_in_environment(name, variable));
    marked.filter_map(|name| rustix::process::Pid::from_raw(name.parse().ok()?)).collect()
}

#[cfg(all(unix, not(target_os = "linux")))]
pub fn marked(_: &str) -> Vec<rustix::process::Pid> {
    Vec::new()
}

/// What Linux says of a process (proc_pid_stat(5)).
#[cfg(target_os = "linux")]
struct Process {
    id: u32,
    is_dead: bool,
    group: u32,
    session: u32,
    /// In ticks since the system started.
    began: u64,
}

#[cfg(target_os = "linux")]
impl Process {
    fn of(name: &str) -> Option<Process> {
        Process::read(&std::fs::read_to_string(format!("/proc/{name}/stat")).ok()?)
    }

    /// `1234 (any (name)) S 1 1234 1234 …`: fields 3, 5, 6 and 22 after the name, which may hold anything.
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
        })
    }
}

#[cfg(all(unix, not(target_os = "linux")))]
impl Trace {
    /// One, if the command's group has any process left. Those that left the group cannot be found.
    fn living(&self) -> Option<usize> {
        use rustix::process::{Pid, test_kill_process_group};
        let group = Pid::from_raw(i32::try_from(self.process?).ok()?).filter(|_| self.leads_group)?;
        Some(usize::from(test_kill_process_group(group) != Err(rustix::io::Errno::SRCH)))
    }
}

#[cfg(not(unix))]
impl Trace {
    #[expect(clippy::unused_self, reason = "other systems ask about it")]
    fn living(&self) -> Option<usize> {
        None
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_read_whatever_its_name_is() {
        let stat = "77 (a) S (b) Z 1 70 60 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 4711 2 3";
        let process = Process::read(stat).expect("a process");
        assert_eq!((process.id, process.group, process.session, process.began), (77, 70, 60, 4711));
        assert!(process.is_dead);
        for broken in ["", "77", "77 (a", "77 (a) S", "x (a) S 1 1 1"] {
            assert!(Process::read(broken).is_none(), "{broken}");
        }
    }
}
