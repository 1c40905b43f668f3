//! The works, each with the ratio that is asked of it.

use std::error::Error;
use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;

use crate::arguments::Arguments;
use crate::compare::compare;
use crate::load::{Expected, Load};
use crate::peers::{
    self, Candidate, FAST, LOAD_CORE, Peer, Rules, SLOW, Task, fracas, nginx_of_rules,
    rules_that_do_not_match,
};
use crate::table::{self, Target};
use crate::{bulk, idle, paced, start};

/// The measurements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    Forward,
    Inject,
    Rules,
    State,
    Latency,
    Bulk,
    Idle,
    Workers,
    Start,
}

impl Work {
    const ALL: [(Work, &'static str, &'static str); 9] = [
        (Work::Forward, "forward", "Forward a small JSON answer"),
        (Work::Inject, "inject", "Answer a fixed 409"),
        (Work::Rules, "rules", "Forward past 10,000 rules that do not match"),
        (Work::State, "state", "Forward with `first`, `per = \"path\"`, over 1,000,000 keys"),
        (Work::Latency, "latency", "Latency added at half of nginx's load"),
        (Work::Bulk, "bulk", "Pass on a body of 1 GiB"),
        (Work::Idle, "idle", "Keep idle connections"),
        (Work::Workers, "workers", "Forward with two workers"),
        (Work::Start, "start", "Start"),
    ];
}

impl fmt::Display for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let title = Work::ALL.into_iter().find_map(|(work, _, title)| (work == *self).then_some(title));
        f.write_str(title.unwrap_or_default())
    }
}

impl FromStr for Work {
    type Err = String;

    fn from_str(text: &str) -> Result<Work, String> {
        let found = Work::ALL.into_iter().find_map(|(work, name, _)| (name == text).then_some(work));
        found.ok_or_else(|| {
            let names: Vec<&str> = Work::ALL.iter().map(|(_, name, _)| *name).collect();
            format!("{text} is none of the works: {}", names.join(", "))
        })
    }
}

/// Does the works that are asked for, and prints a table of each.
pub fn run(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    table::machine(arguments)?;
    let upstream = peers::upstream()?;
    let to = upstream.address;
    for (work, _, _) in Work::ALL.into_iter().filter(|(work, ..)| arguments.wants(*work)) {
        println!("### {work}\n");
        match work {
            Work::Forward => {
                let load = Load::same(LOAD_CORE, Expected::Success)?;
                beside_peers(arguments, Task::Forward, &load, to, &FORWARD)?;
            }
            Work::Inject => {
                let load = Load::same(LOAD_CORE, Expected::Conflict)?;
                beside_peers(arguments, Task::Inject, &load, to, &INJECT)?;
            }
            Work::Rules => rules(arguments, to)?,
            Work::State => state(arguments, to)?,
            Work::Latency => paced::compare(arguments, to)?,
            Work::Bulk => bulk::compare(arguments, to)?,
            Work::Idle => idle::compare(arguments, to)?,
            Work::Workers => workers(arguments, to)?,
            Work::Start => start::measure()?,
        }
    }
    Ok(())
}

const FORWARD: [Target; 5] = [
    Target::new("fracas", "nginx", 1.00),
    Target::new("fracas", "HAProxy", 0.95),
    Target::new("fracas", "Toxiproxy", 0.85),
    Target::new("fracas", "Envoy", 0.28),
    Target::new("fracas", "TCP relay", 1.25),
];
const INJECT: [Target; 2] = [Target::new("fracas", "nginx", 1.00), Target::new("fracas", "Envoy", 0.30)];

/// The slow peers' rounds: one of theirs takes as many requests as they serve in it.
const SLOW_ROUNDS: usize = 2;
const SLOW_SECONDS: u64 = 3;

/// fracas among all that are installed: the fast ones in turns, then each slow one alone.
fn beside_peers(
    arguments: &Arguments,
    task: Task,
    load: &Load,
    upstream: SocketAddr,
    targets: &[Target],
) -> Result<(), Box<dyn Error>> {
    let fast = peers(arguments, &FAST, task, upstream)?;
    let mut rows = compare(&fast, load, arguments.rounds, arguments.seconds)?;
    drop(fast);
    let mut failed = Vec::new();
    for slow in &SLOW {
        let alone = peers(arguments, std::slice::from_ref(slow), task, upstream)?;
        // A peer that fails under this load does not end the run.
        match compare(&alone, load, SLOW_ROUNDS, SLOW_SECONDS) {
            Ok(row) => rows.extend(row),
            Err(error) => failed.push(error),
        }
    }
    table::costs(&rows, targets);
    for error in failed {
        println!("- left out: {error}\n");
    }
    Ok(())
}

/// Those that are invited, installed, and do the task.
pub fn peers(
    arguments: &Arguments,
    candidates: &[Candidate],
    task: Task,
    upstream: SocketAddr,
) -> Result<Vec<Peer>, Box<dyn Error>> {
    let mut peers = Vec::new();
    for (name, start) in candidates {
        if matches!(*name, "nginx" | "fracas") || arguments.invites(name) {
            peers.extend(start(task, upstream)?);
        }
    }
    Ok(peers)
}

fn rules(arguments: &Arguments, upstream: SocketAddr) -> Result<(), Box<dyn Error>> {
    let mut contenders = vec![
        fracas(&Rules::new("one rule", rules_that_do_not_match(1)), upstream)?,
        fracas(&Rules::new("10,000 rules", rules_that_do_not_match(10_000)), upstream)?,
    ];
    let load = Load::same(LOAD_CORE, Expected::Success)?;
    let mut rows = compare(&contenders, &load, arguments.rounds, arguments.seconds)?;
    contenders.clear();
    if arguments.invites("nginx") {
        contenders.push(nginx_of_rules(10_000, upstream)?);
        rows.extend(compare(&contenders, &load, SLOW_ROUNDS, SLOW_SECONDS)?);
    }
    table::costs(&rows, &[Target::new("10,000 rules", "one rule", 1.05)]);
    Ok(())
}

fn state(arguments: &Arguments, upstream: SocketAddr) -> Result<(), Box<dyn Error>> {
    const ONE: &str = "[[rule]]\nname = \"first\"\npath = \"/items/{id}\"\n";
    let with = format!("{ONE}first = 1\nlimit = 1\nper = \"path\"\n");
    let without = format!("{ONE}enabled = false\n");
    let contenders = [
        fracas(&Rules::new("without", without), upstream)?,
        fracas(&Rules::new("first, per path", with), upstream)?,
    ];
    let load = Load::many_paths(LOAD_CORE)?;
    load.visit_all(&contenders[1])?;
    let rows = compare(&contenders, &load, arguments.rounds, arguments.seconds)?;
    table::costs(&rows, &[Target::new("first, per path", "without", 1.10)]);
    Ok(())
}

fn workers(arguments: &Arguments, upstream: SocketAddr) -> Result<(), Box<dyn Error>> {
    // With two cores only, everything shares them.
    let has_more = std::thread::available_parallelism()?.get() >= 4;
    let (cores, load) = if has_more { ("0,2", "1,3") } else { ("0,1", "0,1") };
    let rules = |name, workers| Rules { workers, cores, ..Rules::new(name, String::new()) };
    let contenders =
        [fracas(&rules("one worker", 1), upstream)?, fracas(&rules("two workers", 2), upstream)?];
    let load = Load::same(load, Expected::Success)?;
    let rows = compare(&contenders, &load, arguments.rounds, arguments.seconds)?;
    table::costs(&rows, &[Target::new("two workers", "one worker", 1.05)]);
    Ok(())
}
