//! Bytes of a body that hyper buffers for an HTTP/1.1 peer: a response's for its client, a request's for the upstream.
//!
//! hyper takes up to 408 KiB of a body ahead of the socket, and no less than the longest head allowed. Here
//! the body waits until the socket has taken its last piece, so a peer that does not read costs two pieces.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

/// Bytes held from which on a body yields no more.
const LIMIT: usize = 16 * 1024;

/// Shared by a body and its socket on one thread: atomic only because a socket that may become a
/// tunnel has to be `Send`.
#[derive(Debug, Default)]
pub struct Backlog {
    held: AtomicUsize,
    waiting: Mutex<Option<Waker>>,
}

impl Backlog {
    /// Waits until fewer than [`LIMIT`] bytes are held.
    pub fn poll_room(&self, cx: &mut Context<'_>) -> Poll<()> {
        if self.held.load(Relaxed) < LIMIT {
            return Poll::Ready(());
        }
        *self.waiting.lock().unwrap_or_else(PoisonError::into_inner) = Some(cx.waker().clone());
        Poll::Pending
    }

    /// A body has given so many bytes.
    pub fn add(&self, bytes: usize) {
        self.held.store(self.held.load(Relaxed).saturating_add(bytes), Relaxed);
    }

    /// The socket has taken everything.
    pub fn clear(&self) {
        if self.held.load(Relaxed) < LIMIT {
            self.held.store(0, Relaxed);
            return;
        }
        self.held.store(0, Relaxed);
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(waker) = waiting {
            waker.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::task::Wake;

    use super::*;

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: std::sync::Arc<Self>) {
            self.0.fetch_add(1, Relaxed);
        }
    }

    #[test]
    fn a_body_waits_while_the_socket_holds_much_and_is_woken_when_it_holds_nothing() {
        let count = std::sync::Arc::new(Count::default());
        let waker = Waker::from(std::sync::Arc::clone(&count));
        let mut cx = Context::from_waker(&waker);
        let backlog = Backlog::default();
        backlog.add(LIMIT - 1);
        assert!(backlog.poll_room(&mut cx).is_ready());
        backlog.add(1);
        assert!(backlog.poll_room(&mut cx).is_pending());
        assert_eq!(count.0.load(Relaxed), 0);
        backlog.clear();
        assert_eq!(count.0.load(Relaxed), 1);
        assert!(backlog.poll_room(&mut cx).is_ready());
    }
}
