//! Behaviour of the counted triggers: the query to the store, and the judgement by its reply.

use std::time::Duration;

use super::operation::{Op, Reply};
use crate::model::{Dice, KeyHash, Moment};
use crate::rules::{During, Schedule, State, Trigger};

impl Trigger {
    /// The state that the trigger tracks, under `on`.
    pub fn state(&self) -> Option<&State> {
        match self {
            Trigger::On(state) => Some(state),
            Trigger::Counted(_) => None,
        }
    }

    /// How much longer an admitted request stays in flight after its response.
    pub fn hold(&self) -> Duration {
        self.state().map_or(Duration::ZERO, State::hold)
    }

    /// The query whose reply the judgement needs.
    pub fn query(&self) -> Op {
        match self.schedule() {
            Some(Schedule::Above(rate)) => Op::Window(*rate),
            _ => Op::Count,
        }
    }

    /// Whether the request conflicts.
    pub fn judge(&self, counted: &Reply, dice: Dice, key: KeyHash) -> bool {
        let n = counted.n();
        let Some(schedule) = self.schedule() else { return false };
        match schedule {
            Schedule::Always => true,
            Schedule::Rate(share) => dice.falls_within(*share, key, n),
            Schedule::First(first) => n <= first.get(),
            Schedule::Every(every) => n.is_multiple_of(every.get()),
            Schedule::Pattern(pattern) => pattern.conflicts(n),
            Schedule::Above(_) => matches!(counted, Reply::Windowed { wait, .. } if !wait.is_zero()),
        }
    }
}

impl Schedule {
    /// How many of a key's first `n` requests conflict; `None` where that is a matter of chance or time.
    pub fn conflicts_up_to(&self, n: u64) -> Option<u64> {
        match self {
            Schedule::Always => Some(n),
            Schedule::First(first) => Some(n.min(first.get())),
            Schedule::Every(every) => Some(n / every.get()),
            Schedule::Pattern(pattern) => Some(pattern.conflicts_up_to(n)),
            Schedule::Rate(_) | Schedule::Above(_) => None,
        }
    }
}

impl crate::rules::Pattern {
    fn conflicts_up_to(&self, n: u64) -> u64 {
        let positions = self.positions();
        let length = positions.len().max(1) as u64;
        let count = |positions: &[bool]| positions.iter().filter(|conflicts| **conflicts).count() as u64;
        let rest = positions.get(..(n % length) as usize).unwrap_or_default();
        (n / length).saturating_mul(count(positions)).saturating_add(count(rest))
    }

    /// Whether position `n` (from 1) of the repeating sequence conflicts.
    fn conflicts(&self, n: u64) -> bool {
        let length = self.positions().len().max(1) as u64;
        let position = n.saturating_sub(1) % length;
        self.positions().get(position as usize).copied().unwrap_or(false)
    }
}

impl During {
    /// Whether a rule is awake at `now`.
    pub fn is_awake(&self, now: Moment) -> bool {
        let awake = self.awake_for(now);
        awake.is_some_and(|elapsed| self.length.is_none_or(|length| elapsed < length))
    }

    /// How long a rule that is awake at `now` stays so; `None`: to the end.
    pub fn remaining(&self, now: Moment) -> Option<Duration> {
        Some(self.length?.saturating_sub(self.awake_for(now)?))
    }

    /// The time since the latest awakening; `None` before the first.
    fn awake_for(&self, now: Moment) -> Option<Duration> {
        let elapsed = Duration::from_nanos(now.0.checked_sub(Moment::after_start(self.after).0)?);
        Some(match self.every {
            Some(every) if !every.is_zero() => {
                Duration::from_nanos((elapsed.as_nanos() % every.as_nanos()) as u64)
            }
            _ => elapsed,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::num::{NonZeroU32, NonZeroU64};

    use super::*;
    use crate::model::Share;
    use crate::rules::{Pattern, Rate};

    fn fired(schedule: &Schedule, requests: u64) -> String {
        let dice = Dice::new(1, "rule");
        let trigger = Trigger::from(schedule.clone());
        (1..=requests)
            .map(|n| if trigger.judge(&Reply::Counted { n }, dice, KeyHash(0)) { 'x' } else { '.' })
            .collect()
    }

    #[test]
    fn counted_triggers_fire_by_position() {
        let pattern =
            |text: &str| Schedule::Pattern(Pattern::new(text.chars().map(|c| c == 'x')).expect("a pattern"));
        let number = |n| NonZeroU64::new(n).expect("not zero");
        for (schedule, expected) in [
            (Schedule::Always, "xxxxxxxx"),
            (Schedule::First(number(3)), "xxx....."),
            (Schedule::Every(NonZeroU64::MIN), "xxxxxxxx"),
            (Schedule::Every(number(3)), "..x..x.."),
            (pattern("..xx."), "..xx...x"),
            (pattern("x"), "xxxxxxxx"),
            (Schedule::Rate(Share::new(0.0).expect("a share")), "........"),
            (Schedule::Rate(Share::new(1.0).expect("a share")), "xxxxxxxx"),
        ] {
            assert_eq!(fired(&schedule, 8), expected, "{schedule:?}");
            for n in 0..=8 {
                let conflicts = fired(&schedule, n).matches('x').count() as u64;
                assert!(
                    schedule.conflicts_up_to(n).is_none_or(|up_to| up_to == conflicts),
                    "{schedule:?} {n}"
                );
            }
        }
    }

    #[test]
    fn above_fires_when_the_bucket_is_empty() {
        let rate = Rate { requests: NonZeroU32::MIN, period: Duration::from_secs(1) };
        let trigger = Trigger::from(Schedule::Above(rate));
        assert_eq!(trigger.query(), Op::Window(rate));
        let judge = |wait| trigger.judge(&Reply::Windowed { n: 9, wait }, Dice::new(1, "r"), KeyHash(0));
        assert!(judge(Duration::from_nanos(1)) && !judge(Duration::ZERO));
    }

    #[test]
    fn during_wakes_and_sleeps() {
        let seconds = Duration::from_secs;
        let once = During { after: seconds(10), length: Some(seconds(5)), every: None };
        let forever = During { after: seconds(10), length: None, every: None };
        let again = During { after: seconds(10), length: Some(seconds(5)), every: Some(seconds(20)) };
        for (second, is_once, is_forever, is_again) in [
            (0, false, false, false),
            (9, false, false, false),
            (10, true, true, true),
            (14, true, true, true),
            (15, false, true, false),
            (29, false, true, false),
            (30, false, true, true),
            (35, false, true, false),
        ] {
            let now = Moment::after_start(seconds(second));
            let awake = (once.is_awake(now), forever.is_awake(now), again.is_awake(now));
            assert_eq!(awake, (is_once, is_forever, is_again), "{second} s");
        }
        for (second, remaining) in [(10, 5), (14, 1), (30, 5), (33, 2)] {
            let now = Moment::after_start(seconds(second));
            assert_eq!(again.remaining(now), Some(seconds(remaining)), "{second} s");
            assert_eq!(forever.remaining(now), None);
        }
    }
}
