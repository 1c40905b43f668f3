//! Times as responses write them, and how long they tell a client to wait.

use std::time::{Duration, UNIX_EPOCH};

use http::HeaderValue;
use jiff::Timestamp;

use crate::rules::styles::ReplyContext;
use crate::rules::{ReplySettings, RetryAfterSetting, WaitLength};

/// `Retry-After` of one reply.
#[derive(Clone, Copy, Debug)]
pub(super) struct RetryAfterValue {
    retry_after: RetryAfterSetting,
    /// Up to this much is added.
    jitter: Duration,
    /// Passes before the client hears of it.
    delay: Duration,
}

impl RetryAfterValue {
    /// `None`: the reply says nothing of it.
    pub(super) fn of(reply: &ReplySettings) -> Option<RetryAfterValue> {
        let (jitter, delay) = (reply.retry_after_jitter, reply.delay);
        reply.retry_after.map(|retry_after| RetryAfterValue { retry_after, jitter, delay })
    }

    /// The seconds to wait when they are the same on every occasion.
    pub(super) fn constant(self) -> Option<u64> {
        match self.retry_after.length() {
            WaitLength::Fixed(length) => self.jitter.is_zero().then(|| round_up(length)),
            WaitLength::Remaining => None,
        }
    }

    /// The seconds to wait on this occasion: whole ones, rounded up, so that an obedient client does not come back
    /// too early.
    pub(super) fn seconds(self, occasion: &ReplyContext<'_>) -> u64 {
        round_up(self.exactly(occasion))
    }

    /// The header's value when it is the same on every occasion.
    pub(super) fn constant_header(self) -> Option<HeaderValue> {
        match self.retry_after {
            RetryAfterSetting::Seconds(_) => self.constant().map(HeaderValue::from),
            RetryAfterSetting::Date(_) => None,
        }
    }

    /// The header's value on this occasion (RFC 9110 §10.2.3).
    pub(super) fn header(self, occasion: &ReplyContext<'_>) -> HeaderValue {
        match self.retry_after {
            RetryAfterSetting::Seconds(_) => HeaderValue::from(self.seconds(occasion)),
            RetryAfterSetting::Date(_) => {
                let at = occasion.now.saturating_add(self.exactly(occasion)).unwrap_or(Timestamp::MAX);
                HeaderValue::try_from(http_date(next_second(at))).unwrap_or(HeaderValue::from_static("0"))
            }
        }
    }

    /// How long to wait on this occasion.
    pub(super) fn exactly(self, occasion: &ReplyContext<'_>) -> Duration {
        let seconds = self.jitter.as_secs_f64() * if self.jitter.is_zero() { 0.0 } else { occasion.jitter() };
        let jitter = Duration::try_from_secs_f64(seconds).unwrap_or(self.jitter);
        let length = match self.retry_after.length() {
            WaitLength::Fixed(length) => length,
            WaitLength::Remaining => occasion.remaining.unwrap_or_default().saturating_sub(self.delay),
        };
        length.saturating_add(jitter)
    }
}

/// `Sat, 31 Jan 2026 23:59:59 GMT` (RFC 9110 §5.6.7, IMF-fixdate), which has no years before 1970 or after 9999.
pub(super) fn http_date(at: Timestamp) -> String {
    const LAST: i64 = 253_402_300_799;
    let seconds = at.as_second().clamp(0, LAST).unsigned_abs();
    httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(seconds))
}

/// Whole seconds, so that what they are about has happened by then.
pub(super) fn round_up(length: Duration) -> u64 {
    length.as_secs().saturating_add(u64::from(length.subsec_nanos() > 0))
}

fn next_second(at: Timestamp) -> Timestamp {
    let beyond = at.subsec_nanosecond() > 0;
    Timestamp::from_second(at.as_second().saturating_add(i64::from(beyond))).unwrap_or(at)
}
