//! The built binary, running in the background on a free port with rules of a test's own; its output
//! is drained.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

/// Deadline of the proxy's first output, and of a response.
const PATIENCE: Duration = Duration::from_secs(20);
/// Interval of looks at a silent proxy's ready file.
const BETWEEN_LOOKS: Duration = Duration::from_millis(20);

/// A running proxy. Dropping it ends it.
pub struct Fracas {
    child: Child,
    address: SocketAddr,
    _folder: TempDir,
}

impl Fracas {
    /// Starts `fracas` with these rules in front of the sample API.
    pub fn start(rules: &str) -> Fracas {
        Fracas::start_with(rules, &[])
    }

    /// As [`Fracas::start`], with more arguments.
    pub fn start_with(rules: &str, arguments: &[&str]) -> Fracas {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join("rules.toml");
        fs::write(&file, rules).expect("the rules can be written");
        let mut command = Command::new(env!("CARGO_BIN_EXE_fracas"));
        // A developer's own settings of fracas are not meant for tests.
        let set = std::env::vars_os().map(|(name, _)| name);
        for name in set.filter(|name| name.to_string_lossy().starts_with("FRACAS_")) {
            command.env_remove(name);
        }
        command.arg("--rules").arg(file).args(["--listen", "127.0.0.1:0", "--admin", "off"]).args(arguments);
        let (child, ready) = start(command, folder.path());
        let address = ready["listen"].as_str().and_then(|text| text.parse().ok());
        Fracas { child, address: address.expect("the ready file tells an address"), _folder: folder }
    }

    /// Where clients connect.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The sample API's counts so far of `what`, a method and a path template: the requests that
    /// reached it, and the writes that it applied.
    pub fn upstream_saw(&self, what: &str) -> (u64, u64) {
        let stats = get(self.address, "/stats");
        let count =
            |counts: &str| stats[counts].get(what).map_or(0, |count| count.as_u64().expect("a count"));
        (count("requests"), count("writes"))
    }
}

impl Drop for Fracas {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Starts a proxy; returns when it serves, with the content of its ready file.
pub fn start(mut command: Command, folder: &Path) -> (Child, Value) {
    let ready_file = folder.join("ready.json");
    let _ = fs::remove_file(&ready_file);
    let mut child = command
        .env("FRACAS_READY_FILE", &ready_file)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary can be started");
    let lines = follow(&mut child);
    let mut said = String::new();
    let mut looks = PATIENCE.as_millis() / BETWEEN_LOOKS.as_millis();
    while !ready_file.exists() {
        match lines.recv_timeout(BETWEEN_LOOKS) {
            Ok(line) => said = said + &line + "\n",
            Err(RecvTimeoutError::Timeout) if looks > 0 => looks -= 1,
            Err(_) => {
                let _ = child.kill();
                panic!("{command:?} does not serve: {:?}\n{said}", child.wait());
            }
        }
    }
    let text = fs::read_to_string(&ready_file).expect("the ready file is there");
    (child, serde_json::from_str(&text).expect("the ready file is whole, and JSON"))
}

/// Reads the process's output to the end, so that it never waits for a reader.
fn follow(child: &mut Child) -> Receiver<String> {
    let stderr = child.stderr.take().expect("it is piped");
    let (sender, receiver) = mpsc::channel();
    let reading = std::thread::Builder::new().spawn(move || {
        for line in BufReader::new(stderr).lines().map_while(Result::ok) {
            // The receiver is gone once the proxy is ready.
            let _ = sender.send(line);
        }
    });
    reading.expect("a thread");
    receiver
}

fn get(address: SocketAddr, path: &str) -> Value {
    let mut stream = TcpStream::connect(address).expect("the proxy accepts");
    stream.set_read_timeout(Some(PATIENCE)).expect("not zero");
    // Of HTTP/1.0, so that no response is chunked.
    write!(stream, "GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n").expect("it reads");
    let mut response = String::new();
    stream.read_to_string(&mut response).expect("it answers in time");
    let (head, body) = response.split_once("\r\n\r\n").expect("a head and a body");
    assert!(head.starts_with("HTTP/1.0 200 ") || head.starts_with("HTTP/1.1 200 "), "{head}");
    serde_json::from_str(body).unwrap_or_else(|error| panic!("{path}: {error}: {body}"))
}
