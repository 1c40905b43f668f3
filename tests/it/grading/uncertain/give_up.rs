//! R10: how long a client goes on by itself, beside the waits that it was asked for.

use fracas::model::AskedWait;

use super::*;

#[test]
fn of_a_wait_that_was_asked_for_only_what_was_waited_is_excused() {
    const STEP: u64 = 25;
    for (about, asked, expected) in [
        ("nothing asked", &[][..], Verdict::Warn),
        ("each wait asked", &[STEP; 7], Verdict::Pass),
        ("a part of each asked", &[10; 7], Verdict::Pass),
        ("an hour asked once", &[3_600], Verdict::Warn),
    ] {
        let tries = |at: u64| format!("{} PUT /items/1 > 409 transient\n", at * STEP * 1_000);
        let mut grading = Grading::new(Criteria::default());
        for (at, mut attempt) in attempts(&(0..7).map(tries).collect::<String>()).into_iter().enumerate() {
            attempt.got.retry_after = asked.get(at).map(|seconds| AskedWait::Seconds(seconds * 1_000));
            grading.add(attempt);
        }
        grading.clients_gone();
        assert_eq!(verdict(&grading.finish(Vec::new(), 0), 10), Some(expected), "{about}");
    }
}
