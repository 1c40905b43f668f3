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
/// So many of them in a row are no chance, as a rule refuses every caller.
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
/// How much shorter than the median a sleep of constant length may seem: a 25th. A caller that is late by more
/// would make the wait after it as much shorter, if that were another caller's.
const TWENTY_FIFTH: u64 = 25;
/// From so many waits on, one in four may be late; of fewer only the first, as a program starts slowly once.
const MANY_WAITS: usize = 8;
const FOURTH: usize = 4;

/// The waits before the tries of one operation.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Spacing {
    /// One of them was too short for any caller, or not the caller's own.
    is_broken: bool,
    /// One was shorter than one before it.
    is_uneven: bool,
    /// The first try met an upstream that did not answer at all, and not a rule.
    is_after_hangup: bool,
    longest: u64,
    turns: Turns,
}

/// Waits by their places in a row.
#[derive(Clone, Copy, Debug, Default)]
struct Turns {
    count: u64,
    first: u64,
    /// By place: how many waits there are, and the sums of their differences from the first and of the squares
    /// of these.
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
        if self.turns.count == 0 {
            self.is_after_hangup = before.is_unanswered();
        }
        let asked = before.got.asked_micros();
        let is_early = gap.saturating_add(SLACK) < asked;
        self.is_broken |= !is_undisturbed || gap < QUIET || is_early;
        self.is_uneven |= gap.saturating_add(NOISE) < self.longest - self.longest / TWENTIETH;
        self.longest = self.longest.max(gap);
        self.turns.add(self.turns.count as usize, gap);
    }

    /// Whether one caller alone waits so. `has_succeeded`: the last try did. `waits`: the first ones (µs), 32 at
    /// most.
    pub fn is_of_one(&self, has_succeeded: bool, waits: &[u64]) -> bool {
        // A rule refuses every caller. After one hang-up of an upstream, the next equal request is mostly that of
        // the caller who met it.
        let count = self.turns.count;
        let is_enough = count >= ENOUGH || count > 0 && self.is_after_hangup && has_succeeded;
        let is_even = !self.is_uneven && !self.turns.are_taken();
        is_enough && !self.is_broken && (is_even || count >= ENOUGH && is_one_sleep(waits))
    }
}

/// Whether these are sleeps of one length (µs), some of them made longer by a busy machine. A late try of one of
/// several callers would make the next caller's wait shorter, and a caller that has stopped would leave one
/// of twice the length.
fn is_one_sleep(waits: &[u64]) -> bool {
    let mut sorted = waits.to_vec();
    sorted.sort_unstable();
    let (Some(&least), Some(&median)) = (sorted.first(), sorted.get(sorted.len() / 2)) else { return false };
    let is_late = |wait: u64| wait > median + median / TWENTIETH + NOISE;
    let most = median + median / 2;
    let late = waits.iter().filter(|wait| is_late(**wait)).count();
    let are_few = match waits.len() {
        MANY_WAITS.. => late <= waits.len() / FOURTH,
        _ => late <= usize::from(waits.first().is_some_and(|first| is_late(*first))),
    };
    let is_regular =
        least >= median - median / TWENTY_FIFTH && sorted.last().is_some_and(|last| *last < most);
    let mut turns = Turns::default();
    let in_time = waits.iter().enumerate().filter(|(_, wait)| !is_late(**wait));
    in_time.for_each(|(place, wait)| turns.add(place, *wait));
    are_few && is_regular && !turns.are_taken()
}

impl Turns {
    fn add(&mut self, place: usize, wait: u64) {
        if self.count == 0 {
            self.first = wait;
        }
        if let Some(sums) = self.places.get_mut(place % PLACES) {
            sums.add(wait as f64 - self.first as f64);
        }
        self.count += 1;
    }

    /// Whether waits at every second or every third place differ from the others beyond chance.
    fn are_taken(&self) -> bool {
        let are_taken = |(period, errors): (usize, f64)| {
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
        ERRORS
            .into_iter()
            .any(|(period, errors)| self.count >= MANY.max(2 * period as u64) && are_taken((period, errors)))
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
        let waits: Vec<u64> = gaps.iter().map(|gap| gap * 1_000).collect();
        spacing.is_of_one(false, &waits)
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
            ("a busy machine", &[535, 527, 514, 521, 529, 569, 543, 514, 528, 523, 515, 525, 558], true),
            ("and a busier one", &[548, 520, 510, 508, 524, 609, 587, 517, 515, 521, 520, 527, 523], true),
            ("a program that starts slowly at first", &[571, 514, 510, 509], true),
            ("later it need not", &[514, 510, 571, 509], false),
            ("one in three late", &[571, 514, 510, 571, 509, 512, 571, 511, 514], false),
            ("one that is missed, of five callers", &[500, 501, 500, 1_000, 501, 500, 500, 1_000], false),
            ("of two callers one is late", &[500, 501, 560, 440, 500, 501, 500, 501, 500], false),
            ("and stays so", &[500, 501, 500, 560, 440, 560, 440, 560, 440], false),
            ("three", &[500, 520, 510, 501, 519, 511, 500, 521], false),
        ] {
            assert_eq!(is_of_one(gaps), expected, "{what}");
        }
    }
}
