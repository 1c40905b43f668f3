//! Responses that come before the request's body is over: all of them have to arrive.

use std::io;
use std::net::SocketAddr;
use std::num::NonZeroUsize;

use fracas::matching::Match;
use fracas::rules::Schedule;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::super::support::is_full;
use super::super::support::message::Message;
use super::super::support::proxy::{self, TestProxy, conflict};
use super::super::support::socket::Socket;
use super::super::support::upstream::{Talk, Upstream, start};

/// Big enough that no socket holds it.
const BODY: usize = 100 << 20;
const PIECE: usize = 1 << 20;

#[derive(Clone, Copy, Debug)]
enum Framing {
    Sized,
    Chunked,
}

/// Writes a whole request of [`BODY`] bytes, and only then reads.
fn post(client: &mut Socket, framing: Framing) -> io::Result<Message> {
    let (head, before, after, end) = match framing {
        Framing::Sized => (format!("Content-Length: {BODY}"), String::new(), "", ""),
        Framing::Chunked => {
            ("Transfer-Encoding: chunked".into(), format!("{PIECE:x}\r\n"), "\r\n", "0\r\n\r\n")
        }
    };
    client.try_send(format!("POST /big HTTP/1.1\r\nHost: h\r\n{head}\r\n\r\n"))?;
    let piece = [before.as_bytes(), &vec![b'x'; PIECE], after.as_bytes()].concat();
    for _ in 0..BODY / PIECE {
        client.try_send(&piece)?;
    }
    client.try_send(end)?;
    Ok(client.response())
}

/// Four clients post at a time, and each must get `status`.
fn all_hear(proxy: &TestProxy, times: usize, status: u16) {
    let address = proxy.address;
    let posters: Vec<_> = (0..4)
        .map(|poster| {
            start("poster", move || {
                for time in (poster..times).step_by(4) {
                    let framing = if time % 2 == 0 { Framing::Sized } else { Framing::Chunked };
                    let mut client = Socket::connect(address);
                    let response = post(&mut client, framing);
                    let response =
                        response.unwrap_or_else(|error| panic!("{framing:?}, no. {time}: {error}"));
                    assert_eq!(response.status(), status, "{framing:?}, no. {time}");
                }
            })
        })
        .collect();
    posters.into_iter().for_each(|poster| poster.join().expect("everybody hears it"));
}

#[test]
fn c18_a_409_reaches_a_client_that_writes_100_mb_before_reading_1000_times_when_full() {
    let upstream = Upstream::echoing();
    let proxy = proxy::before(upstream.address)
        .rule(conflict(Match::default(), Schedule::Always))
        .with(|settings| settings.workers = NonZeroUsize::new(2))
        .start();
    // All of it takes minutes.
    let tries = if is_full() { 1_000 } else { 20 };
    all_hear(&proxy, tries, 409);
    assert_eq!(upstream.requests(), []);
}

#[test]
fn c18_a_409_reaches_a_client_that_writes_100_mb_while_reading_1000_times_when_full() {
    let upstream = Upstream::echoing();
    let proxy = proxy::before(upstream.address).rule(conflict(Match::default(), Schedule::Always)).start();
    let tries = if is_full() { 1_000 } else { 20 };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        for _ in 0..tries / 4 {
            let post = || post_while_reading(proxy.address);
            let heads = tokio::join!(post(), post(), post(), post());
            for head in [heads.0, heads.1, heads.2, heads.3] {
                let head = head.expect("no failed write");
                assert!(head.starts_with("HTTP/1.1 409 "), "{head}");
            }
        }
    });
    assert_eq!(upstream.requests(), []);
}

/// Writes a whole request of [`BODY`] bytes and reads the response's head, both at once, as async clients do.
async fn post_while_reading(address: SocketAddr) -> io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    let (mut read, mut write) = stream.split();
    let writing = async {
        let head = format!("POST /big HTTP/1.1\r\nHost: h\r\nContent-Length: {BODY}\r\n\r\n");
        write.write_all(head.as_bytes()).await?;
        let piece = vec![b'x'; PIECE];
        for _ in 0..BODY / PIECE {
            write.write_all(&piece).await?;
        }
        Ok::<_, io::Error>(())
    };
    let reading = async {
        let mut head = Vec::new();
        while !head.windows(4).any(|end| end == b"\r\n\r\n") {
            if read.read_buf(&mut head).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(String::from_utf8_lossy(&head).into_owned())
    };
    tokio::try_join!(writing, reading).map(|((), head)| head)
}

#[test]
fn c19_the_connection_serves_on_after_a_big_body_that_nobody_wanted() {
    let upstream = Upstream::echoing();
    let post_only =
        Match { method: fracas::matching::Methods::Only(vec![http::Method::POST]), ..Match::default() };
    let proxy = proxy::before(upstream.address).rule(conflict(post_only, Schedule::Always)).start();
    let mut client = proxy.connect();
    for framing in [Framing::Sized, Framing::Chunked] {
        assert_eq!(post(&mut client, framing).expect("an answer").status(), 409);
        client.send("GET /after HTTP/1.1\r\nHost: h\r\n\r\n");
        assert_eq!(client.response().status(), 200);
    }
    assert_eq!(upstream.requests().len(), 2);
}

#[test]
fn c21_an_upstreams_refusal_reaches_a_client_that_writes_100_mb_before_reading() {
    // It responds to the head, and closes with the body still to come: the kernel sends a reset.
    let upstream = Upstream::playing(|talk: &mut Talk| {
        talk.request_head();
        talk.socket
            .send("HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno");
    });
    let proxy =
        proxy::before(upstream.address).with(|settings| settings.workers = NonZeroUsize::new(2)).start();
    all_hear(&proxy, 20, 413);
}

#[test]
fn c21_an_answer_may_come_while_the_request_still_goes() {
    let upstream = Upstream::playing(|talk| {
        let mut request = talk.request_head().expect("a request");
        talk.socket.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nearly\r\n");
        talk.socket.request_body(&mut request);
        talk.socket.send(format!("{:x}\r\n{}\r\n0\r\n\r\n", request.body.len(), request.text()));
    });
    let proxy = proxy::before(upstream.address).start();
    let mut client = proxy.connect();
    client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\n");
    let mut response = Message::parse_head(&client.head().expect("an answer"));
    client.send("late");
    client.chunked(&mut response).expect("a whole body");
    assert_eq!(response.text(), "earlylate");
}

#[test]
fn a_refused_request_is_heard_out() {
    let upstream = Upstream::echoing();
    let proxy = proxy::before(upstream.address).start();
    let mut client = proxy.connect();
    client.send(format!("POST / HTTP/1.1\r\nHost: a/b\r\nContent-Length: {BODY}\r\n\r\n"));
    for _ in 0..BODY / PIECE {
        client.send(vec![b'x'; PIECE]);
    }
    let response = client.response();
    assert_eq!((response.status(), response.header("connection")), (400, Some("close")));
    assert_eq!(upstream.requests(), []);
}
