//! What a check's word is worth where a bound has left something out: nothing passes by what was not kept,
//! and nobody is accused by sums over several products.

use super::super::Verdict;
use super::{Class, Judged};
use crate::grading::checks::tally::Tally;

/// A check's word, as far as what was kept bears it.
pub(super) fn hold(check: u8, judged: Judged, tally: &Tally, class: &Class) -> Judged {
    let doubt = match check {
        // Laws are those of one product: the waits of several, put together, follow none.
        6..=8 if class.is_mixed => {
            "fewer products (`User-Agent`) in one run: these were too many to be told apart"
        }
        // Calls of it that cost one request each were counted elsewhere.
        11 if class.is_partial && judged.verdict != Verdict::Pass => {
            "fewer products (`User-Agent`) in one run: some of this one's calls were counted with others'"
        }
        13 if judged.verdict == Verdict::Pass && tally.crowd.has_forgotten() => {
            "a shorter run: only the newest refusals were kept"
        }
        // These count, or look at the first tries of an operation, which are always kept.
        7..=11 | 13 => return judged,
        _ if judged.verdict == Verdict::Pass && tally.unkept > 0 => {
            "shorter operations: of the longest ones the tries in the middle were not kept"
        }
        _ => return judged,
    };
    Judged { verdict: Verdict::Undetermined, ..judged.advice(doubt) }
}
