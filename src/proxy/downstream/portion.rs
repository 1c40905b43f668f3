//! Reads of bounded size. hyper doubles its buffer, up to 408 KiB, for each read that fills it, and a body's
//! pieces are such reads: each stage that holds one for a peer that is slow would hold as much.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncReadExt, ReadBuf};

/// Bytes of a read, at most. One less than 32 KiB: hyper's buffer of that size is then used to its last byte
/// but one, and never doubled.
const MOST: u64 = 32 * 1024 - 1;

/// Reads from `stream` into `buffer`, no more than a portion.
pub fn read<S: AsyncRead + Unpin>(
    stream: &mut S,
    cx: &mut Context<'_>,
    buffer: &mut ReadBuf<'_>,
) -> Poll<io::Result<()>> {
    if buffer.remaining() as u64 <= MOST {
        return Pin::new(stream).poll_read(cx, buffer);
    }
    Pin::new(&mut stream.take(MOST)).poll_read(cx, buffer)
}
