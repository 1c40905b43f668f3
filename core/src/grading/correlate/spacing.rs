//! Waits that one caller makes by itself: what tells tries that come from new connections from the requests
//! of several callers.

use crate::model::Attempt;

/// A try that comes so late (µs) after a response, with nothing of its identity in between, is a wait: others
/// who send the same would seldom leave so much time.
const QUIET: u64 = 400_000;
/// How much shorter than the longest wait before it a wait may be: a twentieth of it, and so many µs of a
/// machine's noise.
const TWENTIETH: u64 = 20;
const NOISE: u64 = 15_000;
/// So many of them in a row are no chance, as a rule refuses whoever comes.
const ENOUGH: u64 = 4;
/// From so many waits on, those at places that take turns must not differ: two callers that are spread evenly
/// over their wait alternate between two gaps.
const MANY: u64 = 5;
/// How many standard errors two means of such waits may lie apart by chance.
const ERRORS: [(usize, f64); 2] = [(2, 2.5), (3, 3.0)];
/// The least common multiple of the periods in `ERRORS`.
const PLACES: usize = 6;
/// Timers round down.
const SLACK: u64 = 20_000;

/// The waits before the tries of one operation.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Spacing {
    /// One of them was too short, or not the caller's own.
    is_broken: bool,
    /// The first try met an upstream that did not answer at all, and not a rule.
    is_after_hangup: bool,
    count: u64,
    first: u64,
    longest: u64,
    /// By place: how many there are, and the sums of their differences from the first and of the squares of
    /// these.
    places: [Sums; PLACES],
}

#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    count: f64,
    sum: f64,
    squares: f64,
}

impl Spacing {
    /// Adds the wait from a response to the next try. `is_undisturbed`: nothing but reads was sent under the
    /// identity since.
    pub fn add(&mut self, before: &Attempt, gap: u64, is_undisturbed: bool) {
        if self.count == 0 {
            self.first = gap;
            self.is_after_hangup = before.is_unanswered();
        }
        let asked = before.got.asked_micros();
        let is_early = gap.saturating_add(SLACK) < asked;
        let is_shorter = gap.saturating_add(NOISE) < self.longest - self.longest / TWENTIETH;
        self.is_broken |= !is_undisturbed || gap < QUIET || is_early || is_shorter;
        self.longest = self.longest.max(gap);
        if let Some(place) = self.places.get_mut(self.count as usize % PLACES) {
            place.add(gap as f64 - self.first as f64);
        }
        self.count += 1;
    }

    /// Whether one caller alone waits so. `has_succeeded`: the last try did.
    pub fn is_of_one(&self, has_succeeded: bool) -> bool {
        // Refusals of a rule meet every caller. Of an upstream that has hung up once, the one who comes next
        // and with the same request is mostly the one who met that.
        let is_enough = self.count >= ENOUGH || self.count > 0 && self.is_after_hangup && has_succeeded;
        is_enough && !self.is_broken && !self.takes_turns()
    }

    /// Whether waits at every second or every third place differ from the others beyond chance.
    fn takes_turns(&self) -> bool {
        let takes_turns = |(period, errors): (usize, f64)| {
            let mut groups = [Sums::default(); PLACES];
            for (at, place) in self.places.iter().enumerate() {
                if let Some(group) = groups.get_mut(at % period) {
                    group.merge(place);
                }
            }
            let groups = groups.get(..period).unwrap_or_default();
            let within: f64 = groups.iter().map(Sums::scatter).sum();
            let variance = within / (self.count as f64 - period as f64);
            let pairs = groups
                .iter()
                .enumerate()
                .flat_map(|(at, one)| groups.iter().skip(at + 1).map(move |other| (one, other)));
            pairs.into_iter().any(|(one, other)| {
                let error = (variance * (1.0 / one.count + 1.0 / other.count)).sqrt();
                (one.mean() - other.mean()).abs() > errors * error
            })
        };
        // With two of each at least.
        ERRORS.into_iter().any(|(period, errors)| {
            self.count >= MANY.max(2 * period as u64) && takes_turns((period, errors))
        })
    }
}

impl Sums {
    fn add(&mut self, number: f64) {
        self.merge(&Sums { count: 1.0, sum: number, squares: number * number });
    }

    fn merge(&mut self, other: &Sums) {
        self.count += other.count;
        self.sum += other.sum;
        self.squares += other.squares;
    }

    fn mean(&self) -> f64 {
        self.sum / self.count
    }

    /// The sum of squared differences from the mean.
    fn scatter(&self) -> f64 {
        (self.squares - self.sum * self.mean()).max(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ResponseRecord;

    fn is_of_one(gaps: &[u64]) -> bool {
        let refused = Attempt {
            got: ResponseRecord { status: Some(409), ..ResponseRecord::default() },
            ..Attempt::default()
        };
        let mut spacing = Spacing::default();
        gaps.iter().for_each(|gap| spacing.add(&refused, gap * 1_000, true));
        spacing.is_of_one(false)
    }

    #[test]
    fn one_caller_is_told_by_waits_that_are_alike_or_grow() {
        for (what, gaps, expected) in [
            ("a loop that sleeps", &[520, 531, 517, 542, 526, 520, 533, 524][..], true),
            ("exactly even", &[500, 500, 500, 500, 500, 500], true),
            ("waits that double", &[500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000], true),
            ("and stay at a limit", &[500, 1_000, 2_000, 2_000, 2_000, 2_000, 2_000], true),
            ("too few", &[520, 531, 517], false),
            ("too short", &[390, 390, 390, 390, 390], false),
            ("one that is too short", &[520, 531, 399, 542, 526], false),
            ("shorter than before", &[1_000, 1_000, 920, 1_000, 1_000], false),
            ("two callers that take turns", &[500, 520, 501, 519, 500, 521, 499], false),
            ("three", &[500, 520, 510, 501, 519, 511, 500, 521], false),
        ] {
            assert_eq!(is_of_one(gaps), expected, "{what}");
        }
    }
}
