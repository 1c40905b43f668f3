//! HTTP by hand: sends and receives exact bytes.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread::JoinHandle;

/// Sends `head`, with `Host` and `Connection: close` added, and reads to the end.
pub fn request(address: SocketAddr, line: &[u8], headers: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("it listens");
    let head = [line, b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n", headers.as_bytes(), b"\r\n"]
        .concat();
    stream.write_all(&head).expect("it reads");
    let mut response = Vec::new();
    // A reset is an end as well.
    let _ = stream.read_to_end(&mut response);
    String::from_utf8_lossy(&response).into_owned()
}

/// As [`request`], on a thread of its own.
pub fn request_in_background(address: SocketAddr, line: &'static [u8]) -> JoinHandle<String> {
    std::thread::Builder::new().spawn(move || request(address, line, "")).expect("a thread")
}

/// An upstream that responds to one request, on a signal.
pub struct Upstream {
    listener: TcpListener,
    stream: Option<TcpStream>,
}

impl Upstream {
    pub fn listen() -> Upstream {
        Upstream { listener: TcpListener::bind("127.0.0.1:0").expect("a free port"), stream: None }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.listener.local_addr().expect("an address"))
    }

    /// Waits for a request's head. Skips connections without one, which are probes.
    pub fn receive(&mut self) -> String {
        loop {
            let (mut stream, _) = self.listener.accept().expect("a connection");
            let mut head = Vec::new();
            let mut byte = [0];
            while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|read| read > 0) {
                head.extend(byte);
            }
            if !head.is_empty() {
                self.stream = Some(stream);
                return String::from_utf8_lossy(&head).into_owned();
            }
        }
    }

    pub fn response(&mut self) {
        let mut stream = self.stream.take().expect("a request");
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone").expect("it reads");
    }
}
