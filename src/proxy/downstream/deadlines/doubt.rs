//! A second look before something is declared overdue.

use std::time::Duration;

use super::Wait;
use crate::model::Moment;

/// Delay before the second look: after the process was stopped, or on a busy machine, the bytes and the timer become
/// ready in one turn, and other tasks may have to pass the bytes on first.
pub const ANOTHER_LOOK: Duration = Duration::from_millis(10);
/// Maximum number of further looks, each allowed only if the one before came late: its turn was a long one.
const MOST_LOOKS: u8 = 3;

/// A deadline that seems to have expired, and gets a second look.
#[derive(Debug, Default)]
pub struct Doubt {
    wait: Option<Wait>,
    /// The time of that look.
    pub until: Moment,
    looks: u8,
}

impl Doubt {
    /// Whether an expired deadline gets another look, at `until`.
    pub fn looks_again(&mut self, wait: Wait, now: Moment) -> bool {
        let is_new = self.wait != Some(wait);
        let was_late = now.since(self.until) >= ANOTHER_LOOK && self.looks < MOST_LOOKS;
        if is_new || was_late {
            let looks = if is_new { 1 } else { self.looks + 1 };
            *self = Doubt { wait: Some(wait), until: now + ANOTHER_LOOK, looks };
            return true;
        }
        *self = Doubt::default();
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_overdue_is_looked_at_again_and_again_only_while_looks_come_late() {
        let mut doubt = Doubt::default();
        let at = |milliseconds: u64| Moment(milliseconds * 1_000_000);
        assert!(doubt.looks_again(Wait::Answer, at(100)));
        assert!(!doubt.looks_again(Wait::Answer, at(111)), "nothing came");
        assert!(doubt.looks_again(Wait::Answer, at(200)), "another time");
        assert!(doubt.looks_again(Wait::Answer, at(900)), "stopped again");
        assert!(doubt.looks_again(Wait::Answer, at(1_900)));
        assert!(!doubt.looks_again(Wait::Answer, at(2_900)), "often enough");
        assert!(doubt.looks_again(Wait::Answer, at(3_000)) && doubt.looks_again(Wait::Write, at(3_010)));
    }
}
