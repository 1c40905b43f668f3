//! Load that comes at its own pace, whether or not it is served in time.

use std::error::Error;
use std::io::{self, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering::Acquire, Ordering::Release};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use tokio::io::AsyncReadExt;
use tokio::task::JoinSet;

use crate::arguments::Arguments;
use crate::compare::{in_turns, median};
use crate::load::{Expected, Load};
use crate::peers::{FAST, LOAD_CORE, Task};
use crate::table;
use crate::works::peers;

const CONNECTIONS: u32 = 64;

/// Sends `rate` requests a second, evenly spaced, and prints the percentiles.
///
/// One thread sends, another reads. A request counts from when it was to be sent and a connection was
/// asked for: that the sender's sleep ends late is not the proxy's fault, that no connection is free is.
pub fn run(address: SocketAddr, rate: u32, seconds: u64) -> Result<(), Box<dyn Error>> {
    let start = Instant::now();
    let (frees, free) = mpsc::channel();
    let connections = (0..CONNECTIONS).map(|_| Connection::open(address)).collect::<io::Result<Vec<_>>>()?;
    let connections = Arc::new(connections);
    let reader = std::thread::spawn({
        let connections = Arc::clone(&connections);
        move || read(&connections, start, &frees)
    });
    let request = format!("GET /item HTTP/1.1\r\nHost: {address}\r\n\r\n");
    let interval = Duration::from_secs(1) / rate;
    let first = start + Duration::from_millis(100);
    for number in 0..rate * seconds as u32 {
        let due = first + interval * number;
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        let from = start.elapsed().as_nanos() as u64;
        let connection = &connections[free.recv_timeout(LATEST)?];
        connection.from.store(from, Release);
        (&connection.stream).write_all(request.as_bytes())?;
    }
    // Those that are still out come back, and then all are told to end.
    for _ in 0..CONNECTIONS {
        connections[free.recv_timeout(LATEST)?].stream.shutdown(Shutdown::Both)?;
    }
    let mut micros = reader.join().map_err(|_| "the reader panicked")??;
    micros.sort_by(f64::total_cmp);
    let percentile = |share: f64| micros[((micros.len() - 1) as f64 * share) as usize];
    println!("{} {} {}", percentile(0.5), percentile(0.99), percentile(0.999));
    Ok(())
}

/// Maximum time of a response.
const LATEST: Duration = Duration::from_secs(10);

/// Carries one request at a time.
struct Connection {
    stream: TcpStream,
    /// When its request was to be sent, in nanoseconds since the start.
    from: AtomicU64,
}

impl Connection {
    fn open(address: SocketAddr) -> io::Result<Connection> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        Ok(Connection { stream, from: AtomicU64::new(0) })
    }
}

/// Reads every response; returns the time of each, in microseconds.
fn read(
    connections: &Arc<Vec<Connection>>,
    start: Instant,
    frees: &mpsc::Sender<usize>,
) -> io::Result<Vec<f64>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    runtime.block_on(async {
        let mut readers = JoinSet::new();
        for number in 0..connections.len() {
            readers.spawn(read_one(Arc::clone(connections), number, start, frees.clone()));
        }
        let mut micros = Vec::new();
        while let Some(read) = readers.join_next().await {
            micros.extend(read.map_err(io::Error::other)??);
        }
        Ok(micros)
    })
}

async fn read_one(
    connections: Arc<Vec<Connection>>,
    number: usize,
    start: Instant,
    frees: mpsc::Sender<usize>,
) -> io::Result<Vec<f64>> {
    let connection = &connections[number];
    let mut stream = tokio::net::TcpStream::from_std(connection.stream.try_clone()?)?;
    let mut response = [0; 4096];
    let mut micros = Vec::new();
    loop {
        // At the very end the sender is gone.
        let _ = frees.send(number);
        let mut length = 0;
        // The upstream's response is JSON, so it ends with a brace.
        while !response[..length].ends_with(b"}") {
            match stream.read(&mut response[length..]).await? {
                0 => return Ok(micros),
                read => length += read,
            }
        }
        if !response.starts_with(b"HTTP/1.1 200 ") {
            return Err(io::Error::other("a request was refused"));
        }
        let took = start.elapsed().as_nanos() as u64 - connection.from.load(Acquire);
        micros.push(took as f64 / 1_000.0);
    }
}

/// One round's percentiles, in microseconds.
type Percentiles = [f64; 3];

pub fn compare(arguments: &Arguments, upstream: SocketAddr) -> Result<(), Box<dyn Error>> {
    let peers = peers(arguments, &FAST, Task::Forward, upstream)?;
    let most = Load::same(LOAD_CORE, Expected::Success)?.round(&peers[0], arguments.seconds)?.per_second;
    let rate = (most / 2.0) as u32;
    // The first contender is the way without a proxy.
    let mut addresses = vec![("no proxy", upstream)];
    addresses.extend(peers.iter().map(|peer| (&*peer.name, peer.address)));
    let mut rounds: Vec<Vec<Percentiles>> = addresses.iter().map(|_| Vec::new()).collect();
    for round in 0..arguments.rounds {
        for at in in_turns(addresses.len(), round) {
            rounds[at].push(paced(addresses[at].1, rate, arguments.seconds)?);
        }
    }
    println!("{rate} requests a second, {CONNECTIONS} connections; nginx serves at most {most:.0}.\n");
    println!("| | p50 µs | p99 µs | p99.9 µs | added p50 | added p99 |");
    println!("| --- | --- | --- | --- | --- | --- |");
    let of = |at: usize, which: usize| median(rounds[at].iter().map(|percentiles| percentiles[which]));
    let added = |at: usize, which: usize| {
        let both = rounds[at].iter().zip(&rounds[0]);
        median(both.map(|(with, without)| with[which] - without[which]))
    };
    for (at, (name, _)) in addresses.iter().enumerate() {
        println!(
            "| {name} | {:.0} | {:.0} | {:.0} | {:.0} | {:.0} |",
            of(at, 0),
            of(at, 1),
            of(at, 2),
            added(at, 0),
            added(at, 1)
        );
    }
    println!();
    // The candidates begin with nginx and fracas.
    for (which, word) in [(0, "p50"), (1, "p99")] {
        table::verdict(&format!("added {word}, fracas / nginx"), added(2, which) / added(1, which), 1.10);
    }
    println!();
    Ok(())
}

fn paced(address: SocketAddr, rate: u32, seconds: u64) -> Result<Percentiles, Box<dyn Error>> {
    let program = std::env::current_exe()?;
    let output = Command::new("taskset")
        .args(["-c", LOAD_CORE])
        .arg(program)
        .args(["paced", &address.to_string(), &rate.to_string(), &seconds.to_string()])
        .output()?;
    let text = String::from_utf8(output.stdout)?;
    let numbers: Vec<f64> = text.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
    match numbers[..] {
        [p50, p99, p999] => Ok([p50, p99, p999]),
        _ => Err(format!("{address}: {}", String::from_utf8_lossy(&output.stderr)).into()),
    }
}
