//! `replies`: several responses of one rule, taken in turn or drawn by weight.

use super::rule::ReplySettings;

/// Maximum number of replies of one rule.
pub const MOST_REPLIES: usize = 100;

/// The replies of one rule: at least one, and at most [`MOST_REPLIES`].
#[derive(Clone, Debug, PartialEq)]
pub struct Replies {
    choices: Box<[ReplyChoice]>,
    /// Each weight added to those before it; `None`: in turn.
    sums: Option<Box<[u64]>>,
}

/// One of several replies.
#[derive(Clone, Debug, PartialEq)]
pub enum ReplyChoice {
    /// The rule leaves the request alone.
    Pass,
    Respond(ReplySettings),
    /// With `phase = "lost"`: the connection ends without a response.
    Withhold,
}

impl ReplyChoice {
    /// The response, if it is one.
    pub fn settings(&self) -> Option<&ReplySettings> {
        match self {
            ReplyChoice::Respond(settings) => Some(settings),
            ReplyChoice::Pass | ReplyChoice::Withhold => None,
        }
    }
}

impl Replies {
    /// `None` without a choice. With `weights`, one for each choice and not all 0, the choices are drawn.
    pub fn new(choices: Vec<ReplyChoice>, weights: Option<Vec<u32>>) -> Option<Replies> {
        let sums = weights.map(|weights| {
            let add = |sum: &mut u64, weight: u32| {
                *sum += u64::from(weight);
                Some(*sum)
            };
            weights.into_iter().scan(0, add).collect::<Box<[u64]>>()
        });
        let is_sound = sums
            .as_ref()
            .is_none_or(|sums| sums.len() == choices.len() && sums.last().is_some_and(|total| *total > 0));
        (!choices.is_empty() && is_sound).then(|| Replies { choices: choices.into(), sums })
    }

    pub fn choices(&self) -> &[ReplyChoice] {
        &self.choices
    }

    /// Whether they are drawn by weight.
    pub fn are_drawn(&self) -> bool {
        self.sums.is_some()
    }

    /// The position of the `n`-th reply of a key, from 1; `fraction` is a draw from 0 (included) to 1 (excluded).
    pub fn choose(&self, n: u64, fraction: impl FnOnce() -> f64) -> usize {
        let last = self.choices.len() - 1;
        let Some(sums) = &self.sums else {
            return usize::try_from(n.saturating_sub(1)).unwrap_or(usize::MAX).min(last);
        };
        let total = sums.last().copied().unwrap_or_default();
        let drawn = (fraction() * total as f64) as u64;
        sums.partition_point(|sum| *sum <= drawn).min(last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passes(number: usize, weights: Option<Vec<u32>>) -> Option<Replies> {
        Replies::new(vec![ReplyChoice::Pass; number], weights)
    }

    #[test]
    fn in_turn_the_last_one_stays() {
        let replies = passes(3, None).expect("replies");
        let taken: Vec<usize> = (1..=6).map(|n| replies.choose(n, || 0.9)).collect();
        assert_eq!(taken, [0, 1, 2, 2, 2, 2]);
        assert_eq!((replies.choose(0, || 0.0), replies.choose(u64::MAX, || 0.0)), (0, 2));
    }

    #[test]
    fn by_weight_a_draw_falls_into_its_part_and_never_on_a_weight_of_0() {
        let replies = passes(4, Some(vec![0, 3, 0, 1])).expect("replies");
        for (fraction, position) in [(0.0, 1), (0.74, 1), (0.75, 3), (0.999_999, 3)] {
            assert_eq!(replies.choose(1, || fraction), position, "{fraction}");
        }
    }

    #[test]
    fn there_is_always_one_to_take() {
        assert_eq!(passes(0, None), None);
        assert_eq!(passes(2, Some(vec![0, 0])), None);
        assert_eq!(passes(2, Some(vec![1])), None);
        let replies = passes(2, Some(vec![u32::MAX; 2])).expect("replies");
        assert_eq!(replies.choose(1, || 1.0 - f64::EPSILON), 1);
    }
}
