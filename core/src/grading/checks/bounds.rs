//! A check's result where a bound has left something out: no client passes on dropped evidence, and none is
//! accused by sums over several products.

use super::super::Verdict;
use super::{CheckDefinition, CheckResult, Class, NeededTries, Products, Tally};

/// The check's result, as far as the kept evidence supports it.
pub(super) fn hold(
    check: &CheckDefinition,
    judged: CheckResult,
    tally: &Tally,
    class: &Class,
) -> CheckResult {
    let doubt = if check.products == Products::One && class.is_mixed {
        "fewer products (`User-Agent`) in one run: these were too many to be told apart"
    } else if check.tries == NeededTries::Every && judged.verdict == Verdict::Pass && tally.unkept > 0 {
        "shorter operations: of the longest ones the tries in the middle were not kept"
    } else {
        return judged;
    };
    judged.doubted(doubt)
}
