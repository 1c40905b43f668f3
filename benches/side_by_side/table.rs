//! The tables, as docs/BENCHMARKS.md has them.

use std::error::Error;
use std::fs;

use crate::arguments::Arguments;
use crate::compare::Row;

/// A target: `of` costs at most `at_most` times as much as `beside`.
pub struct Target {
    of: &'static str,
    beside: &'static str,
    at_most: f64,
}

impl Target {
    pub const fn new(of: &'static str, beside: &'static str, at_most: f64) -> Target {
        Target { of, beside, at_most }
    }
}

/// Maximum spread of the control's rounds; above it a run is void.
const VOID_ABOVE: f64 = 0.10;

/// The machine, and the parameters of the run.
pub fn machine(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let cpus = fs::read_to_string("/proc/cpuinfo")?;
    let model = cpus.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or(": unknown");
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease")?;
    println!(
        "{} cores ({}), Linux {}, {} rounds of {} s, 64 connections, one core for the proxy and one for the \
         load and the upstream\n",
        std::thread::available_parallelism()?,
        model.trim_start_matches([' ', '\t', ':']),
        kernel.trim(),
        arguments.rounds,
        arguments.seconds,
    );
    Ok(())
}

/// One line a peer, medians over its rounds; the first one is the control.
pub fn costs(rows: &[Row], targets: &[Target]) {
    let Some(control) = rows.first() else { return };
    println!(
        "| | CPU µs a request | × {} | requests/s | p50 µs | p99 µs | p99.9 µs | system calls a request | resident MiB |",
        control.name
    );
    println!("| --- | --- | --- | --- | --- | --- | --- | --- | --- |");
    for row in rows {
        println!(
            "| {} | {:.2} | {:.2} | {:.0} | {:.0} | {:.0} | {:.0} | {} | {:.1} |",
            row.name,
            row.median(|round| round.cpu_micros),
            row.ratio(control),
            row.median(|round| round.per_second),
            row.median(|round| round.p50_micros),
            row.median(|round| round.p99_micros),
            row.median(|round| round.p999_micros),
            row.system_calls.map_or("–".to_owned(), |calls| format!("{calls:.2}")),
            row.resident_kib as f64 / 1024.0,
        );
    }
    println!();
    for Target { of, beside, at_most } in targets {
        let find = |name: &str| rows.iter().find(|row| row.name == name);
        if let (Some(of), Some(beside)) = (find(of), find(beside)) {
            let what = format!("{} / {}", of.name, beside.name);
            verdict(&what, of.ratio(beside), *at_most);
        }
    }
    void(&control.name, control.spread());
}

/// Says whether a ratio is as asked.
pub fn verdict(what: &str, ratio: f64, at_most: f64) {
    let met = if ratio <= at_most { "met" } else { "missed" };
    println!("- {what}: {ratio:.2}, asked ≤ {at_most:.2}: **{met}**");
}

/// Says how far the control's rounds lie apart.
pub fn void(control: &str, spread: f64) {
    let word = if spread > VOID_ABOVE { "**void**, run it again on a quieter machine" } else { "fine" };
    println!("- spread of {control}: {:.1} %: {word}\n", spread * 100.0);
}
