//! Cost of grading a long record: a million lines of a journal file, read, grouped, graded.
//!
//! `cargo bench --bench grade`. By the clock on the wall, in one thread, as `fracas report` does it. Ends
//! with failure when a bound is broken.

#![allow(clippy::disallowed_methods, reason = "a benchmark owns its clock")]
#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "a benchmark that goes wrong may panic")]
#![allow(clippy::print_stdout, reason = "its result")]

#[path = "../tests/mix/mod.rs"]
mod mix;

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use fracas::grading::{Correlator, Criteria, Grading};
use fracas::journal::{Header, JournalLine, read};
use fracas::model::Attempt;
use fracas::rules::Config;

use self::mix::Mix;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const LINES: usize = 1_000_000;
/// Nine of ten calls only read, as most traffic does; then one where every call may meet trouble.
const READS: [f64; 2] = [0.9, 0.0];
/// The most that it may take.
const TIME: Duration = Duration::from_secs(5);
const MEMORY_MIB: usize = 300;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    match &arguments[..] {
        [_, step, path, reads] if step == "write" => write(Path::new(path), reads.parse().expect("a share")),
        [_, step, path, _] if step == "grade" => return grade(Path::new(path)),
        _ => {}
    }
    if arguments.iter().any(|argument| argument == "write") {
        return ExitCode::SUCCESS;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("journal");
    let mut is_fine = true;
    for reads in READS {
        println!("{LINES} lines, {:.0} % of the calls read and meet no trouble", reads * 100.0);
        // Each step in a process of its own, so that its memory is its own.
        for step in ["write", "grade"] {
            let mut command = Command::new(std::env::current_exe().expect("this program"));
            let command = command.arg(step).arg(&path).arg(reads.to_string());
            is_fine &= command.status().expect("this program starts").success();
        }
    }
    if is_fine { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn write(path: &Path, reads: f64) {
    let calls = if reads > 0.5 { 5_400 } else { 3_200 };
    let mut record = Mix { calls, reads, ..Mix::ORDINARY }.record(1);
    assert!(record.len() >= LINES, "only {} attempts", record.len());
    record.truncate(LINES);
    let mut file = BufWriter::new(File::create(path).expect("a file"));
    let header = Header::new(&Config::builtin(), "2026-01-31T00:00:00Z".to_owned());
    serde_json::to_writer(&mut file, &header).expect("a header");
    for (attempt, _) in record {
        file.write_all(b"\n").expect("a line");
        serde_json::to_writer(&mut file, &attempt).expect("an attempt");
    }
    file.flush().expect("a file");
}

fn grade(path: &Path) -> ExitCode {
    let start = Instant::now();
    let mut grading = Grading::new(Criteria::default());
    attempts(path, &mut |attempt| {
        grading.add(attempt);
    });
    let report = grading.finish(Vec::new(), 0);
    let whole = start.elapsed();
    let memory = peak_mib();

    let start = Instant::now();
    let mut bytes = 0;
    attempts(path, &mut |attempt| bytes += attempt.path.len());
    let reading = start.elapsed();

    let start = Instant::now();
    let mut correlator = Correlator::new();
    let mut operations = 0;
    attempts(path, &mut |attempt| operations += correlator.add(attempt).len());
    operations += correlator.finish().len();
    let grouping = start.elapsed().saturating_sub(reading);
    println!(
        "  whole {:.2} s, {memory} MiB; of it reading {:.2} s, grouping {:.2} s; {operations} operations, {} recovered, {} bytes of paths",
        whole.as_secs_f64(),
        reading.as_secs_f64(),
        grouping.as_secs_f64(),
        report.totals.recovered,
        bytes,
    );
    if whole <= TIME && memory <= MEMORY_MIB { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn attempts(path: &Path, each: &mut dyn FnMut(Attempt)) {
    let journal = BufReader::with_capacity(1 << 16, File::open(path).expect("the file"));
    let read_whole = read(journal, &mut |line| {
        if let JournalLine::Attempt(attempt) = line {
            each(*attempt);
        }
    });
    read_whole.expect("a journal");
}

/// The most memory that this process has held, in MiB.
fn peak_mib() -> usize {
    let status = BufReader::new(File::open("/proc/self/status").expect("Linux"));
    let line = status.lines().map_while(Result::ok).find(|line| line.starts_with("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<usize>().ok());
    kib.expect("VmHWM") / 1_024
}
