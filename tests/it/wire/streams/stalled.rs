//! Clients that do not read their responses: others on the same connection to the upstream get theirs all the
//! same (RFC 9113 §5.2).

use std::future::poll_fn;
use std::sync::Mutex;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};

use super::super::super::support::LONG;
use super::super::super::support::http2::Client;
use super::super::super::support::http2_upstream::Http2Upstream;
use super::super::super::support::proxy;

/// More than all the buffers on its way hold.
const BIG: usize = 50 << 20;
const PIECE: usize = 16 * 1024;
/// A transfer without progress for this long has stalled.
const STILL: Duration = Duration::from_millis(300);

/// How the clients that do not read are connected.
#[derive(Clone, Copy, Debug)]
enum Readers {
    /// Each on a connection of its own.
    Http1(usize),
    /// All on as few connections as can carry them.
    Http2(usize),
}

#[test]
fn answers_that_nobody_reads_do_not_hold_up_their_neighbours() {
    for readers in [Readers::Http1(12), Readers::Http2(99), Readers::Http2(150)] {
        let (moved, moves) = channel();
        let moved = Mutex::new(moved);
        let upstream = Http2Upstream::playing(1_000, move |mut asked| {
            let moved = moved.lock().expect("no panic").clone();
            async move {
                if asked.request.uri().path() == "/small" {
                    return asked.response(Response::builder(), "all of it");
                }
                let mut to = asked.head(Response::builder(), false);
                for _ in 0..BIG / PIECE {
                    to.reserve_capacity(PIECE);
                    let Some(Ok(room)) = poll_fn(|cx| to.poll_capacity(cx)).await else { return };
                    if to.send_data(Bytes::from(vec![b'x'; room]), false).is_err() {
                        return;
                    }
                    let _ = moved.send(());
                }
            }
        });
        let proxy = proxy::before(upstream.address).over_http2().start();
        let (mut sockets, mut clients) = (Vec::new(), Vec::new());
        match readers {
            Readers::Http1(count) => {
                for _ in 0..count {
                    let mut socket = proxy.connect();
                    socket.send("GET /big HTTP/1.1\r\nHost: h\r\n\r\n");
                    sockets.push(socket);
                }
            }
            Readers::Http2(count) => {
                for part in 0..count.div_ceil(75) {
                    let mut client = Client::connect(proxy.address);
                    let asked = (part * 75..count.min(part * 75 + 75)).map(|_| {
                        let request = Request::get("http://h/big").body(()).expect("a request");
                        client.sender.send_request(request, true).expect("room for a stream").0
                    });
                    let asked: Vec<_> = asked.collect();
                    let answers = client.runtime.block_on(async {
                        let mut answers = Vec::new();
                        for response in asked {
                            answers.push(tokio::time::timeout(LONG, response).await.expect("in time"));
                        }
                        answers
                    });
                    clients.push((client, answers));
                }
            }
        }
        // The first of it takes as long as it takes.
        moves.recv_timeout(LONG).expect("answers that begin");
        while !matches!(moves.recv_timeout(STILL), Err(RecvTimeoutError::Timeout)) {}
        for _ in 0..3 {
            let response = proxy.ask("GET /small HTTP/1.1\r\nHost: h\r\n\r\n");
            assert_eq!((response.status(), &*response.text()), (200, "all of it"), "{readers:?}");
        }
        drop((sockets, clients));
    }
}
