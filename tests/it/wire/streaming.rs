//! Bodies far bigger than the memory that carries them.

use std::hash::{DefaultHasher, Hasher};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use super::super::support::is_full;
use super::super::support::message::Message;
use super::super::support::proxy;
use super::super::support::socket::Socket;
use super::super::support::upstream::{Talk, Upstream};

const NAME: &str = "wire::streaming::c25_64_mib_or_when_full_1_gib_pass_each_way_through_64_mib_of_memory";
/// Environment variable with an upstream's address, which makes the test program its proxy.
const ROLE: &str = "FRACAS_TEST_UPSTREAM";
/// Peak resident memory, independent of the bytes that pass through.
const MEMORY: u64 = 64 << 20;
const PIECE: usize = 1 << 16;
const CHUNKED: &str = "Transfer-Encoding: chunked";

#[test]
fn c25_64_mib_or_when_full_1_gib_pass_each_way_through_64_mib_of_memory() {
    if let Ok(upstream) = std::env::var(ROLE) {
        return serve(upstream.parse().expect("an address"));
    }
    let total: u64 = if is_full() { 1 << 30 } else { 64 << 20 };
    let sum = sum_of(total);

    let (finish, finished) = channel::<()>();
    let finished = Mutex::new(finished);
    let upstream = Upstream::playing(move |talk| play(talk, total, &finished));
    let proxy = ProxyProcess::start(upstream.address);
    let mut client = Socket::connect(proxy.address);
    let sized = format!("Content-Length: {total}");
    for framing in [&*sized, CHUNKED] {
        client.send(format!("POST /up HTTP/1.1\r\nHost: h\r\n{framing}\r\n\r\n"));
        send_pattern(&mut client, total, framing);
        assert_eq!(client.response().text(), format!("{sum:x}"), "up, {framing}");

        let target = if framing == CHUNKED { "/down/chunked" } else { "/down/sized" };
        client.send(format!("GET {target} HTTP/1.1\r\nHost: h\r\n\r\n"));
        let head = Message::parse_head(&client.head().expect("an answer"));
        assert_eq!(head.header("content-length").is_some(), framing != CHUNKED);
        let mut hasher = DefaultHasher::new();
        client.stream_body(&head, |bytes| hasher.write(bytes));
        assert_eq!(hasher.finish(), sum, "down, {framing}");
    }

    // A client that does not read, and an upstream that does not, are not buffered for.
    let mut lazy = Socket::connect(proxy.address);
    lazy.send("GET /down/stuck HTTP/1.1\r\nHost: h\r\n\r\n");
    let taken = Message::parse_head(&lazy.head().expect("an answer"));
    assert_eq!(taken.status(), 200);
    upstream.ended();
    let mut eager = Socket::connect(proxy.address);
    eager.send(format!("POST /up/stuck HTTP/1.1\r\nHost: h\r\nContent-Length: {total}\r\n\r\n"));
    let taken = eager.send_until_stuck(&[b'x'; PIECE], 64 << 20, Duration::from_millis(300));
    assert!(taken < 32 << 20, "{taken} bytes were taken for an upstream that reads none");
    drop((lazy, eager, finish));

    if let Some(peak) = proxy.peak() {
        assert!(peak < MEMORY, "{} MiB for {} MiB each way", peak >> 20, total >> 20);
    }
}

/// The upstream's part.
fn play(talk: &mut Talk, total: u64, finished: &Mutex<Receiver<()>>) {
    while let Some(request) = talk.request_head() {
        match request.target() {
            "/up" => {
                let mut hasher = DefaultHasher::new();
                talk.socket.stream_body(&request, |bytes| hasher.write(bytes));
                let sum = format!("{:x}", hasher.finish());
                talk.socket.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{sum}", sum.len()));
            }
            "/down/sized" => {
                talk.socket.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {total}\r\n\r\n"));
                send_pattern(&mut talk.socket, total, "");
            }
            "/down/chunked" => {
                talk.socket.send(format!("HTTP/1.1 200 OK\r\n{CHUNKED}\r\n\r\n"));
                send_pattern(&mut talk.socket, total, CHUNKED);
            }
            "/down/stuck" => {
                talk.socket.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", u32::MAX));
                let taken =
                    talk.socket.send_until_stuck(&[b'x'; PIECE], 64 << 20, Duration::from_millis(300));
                assert!(taken < 32 << 20, "{taken} bytes were taken for a client that reads none");
                return;
            }
            // It reads nothing, and holds the connection until the test is over.
            _ => drop(finished.lock().expect("no panic").recv()),
        }
    }
}

/// The bytes of the pattern from `at`, a multiple of [`PIECE`].
fn piece(base: &mut [u8; PIECE], at: u64) -> &[u8] {
    base[..8].copy_from_slice(&at.to_le_bytes());
    base
}

fn base() -> [u8; PIECE] {
    std::array::from_fn(|at| ((at as u32).wrapping_mul(2_654_435_761) >> 24) as u8)
}

fn sum_of(total: u64) -> u64 {
    let (mut hasher, mut base) = (DefaultHasher::new(), base());
    for at in (0..total).step_by(PIECE) {
        hasher.write(piece(&mut base, at));
    }
    hasher.finish()
}

fn send_pattern(socket: &mut Socket, total: u64, framing: &str) {
    let mut base = base();
    for at in (0..total).step_by(PIECE) {
        let piece = piece(&mut base, at);
        if framing == CHUNKED {
            socket.send([format!("{PIECE:x}\r\n").as_bytes(), piece, b"\r\n"].concat());
        } else {
            socket.send(piece);
        }
    }
    if framing == CHUNKED {
        socket.send("0\r\n\r\n");
    }
}

/// A proxy in a process of its own, to measure its memory.
struct ProxyProcess {
    child: Child,
    address: SocketAddr,
    /// Held, because a write to a closed pipe would fail.
    _output: BufReader<ChildStdout>,
}

impl ProxyProcess {
    fn start(upstream: SocketAddr) -> ProxyProcess {
        let program = std::env::current_exe().expect("this program");
        let mut child = Command::new(program)
            .args(["--exact", NAME, "--nocapture"])
            .env(ROLE, upstream.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a process");
        let output = child.stdout.take().expect("a pipe");
        let mut output = BufReader::new(output);
        let address = (&mut output)
            .lines()
            .map_while(Result::ok)
            .find_map(|line| line.rsplit_once("listens at ")?.1.parse().ok())
            .expect("it says where it listens");
        ProxyProcess { child, address, _output: output }
    }

    /// Peak resident memory in bytes, where the system tells.
    fn peak(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        let kilobytes: u64 = line.trim().trim_end_matches(" kB").parse().ok()?;
        Some(kilobytes << 10)
    }
}

impl Drop for ProxyProcess {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

/// The proxy's part: serves until its standard input closes.
fn serve(upstream: SocketAddr) {
    let proxy = proxy::before(upstream).start();
    let mut out = std::io::stdout();
    writeln!(out, "listens at {}", proxy.address).and_then(|()| out.flush()).expect("somebody reads");
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
}
