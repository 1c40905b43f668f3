//! An upstream that plays a script over raw sockets, and records its requests.

use std::net::{SocketAddr, TcpListener};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::LONG;
use super::message::Message;
use super::socket::Socket;

/// Script of one connection.
type Script = dyn Fn(&mut Talk) + Send + Sync;

/// A server on a port of its own. Its threads end when their connections do.
pub struct Upstream {
    pub address: SocketAddr,
    requests: Arc<Mutex<Vec<Message>>>,
    ends: Mutex<Receiver<usize>>,
}

/// One connection of an upstream.
pub struct Talk {
    pub socket: Socket,
    /// Which connection it is, from 0.
    pub number: usize,
    requests: Arc<Mutex<Vec<Message>>>,
}

impl Upstream {
    /// Plays `script` on every connection.
    pub fn playing(script: impl Fn(&mut Talk) + Send + Sync + 'static) -> Upstream {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let address = listener.local_addr().expect("an address");
        let requests = Arc::default();
        let (end, ends) = channel();
        let recorder = Arc::clone(&requests);
        let script: Arc<Script> = Arc::new(script);
        start("upstream", move || accept(&listener, &script, &recorder, &end));
        Upstream { address, requests, ends: Mutex::new(ends) }
    }

    /// Reads whole requests and responds to each with these bytes.
    pub fn answering(response: impl Into<Vec<u8>>) -> Upstream {
        let response = response.into();
        Upstream::playing(
            move |talk| while talk.request().is_some() && talk.socket.try_send(&response).is_ok() {},
        )
    }

    /// Reads whole requests and responds to each with its own text.
    pub fn echoing() -> Upstream {
        Upstream::playing(|talk| {
            while let Some(request) = talk.request() {
                let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", request.body.len());
                talk.socket.send(head);
                talk.socket.send(&request.body);
            }
        })
    }

    /// The requests so far.
    pub fn requests(&self) -> Vec<Message> {
        self.requests.lock().expect("no panic").clone()
    }

    /// Begins a new record.
    pub fn forget(&self) {
        self.requests.lock().expect("no panic").clear();
    }

    /// The only request.
    pub fn request(&self) -> Message {
        let requests = self.requests();
        let [request] = &requests[..] else { panic!("one request, not {requests:?}") };
        request.clone()
    }

    /// Waits until a connection's script has ended; says which.
    pub fn ended(&self) -> usize {
        self.ended_within(LONG)
    }

    /// As [`Upstream::ended`], and no longer than this.
    pub fn ended_within(&self, bound: Duration) -> usize {
        self.ends.lock().expect("no panic").recv_timeout(bound).expect("a script that ends in time")
    }
}

impl Talk {
    /// The next request, recorded.
    pub fn request(&mut self) -> Option<Message> {
        let request = self.socket.request()?;
        self.record(request.clone());
        Some(request)
    }

    /// The next request, recorded, or `None` when it is not whole.
    pub fn whole_request(&mut self) -> Option<Message> {
        let request = self.socket.whole_request()?;
        self.record(request.clone());
        Some(request)
    }

    /// The next request's head; the script must read the body.
    pub fn request_head(&mut self) -> Option<Message> {
        let request = Message::parse_head(&self.socket.head()?);
        self.record(request.clone());
        Some(request)
    }

    fn record(&self, request: Message) {
        self.requests.lock().expect("no panic").push(request);
    }
}

fn accept(
    listener: &TcpListener,
    script: &Arc<Script>,
    requests: &Arc<Mutex<Vec<Message>>>,
    end: &Sender<usize>,
) {
    for (number, stream) in listener.incoming().flatten().enumerate() {
        let (script, requests, end) = (Arc::clone(script), Arc::clone(requests), end.clone());
        start("upstream-connection", move || {
            let mut talk = Talk { socket: Socket::new(stream), number, requests };
            script(&mut talk);
            drop(talk);
            let _ = end.send(number);
        });
    }
}

/// Starts a thread that may outlive the test.
pub fn start<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> std::thread::JoinHandle<T> {
    std::thread::Builder::new().name(name.to_owned()).spawn(work).expect("a thread")
}
