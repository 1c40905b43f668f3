//! Child processes that end with their owner, and what the kernel says they used.

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

impl Process {
    /// Starts `command` on `core`, and waits until something listens on `address`.
    pub fn start(
        folder: tempfile::TempDir,
        core: usize,
        command: &[&str],
        address: SocketAddr,
    ) -> io::Result<Process> {
        let child = Command::new("taskset")
            .args(["-c", &core.to_string()])
            .args(command)
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::create(folder.path().join("stderr"))?)
            .spawn()?;
        let process = Process { child, _folder: folder };
        let deadline = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect(address).is_err() {
            if Instant::now() > deadline {
                return Err(io::Error::other(format!("{} does not listen on {address}", command[0])));
            }
            std::thread::yield_now();
        }
        Ok(process)
    }

    /// CPU time of the process, its threads and its children, in nanoseconds.
    pub fn cpu_nanos(&self) -> u64 {
        family(self.child.id()).iter().map(|pid| threads_nanos(*pid)).sum()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        for pid in family(self.child.id()).into_iter().rev() {
            let _ = Command::new("kill").arg(pid.to_string()).stderr(Stdio::null()).status();
        }
        let _ = self.child.wait();
    }
}

/// A port that was free a moment ago.
pub fn free_address() -> io::Result<SocketAddr> {
    TcpListener::bind("127.0.0.1:0")?.local_addr()
}

/// The process and all that it started.
fn family(root: u32) -> Vec<u32> {
    let mut family = vec![root];
    let mut at = 0;
    while at < family.len() {
        let children = format!("/proc/{0}/task/{0}/children", family[at]);
        let children = fs::read_to_string(children).unwrap_or_default();
        family.extend(children.split_whitespace().filter_map(|pid| pid.parse::<u32>().ok()));
        at += 1;
    }
    family
}

fn threads_nanos(pid: u32) -> u64 {
    let Ok(threads) = fs::read_dir(Path::new("/proc").join(pid.to_string()).join("task")) else { return 0 };
    threads
        .filter_map(|thread| fs::read_to_string(thread.ok()?.path().join("schedstat")).ok())
        .filter_map(|line| line.split_whitespace().next()?.parse::<u64>().ok())
        .sum()
}
