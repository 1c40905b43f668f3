//! A socket that sends bytes as they are and reads messages, each wait bounded.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};

use super::LONG;
use super::message::{Message, parse_fields};

/// One end of a connection.
pub struct Socket {
    stream: TcpStream,
    /// Read, and not yet part of a message.
    buffer: Vec<u8>,
}

impl Socket {
    /// The end that connects.
    pub fn connect(address: SocketAddr) -> Socket {
        Socket::new(TcpStream::connect_timeout(&address, LONG).expect("somebody listens"))
    }

    /// The end that connects, with room for little that it has not read yet.
    pub fn connect_narrow(address: SocketAddr) -> Socket {
        let socket =
            socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).expect("a socket");
        socket.set_recv_buffer_size(4 * 1024).expect("a live socket");
        socket.connect(&address.into()).expect("somebody listens");
        Socket::new(socket.into())
    }

    /// An end that exists.
    pub fn new(stream: TcpStream) -> Socket {
        stream.set_read_timeout(Some(LONG)).expect("a timeout");
        stream.set_write_timeout(Some(LONG)).expect("a timeout");
        stream.set_nodelay(true).expect("a live socket");
        Socket { stream, buffer: Vec::new() }
    }

    /// Sends bytes; panics when the other end does not take them.
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.try_send(bytes).expect("the other end takes it");
    }

    /// Sends bytes.
    pub fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.stream.write_all(bytes.as_ref())
    }

    /// The next message's head as it came, or `None` when the connection ends before it.
    pub fn head(&mut self) -> Option<String> {
        loop {
            if let Some(at) = find(&self.buffer, b"\r\n\r\n") {
                return Some(String::from_utf8_lossy(&self.take(at + 4)).into_owned());
            }
            if self.fill().expect("an answer in time") == 0 {
                assert!(self.buffer.is_empty(), "a torn head: {:?}", String::from_utf8_lossy(&self.buffer));
                return None;
            }
        }
    }

    /// The next message's head, or `None` when none comes.
    pub fn try_head(&mut self) -> Option<String> {
        loop {
            if let Some(at) = find(&self.buffer, b"\r\n\r\n") {
                return Some(String::from_utf8_lossy(&self.take(at + 4)).into_owned());
            }
            if self.fill().ok()? == 0 {
                return None;
            }
        }
    }

    /// The next request, whole.
    pub fn request(&mut self) -> Option<Message> {
        let mut message = Message::parse_head(&self.head()?);
        self.request_body(&mut message);
        Some(message)
    }

    /// The next request, or `None` when it is not whole.
    pub fn whole_request(&mut self) -> Option<Message> {
        let mut message = Message::parse_head(&self.try_head()?);
        if message.header("transfer-encoding").is_some() {
            self.chunked(&mut message).ok()?;
        } else if let Some(length) = message.header("content-length") {
            message.body = self.try_exactly(length.parse().ok()?).ok()?;
        }
        Some(message)
    }

    /// The body of a request whose head was read.
    pub fn request_body(&mut self, message: &mut Message) {
        if message.header("transfer-encoding").is_some() {
            self.chunked(message).expect("a whole body");
        } else if let Some(length) = message.header("content-length") {
            message.body = self.exactly(length.parse().expect("a number"));
        }
    }

    /// The next final response to a request with `method`, whole.
    pub fn answer_to(&mut self, method: &str) -> Message {
        let head = self.head().expect("an answer");
        let mut message = Message::parse_head(&head);
        let status = message.status();
        let is_empty = method == "HEAD" || matches!(status, 100..=199 | 204 | 304);
        if is_empty {
        } else if message.header("transfer-encoding").is_some() {
            self.chunked(&mut message).expect("a whole body");
        } else if let Some(length) = message.header("content-length") {
            message.body = self.exactly(length.parse().expect("a number"));
        } else {
            message.body = self.rest().expect("a clean end");
        }
        message
    }

    /// The next final response to a request whose response may have a body.
    pub fn response(&mut self) -> Message {
        self.answer_to("GET")
    }

    /// Exactly that many bytes.
    pub fn exactly(&mut self, length: usize) -> Vec<u8> {
        while self.buffer.len() < length {
            assert_ne!(self.fill().expect("bytes in time"), 0, "it ended early");
        }
        self.take(length)
    }

    /// Exactly that many bytes; `None` when the connection ends before them, clean or not.
    pub fn at_most(&mut self, length: usize) -> Option<Vec<u8>> {
        match self.try_exactly(length) {
            Ok(bytes) => Some(bytes),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => panic!("nothing came in time"),
            Err(_) => None,
        }
    }

    /// Everything up to the end, which must be a clean one.
    pub fn rest(&mut self) -> io::Result<Vec<u8>> {
        while self.fill()? > 0 {}
        Ok(std::mem::take(&mut self.buffer))
    }

    /// Waits for the end, clean or not; drops all bytes before it.
    pub fn ended(&mut self) {
        if let Err(error) = self.rest() {
            let is_end = matches!(error.kind(), io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe);
            assert!(is_end, "it did not end: {error}");
        }
    }

    /// Whether no byte has come. There is no event to wait for, so use it only for bytes that have surely
    /// arrived by now.
    pub fn has_nothing(&mut self) -> bool {
        self.stream.set_nonblocking(true).expect("a live socket");
        let read = self.fill();
        self.stream.set_nonblocking(false).expect("a live socket");
        self.buffer.is_empty() && read.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
    }

    /// Half-closes the connection.
    pub fn finish(&mut self) {
        self.stream.shutdown(Shutdown::Write).expect("a live socket");
    }

    /// Its end will be a reset (RST) in place of a FIN.
    pub fn reset_at_end(&self) {
        socket2::SockRef::from(&self.stream)
            .set_linger(Some(std::time::Duration::ZERO))
            .expect("a live socket");
    }

    /// Ends the connection without a goodbye.
    pub fn reset(self) {
        self.reset_at_end();
    }

    /// Whence the other end sees this one come.
    pub fn local_address(&self) -> SocketAddr {
        self.stream.local_addr().expect("a live socket")
    }

    /// Reads a body of any length, piece by piece.
    pub fn stream_body(&mut self, head: &Message, mut each: impl FnMut(&[u8])) {
        let Some(length) = head.header("content-length") else {
            loop {
                let line = self.line().expect("a chunk's size");
                let size = usize::from_str_radix(&line, 16).expect("a number");
                self.pieces(size as u64, &mut each);
                assert_eq!(self.line().expect("a chunk's end"), "");
                if size == 0 {
                    return;
                }
            }
        };
        self.pieces(length.parse().expect("a number"), &mut each);
    }

    fn pieces(&mut self, mut left: u64, each: &mut impl FnMut(&[u8])) {
        while left > 0 {
            if self.buffer.is_empty() {
                assert_ne!(self.fill().expect("bytes in time"), 0, "it ended early");
            }
            let length = self.buffer.len().min(left.try_into().unwrap_or(usize::MAX));
            each(&self.take(length));
            left -= length as u64;
        }
    }

    /// Sends until the other end has taken no byte for `patience`; returns the number of bytes that it took.
    pub fn send_until_stuck(&mut self, bytes: &[u8], most: usize, patience: std::time::Duration) -> usize {
        self.stream.set_write_timeout(Some(patience)).expect("a live socket");
        let mut taken = 0;
        while taken < most {
            match self.stream.write(bytes) {
                Ok(length) => taken += length,
                Err(_) => break,
            }
        }
        taken
    }

    /// Reads a chunked body and its trailers into `message`.
    pub fn chunked(&mut self, message: &mut Message) -> io::Result<()> {
        let mut sizes = Vec::new();
        loop {
            let line = self.line()?;
            let size = usize::from_str_radix(&line, 16).map_err(io::Error::other)?;
            if size == 0 {
                break;
            }
            sizes.push(size);
            message.body.extend(self.try_exactly(size)?);
            assert_eq!(self.line()?, "", "a chunk ends with its size");
        }
        let mut trailers = Vec::new();
        loop {
            match self.line()? {
                line if line.is_empty() => break,
                line => trailers.push(line),
            }
        }
        message.trailers = parse_fields(trailers.iter().map(|line| &**line));
        message.chunks = Some(sizes);
        Ok(())
    }

    fn line(&mut self) -> io::Result<String> {
        loop {
            if let Some(at) = find(&self.buffer, b"\r\n") {
                let line = self.take(at + 2);
                return Ok(String::from_utf8_lossy(&line[..at]).into_owned());
            }
            if self.fill()? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }

    /// Exactly that many bytes, unless it ends before.
    pub fn try_exactly(&mut self, length: usize) -> io::Result<Vec<u8>> {
        while self.buffer.len() < length {
            if self.fill()? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(self.take(length))
    }

    fn take(&mut self, length: usize) -> Vec<u8> {
        let rest = self.buffer.split_off(length);
        std::mem::replace(&mut self.buffer, rest)
    }

    fn fill(&mut self) -> io::Result<usize> {
        let mut bytes = vec![0; 256 * 1024];
        let read = self.stream.read(&mut bytes)?;
        self.buffer.extend_from_slice(&bytes[..read]);
        Ok(read)
    }
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}
