//! How long a client is told to wait.

use super::*;

fn waits(retry_after: RetryAfterSetting, jitter: Duration, n: u64) -> String {
    let head = head("GET", "/", &[]);
    let mut rule = rule(Kind::Blocked, ReplyBody::Style(ReplyStyle::Json));
    rule.reply.retry_after = Some(retry_after);
    rule.reply.retry_after_jitter = jitter;
    let response = Asked { n, ..Asked::new(&head) }.by(&compiled(&rule));
    response.headers()["retry-after"].to_str().expect("ASCII").to_owned()
}

#[test]
fn seconds_are_whole_and_rounded_up() {
    for (millis, told) in [(0, "0"), (1, "1"), (999, "1"), (1_000, "1"), (1_001, "2"), (90_000, "90")] {
        let wait = seconds(Duration::from_millis(millis));
        assert_eq!(waits(wait, Duration::ZERO, 1), told, "{millis} ms");
    }
    let forever = seconds(Duration::MAX);
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
        let wait = RetryAfterSetting::Date(WaitLength::Fixed(Duration::from_millis(millis)));
        assert_eq!(waits(wait, Duration::ZERO, 1), date, "{millis} ms");
    }
    assert_eq!(
        waits(RetryAfterSetting::Date(WaitLength::Fixed(Duration::MAX)), Duration::ZERO, 1),
        "Thu, 30 Dec 9999 22:00:00 GMT"
    );
}

#[test]
fn jitter_adds_up_to_its_bound_and_follows_from_the_seed() {
    let wait = seconds(Duration::from_secs(10));
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
    rule.reply.retry_after = Some(seconds(Duration::from_secs(1)));
    rule.reply.retry_after_jitter = Duration::from_secs(60);
    let response = Asked::new(&head).by(&compiled(&rule));
    assert_eq!(response.headers()["retry-after"], body(&response));
}

#[test]
fn what_remains_is_rounded_up_and_shorter_by_the_delay() {
    // Now is 23:59:58.5.
    for (remaining, delay, seconds, date) in [
        (0, 0, "0", "Sat, 31 Jan 2026 23:59:59 GMT"),
        (1, 0, "1", "Sat, 31 Jan 2026 23:59:59 GMT"),
        (2_500, 0, "3", "Sun, 01 Feb 2026 00:00:01 GMT"),
        (2_500, 500, "2", "Sun, 01 Feb 2026 00:00:01 GMT"),
        (2_500, 9_000, "0", "Sat, 31 Jan 2026 23:59:59 GMT"),
    ] {
        let head = head("GET", "/", &[]);
        for (form, said) in [
            (RetryAfterSetting::Seconds as fn(WaitLength) -> RetryAfterSetting, seconds),
            (RetryAfterSetting::Date as fn(WaitLength) -> RetryAfterSetting, date),
        ] {
            let mut rule = rule(Kind::Lock, text("{retry_after}", ReplyStyle::Text));
            rule.reply.retry_after = Some(form(WaitLength::Remaining));
            rule.reply.delay = Duration::from_millis(delay);
            let remaining = Some(Duration::from_millis(remaining));
            let response = Asked { remaining, ..Asked::new(&head) }.by(&compiled(&rule));
            assert_eq!(response.headers()["retry-after"], said);
            assert_eq!(body(&response), seconds);
        }
    }
}
