//! The only reader of the clocks.

use std::time::Duration;

use jiff::Timestamp;

use tokio::time::Instant;

use crate::model::Moment;

/// The proxy's own clock, which starts when it is made.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    start: Instant,
}

/// Maximum distance of a timer from the start: the range of `Instant` depends on the system.
const FURTHEST: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);

impl Clock {
    /// A clock that starts now.
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the monotonic clock")]
    pub fn start() -> Clock {
        Clock { start: Instant::now() }
    }

    /// How long the clock has run.
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the monotonic clock")]
    pub fn now(&self) -> Moment {
        Moment::after_start(self.start.elapsed())
    }

    /// The time of day, which may jump.
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the wall clock")]
    pub fn wall(&self) -> Timestamp {
        Timestamp::now()
    }

    /// `moment` as timers take it.
    pub fn instant(&self, moment: Moment) -> Instant {
        self.start + Duration::from_nanos(moment.0).min(FURTHEST)
    }
}
