//! Child processes that end with their owner, and the kernel's account of their resources.

use std::fs;
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A program in its own folder, ended when dropped.
pub struct Process {
    child: Child,
    _folder: tempfile::TempDir,
}

/// Deadline for a peer to listen; virtual machines are slow.
const START: Duration = Duration::from_secs(60);

impl Process {
    /// Starts `command` on `cores` (as taskset has them), and waits until something listens on `address`.
    pub fn start(
        folder: tempfile::TempDir,
        cores: &str,
        command: &[&str],
        address: SocketAddr,
    ) -> io::Result<Process> {
        let stderr = folder.path().join("stderr");
        let mut child = Command::new("taskset")
            .args(["-c", cores])
            .args(command)
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::create(&stderr)?)
            .spawn()?;
        let deadline = Instant::now() + START;
        while TcpStream::connect(address).is_err() {
            if child.try_wait()?.is_some() || Instant::now() > deadline {
                let why = fs::read_to_string(&stderr).unwrap_or_default();
                return Err(io::Error::other(format!("{} does not listen on {address}\n{why}", command[0])));
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        Ok(Process { child, _folder: folder })
    }

    /// CPU time of the process, its threads and its children, in nanoseconds.
    pub fn cpu_nanos(&self) -> u64 {
        self.pids().into_iter().map(threads_nanos).sum()
    }

    /// Resident memory of the process and its children, in KiB.
    pub fn resident_kib(&self) -> u64 {
        self.pids().into_iter().filter_map(|pid| status_kib(pid, "VmRSS:")).sum()
    }

    /// The most that has been resident at once.
    pub fn peak_kib(&self) -> u64 {
        self.pids().into_iter().filter_map(|pid| status_kib(pid, "VmHWM:")).sum()
    }

    /// The process and all that it started.
    pub fn pids(&self) -> Vec<u32> {
        let mut family = vec![self.child.id()];
        let mut at = 0;
        while at < family.len() {
            let children = format!("/proc/{0}/task/{0}/children", family[at]);
            let children = fs::read_to_string(children).unwrap_or_default();
            family.extend(children.split_whitespace().filter_map(|pid| pid.parse::<u32>().ok()));
            at += 1;
        }
        family
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        for pid in self.pids().into_iter().rev() {
            signal("-TERM", pid);
        }
        let _ = self.child.wait();
    }
}

/// Sends a signal to one process that this benchmark started.
pub fn signal(which: &str, pid: u32) {
    let _ = Command::new("kill").args([which, &pid.to_string()]).stderr(Stdio::null()).status();
}

/// A port that was free a moment ago.
pub fn free_address() -> io::Result<SocketAddr> {
    TcpListener::bind("127.0.0.1:0")?.local_addr()
}

/// Whether there is a program of this name on the PATH.
pub fn has(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

fn threads_nanos(pid: u32) -> u64 {
    let Ok(threads) = fs::read_dir(Path::new("/proc").join(pid.to_string()).join("task")) else { return 0 };
    threads
        .filter_map(|thread| fs::read_to_string(thread.ok()?.path().join("schedstat")).ok())
        .filter_map(|line| line.split_whitespace().next()?.parse::<u64>().ok())
        .sum()
}

fn status_kib(pid: u32, what: &str) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(what))?;
    line.split_whitespace().next()?.parse().ok()
}
