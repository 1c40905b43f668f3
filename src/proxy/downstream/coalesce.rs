//! Small writes go out as one piece: copying a few hundred bytes is cheaper than having the kernel
//! gather them (`sendto` beats `writev`). Big ones are left where they are.

use std::cell::RefCell;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::AsyncWrite;

/// Writes of up to this many bytes are copied together.
const SMALL: usize = 4 * 1024;

/// Writes `slices` to `stream`, together if they are small.
pub fn write<S: AsyncWrite>(
    stream: Pin<&mut S>,
    cx: &mut Context<'_>,
    slices: &[IoSlice<'_>],
) -> Poll<io::Result<usize>> {
    let total: usize = slices.iter().map(|slice| slice.len()).sum();
    if total > SMALL {
        return stream.poll_write_vectored(cx, slices);
    }
    TOGETHER.with_borrow_mut(|together| {
        together.clear();
        slices.iter().for_each(|slice| together.extend_from_slice(slice));
        stream.poll_write(cx, together)
    })
}

thread_local! {
    /// One buffer per worker: a local array would have to be cleared on each call, a vector allocated.
    static TOGETHER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

    /// Records the bytes written, and the number of slices of each write.
    #[derive(Default)]
    struct Recorder {
        bytes: Vec<u8>,
        pieces: Vec<usize>,
    }

    impl AsyncWrite for Recorder {
        fn poll_write(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<io::Result<usize>> {
            self.bytes.extend_from_slice(bytes);
            self.pieces.push(1);
            Poll::Ready(Ok(bytes.len()))
        }

        fn poll_write_vectored(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            slices: &[IoSlice<'_>],
        ) -> Poll<io::Result<usize>> {
            slices.iter().for_each(|slice| self.bytes.extend_from_slice(slice));
            self.pieces.push(slices.len());
            Poll::Ready(Ok(slices.iter().map(|slice| slice.len()).sum()))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    #[test]
    fn every_byte_goes_out_in_order_and_small_writes_in_one_piece() {
        for (lengths, pieces) in [
            (&[0_usize][..], 1),
            (&[3, 0, 5], 1),
            (&[SMALL - 1, 1], 1),
            (&[SMALL, 1], 2),
            (&[1, SMALL, 7], 3),
        ] {
            let parts: Vec<Vec<u8>> = (1..).zip(lengths).map(|(byte, length)| vec![byte; *length]).collect();
            let slices: Vec<IoSlice> = parts.iter().map(|part| IoSlice::new(part)).collect();
            let mut recorder = Recorder::default();
            let mut cx = Context::from_waker(Waker::noop());
            let written = write(Pin::new(&mut recorder), &mut cx, &slices);
            assert!(matches!(written, Poll::Ready(Ok(length)) if length == lengths.iter().sum::<usize>()));
            assert_eq!((recorder.bytes, recorder.pieces), (parts.concat(), vec![pieces]), "{lengths:?}");
        }
    }
}
