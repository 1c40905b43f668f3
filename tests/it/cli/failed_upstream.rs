//! Why there was no response from the upstream is in the log, without `-v`; the client learns no more than it needs.

use crate::support::http::request;
use crate::support::program::{Serving, folder, fracas};
use crate::support::upstream::Upstream;

/// Bytes of the client's preface (RFC 9113 §3.4).
const PREFACE: usize = 24;
/// The type of the frame that opens a stream (RFC 9113 §6.2).
const HEADERS: u8 = 1;
/// A SETTINGS frame without a setting (RFC 9113 §6.5).
const SETTINGS: &[u8] = b"\0\0\0\x04\0\0\0\0\0";
/// RST_STREAM on stream 1 with INTERNAL_ERROR (RFC 9113 §6.4, §7).
const RST_STREAM: &[u8] = b"\0\0\x04\x03\0\0\0\0\x01\0\0\0\x02";

/// Replies to each request with these bytes, and closes.
fn replying(bytes: impl AsRef<[u8]> + Send + Sync + 'static) -> Upstream {
    Upstream::playing(move |talk| {
        talk.request();
        talk.socket.send(&bytes);
    })
}

#[test]
fn the_reason_of_every_502_is_in_the_log() {
    let closed = "the upstream closed the connection before it answered";
    let not_http = "the upstream's answer is not valid HTTP: ";
    let reset = Upstream::playing(|talk| {
        talk.request();
        talk.socket.reset_at_end();
    });
    let refused_stream = Upstream::playing(|talk| {
        if talk.socket.try_exactly(PREFACE).is_ok() {
            talk.socket.send(SETTINGS);
            while let Ok(head) = talk.socket.try_exactly(9) {
                let length = usize::from(head[1]) << 8 | usize::from(head[2]);
                let _ = talk.socket.try_exactly(length);
                if head[3] == HEADERS {
                    talk.socket.send(RST_STREAM);
                }
            }
        }
    });
    for (upstream, scheme, detail, reason) in [
        (replying(""), "http", closed, ""),
        (reset, "http", closed, ": Connection reset by peer"),
        (refused_stream, "h2c", closed, ": stream error received: unexpected internal error encountered"),
        (replying("HTTP/1.1 abc\r\n\r\n"), "http", not_http, "it begins with `HTTP/1.1 abc`"),
        (
            replying("HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"),
            "http",
            not_http,
            "invalid content-length parsed",
        ),
        (replying("HTTP/1.1 200 OK\r\nA b\r\n\r\n"), "http", not_http, "header line 1 has no colon: `A b`"),
    ] {
        let rules = format!("upstream = \"{scheme}://{}\"\n", upstream.address);
        let folder = folder(&[("rules.toml", &rules)]);
        let mut command = fracas(folder.path());
        command.args(["-l", "127.0.0.1:0"]);
        let mut serving = Serving::start(command);
        let response = request(serving.address, b"POST /a", "Content-Length: 0\r\nConnection: close\r\n");
        let line = serving.event();
        assert!(response.starts_with("HTTP/1.1 502 Bad Gateway\r\n"), "{response}");
        assert!(line.starts_with("502  POST /a "), "{line}");
        assert!(line.contains(&format!("{detail}{reason}")), "{line}");
        assert!(response.contains(detail), "{response}");
        if detail == closed {
            assert!(response.contains(&format!("\"detail\":\"{closed}\"")), "{response}");
        }
    }
}
