//! Deadlines of a client connection.
//!
//! A connection has one timer for its whole life. The beginning and the end of a wait cost a store each; the
//! timer moves only when it would ring too late, so a request seldom touches it. Over HTTP/2 each stream has
//! vitals and a timer of its own, and the connection's cover the parts its streams share.

#![expect(clippy::indexing_slicing, reason = "the arrays have a place for each `Wait`")]

mod doubt;
mod wait;

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::{Sleep, sleep_until};

pub use self::doubt::ANOTHER_LOOK;
use self::doubt::Doubt;
pub use self::wait::Wait;
use super::shared_timer::SharedTimer;
use crate::clock::Clock;
use crate::model::Moment;
use crate::rules::Timeouts;

/// After the last response a client has this long to close (nginx's `lingering_timeout`).
const CLOSE: Duration = Duration::from_secs(5);
/// Longer than the pauses of a busy client.
const REST: Duration = Duration::from_secs(1);
/// No wait.
const NOT: u64 = 0;
/// A wait that is suspended: its clock stands.
const SUSPENDED: u64 = u64::MAX;
/// A timer without a wait still has to be set to some time.
const FAR: Duration = Duration::from_secs(60 * 60);

/// How far a request's body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UploadProgress {
    /// There is none, or all of it has come.
    Over = 0,
    /// It is still forwarded.
    Forwarded,
    /// The rest is unwanted: it is read and dropped under limits of its own.
    Dropped,
}

/// Ordinal of a request on its connection. A body may be read to its end, or dropped, after the next request
/// has begun: its end then says nothing of that one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestNumber(u64);

/// Waits of one connection, or of one stream, each with its start.
///
/// The parts run on one thread; the numbers are atomic only because a socket that may become a tunnel has to
/// be `Send`.
#[derive(Debug)]
pub struct Deadlines {
    clock: Clock,
    limits: [Duration; Wait::ALL.len()],
    /// For each [`Wait`], the moment it began, or one of the two marks.
    since: [AtomicU64; Wait::ALL.len()],
    /// The expired wait, for [`Deadlines::within`] to find: its number plus 1.
    overdue: AtomicU8,
    /// Between a request's head and the end of its response.
    is_responding: AtomicBool,
    /// The latest request's [`RequestNumber`].
    turn: AtomicU64,
    /// [`UploadProgress`] of the latest request.
    upload: AtomicU8,
    is_broken: AtomicBool,
    /// The response announces that the connection closes after it.
    is_last: AtomicBool,
    /// Streams of this connection that have not ended.
    streams: AtomicUsize,
    stream: Option<Stream>,
}

/// State that only a stream has.
#[derive(Debug)]
struct Stream {
    connection: Arc<Deadlines>,
    /// The upstream's task begins to wait as well.
    alarm: SharedTimer,
}

impl Deadlines {
    /// Of a connection just accepted, which waits for its first request.
    pub fn new(clock: Clock, timeouts: &Timeouts) -> Deadlines {
        let limits = Wait::ALL.map(|wait| match wait {
            Wait::Request => timeouts.keep_alive,
            Wait::Head => timeouts.request_head,
            Wait::RequestBody => timeouts.request_body,
            Wait::Answer => timeouts.response_head,
            Wait::ResponseBody => timeouts.response_body.unwrap_or(Timeouts::NEVER),
            Wait::Write => timeouts.write,
            Wait::Close => CLOSE,
            Wait::Rest => REST,
        });
        let vitals = Deadlines::quiet(clock, limits, None);
        vitals.begin(Wait::Request);
        vitals
    }

    /// Vitals of a stream of `connection`, which is not idle until these are dropped.
    pub fn of_stream(connection: &Arc<Deadlines>) -> Deadlines {
        connection.end(Wait::Request);
        connection.end(Wait::Close);
        connection.streams.fetch_add(1, Relaxed);
        let stream = Stream { connection: Arc::clone(connection), alarm: SharedTimer::default() };
        Deadlines::quiet(connection.clock, connection.limits, Some(stream))
    }

    fn quiet(clock: Clock, limits: [Duration; Wait::ALL.len()], stream: Option<Stream>) -> Deadlines {
        Deadlines {
            clock,
            limits,
            since: [const { AtomicU64::new(NOT) }; Wait::ALL.len()],
            overdue: AtomicU8::new(0),
            is_responding: AtomicBool::new(false),
            turn: AtomicU64::new(0),
            upload: AtomicU8::new(UploadProgress::Over as u8),
            is_broken: AtomicBool::new(false),
            is_last: AtomicBool::new(false),
            streams: AtomicUsize::new(0),
            stream,
        }
    }

    /// Waits from now on.
    pub fn begin(&self, wait: Wait) {
        self.begin_at(wait, self.clock.now());
    }

    /// Waits from a moment that has just passed: each look at the clock takes some 30 ns.
    pub fn begin_at(&self, wait: Wait, moment: Moment) {
        self.slot(wait).store(moment.0.clamp(NOT + 1, SUSPENDED - 1), Relaxed);
        if let Some(stream) = &self.stream {
            stream.alarm.bring_forward(self.deadline(wait));
        }
    }

    /// Waits from now on, unless it does already.
    pub fn begin_once(&self, wait: Wait) {
        if !self.is_waiting(wait) {
            self.begin(wait);
        }
    }

    /// Restarts the clock of a wait, if there is one.
    pub fn restart(&self, wait: Wait) {
        if self.is_waiting(wait) {
            self.begin(wait);
        }
    }

    /// Stops the clock of a wait until [`Deadlines::restart`], if there is one.
    pub fn suspend(&self, wait: Wait) {
        if self.is_waiting(wait) {
            self.slot(wait).store(SUSPENDED, Relaxed);
        }
    }

    /// Waits no longer.
    pub fn end(&self, wait: Wait) {
        self.slot(wait).store(NOT, Relaxed);
    }

    /// Whether there is such a wait.
    pub fn is_waiting(&self, wait: Wait) -> bool {
        self.slot(wait).load(Relaxed) != NOT
    }

    /// A request's head has come.
    pub fn begin_request(&self, upload: UploadProgress) -> RequestNumber {
        self.end(Wait::Request);
        self.end(Wait::Rest);
        self.end(Wait::Head);
        self.is_responding.store(true, Relaxed);
        self.upload.store(upload as u8, Relaxed);
        RequestNumber(self.turn.fetch_add(1, Relaxed) + 1)
    }

    /// Whether no other request has come since.
    pub fn is_latest(&self, turn: RequestNumber) -> bool {
        self.turn.load(Relaxed) == turn.0
    }

    /// Updates the state of the request's body. Once all of it has come, and the response has gone, the next
    /// request is waited for.
    pub fn set_upload(&self, turn: RequestNumber, upload: UploadProgress) {
        if !self.is_latest(turn) {
            return;
        }
        self.upload.store(upload as u8, Relaxed);
        self.end(Wait::RequestBody);
        if !self.is_responding.load(Relaxed) {
            self.end(Wait::Answer);
            if upload == UploadProgress::Over {
                self.begin_idle();
            }
        }
    }

    /// The response has gone. An upstream that responds early may go on reading, or not.
    pub fn end_response(&self) {
        self.end(Wait::ResponseBody);
        self.is_responding.store(false, Relaxed);
        if self.has_upload(UploadProgress::Over) {
            self.begin_idle();
        } else if self.has_upload(UploadProgress::Forwarded) {
            self.begin(Wait::Answer);
            if self.is_waiting(Wait::RequestBody) {
                self.suspend(Wait::Answer);
            }
        }
    }

    /// The next request is waited for.
    fn begin_idle(&self) {
        self.begin(Wait::Request);
        if self.stream.is_none() {
            self.slot(Wait::Rest).store(self.slot(Wait::Request).load(Relaxed), Relaxed);
        }
    }

    /// Whether the client may still be talking.
    pub fn expects_more(&self) -> bool {
        self.is_waiting(Wait::Head) || !self.has_upload(UploadProgress::Over)
    }

    fn has_upload(&self, upload: UploadProgress) -> bool {
        self.upload.load(Relaxed) == upload as u8
    }

    /// Bytes came from the client: between requests, they start one.
    pub fn heard(&self) {
        if self.is_waiting(Wait::Request) {
            self.end(Wait::Request);
            self.end(Wait::Rest);
            self.begin(Wait::Head);
        }
    }

    /// Sets whether the response says that the connection closes after it.
    pub fn set_last(&self, is_last: bool) {
        self.is_last.store(is_last, Relaxed);
    }

    /// Whether the last response has gone, so that nothing will be sent any more.
    pub fn has_said_all(&self) -> bool {
        self.is_last.load(Relaxed) && !self.is_responding.load(Relaxed)
    }

    /// Marks the connection as one that must not end as if all were well.
    pub fn break_off(&self) {
        self.is_broken.store(true, Relaxed);
    }

    /// Whether [`Deadlines::break_off`] was called.
    pub fn is_broken(&self) -> bool {
        self.is_broken.load(Relaxed)
    }

    /// Whether the connection ends because of this.
    pub fn is_late(&self, wait: Wait) -> bool {
        self.overdue() == Some(wait)
    }

    /// Returns and clears the expired deadline, if it is one of `waits`.
    pub fn take_overdue(&self, waits: &[Wait]) -> Option<Wait> {
        let overdue = self.overdue().filter(|wait| waits.contains(wait))?;
        self.overdue.store(0, Relaxed);
        Some(overdue)
    }

    /// Whether any stream of this connection has not ended.
    pub fn has_streams(&self) -> bool {
        self.streams.load(Relaxed) > 0
    }

    /// Runs `exchange`, unless one of its deadlines expires: the rest of its body, or the response.
    pub async fn within<T>(&self, mut exchange: Pin<&mut impl Future<Output = T>>) -> Result<T, Wait> {
        poll_fn(|cx| match self.take_overdue(&[Wait::RequestBody, Wait::Answer]) {
            Some(wait) => Poll::Ready(Err(wait)),
            None => exchange.as_mut().poll(cx).map(Ok),
        })
        .await
    }

    /// Serves a connection, unless a deadline expires that no request can report.
    pub async fn guard<T>(&self, connection: impl Future<Output = T>) -> Result<T, Wait> {
        let mut connection = pin!(connection);
        let mut armed = self.due();
        let mut timer = pin!(sleep_until(self.clock.instant(armed)));
        let mut doubt = Doubt::default();
        poll_fn(|cx| {
            if let Some(stream) = &self.stream {
                stream.alarm.wake();
            }
            loop {
                if let Poll::Ready(done) = connection.as_mut().poll(cx) {
                    return Poll::Ready(Ok(done));
                }
                // Cleared where no idle buffers are given up.
                self.take_overdue(&[Wait::Rest]);
                if let Some(late) = self.overdue() {
                    if matches!(late, Wait::ResponseBody | Wait::Write) {
                        self.break_off();
                    }
                    return Poll::Ready(Err(late));
                }
                if self.poll_overdue(cx, timer.as_mut(), &mut armed, &mut doubt).is_pending() {
                    break;
                }
            }
            if let Some(stream) = &self.stream {
                stream.alarm.set(armed, cx);
            }
            Poll::Pending
        })
        .await
    }

    /// Ready when a deadline has expired, which is then noted.
    fn poll_overdue(
        &self,
        cx: &mut Context<'_>,
        mut timer: Pin<&mut Sleep>,
        armed: &mut Moment,
        doubt: &mut Doubt,
    ) -> Poll<()> {
        loop {
            // A doubtful deadline is due already.
            let due = self.due().max(doubt.until);
            if due < *armed {
                *armed = due;
                timer.as_mut().reset(self.clock.instant(due));
            }
            ready!(timer.as_mut().poll(cx));
            let now = self.clock.now();
            let overdue = Wait::ALL.into_iter().find(|wait| self.deadline(*wait) <= now);
            if let Some(wait) = overdue {
                if doubt.looks_again(wait, now) {
                    *armed = doubt.until;
                    timer.as_mut().reset(self.clock.instant(*armed));
                    continue;
                }
                self.overdue.store(wait as u8 + 1, Relaxed);
                self.end(wait);
                return Poll::Ready(());
            }
            *doubt = Doubt::default();
            // The end of a stream does not wake this task, so that the timer has to.
            let far = if self.has_streams() { self.limit(Wait::Request) } else { FAR };
            *armed = self.due().min(now + far);
            timer.as_mut().reset(self.clock.instant(*armed));
        }
    }

    /// The earliest deadline.
    fn due(&self) -> Moment {
        Wait::ALL.into_iter().map(|wait| self.deadline(wait)).fold(Moment(u64::MAX), Moment::min)
    }

    fn deadline(&self, wait: Wait) -> Moment {
        match self.slot(wait).load(Relaxed) {
            NOT | SUSPENDED => Moment(u64::MAX),
            since => Moment(since) + self.limit(wait),
        }
    }

    fn limit(&self, wait: Wait) -> Duration {
        self.limits[wait as usize]
    }

    fn overdue(&self) -> Option<Wait> {
        Wait::ALL.get(usize::from(self.overdue.load(Relaxed).checked_sub(1)?)).copied()
    }

    fn slot(&self, wait: Wait) -> &AtomicU64 {
        &self.since[wait as usize]
    }
}

impl Drop for Stream {
    /// After its last stream, a connection waits for the next one.
    fn drop(&mut self) {
        if self.connection.streams.fetch_sub(1, Relaxed) == 1 {
            self.connection.begin(Wait::Request);
        }
    }
}

#[cfg(test)]
mod tests;
