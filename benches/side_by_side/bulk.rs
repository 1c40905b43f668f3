//! One big forwarded body: throughput, CPU time, and growth of memory.

use std::error::Error;
use std::net::SocketAddr;
use std::process::Command;

use crate::arguments::Arguments;
use crate::compare::{in_turns, median};
use crate::peers::{BULK_BYTES, FAST, LOAD_CORE, Peer, Task};
use crate::table;
use crate::works::peers;

/// One body's passing.
struct Passing {
    seconds: f64,
    cpu_seconds: f64,
}

pub fn compare(arguments: &Arguments, upstream: SocketAddr) -> Result<(), Box<dyn Error>> {
    let peers = peers(arguments, &FAST, Task::Forward, upstream)?;
    let mut passings: Vec<Vec<Passing>> = peers.iter().map(|_| Vec::new()).collect();
    let before: Vec<u64> = peers.iter().map(|peer| peer.process.resident_kib()).collect();
    for round in 0..arguments.rounds {
        for at in in_turns(peers.len(), round) {
            passings[at].push(pass(&peers[at])?);
        }
    }
    println!("| | MiB/s | × nginx | CPU ms a GiB | resident MiB before | at most |");
    println!("| --- | --- | --- | --- | --- | --- |");
    let speed = |passing: &Passing| (BULK_BYTES >> 20) as f64 / passing.seconds;
    let ratio = |passings: &[Passing], control: &[Passing]| {
        median(passings.iter().zip(control).map(|(one, other)| speed(one) / speed(other)))
    };
    for ((peer, passings_of), before) in peers.iter().zip(&passings).zip(before) {
        println!(
            "| {} | {:.0} | {:.2} | {:.0} | {:.1} | {:.1} |",
            peer.name,
            median(passings_of.iter().map(speed)),
            ratio(passings_of, &passings[0]),
            median(passings_of.iter().map(|passing| passing.cpu_seconds * 1_000.0)),
            before as f64 / 1024.0,
            peer.process.peak_kib() as f64 / 1024.0,
        );
    }
    println!();
    // The target is a throughput of at least 0.9: nginx's in terms of ours is at most its inverse.
    table::verdict("nginx / fracas, throughput", ratio(&passings[0], &passings[1]), 1.0 / 0.9);
    let cpu: Vec<f64> = passings[0].iter().map(|passing| passing.cpu_seconds).collect();
    let spread = cpu.iter().copied().fold(0.0, f64::max) - cpu.iter().copied().fold(f64::MAX, f64::min);
    table::void("nginx", spread / median(cpu.into_iter()));
    Ok(())
}

fn pass(peer: &Peer) -> Result<Passing, Box<dyn Error>> {
    let before = peer.process.cpu_nanos();
    let output = Command::new("taskset")
        .args([
            "-c",
            LOAD_CORE,
            "curl",
            "-s",
            "-o",
            "/dev/null",
            "-w",
            "%{http_code} %{size_download} %{time_total}",
        ])
        .arg(format!("http://{}/bulk", peer.address))
        .output()?;
    let cpu = peer.process.cpu_nanos() - before;
    let text = String::from_utf8(output.stdout)?;
    match text.split(' ').collect::<Vec<_>>()[..] {
        ["200", bytes, seconds] if bytes.parse() == Ok(BULK_BYTES) => {
            Ok(Passing { seconds: seconds.parse()?, cpu_seconds: cpu as f64 / 1e9 })
        }
        _ => Err(format!("{}: curl says {text}", peer.name).into()),
    }
}
