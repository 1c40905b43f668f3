//! Idle kept-alive connections: memory per connection, and whether all are served.

use std::error::Error;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::arguments::Arguments;
use crate::peers::{FAST, Peer, Task};
use crate::table;
use crate::works::peers;

/// Descriptors that are needed for something else.
const OTHERS: usize = 300;
/// Maximum memory of fracas per connection, in KiB.
const ALLOWED: f64 = 12.0;

/// Limit of file descriptors of a process, after raising it to the hard limit.
pub fn descriptors() -> usize {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    // More ports than these one address does not have.
    getrlimit(Resource::Nofile).current.map_or(28_000, |limit| limit.min(28_000) as usize)
}

pub fn compare(arguments: &Arguments, upstream: SocketAddr) -> Result<(), Box<dyn Error>> {
    let descriptors = descriptors();
    let mut fracas_kib = f64::NAN;
    println!("| | connections | resident KiB each |");
    println!("| --- | --- | --- |");
    for candidate in &FAST {
        // A proxy that opens or reserves two descriptors per connection holds half as many.
        let count = match candidate.0 {
            "HAProxy" | "Toxiproxy" | "TCP relay" => (descriptors - OTHERS) / 2,
            _ => descriptors - OTHERS,
        };
        for peer in peers(arguments, std::slice::from_ref(candidate), Task::Forward, upstream)? {
            let kib = hold(&peer, count)?;
            println!("| {} | {count} | {kib:.2} |", peer.name);
            if peer.name == "fracas" {
                fracas_kib = kib;
            }
        }
    }
    println!();
    table::verdict("KiB for an idle connection of fracas", fracas_kib, ALLOWED);
    println!();
    Ok(())
}

/// Time after which a connection counts as idle.
const PAUSE: Duration = Duration::from_secs(3);

/// Opens `count` connections, each of which is served twice: when it comes, and when all are there and have
/// been idle for a while.
fn hold(peer: &Peer, count: usize) -> Result<f64, Box<dyn Error>> {
    ask(&mut TcpStream::connect(peer.address)?, peer.address)?;
    let before = peer.process.resident_kib();
    let mut connections = Vec::with_capacity(count);
    for number in 0..count {
        let opened = TcpStream::connect(peer.address).and_then(|mut stream| {
            ask(&mut stream, peer.address)?;
            Ok(stream)
        });
        connections.push(opened.map_err(|error| format!("{}: connection {number}: {error}", peer.name))?);
    }
    std::thread::sleep(PAUSE);
    let after = peer.process.resident_kib();
    for (number, stream) in connections.iter_mut().enumerate() {
        ask(stream, peer.address).map_err(|error| format!("{}: connection {number}: {error}", peer.name))?;
    }
    Ok((after - before) as f64 / count as f64)
}

fn ask(stream: &mut TcpStream, host: SocketAddr) -> io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    // In one piece: a second one would wait for the first one's acknowledgement.
    stream.write_all(format!("GET /item HTTP/1.1\r\nHost: {host}\r\n\r\n").as_bytes())?;
    let mut response = [0; 4096];
    let mut length = 0;
    // The upstream's response is JSON, so it ends with a brace.
    while !response[..length].ends_with(b"}") {
        match stream.read(&mut response[length..])? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            read => length += read,
        }
    }
    if response.starts_with(b"HTTP/1.1 200 ") { Ok(()) } else { Err(io::Error::other("it was refused")) }
}
