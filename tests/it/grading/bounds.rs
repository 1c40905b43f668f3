//! No bound drops evidence silently: evidence beyond each is judged, or reported as unknown, and never passes.

mod listed;

use fracas::grading::{Criteria, Finding, Grading, Missing, Report, Verdict};
use fracas::model::{
    AskedWait, Attempt, Fingerprint, InjectedConflict, Kind, Phase, RequestRecord, ResponseRecord,
    RuleReading,
};
use fracas::report::{self, Format, ReportInput, Width};
use fracas::rules;
use proptest::prelude::*;

const SECOND: u64 = 1_000_000;

fn request(start: u64, agent: &str, client: u64, method: &str, status: u16) -> Attempt {
    Attempt {
        start,
        end: start + 1_000,
        client: Fingerprint(client),
        agent: Some(agent.into()),
        method: method.into(),
        path: "/items/1".into(),
        sent: RequestRecord { body: Some(Fingerprint(client)), bytes: 9, ..RequestRecord::default() },
        got: ResponseRecord { status: Some(status), upstream: Some(status), ..ResponseRecord::default() },
        ..Attempt::default()
    }
}

fn refused(attempt: Attempt, rule: &str, kind: Kind) -> Attempt {
    let key = Fingerprint(1);
    let conflict = Some(InjectedConflict { rule: rule.into(), kind, phase: Phase::Before, n: 1, key });
    let got = ResponseRecord { status: Some(409), ..ResponseRecord::default() };
    Attempt { conflict, got, ..attempt }
}

/// A call of that many tries, half a second apart, all of them refused.
fn call(start: u64, agent: &str, client: u64, tries: u64) -> Vec<Attempt> {
    let at = |n| request(start + n * SECOND / 2, agent, client, "PUT", 409);
    (0..tries).map(|n| refused(at(n), "r", Kind::Transient)).collect()
}

fn graded(asked: &str, attempts: impl IntoIterator<Item = Attempt>) -> Report {
    let accepted = rules::read("rules.toml", asked, &|_| Err(rules::BodyFileError::Missing));
    let mut grading = Grading::new(Criteria::of(&accepted.expect("rules").config));
    let mut attempts: Vec<Attempt> = attempts.into_iter().collect();
    attempts.sort_by_key(|attempt| attempt.end);
    for (id, attempt) in (1..).zip(attempts) {
        grading.add(Attempt { id, ..attempt });
    }
    grading.clients_gone();
    grading.finish(Vec::new(), 0)
}

fn finding<'r>(report: &'r Report, agent: &str, check: u8) -> Option<&'r Finding> {
    let client = report.clients.iter().find(|client| client.agent == agent)?;
    client.findings.iter().find(|finding| finding.check.number() == check && finding.rule.is_none())
}

fn verdict(report: &Report, agent: &str, check: u8) -> Option<Verdict> {
    finding(report, agent, check).map(|finding| finding.verdict)
}

#[test]
fn a_class_that_is_refused_takes_the_place_of_one_that_never_was() {
    let visitors = (0..40).map(|n| request(n, &format!("visitor/{n}"), n, "GET", 200));
    let report = graded("[expect]\nmax_tries = 5\n", visitors.chain(call(SECOND, "hammer/1", 99, 40)));
    assert_eq!((report.verdict, &*report.expectations[0].found), (Verdict::Fail, "most: 40"));
    assert_eq!(verdict(&report, "hammer/1", 9), Some(Verdict::Fail));
    // The visitors that lost their places are counted with the others.
    let others = report.clients.iter().find(|client| client.agent == "(all others)").expect("others");
    assert_eq!((report.clients.len(), others.operations, report.totals.other_clients), (33, 9, 9));
    assert_eq!(report.clients.iter().map(|client| client.operations).sum::<u64>(), 41);
}

#[test]
fn classes_without_a_place_are_judged_as_one() {
    let polite = (0..32).flat_map(|n| call(n * 100, &format!("polite/{n}"), n, 5));
    let hammers = (40..45).flat_map(|n| call(n * 100, &format!("hammer/{n}"), n, 12));
    let report = graded("", polite.chain(hammers));
    assert_eq!(report.totals.other_clients, 5);
    assert_eq!(verdict(&report, "(all others)", 9), Some(Verdict::Fail));
    // Waits of several products follow no law.
    for check in [6, 7, 8] {
        assert!(
            matches!(verdict(&report, "(all others)", check), None | Some(Verdict::Undetermined)),
            "R{check}"
        );
    }
    assert_eq!(verdict(&report, "polite/3", 7), Some(Verdict::Warn), "it has a law of its own");
    let expected = graded(
        "[expect]\nbackoff = true\njitter = true\n",
        (0..40).flat_map(|n| call(n * 100, &format!("a/{n}"), n, 4)),
    );
    assert!(expected.expectations.iter().all(|expected| expected.verdict != Verdict::Pass));
}

#[test]
fn a_class_that_was_among_the_others_is_not_accused_by_what_is_left_of_it() {
    // It has many calls, of which only the last ones, which are refused, are counted as its own.
    let visitors = (0..32).map(|n| request(n, &format!("visitor/{n}"), n, "GET", 200));
    let good = (0..500).map(|n| request(1_000 + n * 2_000, "late/1", 99, "GET", 200));
    let bad = (0..12).flat_map(|n| call(10 * SECOND + n * 100, "late/1", 100 + n, 12));
    let report = graded("", visitors.chain(good).chain(bad.collect::<Vec<_>>()));
    assert_eq!(verdict(&report, "late/1", 11), Some(Verdict::Undetermined));
    assert_eq!(verdict(&report, "late/1", 9), Some(Verdict::Fail), "what was seen of it is sure");
}

#[test]
fn a_fault_under_a_rule_beyond_those_told_apart_is_found() {
    let calls = (0..50).flat_map(|n| {
        let tries = if n == 49 { 12 } else { 2 };
        let own = move |attempt: Attempt| Attempt { path: format!("/{n}").into(), ..attempt };
        let of_rule = move |attempt| refused(own(attempt), &format!("rule-{n}"), Kind::Transient);
        call(n * 100, "a/1", 1, tries).into_iter().map(of_rule)
    });
    let report = graded("", calls);
    assert_eq!(verdict(&report, "a/1", 9), Some(Verdict::Fail));
    let asked = "[[rule]]\nname = \"rule-49\"\nexpect = { max_tries = 5 }\n";
    let calls = call(0, "a/1", 1, 12);
    let many = (0..49).flat_map(|n| {
        call(n, "a/1", 2 + n, 2)
            .into_iter()
            .map(move |attempt| refused(attempt, &format!("rule-{n}"), Kind::Transient))
    });
    let last = calls.into_iter().map(|attempt| refused(attempt, "rule-49", Kind::Transient));
    assert_eq!(
        graded(asked, many.chain(last)).verdict,
        Verdict::Fail,
        "a rule that is asked about has a place"
    );
}

#[test]
fn nothing_passes_by_tries_that_were_not_kept() {
    // It reads before every write but those in the middle.
    let mut record = Vec::new();
    for n in 0..100 {
        let start = n * SECOND;
        record.push(refused(request(start, "a/1", 1, "PUT", 409), "r", Kind::Version));
        if !(35..65).contains(&n) {
            record.push(request(start + SECOND / 2, "a/1", 1, "GET", 200));
        }
    }
    let report = graded("[expect]\nrefetch = true\n", record.clone());
    assert_eq!(report.expectations[0].verdict, Verdict::Undetermined, "{:?}", report.expectations);
    assert_eq!(verdict(&report, "a/1", 2), Some(Verdict::Undetermined));
    assert_eq!(verdict(&report, "a/1", 9), Some(Verdict::Fail), "tries are counted, kept or not");
    let short = graded("[expect]\nrefetch = true\n", record.into_iter().take(40));
    assert_eq!(short.expectations[0].verdict, Verdict::Pass);
}

#[test]
fn immediate_retries_beyond_the_columns_of_the_law_count() {
    let mut record = call(0, "a/1", 1, 17);
    let last = record.last().expect("a try").end;
    record.extend(
        (0..40)
            .map(|n| refused(request(last + 2_000 + n * 2_000, "a/1", 1, "PUT", 409), "r", Kind::Transient)),
    );
    // One mark of the call makes sure that it is one.
    let marked = record.into_iter().map(|attempt| {
        let sent = RequestRecord { operation: Some(Fingerprint(7)), ..attempt.sent.clone() };
        Attempt { sent, ..attempt }
    });
    assert_eq!(verdict(&graded("", marked), "a/1", 6), Some(Verdict::Fail));
}

#[test]
fn the_worst_ten_seconds_are_remembered() {
    let storm = (0..20).flat_map(|n| call(n * 1_000, "a/1", n, 60));
    let calm = (0..12_000).map(|n| request((10 + n) * SECOND, "a/1", 1_000 + n, "GET", 200));
    let report = graded("", storm.chain(calm));
    assert_eq!(verdict(&report, "a/1", 11), Some(Verdict::Fail), "{:?}", finding(&report, "a/1", 11));
}

#[test]
fn crowds_that_are_forgotten_let_nothing_pass() {
    // A crowd comes back apart every two seconds.
    let crowds = |many: u64| {
        (0..many).flat_map(|crowd| {
            (0..20).flat_map(move |n| {
                let (start, client) = (crowd * 10 * SECOND, crowd * 100 + n);
                let first = refused(request(start, "a/1", client, "PUT", 409), "r", Kind::Transient);
                [first, request(start + SECOND + n * SECOND / 10, "a/1", client, "PUT", 200)]
            })
        })
    };
    assert_eq!(verdict(&graded("", crowds(40)), "a/1", 13), Some(Verdict::Pass));
    assert_eq!(verdict(&graded("", crowds(60)), "a/1", 13), Some(Verdict::Undetermined));
}

#[test]
fn forgotten_requests_of_a_client_are_not_held_against_it() {
    // It removes the order that refers to the item, and tries again within a second; many requests come in between.
    let tale = |between: u64, clients: u64| {
        let first = refused(request(0, "a/1", 1, "DELETE", 409), "r", Kind::Referenced);
        let removed = Attempt { path: "/orders/7".into(), ..request(2_000, "a/1", 1, "DELETE", 204) };
        let noise = (0..between).map(move |n| {
            let client = if clients == 1 { 1 } else { 1_000 + n };
            Attempt { path: format!("/{n}").into(), ..request(4_000 + n * 50, "a/1", client, "GET", 200) }
        });
        let again = refused(request(800_000, "a/1", 1, "DELETE", 409), "r", Kind::Referenced);
        graded("", [first, removed].into_iter().chain(noise).chain([again]))
    };
    for (between, clients) in [(0, 1), (40, 1), (300, 1), (9_000, 9_000)] {
        let report = tale(between, clients);
        for check in [1, 17] {
            let word = verdict(&report, "a/1", check);
            assert!(!matches!(word, Some(Verdict::Fail | Verdict::Warn)), "{between}, R{check}: {word:?}");
        }
    }
}

#[test]
fn calls_beyond_those_that_are_looked_at_are_accused_of_nothing() {
    // Calls of one client side by side, each with its own body: all are refused, one read, all write anew.
    let write = |start, body, n: u64| {
        let sent = RequestRecord {
            body: Some(Fingerprint(body)),
            bytes: 9,
            idempotency_key: Some(Fingerprint(n)),
            ..RequestRecord::default()
        };
        Attempt { sent, ..request(start, "a/1", 1, "PUT", 200) }
    };
    for calls in [60, 200] {
        let first = (0..calls).map(|n| refused(write(n, n, n), "r", Kind::Version));
        let read = request(SECOND, "a/1", 1, "GET", 200);
        let second = (0..calls).map(|n| write(2 * SECOND + n * 2_000, 1_000 + n, n));
        let report = graded("[expect]\nrefetch = true\n", first.chain([read]).chain(second));
        assert_eq!(report.totals.recovered, calls, "each call is found again");
        assert_eq!(report.expectations[0].verdict, Verdict::Pass, "{:?}", report.expectations);
    }
}

#[test]
fn a_write_that_succeeded_long_ago_may_be_sent_anew() {
    // The write succeeded before: one that is refused and comes early may be a new call's, however much was
    // written in between.
    let tale = |between: u64| {
        let write = |start, status| Attempt { connection: 1, ..request(start, "a/1", 1, "PUT", status) };
        let other = move |n: u64| Attempt { path: format!("/{n}").into(), ..write(10_000 + n * 10, 200) };
        let start = 10 * SECOND + between * 10;
        let mut first = refused(write(start, 409), "r", Kind::Transient);
        first.got.retry_after = Some(AskedWait::Seconds(5_000));
        let again = write(start + SECOND, 200);
        graded("", [write(0, 200)].into_iter().chain((0..between).map(other)).chain([first, again]))
    };
    for between in [0, 100, 80_000] {
        let report = tale(between);
        assert_eq!(verdict(&report, "a/1", 5), Some(Verdict::Undetermined), "{between}");
    }
}

#[test]
fn a_reading_for_more_rules_than_are_kept_may_be_one_for_each() {
    // It reads by POST, as the `read` of all the rules says, before it writes anew.
    for rules in [1, 8, 9, 40] {
        let asked: String = (0..rules)
            .map(|n| format!("[[rule]]\nname = \"r{n}\"\nmethod = \"PUT\"\npath = \"/items/{{id}}\"\nkind = \"version\"\nfirst = 1\nread = {{ method = \"POST\", path = \"/rpc\" }}\n"))
            .collect();
        let write = |start, body, status| {
            let sent = RequestRecord { body: Some(Fingerprint(body)), bytes: 9, ..RequestRecord::default() };
            Attempt { connection: 1, sent, ..request(start, "a/1", 1, "PUT", status) }
        };
        let first = refused(write(0, 1, 409), &format!("r{}", rules - 1), Kind::Version);
        let mut read =
            Attempt { connection: 1, path: "/rpc".into(), ..request(100_000, "a/1", 1, "POST", 200) };
        (0..rules)
            .for_each(|n| read.got.shown.read_for(RuleReading { rule: format!("r{n}").into(), key: None }));
        let report = graded(&asked, [first, read, write(110_000, 2, 200)]);
        let found = verdict(&report, "a/1", 2);
        assert_eq!(found, Some(if rules > 8 { Verdict::Undetermined } else { Verdict::Pass }), "{rules}");
    }
}

#[test]
fn counts_of_clients_and_products_say_where_they_end() {
    let text = |report: &Report| {
        let mut out = Vec::new();
        let (started, paint) = (jiff::Timestamp::UNIX_EPOCH, fracas::rules::Paint::Plain);
        let subject = ReportInput { report, attempts: &[], started, paint, width: Width::of(None) };
        report::write(Format::Markdown, subject, &mut out).expect("memory");
        String::from_utf8(out).expect("text")
    };
    for (clients, said) in [
        (9_999, "of 9,999 clients"),
        (10_000, "of at least 10,000 clients"),
        (10_050, "of at least 10,000 clients"),
    ] {
        let calls = (0..clients).flat_map(|n| call(n * 100, "a/1", n, 1));
        let text = text(&graded("", calls));
        assert!(text.contains(said), "{clients}: {text}");
    }
    let products = (0..10_050).flat_map(|n| call(n * 100, &format!("a{n}/1"), n, 1));
    let text = text(&graded("", products));
    assert!(text.contains("at least 10,000 more products are not told apart"), "{text}");
}

#[test]
fn operations_that_are_put_away_let_nothing_pass() {
    let open = |many: u64| {
        let calls = (0..many).flat_map(|n| {
            let own = move |attempt: Attempt| Attempt { path: format!("/{n}").into(), ..attempt };
            call(n, "a/1", 1, 2).into_iter().map(own)
        });
        graded("[expect]\nmax_tries = 5\n", calls)
    };
    let whole = open(1_000);
    assert_eq!((whole.verdict, whole.totals.incomplete), (Verdict::Pass, false));
    let put_away = open(1_100);
    assert!(put_away.totals.evicted > 0 && put_away.totals.incomplete);
    assert_eq!(put_away.verdict, Verdict::Undetermined);
    let passes = put_away
        .clients
        .iter()
        .flat_map(|client| &client.findings)
        .filter(|finding| finding.verdict == Verdict::Pass);
    assert_eq!(passes.count(), 0);
}

#[test]
fn counts_are_of_all_operations_however_few_are_kept_as_evidence() {
    let calls = (0..6_000).flat_map(|n| call(n * 100, "a/1", n, 7));
    let report = graded("[expect]\nno_retry = true\n", calls);
    assert_eq!(report.expectations[0].found, "6000 of 6000 operations tried again");
    assert_eq!((report.totals.conflicted, report.clients[0].tries), (6_000, 42_000));
    assert!(report.operations.len() < 1_000);
}

#[test]
fn missing_attempts_make_accusations_undetermined() {
    let mut grading = Grading::new(Criteria::default());
    let blind = (0..8).map(|n| {
        let write = refused(request(n * SECOND / 2, "a/1", 1, "PUT", 409), "r", Kind::Version);
        Attempt {
            id: n + 1,
            sent: RequestRecord { version: Some("1".into()), ..write.sent.clone() },
            ..write
        }
    });
    blind.for_each(|attempt| drop(grading.add(attempt)));
    grading.clients_gone();
    let whole = grading.report(Vec::new(), 0);
    let holes = grading.finish(Vec::new(), Missing::from(1));
    for check in [1, 2, 3] {
        assert_eq!(verdict(&whole, "a/1", check), Some(Verdict::Fail), "R{check}");
        assert_eq!(verdict(&holes, "a/1", check), Some(Verdict::Undetermined), "R{check}");
    }
    assert_eq!(verdict(&holes, "a/1", 9), verdict(&whole, "a/1", 9), "eight tries are eight");
    assert!(holes.totals.incomplete && !whole.totals.incomplete);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Counts over all clients depend neither on the number of products nor on their order.
    #[test]
    fn expectations_of_all_clients_do_not_depend_on_their_products(
        calls in prop::collection::vec((0u64..90, 1u64..14, any::<bool>()), 1..120),
    ) {
        let asked = "[expect]\nmax_tries = 5\namplification = 2.0\nrecovered = 0.9\nmin_gap = \"1s\"\n";
        let record = |name: &dyn Fn(u64) -> String| {
            let mut attempts = Vec::new();
            for (n, (agent, tries, is_plain)) in (0..).zip(&calls) {
                let agent = name(*agent);
                if *is_plain {
                    attempts.push(request(n * 1_000, &agent, n, "GET", 200));
                } else {
                    attempts.extend(call(n * 1_000, &agent, n, *tries));
                }
            }
            graded(asked, attempts)
        };
        let one = record(&|_| "a/1".to_owned());
        let many = record(&|agent| format!("a/{agent}"));
        for (one, many) in one.expectations.iter().zip(&many.expectations) {
            prop_assert_eq!((&one.name, &one.found, one.verdict), (&many.name, &many.found, many.verdict));
        }
        let sum = |of: fn(&fracas::grading::ClientReport) -> u64| many.clients.iter().map(of).sum::<u64>();
        prop_assert_eq!(sum(|client| client.operations), many.totals.operations);
        prop_assert_eq!(sum(|client| client.gave_up), many.totals.gave_up);
    }
}
