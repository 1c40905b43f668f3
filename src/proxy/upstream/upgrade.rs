//! Tunnels: after a 101, bytes pass both ways until either side ends, or until none has passed for too long.

use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::Notify;

use super::super::downstream::client::Client;
use super::super::downstream::deadlines::ANOTHER_LOOK;
use crate::clock::Clock;

/// A tunnel that was idle for this long gives its place to a new client when there is no other.
const IDLE: Duration = Duration::from_secs(10);

/// The tunnels of all workers. Each keeps its client's place, so `limits.connections` bounds them.
#[derive(Debug, Default)]
pub struct Tunnels(Mutex<Vec<Weak<Life>>>);

/// How one tunnel lives.
#[derive(Debug, Default)]
struct Life {
    /// When a byte passed last, in nanoseconds on the proxy's clock.
    last: AtomicU64,
    /// Asks it to end.
    end: Notify,
}

impl Tunnels {
    /// Joins two upgraded connections; a tunnel through which nothing passes for `idle` ends.
    pub async fn run(
        &self,
        near: OnUpgrade,
        far: OnUpgrade,
        _client: Rc<Client>,
        clock: Clock,
        idle: Duration,
    ) {
        let (client, upstream) = match tokio::try_join!(near, far) {
            Ok(both) => both,
            Err(error) => {
                tracing::debug!(%error, "a side did not upgrade");
                return;
            }
        };
        let life = Arc::new(Life { last: AtomicU64::new(clock.now().0), end: Notify::new() });
        self.add(&life);
        let side = |upgraded| Side { io: TokioIo::new(upgraded), life: Arc::clone(&life), clock };
        let (mut client, mut upstream) = (side(client), side(upstream));
        tokio::select! {
            ended = tokio::io::copy_bidirectional(&mut client, &mut upstream) => {
                if let Err(error) = ended {
                    tracing::debug!(%error, "a tunnel broke");
                }
            }
            () = life.idle_for(idle, clock) => tracing::debug!("a tunnel ended: it was idle for too long"),
            () = life.end.notified() => tracing::debug!("an idle tunnel gave its place to a new client"),
        }
    }

    /// Ends the tunnel that has been idle longest, if one has been for a while: ten seconds, or a tenth of
    /// the time after which it ends by itself.
    pub fn give_way(&self, clock: Clock, idle: Duration) {
        let least = u64::try_from(IDLE.min(idle / 10).as_nanos()).unwrap_or(u64::MAX);
        let latest = clock.now().0.saturating_sub(least);
        let tunnels = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let idle = tunnels.iter().filter_map(Weak::upgrade).filter(|life| life.last.load(Relaxed) <= latest);
        if let Some(life) = idle.min_by_key(|life| life.last.load(Relaxed)) {
            // Once is enough: the next newcomer shall find another one.
            life.last.store(u64::MAX, Relaxed);
            life.end.notify_one();
        }
    }

    fn add(&self, life: &Arc<Life>) {
        let mut tunnels = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tunnels.retain(|tunnel| tunnel.strong_count() > 0);
        tunnels.push(Arc::downgrade(life));
    }
}

impl Life {
    async fn idle_for(&self, idle: Duration, clock: Clock) {
        let left = || {
            let since = clock.now().0.saturating_sub(self.last.load(Relaxed));
            idle.saturating_sub(Duration::from_nanos(since))
        };
        let mut wait = idle;
        while !wait.is_zero() {
            tokio::time::sleep(wait).await;
            if left().is_zero() {
                tokio::time::sleep(ANOTHER_LOOK).await;
            }
            wait = left();
        }
    }
}

/// One side of a tunnel, which notes when bytes pass.
struct Side {
    io: TokioIo<Upgraded>,
    life: Arc<Life>,
    clock: Clock,
}

impl Side {
    fn note(&self, passed: bool) {
        if passed {
            self.life.last.store(self.clock.now().0, Relaxed);
        }
    }
}

impl AsyncRead for Side {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = into.filled().len();
        let read = Pin::new(&mut self.io).poll_read(cx, into);
        self.note(into.filled().len() > before);
        read
    }
}

impl AsyncWrite for Side {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write(cx, bytes);
        self.note(matches!(written, Poll::Ready(Ok(1..))));
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tunnel_that_was_idle_longest_gives_way_and_a_busy_one_never() {
        let clock = Clock::start();
        let tunnels = Tunnels::default();
        let at = |last| {
            let life = Arc::new(Life { last: AtomicU64::new(last), end: Notify::new() });
            tunnels.add(&life);
            life
        };
        // The clock has just begun: only bytes noted at its very beginning are ten seconds old.
        let (idle, busy) = (at(0), at(u64::MAX - 1));
        let is_told = |life: &Life| {
            let mut told = std::pin::pin!(life.end.notified());
            told.as_mut().poll(&mut Context::from_waker(std::task::Waker::noop())).is_ready()
        };
        tunnels.give_way(clock, Duration::from_secs(3600));
        assert!(is_told(&idle) && !is_told(&busy));
        tunnels.give_way(clock, Duration::from_secs(3600));
        assert!(!is_told(&idle) && !is_told(&busy), "it is told once");
        drop(idle);
        at(0);
        assert_eq!(tunnels.0.lock().expect("no panic").len(), 2, "those that ended are forgotten");
    }
}
