//! Upstreams that want TLS and get plain HTTP: how they report it.

use std::pin::Pin;
use std::task::{Context, Poll};

use http_body::{Body, Frame, SizeHint};
use hyper::body::{Bytes, Incoming};

use super::super::error::{Cause, Failure};
use crate::rules::UpstreamUrl;

/// Phrases of servers' 400 responses to plain HTTP.
const PHRASES: [&str; 4] = [
    "plain http request was sent to https port", // nginx, AWS's balancers
    "sent an http request to an https server",   // Go's net/http
    "speaking plain http to an ssl-enabled",     // Apache
    "combination of host and port requires tls", // Tomcat
];
/// Bytes at the beginning of a body that are searched.
const LOOKED_AT: usize = 2 * 1024;
/// The types of a TLS record that a server may begin with: an alert, a handshake (RFC 8446 §5.1).
const RECORDS: [u8; 2] = [21, 22];

/// Whether the bytes in place of a response are a TLS record.
pub fn is_record(bytes: &[u8]) -> bool {
    // All versions in use have 3 as their major number.
    matches!(bytes, [kind, 3, ..] if RECORDS.contains(kind))
}

/// The body of a 400, searched as it passes, and not changed.
pub struct Suspect {
    body: Incoming,
    seen: Vec<u8>,
    upstream: UpstreamUrl,
}

impl Suspect {
    /// The 400 of `upstream`.
    pub fn new(body: Incoming, upstream: UpstreamUrl) -> Suspect {
        Suspect { body, seen: Vec::new(), upstream }
    }

    fn look(&mut self, data: &[u8]) {
        let room = LOOKED_AT.saturating_sub(self.seen.len());
        if room == 0 {
            return;
        }
        self.seen.extend(data.iter().take(room).map(u8::to_ascii_lowercase));
        if says_so(&self.seen) {
            let failure = Failure::Unreachable(Cause::WantsTls);
            tracing::warn!(help = failure.help(&self.upstream), "{failure}");
            // Once is enough.
            self.seen.resize(LOOKED_AT, b' ');
        }
    }
}

impl Body for Suspect {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        if let Poll::Ready(Some(Ok(frame))) = &polled
            && let Some(data) = frame.data_ref()
        {
            self.look(data);
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Whether a lowercased text holds the complaint of a server that wants TLS.
fn says_so(text: &[u8]) -> bool {
    PHRASES.iter().any(|phrase| memchr::memmem::find(text, phrase.as_bytes()).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_servers_say_to_plain_http_is_known() {
        for (text, says) in [
            ("<center>The plain HTTP request was sent to HTTPS port</center>", true),
            ("Client sent an HTTP request to an HTTPS server.\n", true),
            ("Reason: You're speaking plain HTTP to an SSL-enabled server port.", true),
            ("Bad Request\r\nThis combination of host and port requires TLS.\r\n", true),
            ("{\"error\":\"name is missing\"}", false),
            ("", false),
        ] {
            assert_eq!(says_so(text.to_ascii_lowercase().as_bytes()), says, "{text}");
        }
    }

    #[test]
    fn a_record_of_tls_is_no_http() {
        for (bytes, is) in [
            (&b"\x15\x03\x03\x00\x02\x02\x46"[..], true),
            (b"\x15\x03\x01\x00\x02\x02\x28", true),
            (b"\x16\x03\x03\x00\x7a\x02", true),
            (b"HTTP/1.1 200 OK\r\n", false),
            (b"\x15", false),
            (b"", false),
        ] {
            assert_eq!(is_record(bytes), is, "{bytes:?}");
        }
    }
}
