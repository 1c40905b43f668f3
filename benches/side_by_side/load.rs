//! Load by wrk, and its cost to the proxy.

use std::error::Error;
use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::peers::Peer;
use crate::process::{has, signal};

/// The load on every peer.
pub struct Load {
    script: tempfile::NamedTempFile,
    /// The cores of the load.
    cores: &'static str,
    pub expected: Expected,
}

/// Requirement on every response.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    Success,
    Conflict,
}

/// One round's result.
pub struct Round {
    pub cpu_micros: f64,
    pub per_second: f64,
    pub p50_micros: f64,
    pub p99_micros: f64,
    pub p999_micros: f64,
}

const CONNECTIONS: &str = "-c64";
/// Slow peers on their first requests take more than wrk's two seconds.
const PATIENCE: &str = "--timeout=30s";

/// Script that prints wrk's counts at the end, in one line.
const DONE: &str = r#"
done = function(summary, latency)
  local e = summary.errors
  io.write(string.format("RESULT %d %d %d %d %d %d\n", summary.requests, e.status,
    e.connect + e.read + e.write + e.timeout, latency:percentile(50), latency:percentile(99), latency:percentile(99.9)))
end
"#;

/// Keys for the state: one path each.
pub const KEYS: u64 = 1_000_000;

impl Load {
    /// One small request, again and again.
    pub fn same(cores: &'static str, expected: Expected) -> Result<Load, Box<dyn Error>> {
        Load::new(cores, expected, r#"wrk.path = "/item""#)
    }

    /// Another one of [`KEYS`] paths each time; those from `first` to `last` in turn if a round is
    /// called with numbers.
    pub fn many_paths(cores: &'static str) -> Result<Load, Box<dyn Error>> {
        let script = format!(
            r#"local next, host
init = function(arguments) next = tonumber(arguments[1]); host = wrk.headers["Host"]; end
request = function()
  local key
  if next then key = next; next = next % {KEYS} + 1 else key = math.random({KEYS}) end
  return "GET /items/" .. key .. " HTTP/1.1\r\nHost: " .. host .. "\r\n\r\n"
end
"#
        );
        Load::new(cores, Expected::Success, &script)
    }

    fn new(cores: &'static str, expected: Expected, script: &str) -> Result<Load, Box<dyn Error>> {
        let mut file = tempfile::NamedTempFile::new()?;
        write!(file, "{script}{DONE}")?;
        Ok(Load { script: file, cores, expected })
    }

    /// One round, after a short one that warms up.
    pub fn round(&self, peer: &Peer, seconds: u64) -> Result<Round, Box<dyn Error>> {
        self.wrk(peer, 1, &[])?;
        let before = peer.process.cpu_nanos();
        let counted = self.wrk(peer, seconds, &[])?;
        let cpu = peer.process.cpu_nanos() - before;
        if counted.errors() != 0 || counted.refused() != self.refused(counted.requests()) {
            return Err(format!("{}: answers were not as expected: {:?}", peer.name, counted.0).into());
        }
        let requests = counted.requests() as f64;
        let micros = |at: usize| counted.0[at] as f64;
        Ok(Round {
            cpu_micros: cpu as f64 / 1_000.0 / requests,
            per_second: requests / seconds as f64,
            p50_micros: micros(3),
            p99_micros: micros(4),
            p999_micros: micros(5),
        })
    }

    fn refused(&self, requests: u64) -> u64 {
        if self.expected == Expected::Conflict { requests } else { 0 }
    }

    /// Asks for every key once, so that none is new later.
    pub fn visit_all(&self, peer: &Peer) -> Result<(), Box<dyn Error>> {
        let mut visited = 0;
        while visited < KEYS {
            visited += self.wrk(peer, 5, &[&(visited + 1).to_string()])?.requests();
        }
        Ok(())
    }

    /// System calls a request, counted while a short round is slowed down by the counting.
    pub fn system_calls(&self, peer: &Peer) -> Result<Option<f64>, Box<dyn Error>> {
        if !has("strace") {
            return Ok(None);
        }
        let summary = tempfile::NamedTempFile::new()?;
        let mut strace = Command::new("strace");
        strace.args(["-c", "-f", "-qq", "-o"]).arg(summary.path());
        for pid in peer.process.pids() {
            strace.args(["-p", &pid.to_string()]);
        }
        let mut strace = strace.stderr(Stdio::null()).spawn()?;
        std::thread::sleep(Duration::from_millis(300));
        let counted = self.wrk(peer, 1, &[])?;
        signal("-INT", strace.id());
        strace.wait()?;
        let text = fs::read_to_string(summary.path())?;
        let total = text.lines().find(|line| line.ends_with("total"));
        let calls = total.and_then(|line| line.split_whitespace().nth(3)?.parse::<f64>().ok());
        Ok(calls.map(|calls| calls / counted.requests() as f64))
    }

    fn wrk(&self, peer: &Peer, seconds: u64, more: &[&str]) -> Result<Counted, Box<dyn Error>> {
        let output = Command::new("taskset")
            .args(["-c", self.cores, "wrk", "-t1", CONNECTIONS, PATIENCE, &format!("-d{seconds}s"), "-s"])
            .arg(self.script.path())
            .args([&format!("http://{}", peer.address), "--"])
            .args(more)
            .output()?;
        let text = String::from_utf8_lossy(&output.stdout);
        let result = text.lines().find_map(|line| line.strip_prefix("RESULT "));
        let numbers = result.map(|line| line.split(' ').map(str::parse).collect::<Result<Vec<u64>, _>>());
        match numbers {
            Some(Ok(numbers)) if numbers.len() == 6 && numbers[0] > 0 => Ok(Counted(numbers)),
            _ => {
                Err(format!("{}: wrk says {text}{}", peer.name, String::from_utf8_lossy(&output.stderr))
                    .into())
            }
        }
    }
}

/// wrk's counts: requests, statuses of 400 and more, errors, and three percentiles.
struct Counted(Vec<u64>);

impl Counted {
    fn requests(&self) -> u64 {
        self.0[0]
    }

    fn refused(&self) -> u64 {
        self.0[1]
    }

    fn errors(&self) -> u64 {
        self.0[2]
    }
}

/// The head of the response to one request, to exclude peers that respond otherwise.
pub fn probe(address: SocketAddr, path: &str) -> Result<String, Box<dyn Error>> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: {address}\r\n\r\n").as_bytes())?;
    let mut response = Vec::new();
    let mut piece = [0; 4096];
    while !response.windows(4).any(|end| end == b"\r\n\r\n") {
        let length = stream.read(&mut piece)?;
        if length == 0 {
            break;
        }
        response.extend_from_slice(&piece[..length]);
    }
    Ok(String::from_utf8_lossy(&response).into_owned())
}
