//! R10: how long a client goes on by itself, beside the waits that it was asked for, and the state of one whose
//! command is killed.

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

/// R10 of a record whose command is killed at some time (ms).
fn of_killed(text: &str, killed_at: u64) -> Option<(Verdict, String)> {
    let mut grading = Grading::new(Criteria::default());
    attempts(text).into_iter().for_each(|attempt| drop(grading.add(attempt)));
    grading.command_killed(killed_at * 1_000);
    let report = grading.finish(Vec::new(), 0);
    verdict(&report, 10).map(|_| found(&report, 10))
}

#[test]
fn a_client_that_waits_for_its_next_try_when_its_command_is_killed_does_not_give_up() {
    use Verdict::{Fail, Undetermined};
    const IN_A_WAIT: &str = "still trying when the command was ended: 5 tries over 2 s";
    const PERHAPS: &str = "the command was ended after try 5, which may have been the last one";
    const OPEN: &str = "still trying at the end";
    let five = spaced(5, "409 transient");
    let kept =
        five.replace("c=1", "").replace("c=2", "").replace("c=3", "").replace("c=4", "").replace("c=0", "");
    let four = kept.lines().take(4).collect::<Vec<_>>().join("\n");
    let swift =
        (0..5).map(|at| format!("{} PUT /items/1 > 409 transient\n", 800 + at * 300)).collect::<String>();
    let uneven = five.replace("1500 PUT", "1200 PUT");
    let and = |line: &str| format!("{kept}{line}");
    let under_way = and("2500 PUT /items/1 > - e=client");
    for (about, text, killed_at, expected) in [
        ("a loop in its wait", &*five, 2_300, (Fail, IN_A_WAIT)),
        ("on one connection", &kept, 2_300, (Fail, IN_A_WAIT)),
        ("after a read", &and("2010 GET /items/1 > 200"), 2_300, (Fail, IN_A_WAIT)),
        ("killed right after its fifth try", &five, 2_002, (Undetermined, PERHAPS)),
        ("on one connection, too", &kept, 2_090, (Undetermined, PERHAPS)),
        (
            "the sixth was under way",
            &under_way,
            2_501,
            (Fail, &*IN_A_WAIT.replace("5 tries over 2 s", "6 tries over 2.5 s")),
        ),
        ("of waits that may be those between callers", &swift, 2_300, (Undetermined, PERHAPS)),
        ("the next try was overdue", &kept, 2_800, (Undetermined, OPEN)),
        ("it went on to another request", &and("2100 GET /others > 200"), 2_300, (Undetermined, OPEN)),
        ("too few", &four, 1_800, (Undetermined, OPEN)),
        (
            "one call or several",
            &uneven,
            2_300,
            (Undetermined, "still trying at the end, in one call or in several"),
        ),
    ] {
        let (verdict, said) = expected;
        assert_eq!(of_killed(text, killed_at), Some((verdict, said.to_owned())), "{about}");
    }
    let recovered = format!("{five}2500 PUT /items/1 c=9 > 200");
    assert_ne!(of_killed(&recovered, 2_600).map(|(verdict, _)| verdict), Some(Fail));
}

#[test]
fn a_client_that_is_still_trying_after_the_longest_time_is_warned() {
    for (unit, expected) in [(5, Verdict::Undetermined), (10, Verdict::Warn)] {
        let waits = [0, 1, 3, 7, 15].map(|units| units * unit * 1_000);
        let text: String = waits.map(|at| format!("{at} PUT /items/1 > 409 transient\n")).concat();
        let report = graded("", &text, false);
        assert_eq!(verdict(&report, 10), Some(expected), "{unit} s, doubled each time");
    }
}

#[test]
fn a_loop_on_a_busy_machine_is_one_loop_and_one_that_ignores_what_was_asked_may_be_several() {
    let waits = [571, 514, 510, 509, 530, 569, 543, 514, 528, 523, 515];
    let starts: Vec<u64> = std::iter::once(0)
        .chain(waits.into_iter().scan(0, |at, wait| {
            *at += wait + 1;
            Some(*at)
        }))
        .collect();
    let text = |count: usize| {
        let tries = starts.iter().take(count).enumerate();
        tries.map(|(c, at)| format!("{at} PUT /items/1 c={c} > 409 transient\n")).collect::<String>()
    };
    for (count, killed_at, expected) in [(5, 2_300, Verdict::Fail), (12, 6_000, Verdict::Fail)] {
        assert_eq!(of_killed(&text(count), killed_at).map(|(verdict, _)| verdict), Some(expected), "{count}");
    }
    // Four callers that wait two seconds each, as they were asked to, come every half second, too.
    let mut grading = Grading::new(Criteria::default());
    for mut attempt in attempts(&spaced(16, "409 transient")) {
        attempt.got.retry_after = Some(AskedWait::Seconds(2_000));
        grading.add(attempt);
    }
    grading.command_killed(7_800_000);
    let report = grading.finish(Vec::new(), 0);
    for check in [5, 9, 10] {
        let verdict = verdict(&report, check);
        assert!(verdict.is_none_or(|verdict| verdict == Verdict::Undetermined), "R{check}: {verdict:?}");
    }
}

#[test]
fn a_final_response_shows_no_giving_up() {
    use Verdict::{Pass, Undetermined};
    for (about, text, expected) in [
        ("not found", "0 PUT /items/1 > 404", Undetermined),
        (
            "beside a recovery",
            "0 PUT /items/1 > 409 transient\n500 PUT /items/1 > 200\n900 POST /login > 404",
            Undetermined,
        ),
        ("after a conflict", "0 PUT /items/1 > 409 transient\n500 PUT /items/1 > 422", Undetermined),
        ("a conflict", "0 PUT /items/1 > 409 transient", Pass),
        ("an upstream's conflict", "0 PUT /items/1 > 409", Pass),
        ("a failure", "0 PUT /items/1 > 503", Pass),
    ] {
        let report = graded(
            "",
            &format!("{text}\n40000 PUT /items/2 > 409 transient\n40500 PUT /items/2 > 200"),
            true,
        );
        assert_eq!((found(&report, 9).0, found(&report, 10).0), (expected, expected), "{about}");
    }
}
