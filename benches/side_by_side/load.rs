//! Load by wrk, and what it cost the proxy.

use std::error::Error;
use std::fmt;
use std::process::Command;

use crate::peers::Peer;

/// What the proxy is asked to do.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// A small JSON answer of the upstream.
    Forward,
    /// A fixed 409 of its own.
    Inject,
}

impl fmt::Display for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Work::Forward => "forward, small JSON",
            Work::Inject => "answer a fixed 409",
        })
    }
}

/// One round's result.
pub struct Load {
    pub cpu_micros: f64,
    pub per_second: f64,
    pub p50_micros: f64,
    pub p99_micros: f64,
}

/// The core that the load and the upstream share.
pub const LOAD_CORE: usize = 1;

/// Loads `peer` for some seconds.
pub fn run(peer: &Peer, work: Work, seconds: u64) -> Result<Load, Box<dyn Error>> {
    let url = format!("http://{}/item", peer.address);
    wrk(&url, 1)?;
    let before = peer.process.cpu_nanos();
    let text = wrk(&url, seconds)?;
    let cpu = peer.process.cpu_nanos() - before;
    let requests = number(&text, "requests in").ok_or("wrk counted no requests")?;
    let refused = text.lines().find_map(|line| line.trim().strip_prefix("Non-2xx or 3xx responses: "));
    let refused: f64 = refused.map_or(Ok(0.0), str::parse)?;
    let expected = if work == Work::Inject { requests } else { 0.0 };
    if refused != expected || text.contains("Socket errors") {
        return Err(format!("{}: {refused} of {requests} answers were no success\n{text}", peer.name).into());
    }
    Ok(Load {
        cpu_micros: cpu as f64 / 1_000.0 / requests,
        per_second: requests / seconds as f64,
        p50_micros: percentile(&text, "50%").ok_or("no median")?,
        p99_micros: percentile(&text, "99%").ok_or("no 99th percentile")?,
    })
}

fn wrk(url: &str, seconds: u64) -> Result<String, Box<dyn Error>> {
    let seconds = format!("-d{seconds}s");
    let core = LOAD_CORE.to_string();
    let output = Command::new("taskset")
        .args(["-c", &core, "wrk", "-t1", "-c64", &seconds, "--latency", url])
        .output()?;
    if !output.status.success() {
        return Err(format!("wrk failed: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// The number before `what`.
fn number(text: &str, what: &str) -> Option<f64> {
    let line = text.lines().find(|line| line.contains(what))?;
    line.split_whitespace().next()?.parse().ok()
}

/// A line such as `  99%    1.23ms`, in microseconds.
fn percentile(text: &str, which: &str) -> Option<f64> {
    let line = text.lines().find(|line| line.trim().starts_with(which))?;
    let value = line.split_whitespace().nth(1)?;
    let units = [("us", 1.0), ("ms", 1_000.0), ("s", 1_000_000.0)];
    units.iter().find_map(|(unit, micros)| Some(value.strip_suffix(unit)?.parse::<f64>().ok()? * micros))
}
