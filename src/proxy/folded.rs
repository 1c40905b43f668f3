//! A repeated warning: logged at its first occurrence, and then at intervals with the count in between.

use std::cell::Cell;

use crate::model::Moment;

/// Interval between two lines.
const PAUSE_NS: u64 = 10_000_000_000;

/// Says when a repeated warning is due.
#[derive(Debug, Default)]
pub struct Folded {
    told: Cell<Option<Moment>>,
    untold: Cell<u64>,
}

impl Folded {
    /// Counts one more occurrence. When a line is due, returns the number of occurrences not logged since the last.
    pub fn again(&self, now: Moment) -> Option<u64> {
        let is_due = self.told.get().is_none_or(|told| now.0.saturating_sub(told.0) >= PAUSE_NS);
        if !is_due {
            self.untold.update(|untold| untold + 1);
            return None;
        }
        self.told.set(Some(now));
        Some(self.untold.take())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_is_told_and_then_one_line_in_ten_seconds() {
        let folded = Folded::default();
        let told: Vec<_> = (0..25).map(|second| folded.again(Moment(second * 1_000_000_000))).collect();
        let lines: Vec<_> =
            told.iter().enumerate().filter_map(|(at, told)| told.map(|more| (at, more))).collect();
        assert_eq!(lines, [(0, 0), (10, 9), (20, 9)]);
    }
}
