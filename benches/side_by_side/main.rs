//! What fracas costs in the path, beside the proxies that people know, in one run.
//!
//! ```console
//! $ cargo bench --bench side_by_side -- --seconds 4 --rounds 5
//! ```
//!
//! Needs nginx and wrk on the PATH (Debian: `apt-get install nginx-light wrk`). The upstream and the
//! load share one core, the proxy under test has another to itself; the order alternates from round
//! to round, every proxy adds the same headers, and every answer's status is checked. CPU time is
//! the kernel's own account of the proxy's threads, so that what else runs on the machine matters
//! little. docs/BENCHMARKS.md says how to read it.

#![allow(clippy::disallowed_methods, reason = "a benchmark owns its clock")]
#![allow(clippy::indexing_slicing, reason = "a benchmark that goes wrong may panic")]
#![allow(clippy::print_stdout, reason = "its result")]

mod load;
mod peers;
mod process;

use std::error::Error;

use load::{Load, Work};
use peers::Peer;

/// Above this spread of the control's rounds a run says nothing.
const VOID_ABOVE: f64 = 0.10;

fn main() -> Result<(), Box<dyn Error>> {
    let seconds = argument("--seconds").unwrap_or(4);
    let rounds = argument("--rounds").unwrap_or(5) as usize;
    let upstream = peers::upstream()?;
    println!("{rounds} rounds of {seconds} s, 64 connections, one core for the proxy\n");
    for work in [Work::Forward, Work::Inject] {
        let peers = peers::all(work, upstream.address)?;
        let mut costs: Vec<Vec<Load>> = peers.iter().map(|_| Vec::new()).collect();
        for round in 0..rounds {
            let mut order: Vec<usize> = (0..peers.len()).collect();
            if round % 2 == 1 {
                order.reverse();
            }
            for at in order {
                costs[at].push(load::run(&peers[at], work, seconds)?);
            }
        }
        report(work, &peers, &costs);
    }
    Ok(())
}

/// One line a peer, medians over the rounds; the first peer is the control. A ratio is the median of
/// the rounds' own ratios: what slows the machine for a while slows both sides of one.
fn report(work: Work, peers: &[Peer], costs: &[Vec<Load>]) {
    println!("{work}");
    println!(
        "  {:<22} {:>10} {:>8} {:>10} {:>9} {:>9}",
        "", "CPU µs/req", "ratio", "req/s", "p50 µs", "p99 µs"
    );
    let control = median(costs[0].iter().map(|load| load.cpu_micros));
    for (peer, loads) in peers.iter().zip(costs) {
        let cpu = median(loads.iter().map(|load| load.cpu_micros));
        let ratio =
            median(loads.iter().zip(&costs[0]).map(|(load, control)| load.cpu_micros / control.cpu_micros));
        println!(
            "  {:<22} {:>10.2} {:>8.2} {:>10.0} {:>9.0} {:>9.0}",
            peer.name,
            cpu,
            ratio,
            median(loads.iter().map(|load| load.per_second)),
            median(loads.iter().map(|load| load.p50_micros)),
            median(loads.iter().map(|load| load.p99_micros)),
        );
    }
    let all: Vec<f64> = costs[0].iter().map(|load| load.cpu_micros).collect();
    let spread = (all.iter().copied().fold(f64::MIN, f64::max)
        - all.iter().copied().fold(f64::MAX, f64::min))
        / control;
    let verdict = if spread > VOID_ABOVE { "VOID: run it again on a quieter machine" } else { "fine" };
    println!("  control's spread {:.1} %: {verdict}\n", spread * 100.0);
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

fn argument(name: &str) -> Option<u64> {
    let mut arguments = std::env::args().skip_while(|argument| argument != name);
    arguments.nth(1)?.parse().ok()
}
