//! How long a client is told to wait.

use super::*;

fn waits(retry_after: RetryAfter, jitter: Duration, n: u64) -> String {
    let head = head("GET", "/", &[]);
    let mut rule = rule(Kind::Blocked, ReplyBody::Style(ReplyStyle::Json));
    rule.reply.retry_after = Some(retry_after);
    rule.reply.retry_after_jitter = jitter;
    let response = Asked { n, ..Asked::new(&head) }.by(&compiled(&rule));
    response.headers()["retry-after"].to_str().expect("ASCII").to_owned()
}

#[test]
fn seconds_are_whole_and_rounded_up() {
    for (millis, seconds) in [(0, "0"), (1, "1"), (999, "1"), (1_000, "1"), (1_001, "2"), (90_000, "90")] {
        let wait = RetryAfter::Seconds(Duration::from_millis(millis));
        assert_eq!(waits(wait, Duration::ZERO, 1), seconds, "{millis} ms");
    }
    let forever = RetryAfter::Seconds(Duration::MAX);
    assert_eq!(waits(forever, Duration::ZERO, 1), u64::MAX.to_string());
}

#[test]
fn dates_are_never_earlier_than_asked() {
    // Now is 23:59:58.5.
    for (millis, date) in [
        (0, "Sat, 31 Jan 2026 23:59:59 GMT"),
        (500, "Sat, 31 Jan 2026 23:59:59 GMT"),
        (501, "Sun, 01 Feb 2026 00:00:00 GMT"),
        (2_000, "Sun, 01 Feb 2026 00:00:01 GMT"),
    ] {
        let wait = RetryAfter::Date(Duration::from_millis(millis));
        assert_eq!(waits(wait, Duration::ZERO, 1), date, "{millis} ms");
    }
    assert_eq!(waits(RetryAfter::Date(Duration::MAX), Duration::ZERO, 1), "Thu, 30 Dec 9999 22:00:00 GMT");
}

#[test]
fn jitter_adds_up_to_its_bound_and_follows_from_the_seed() {
    let wait = RetryAfter::Seconds(Duration::from_secs(10));
    let jitter = Duration::from_secs(10);
    let mut seen: Vec<u64> = (1..=500).map(|n| waits(wait, jitter, n).parse().expect("a number")).collect();
    assert_eq!(waits(wait, jitter, 7), seen[6].to_string());
    seen.sort_unstable();
    seen.dedup();
    // 10 itself only when the draw is exactly zero.
    assert_eq!(seen, (11..=20).collect::<Vec<_>>());
}

#[test]
fn header_and_text_name_the_same_seconds() {
    let head = head("GET", "/", &[]);
    let mut rule = rule(Kind::Blocked, text("{retry_after}", ReplyStyle::Text));
    rule.reply.retry_after = Some(RetryAfter::Seconds(Duration::from_secs(1)));
    rule.reply.retry_after_jitter = Duration::from_secs(60);
    let response = Asked::new(&head).by(&compiled(&rule));
    assert_eq!(response.headers()["retry-after"], body(&response));
}
