//! What a trigger asks for, in few words: for tables, explanations and reports.

use std::fmt;
use std::time::Duration;

use super::{Pattern, Rate, Trigger};

impl Trigger {
    /// `25 %`, `first 1`, `duplicate`.
    pub fn asked(&self) -> String {
        match self {
            Trigger::Always => "all".to_owned(),
            Trigger::Rate(share) => format!("{} %", trimmed(share.get() * 100.0)),
            Trigger::First(first) => format!("first {first}"),
            Trigger::Every(every) => format!("every {every}"),
            Trigger::Pattern(pattern) => pattern.to_string(),
            Trigger::Above(rate) => format!("above {rate}"),
            Trigger::On(state) => state.as_str().to_owned(),
        }
    }

    /// The share of requests that it asks for, where it is one.
    pub fn asked_share(&self) -> Option<f64> {
        match self {
            Trigger::Always => Some(1.0),
            Trigger::Rate(share) => Some(share.get()),
            Trigger::Every(every) => Some(1.0 / every.get() as f64),
            Trigger::Pattern(Pattern(positions)) if !positions.is_empty() => {
                let conflicts = positions.iter().filter(|conflicts| **conflicts).count();
                Some(conflicts as f64 / positions.len() as f64)
            }
            _ => None,
        }
    }
}

/// The pattern as written, or what it amounts to when it is long.
impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const LONGEST: usize = 12;
        let Pattern(positions) = self;
        if positions.len() <= LONGEST {
            return positions
                .iter()
                .try_for_each(|conflicts| f.write_str(if *conflicts { "x" } else { "." }));
        }
        let conflicts = positions.iter().filter(|conflicts| **conflicts).count();
        write!(f, "{conflicts} of {}", positions.len())
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
            assert_eq!(Trigger::Rate(Share::new(share).expect("a share")).asked(), text);
        }
    }
}
