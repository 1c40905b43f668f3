//! An HTTP/1.1 connection to the upstream as hyper drives it, and the bytes left over when it ends.

use std::cell::RefCell;
use std::rc::Rc;

use bytes::Bytes;
use hyper::client::conn::http1::{Builder, Connection};
use hyper_util::rt::TokioIo;

use super::super::body::request::RequestBody;
use super::transport::Transport;
use crate::rules::Limits;

/// Maximum read buffer of hyper, in bytes: its own default.
const BUFFER: usize = 8192 + 4096 * 100;

/// Bytes that hyper had read and could not parse when a connection ended: the malformed head.
#[derive(Clone, Default)]
pub struct UnreadBytes(Rc<RefCell<Bytes>>);

impl UnreadBytes {
    pub fn get(&self) -> Bytes {
        self.0.borrow().clone()
    }
}

/// HTTP/1.1 as upstreams speak it, within the limits.
pub fn http1(limits: &Limits) -> Builder {
    let mut http = Builder::new();
    // A proxy takes the space away (RFC 9112 §5.1).
    http.allow_spaces_after_header_name_in_responses(true);
    http.max_header_size(limits.response_header_bytes);
    http.max_headers(limits.response_header_count);
    if limits.response_header_bytes > BUFFER {
        http.max_buf_size(limits.response_header_bytes);
    }
    http
}

/// Drives a connection that never becomes a tunnel to its end. A request that waits for its response hears of
/// the end in a later turn of the event loop, when `remains` are there.
pub async fn drive(mut connection: Connection<TokioIo<Transport>, RequestBody>, remains: UnreadBytes) {
    if let Err(error) = (&mut connection).await {
        tracing::debug!(%error, "connection to the upstream ended");
    }
    remains.0.replace(connection.into_parts().read_buf);
}

/// Drives a connection that may become a tunnel.
pub async fn drive_or_upgrade(connection: Connection<TokioIo<Transport>, RequestBody>) {
    if let Err(error) = connection.with_upgrades().await {
        tracing::debug!(%error, "connection to the upstream ended");
    }
}
