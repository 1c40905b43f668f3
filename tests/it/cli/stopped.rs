//! A process that was stopped for longer than its timeouts finds the bytes that came meanwhile.
#![cfg(target_os = "linux")]

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use crate::support::frames::{DATA, END_HEADERS, END_STREAM, End, Frame, Frames, HEADERS, block};
use crate::support::http2_upstream::Http2Upstream;
use crate::support::program::{Serving, folder, fracas};
use crate::support::socket::Socket;
use crate::support::upstream::Upstream;

const RULES: &str = r#"
[timeouts]
connect = "250ms"
tunnel = "250ms"
request_head = "250ms"
request_body = "250ms"
response_head = "250ms"
response_body = "250ms"
keep_alive = "250ms"
write = "250ms"
"#;
/// Longer than each of them.
const STOPPED: Duration = Duration::from_millis(600);

/// Stops the proxy, has `meanwhile` done, and lets it go on when every timeout is over.
fn while_stopped(serving: &Serving, meanwhile: impl FnOnce()) {
    serving.signal("STOP");
    let stat = format!("/proc/{}/stat", serving.id());
    while !std::fs::read_to_string(&stat).expect("a process").contains(") T ") {
        std::thread::yield_now();
    }
    meanwhile();
    // Nothing is sent: it is the time that has to pass.
    let (_sender, never) = channel::<()>();
    assert_eq!(never.recv_timeout(STOPPED), Err(RecvTimeoutError::Timeout));
    serving.signal("CONT");
}

/// Where a request is when the proxy is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    Idle,
    Head,
    Body,
    Answer,
    ResponseBody,
}

#[test]
fn bytes_that_came_while_the_process_was_stopped_count() {
    for at in [At::Idle, At::Head, At::Body, At::Answer, At::ResponseBody] {
        for _ in 0..3 {
            let (asked, is_asked) = channel();
            let (go, may_go) = channel::<()>();
            let (sent, is_sent) = channel();
            let may_go = std::sync::Mutex::new(may_go);
            let upstream = Upstream::playing(move |talk| {
                let Some(request) = talk.request() else { return };
                if request.target() == "/warm" {
                    talk.socket.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
                    if talk.request().is_none() {
                        return;
                    }
                }
                let (before, after) = match at {
                    At::ResponseBody => ("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndo", "ne"),
                    _ => ("", "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone"),
                };
                talk.socket.send(before);
                let _ = asked.send(());
                if matches!(at, At::Answer | At::ResponseBody) {
                    let _ = may_go.lock().expect("no panic").recv();
                }
                talk.socket.send(after);
                let _ = sent.send(());
            });
            let folder = folder(&[("rules.toml", RULES)]);
            let mut command = fracas(folder.path());
            command.args(["-l", "127.0.0.1:0", "-w", "1", "-u", &format!("http://{}", upstream.address)]);
            let serving = Serving::start(command);
            let mut client = Socket::connect(serving.address);
            client.send("GET /warm HTTP/1.1\r\nHost: localhost\r\n\r\n");
            assert_eq!(client.response().status(), 200);
            let request = "POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\nbody";
            let split = match at {
                At::Idle => 0,
                At::Head => 10,
                At::Body => request.len() - 2,
                At::Answer | At::ResponseBody => request.len(),
            };
            client.send(&request[..split]);
            if split == request.len() {
                is_asked.recv().expect("a request");
            }
            while_stopped(&serving, || {
                client.send(&request[split..]);
                if split == request.len() {
                    go.send(()).expect("an upstream");
                    is_sent.recv().expect("an upstream");
                }
            });
            let response = client.response();
            assert_eq!((response.status(), response.text()), (200, "done".to_owned()), "{at:?}");
        }
    }
}

fn start(upstream: &str) -> Serving {
    let folder = folder(&[("rules.toml", RULES)]);
    let mut command = fracas(folder.path());
    command.args(["-l", "127.0.0.1:0", "-w", "1", "-u", upstream]);
    Serving::start(command)
}

#[test]
fn a_connection_that_stood_while_the_process_was_stopped_counts() {
    for _ in 0..3 {
        let upstream = Upstream::answering("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone");
        // The name is looked up on another thread: connecting begins before the process is stopped, or after.
        for host in ["127.0.0.1", "localhost"] {
            let serving = start(&format!("http://{host}:{}", upstream.address.port()));
            let mut client = Socket::connect(serving.address);
            client.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
            while_stopped(&serving, || {});
            let response = client.response();
            assert_eq!((response.status(), response.text()), (200, "done".to_owned()), "{host}");
        }
    }
}

#[test]
fn a_tls_handshake_that_went_on_while_the_process_was_stopped_counts() {
    let (asked, is_asked) = channel();
    let (go, may_go) = channel::<()>();
    let may_go = std::sync::Mutex::new(may_go);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    let talk = std::thread::Builder::new().spawn(move || {
        use std::io::{Read as _, Write as _};
        let (mut stream, _) = listener.accept().expect("a connection");
        let mut hello = [0; 5];
        stream.read_exact(&mut hello).expect("a ClientHello");
        asked.send(()).expect("a test");
        may_go.lock().expect("no panic").recv().expect("a test");
        // handshake_failure (RFC 8446 §6.2): any answer in time is not a timeout.
        let _ = stream.write_all(&[21, 3, 3, 0, 2, 2, 40]);
    });
    let serving = start(&format!("https://{address}"));
    let mut client = Socket::connect(serving.address);
    client.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    is_asked.recv().expect("a ClientHello");
    while_stopped(&serving, || go.send(()).expect("an upstream"));
    assert_eq!(client.response().status(), 502, "the upstream answered, and was not late");
    talk.expect("a thread").join().expect("no panic");
}

#[test]
fn a_tunnel_whose_bytes_came_while_the_process_was_stopped_goes_on() {
    const ASK: &str = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                       Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    const SWITCH: &str = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                          Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
    for _ in 0..3 {
        let upstream = Upstream::playing(|talk| {
            talk.request();
            talk.socket.send([SWITCH, "first"].concat());
            let Ok(said) = talk.socket.try_exactly(4) else { return };
            talk.socket.send(said);
        });
        let serving = start(&format!("http://{}", upstream.address));
        let mut client = Socket::connect(serving.address);
        client.send(ASK);
        client.head().expect("a response");
        assert_eq!(client.exactly(5), b"first");
        while_stopped(&serving, || client.send("ping"));
        assert_eq!(client.exactly(4), b"ping");
    }
}

#[test]
fn an_http2_upstreams_bytes_that_came_while_the_process_was_stopped_count() {
    for is_head_first in [false, true] {
        for _ in 0..3 {
            let (asked, is_asked) = channel();
            let go = std::sync::Arc::new(tokio::sync::Notify::new());
            let (sent, is_sent) = channel();
            let may_go = std::sync::Arc::clone(&go);
            let upstream = Http2Upstream::playing(100, move |mut stream| {
                let (asked, may_go, sent) = (asked.clone(), std::sync::Arc::clone(&may_go), sent.clone());
                async move {
                    let head = http::Response::builder();
                    if stream.request.uri().path() == "/warm" {
                        return stream.response(head, "warm");
                    }
                    let mut to = None;
                    if is_head_first {
                        to = Some(stream.head(http::Response::builder(), false));
                    }
                    let _ = asked.send(());
                    may_go.notified().await;
                    let mut to = to.unwrap_or_else(|| stream.head(head, false));
                    to.send_data("done".into(), true).expect("it listens");
                    let _ = sent.send(());
                }
            });
            let serving = start(&format!("h2c://{}", upstream.address));
            let mut client = Socket::connect(serving.address);
            client.send("GET /warm HTTP/1.1\r\nHost: localhost\r\n\r\n");
            assert_eq!(client.response().text(), "warm");
            client.send("GET /x HTTP/1.1\r\nHost: localhost\r\n\r\n");
            is_asked.recv().expect("a request");
            while_stopped(&serving, || {
                go.notify_one();
                is_sent.recv().expect("an upstream");
            });
            let response = client.response();
            assert_eq!((response.status(), response.text()), (200, "done".to_owned()), "{is_head_first}");
        }
    }
}

#[test]
fn streams_of_a_client_whose_bytes_came_while_the_process_was_stopped_count() {
    for _ in 0..3 {
        let upstream = Upstream::echoing();
        let serving = start(&format!("http://{}", upstream.address));
        let mut client = Frames::connect(serving.address);
        let head =
            block(&[(":method", "POST"), (":scheme", "http"), (":path", "/"), (":authority", "localhost")]);
        client.send(&Frame::new(HEADERS, END_HEADERS, 1, head));
        client.send(&Frame::new(DATA, 0, 1, "bo"));
        while_stopped(&serving, || client.send(&Frame::new(DATA, END_STREAM, 1, "dy")));
        assert_eq!(client.end_of(1), End::Answered);
    }
}
