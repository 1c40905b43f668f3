//! Memory for peers that are slow, or send their bytes one by one: no more than the bytes held for them. Each
//! proxy is a process of its own, so that its memory can be measured.

use std::sync::Mutex;
use std::sync::mpsc::channel;
use std::time::Duration;

use http::Request;

use super::super::support::LONG;
use super::super::support::frames::{ACK, DATA, END_HEADERS, Frame, Frames, HEADERS, PING, pseudo};
use super::super::support::http2::Client;
use super::super::support::http2_upstream::Http2Upstream;
use super::super::support::program::{Serving, folder, fracas};
use super::super::support::socket::Socket;
use super::super::support::upstream::Upstream;

const MIB: u64 = 1 << 20;
const PIECE: usize = 64 * 1024;
/// A transfer without progress for this long has stalled.
const STILL: Duration = Duration::from_millis(300);

fn start(rules: &str, upstream: &Upstream) -> Serving {
    start_before(rules, &format!("http://{}", upstream.address))
}

fn start_before(rules: &str, upstream: &str) -> Serving {
    let folder = folder(&[("rules.toml", rules)]);
    let mut command = fracas(folder.path());
    command.args(["-l", "127.0.0.1:0", "-w", "1", "-u", upstream]);
    Serving::start(command)
}

/// A figure of the process, in bytes: `VmRSS` is its memory now, `VmHWM` its peak.
fn memory(serving: &Serving, figure: &str) -> Option<u64> {
    let read = || {
        let status = std::fs::read_to_string(format!("/proc/{}/status", serving.id())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix(figure)?.strip_prefix(':'))?;
        Some(line.trim().trim_end_matches(" kB").parse::<u64>().ok()? << 10)
    };
    let read = read();
    assert!(read.is_some() || !cfg!(target_os = "linux"), "no {figure}");
    read
}

/// How clients that do not read are connected.
#[derive(Clone, Copy, Debug)]
enum Readers {
    Http1,
    Http2,
}

#[test]
fn a_hundred_clients_that_do_not_read_5_mb_cost_20_mb() {
    const LENGTH: usize = 5 << 20;
    const READERS: usize = 100;
    for readers in [Readers::Http1, Readers::Http2] {
        let (stuck, is_stuck) = channel();
        let (finish, finished) = channel::<()>();
        let (stuck, finished) = (Mutex::new(stuck), Mutex::new(finished));
        let upstream = Upstream::playing(move |talk| {
            if talk.request_head().is_none() {
                return;
            }
            talk.socket.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {LENGTH}\r\n\r\n"));
            talk.socket.send_until_stuck(&[b'x'; PIECE], LENGTH, STILL);
            let _ = stuck.lock().expect("no panic").send(());
            let _ = finished.lock().expect("no panic").recv();
        });
        let serving = start("", &upstream);
        let before = memory(&serving, "VmRSS");
        let (mut sockets, mut client) = (Vec::new(), None);
        match readers {
            Readers::Http1 => {
                for _ in 0..READERS {
                    let mut socket = Socket::connect_narrow(serving.address);
                    socket.send("GET /big HTTP/1.1\r\nHost: localhost\r\n\r\n");
                    sockets.push(socket);
                }
            }
            Readers::Http2 => {
                let mut http2 = Client::connect(serving.address);
                let asked: Vec<_> = (0..READERS)
                    .map(|_| {
                        let request = Request::get("http://localhost/big").body(()).expect("a request");
                        http2.sender.send_request(request, true).expect("room for a stream").0
                    })
                    .collect();
                let answers = http2.runtime.block_on(async {
                    let mut answers = Vec::new();
                    for response in asked {
                        answers.push(tokio::time::timeout(LONG, response).await.expect("in time"));
                    }
                    answers
                });
                client = Some((http2, answers));
            }
        }
        for _ in 0..READERS {
            is_stuck.recv_timeout(LONG).expect("answers that cannot go on");
        }
        if let (Some(before), Some(now)) = (before, memory(&serving, "VmRSS")) {
            let cost = now.saturating_sub(before);
            assert!(cost <= 20 * MIB, "{readers:?}: {} KiB", cost >> 10);
        }
        drop((finish, sockets, client));
    }
}

/// The cost of what happened since the memory was `before`, in bytes.
fn cost_since(serving: &Serving, before: Option<u64>) -> Option<u64> {
    Some(memory(serving, "VmRSS")?.saturating_sub(before?))
}

#[test]
fn an_upload_that_the_upstream_does_not_read_costs_a_quarter_of_a_megabyte() {
    const LENGTH: usize = 16 << 20;
    const UPLOADS: usize = 32;
    let (finish, finished) = channel::<()>();
    let finished = Mutex::new(finished);
    let upstream = Upstream::playing(move |talk| {
        if talk.request_head().is_some() {
            let _ = finished.lock().expect("no panic").recv();
        }
    });
    let serving = start("", &upstream);
    let upload = |at: usize| {
        let mut socket = Socket::connect(serving.address);
        // Of known and of unknown length.
        let (framing, begin) = match at % 2 {
            0 => (format!("Content-Length: {LENGTH}"), String::new()),
            _ => ("Transfer-Encoding: chunked".to_owned(), format!("{LENGTH:x}\r\n")),
        };
        socket.send(format!("PUT /big HTTP/1.1\r\nHost: localhost\r\n{framing}\r\n\r\n{begin}"));
        let taken = socket.send_until_stuck(&[b'x'; PIECE], LENGTH, STILL);
        assert!(taken < LENGTH, "the kernel has taken all of it");
        socket
    };
    let first = upload(0);
    let before = memory(&serving, "VmRSS");
    let sockets: Vec<Socket> = std::thread::scope(|scope| {
        let uploads: Vec<_> = (0..UPLOADS).map(|at| scope.spawn(move || upload(at))).collect();
        uploads.into_iter().map(|upload| upload.join().expect("no panic")).collect()
    });
    if let Some(cost) = cost_since(&serving, before) {
        let each = cost / UPLOADS as u64;
        assert!(each <= 250_000, "{} KiB", each >> 10);
    }
    drop((finish, first, sockets));
}

#[test]
fn unread_uploads_of_an_http2_connection_cost_their_windows() {
    const STREAMS: usize = 100;
    const FRAME: usize = 16 * 1024;
    // It reads no body, so that its windows are soon used up.
    let upstream = Http2Upstream::playing(100, |mut asked| async move {
        let _ = asked.reset().await;
    });
    let serving = start_before("allowed_hosts = [\"*\"]", &format!("h2c://{}", upstream.address));
    let before = memory(&serving, "VmRSS");
    let mut client = Frames::connect(serving.address);
    let window = client.stream_window;
    for stream in (1..).step_by(2).take(STREAMS) {
        client.send(&Frame::new(HEADERS, END_HEADERS, stream, pseudo("POST", "/unread")));
        let data = Frame::new(DATA, 0, stream, [b'x'; FRAME]).bytes();
        client.socket.send(data.repeat(window / FRAME));
    }
    client.send(&Frame::new(PING, 0, 0, [7; 8]));
    client.until(|frame| frame.kind == PING && frame.flags == ACK);
    if let Some(cost) = cost_since(&serving, before) {
        assert!(cost >= (STREAMS * window) as u64, "nothing was dropped: {} KiB", cost >> 10);
        assert!(cost <= 50 * MIB, "{} KiB", cost >> 10);
    }
}

#[test]
fn unread_responses_of_an_http2_upstream_cost_their_windows() {
    const READERS: usize = 100;
    const LENGTH: usize = 16 << 20;
    let (stuck, is_stuck) = channel();
    let upstream = Http2Upstream::playing(100, move |mut asked| {
        let stuck = stuck.clone();
        async move {
            let mut to = asked.head(http::Response::builder(), false);
            let mut left = LENGTH;
            while left > 0 {
                to.reserve_capacity(PIECE.min(left));
                let room = tokio::time::timeout(STILL, std::future::poll_fn(|cx| to.poll_capacity(cx)));
                match room.await {
                    Ok(Some(Ok(room))) => {
                        left -= room;
                        to.send_data(vec![b'x'; room].into(), false).expect("it listens");
                    }
                    _ => break,
                }
            }
            assert!(left > 0, "the kernel has taken all of it");
            let _ = stuck.send(());
            // The stream stays open until the proxy ends it.
            let _ = std::future::poll_fn(|cx| to.poll_reset(cx)).await;
        }
    });
    let serving = start_before("", &format!("h2c://{}", upstream.address));
    let before = memory(&serving, "VmRSS");
    let mut sockets = Vec::new();
    for _ in 0..READERS {
        let mut socket = Socket::connect_narrow(serving.address);
        socket.send("GET /big HTTP/1.1\r\nHost: localhost\r\n\r\n");
        sockets.push(socket);
    }
    for _ in 0..READERS {
        is_stuck.recv_timeout(LONG).expect("responses that cannot go on");
    }
    if let Some(cost) = cost_since(&serving, before) {
        assert!(cost <= 30 * MIB, "{} KiB", cost >> 10);
    }
    drop(sockets);
}

#[test]
fn a_body_that_comes_byte_by_byte_costs_no_more_than_its_bytes() {
    const LENGTH: usize = 100_000;
    let head = "body_limit = \"128 KiB\"\n";
    let rule = "[[rule]]\nmethod = \"POST\"\nbody = { \"/a\" = \"b\" }\n";
    let learning = "[[rule]]\npath = \"/items\"\non = \"key_in_use\"\n";
    let body: Vec<u8> = [&b"1\r\nx\r\n".repeat(LENGTH)[..], b"0\r\n\r\n"].concat();
    for (about, rules) in [
        ("for the journal", head.to_owned()),
        ("held back", format!("{head}{rule}")),
        ("compared", format!("{head}{learning}")),
    ] {
        let response = [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", &body[..]].concat();
        let upstream = Upstream::answering(response);
        let serving = start(&rules, &upstream);
        let before = memory(&serving, "VmHWM");
        let mut socket = Socket::connect(serving.address);
        let request = "POST /items HTTP/1.1\r\nHost: localhost\r\nIdempotency-Key: k\r\nTransfer-Encoding: chunked\r\n\r\n";
        socket.send(request);
        socket.send(&body);
        assert_eq!(socket.response().body.len(), LENGTH, "{about}");
        assert_eq!(upstream.request().body.len(), LENGTH, "{about}");
        if let (Some(before), Some(most)) = (before, memory(&serving, "VmHWM")) {
            let cost = most.saturating_sub(before);
            assert!(cost <= 3 * MIB, "{about}: {} KiB", cost >> 10);
        }
    }
}

#[test]
fn json_of_any_shape_costs_a_few_times_its_bytes() {
    const LENGTH: usize = 3 << 20;
    /// Allowance for memory apart from the body.
    const REST: u64 = 8 * MIB;
    let rules = "body_limit = \"64 MiB\"\n[[rule]]\nmethod = \"POST\"\nbody = { \"/0/a\" = \"b\" }\n";
    for item in ["[],", "{},", "1,", "{\"\":0},", "[[[0]]],"] {
        let body = format!("[{}0]", item.repeat(LENGTH / item.len()));
        // A rule reads the one, and only the journal the other.
        for method in ["POST", "PUT"] {
            let upstream = Upstream::answering("HTTP/1.1 204 No Content\r\n\r\n");
            let serving = start(rules, &upstream);
            let before = memory(&serving, "VmHWM");
            let mut socket = Socket::connect(serving.address);
            let length = body.len();
            socket
                .send(format!("{method} /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n"));
            socket.send(&body);
            assert_eq!(socket.response().status(), 204, "{method} {item}");
            if let (Some(before), Some(most)) = (before, memory(&serving, "VmHWM")) {
                let cost = most.saturating_sub(before);
                assert!(cost <= 4 * LENGTH as u64 + REST, "{method} {item}: {} KiB", cost >> 10);
            }
        }
    }
}
