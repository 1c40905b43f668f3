//! A process that was stopped for longer than its timeouts finds the bytes that came meanwhile.
#![cfg(target_os = "linux")]

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use crate::support::program::{Serving, folder, fracas};
use crate::support::socket::Socket;
use crate::support::upstream::Upstream;

const RULES: &str = r#"
[timeouts]
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
