//! Points in time as plain numbers, so that grading needs no clock.

use std::ops::{Add, Sub};
use std::time::Duration;

/// A point on the proxy's own monotonic clock: nanoseconds since it started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(pub u64);

impl Moment {
    /// The moment this long after the start; the end of time (584 years) when longer than that.
    pub fn after_start(elapsed: Duration) -> Moment {
        Moment(nanoseconds(elapsed))
    }

    /// The time since `earlier`; zero when `earlier` is later.
    pub fn since(self, earlier: Moment) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Moment {
    type Output = Moment;

    fn add(self, length: Duration) -> Moment {
        Moment(self.0.saturating_add(nanoseconds(length)))
    }
}

impl Sub<Duration> for Moment {
    type Output = Moment;

    fn sub(self, length: Duration) -> Moment {
        Moment(self.0.saturating_sub(nanoseconds(length)))
    }
}

fn nanoseconds(length: Duration) -> u64 {
    u64::try_from(length.as_nanos()).unwrap_or(u64::MAX)
}
