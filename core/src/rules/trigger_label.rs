//! A trigger in few words: for tables, explanations and reports.

use std::fmt;
use std::time::Duration;

use super::{Pattern, Rate, Schedule, Trigger};

impl Trigger {
    /// `25 %`, `first 1`, `duplicate`.
    pub fn asked(&self) -> String {
        match self {
            Trigger::Counted(counted) => counted.schedule.asked(),
            Trigger::On(state) => state.as_str().to_owned(),
        }
    }

    /// The share of requests that it asks for, where it is one.
    pub fn asked_share(&self) -> Option<f64> {
        match self.schedule()? {
            Schedule::Always => Some(1.0),
            Schedule::Rate(share) => Some(share.get()),
            Schedule::Every(every) => Some(1.0 / every.get() as f64),
            Schedule::Pattern(pattern) => Some(pattern.share()),
            Schedule::First(_) | Schedule::Above(_) => None,
        }
    }
}

impl Schedule {
    fn asked(&self) -> String {
        match self {
            Schedule::Always => "all".to_owned(),
            Schedule::Rate(share) => format!("{} %", trimmed(share.get() * 100.0)),
            Schedule::First(first) => format!("first {first}"),
            Schedule::Every(every) => format!("every {every}"),
            Schedule::Pattern(pattern) => pattern.to_string(),
            Schedule::Above(rate) => format!("above {rate}"),
        }
    }
}

/// The pattern as written, or a summary when it is long.
impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const LONGEST: usize = 12;
        let positions = self.positions();
        if positions.len() <= LONGEST {
            return positions
                .iter()
                .try_for_each(|conflicts| f.write_str(if *conflicts { "x" } else { "." }));
        }
        write!(f, "{} of {}", self.conflicting(), positions.len())
    }
}

/// `20/s`.
impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MINUTE: Duration = Duration::from_secs(60);
        let period = match self.period {
            period if period < MINUTE => "s",
            MINUTE => "m",
            _ => "h",
        };
        write!(f, "{}/{period}", self.requests)
    }
}

/// At most three decimals.
fn trimmed(number: f64) -> String {
    let text = format!("{number:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Share;

    #[test]
    fn shares_are_short() {
        for (share, text) in [(0.25, "25 %"), (0.125, "12.5 %"), (1.0, "100 %"), (0.0, "0 %")] {
            assert_eq!(Schedule::Rate(Share::new(share).expect("a share")).asked(), text);
        }
    }
}
