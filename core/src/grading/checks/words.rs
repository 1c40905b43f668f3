//! Numbers in the words of findings.

use std::time::Duration;

/// `212 ms`, `1.58 s`, `2 min 5 s`.
pub fn wait(duration: Duration) -> String {
    let millis = duration.as_millis();
    match millis {
        0..1_000 => format!("{millis} ms"),
        1_000..60_000 => {
            let text = format!("{}.{:02}", millis / 1_000, millis % 1_000 / 10);
            format!("{} s", text.trim_end_matches('0').trim_end_matches('.'))
        }
        _ => {
            let (minutes, seconds) = (millis / 60_000, millis % 60_000 / 1_000);
            if seconds == 0 { format!("{minutes} min") } else { format!("{minutes} min {seconds} s") }
        }
    }
}

/// `11 of 18 retries`.
pub fn of(part: u64, whole: u64, what: &str) -> String {
    let plural = match (whole, what.strip_suffix('y')) {
        (1, _) => what.to_owned(),
        (_, Some(stem)) if !stem.ends_with('a') => format!("{stem}ies"),
        _ => format!("{what}s"),
    };
    format!("{part} of {whole} {plural}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_read_as_people_say_them() {
        let said = [0, 212, 1_000, 1_580, 59_999, 60_000, 125_000].map(|ms| wait(Duration::from_millis(ms)));
        assert_eq!(said, ["0 ms", "212 ms", "1 s", "1.58 s", "59.99 s", "1 min", "2 min 5 s"]);
        assert_eq!(of(1, 1, "retry"), "1 of 1 retry");
        assert_eq!(of(11, 18, "retry"), "11 of 18 retries");
        assert_eq!(of(1, 2, "replay"), "1 of 2 replays");
    }
}
