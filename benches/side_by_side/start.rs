//! How long the shipped rules take to serve, and how big the program is.

use std::error::Error;
use std::fs;
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::compare::median;
use crate::process::{free_address, signal};
use crate::table;

const TIMES: usize = 20;
const LATEST: Duration = Duration::from_secs(10);
const PROGRAM: &str = env!("CARGO_BIN_EXE_fracas");

pub fn measure() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    fs::write(folder.path().join("rules.toml"), include_str!("../../rules.toml"))?;
    let mut millis = Vec::with_capacity(TIMES);
    for _ in 0..TIMES {
        let address = free_address()?;
        let before = Instant::now();
        let mut child = Command::new(PROGRAM)
            .args(["-q", "-a", "off", "-l", &address.to_string()])
            .current_dir(folder.path())
            .stdout(Stdio::null())
            .spawn()?;
        while TcpStream::connect(address).is_err() && before.elapsed() < LATEST {
            std::thread::sleep(Duration::from_micros(50));
        }
        millis.push(before.elapsed().as_secs_f64() * 1_000.0);
        signal("-INT", child.id());
        child.wait()?;
    }
    let size = fs::metadata(PROGRAM)?.len() as f64 / (1 << 20) as f64;
    let start = median(millis.iter().copied());
    println!("| | |\n| --- | --- |");
    println!(
        "| from the start of the process to its first accepted connection, {TIMES} times | median {start:.1} ms |"
    );
    println!("| the program | {size:.1} MiB |\n");
    table::verdict("start-up in ms", start, 20.0);
    table::verdict("size in MiB", size, 12.0);
    println!();
    Ok(())
}
