//! Findings claim only facts that the record shows: records in which some facts stay unknown.

mod give_up;

use fracas::grading::{Criteria, Finding, Grading, Report, Verdict};
use fracas::model::{Attempt, Fingerprint, InjectedConflict, Kind, Phase, RequestRecord, ResponseRecord};
use fracas::rules;

/// A record line by line: `AT METHOD PATH [v=…] [k=…] [b=…] [c=…] > STATUS|- [up=…] [e=…] [KIND[:PHASE]]`, where `AT` is
/// in milliseconds, and each attempt takes one.
fn attempts(text: &str) -> Vec<Attempt> {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).zip(1..).map(attempt).collect()
}

fn attempt((line, id): (&str, u64)) -> Attempt {
    let mut words = line.split_whitespace();
    let mut next = || words.next().expect("AT METHOD PATH");
    let start = next().parse::<u64>().expect("milliseconds") * 1_000;
    let (method, path) = (next().into(), next().into());
    let (mut sent, mut got, mut conflict) = (RequestRecord::default(), ResponseRecord::default(), None);
    let (mut connection, mut agent) = (0, None);
    (sent.body, sent.bytes) = (Some(Fingerprint(1)), 9);
    for word in words {
        match word.split_once('=') {
            Some(("v", version)) => sent.version = Some(version.into()),
            Some(("k", key)) => sent.idempotency_key = Some(Fingerprint(key.parse().expect("a number"))),
            Some(("b", body)) => sent.body = Some(Fingerprint(body.parse().expect("a number"))),
            Some(("c", number)) => connection = number.parse().expect("a number"),
            Some(("up", status)) => got.upstream = Some(status.parse().expect("a status")),
            Some(("e", error)) => got.error = Some(error.into()),
            Some(("by", other)) => agent = Some(other.into()),
            _ if matches!(word, ">" | "-") => {}
            _ if word.starts_with(|c: char| c.is_ascii_digit()) => {
                got.status = Some(word.parse().expect("a status"));
            }
            _ => {
                let (kind, phase) = word.split_once(':').unwrap_or((word, "before"));
                let kind = Kind::ALL.into_iter().find(|known| known.as_str() == kind).expect("a kind");
                let phase = Phase::ALL.into_iter().find(|known| known.to_string() == phase).expect("a phase");
                let key = Fingerprint(1);
                conflict = Some(InjectedConflict { rule: "rule".into(), kind, phase, n: id, key });
            }
        }
    }
    // Without a conflict or an error, the client's status is the upstream's.
    if conflict.is_none() && got.error.is_none() {
        got.upstream = got.upstream.or(got.status);
    }
    let client = Fingerprint(if agent.is_some() { 2 } else { 1 });
    Attempt {
        id,
        agent,
        start,
        end: start + 1_000,
        client,
        method,
        path,
        sent,
        got,
        conflict,
        connection,
        ..Attempt::default()
    }
}

fn graded(asked: &str, text: &str, have_clients_gone: bool) -> Report {
    let accepted = rules::read("rules.toml", asked, &|_| Err(rules::BodyFileError::Missing));
    let mut grading = Grading::new(Criteria::of(&accepted.expect("rules").config));
    for attempt in attempts(text) {
        grading.add(attempt);
    }
    if have_clients_gone {
        grading.clients_gone();
    }
    grading.finish(Vec::new(), 0)
}

/// Of one check over all rules: its verdict and its words.
fn found(report: &Report, check: u8) -> (Verdict, String) {
    let findings = report.clients.iter().flat_map(|client| &client.findings);
    let of = |finding: &&Finding| finding.check.number() == check && finding.rule.is_none();
    let finding = { findings }.find(of).unwrap_or_else(|| panic!("nothing of R{check}"));
    (finding.verdict, finding.measured.clone())
}

/// The verdict of one check over all rules, if it has one.
fn verdict(report: &Report, check: u8) -> Option<Verdict> {
    let mut findings = report.clients.iter().flat_map(|client| &client.findings);
    let finding = findings.find(|finding| finding.check.number() == check && finding.rule.is_none());
    finding.map(|finding| finding.verdict)
}

#[test]
fn a_lost_conditional_write_that_is_replayed_and_refused_may_have_been_found_out_or_not() {
    use Verdict::{Fail, Pass, Undetermined};
    for (what, text, verdict) in [
        (
            "refused by its own first write, and nothing after it",
            "0   PUT /items/1 v=1 > - up=200 transient:lost
             500 PUT /items/1 v=1 > 412",
            Undetermined,
        ),
        (
            "or with a 409",
            "0   PUT /items/1 v=1 > - up=200 transient:lost
             500 PUT /items/1 v=1 > 409",
            Undetermined,
        ),
        (
            "again and again",
            "0    PATCH /items/1 v=1 > - up=200 transient:lost
             500  PATCH /items/1 v=1 > 412
             1500 PATCH /items/1 v=1 > 412",
            Undetermined,
        ),
        (
            "a key that is still in use",
            "0   POST /orders k=1 > - up=201 transient:lost
             500 POST /orders k=1 > 409",
            Undetermined,
        ),
        (
            "looked up in the end",
            "0    PUT /items/1 v=1 > - up=200 transient:lost
             500  PUT /items/1 v=1 > 412
             600  GET /items/1 > 200",
            Pass,
        ),
        (
            "looked up first",
            "0   PUT /items/1 v=1 > - up=200 transient:lost
             400 GET /items/1 > 200
             500 PUT /items/1 v=1 > 412",
            Pass,
        ),
        (
            "written over the new version",
            "0   PUT /items/1 v=1 > - up=200 transient:lost
             500 PUT /items/1 v=1 > 412
             1200 GET /items/1 > 200
             1300 PUT /items/1 v=2 > 200",
            Pass,
        ),
        (
            "not refused at all",
            "0   PUT /items/1 > - up=200 transient:lost
             500 PUT /items/1 > 200",
            Pass,
        ),
        (
            "and a new write is a new write",
            "0   POST /orders > - up=201 transient:lost
             500 POST /orders > 409",
            Fail,
        ),
    ] {
        let (found, measured) = found(&graded("", text, true), 15);
        assert_eq!(found, verdict, "{what}: {measured}");
    }
}

#[test]
fn a_write_without_an_answer_may_have_been_applied() {
    use Verdict::{Fail, Pass, Undetermined};
    for (what, first, second, verdict) in [
        ("the upstream hung up", "> 502 e=reset", "> 201", Undetermined),
        ("it took too long", "> 504 e=timeout", "> 201", Undetermined),
        ("its answer was no HTTP", "> 502 e=protocol", "> 201", Undetermined),
        ("the client did not wait", "> - e=client", "> 201", Undetermined),
        ("a 500 says nothing", "> 500", "> 201", Undetermined),
        ("nor does a gateway's error", "> 504", "> 201", Undetermined),
        ("nor the second time", "> 500", "> 500", Undetermined),
        ("it was never sent", "> 502 e=connect", "> 201", Pass),
        ("nor over TLS", "> 502 e=tls", "> 201", Pass),
        ("a 503 says that nothing was done", "> 503", "> 201", Pass),
        ("so does a conflict", "> 409", "> 201", Pass),
        ("a rule kept it out", "> 409 transient", "> 201", Pass),
        ("one key", "k=1 > 502 e=reset", "k=1 > 201", Pass),
        ("one version", "v=1 > 502 e=reset", "v=1 > 201", Pass),
        ("both are known", "> - up=201 transient:lost", "> 201", Fail),
    ] {
        for method in ["POST", "PATCH"] {
            let text = format!("0 {method} /orders {first}\n500 {method} /orders {second}");
            let (found, measured) = found(&graded("", &text, true), 14);
            assert_eq!(found, verdict, "{what}: {measured}");
            assert!(found == Pass || !measured.contains("applied once"), "{what}: {measured}");
        }
    }
}

/// `count` copies of `text`, each on an item of its own.
fn each(count: u64, text: &str) -> String {
    let operation = |number: u64| {
        let lines = text.lines().map(str::trim).map(move |line| {
            let (at, rest) = line.split_once(' ').expect("AT …");
            let at = at.parse::<u64>().expect("milliseconds") + number * 40_000;
            format!("{at} {}", rest.replace("/items/1", &format!("/items/{number}")))
        });
        lines.collect::<Vec<_>>().join("\n")
    };
    (0..count).map(operation).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_client_that_went_on_has_not_stopped_at_the_first_conflict() {
    for (text, verdict, measured) in [
        // Another body each time, and no version: the state may be from anywhere.
        (
            "0 PUT /items/1 b=1 > 409 version\n500 PUT /items/1 b=2 > 409 version\n\
             1500 PUT /items/1 b=3 > 409 version",
            Verdict::Undetermined,
            "16 of 24 moves cannot be judged",
        ),
        ("0 PUT /items/1 b=1 > 409 version", Verdict::Pass, "all 8 stopped at the first conflict"),
        (
            "0 PUT /items/1 > 409 transient\n500 PUT /items/1 > 409 transient",
            Verdict::Pass,
            "8 retried as they should, 8 stopped",
        ),
    ] {
        let report = graded("", &each(8, text), true);
        assert_eq!(found(&report, 1), (verdict, measured.to_owned()));
    }
}

#[test]
fn the_wait_beside_the_reads_is_what_counts() {
    for (what, waits, verdict) in [
        ("at once", [1, 1], Verdict::Warn),
        ("a short wait, always the same", [12, 1], Verdict::Warn),
        ("a wait before the read", [40, 1], Verdict::Pass),
        ("a wait between read and write", [1, 40], Verdict::Pass),
    ] {
        let mut text = String::new();
        for item in 0..3_u64 {
            let mut at = item * 40_000;
            for version in 0..4 {
                text += &format!("{at} PUT /items/{item} v={version} > 409 version\n");
                text += &format!("{} GET /items/{item} > 200\n", at + 1 + waits[0]);
                at += 2 + waits[0] + waits[1];
            }
        }
        let (found, measured) = found(&graded("", &text, true), 6);
        assert_eq!(found, verdict, "{what}: {measured}");
    }
}

#[test]
fn a_client_still_trying_when_the_record_ends_has_not_stopped() {
    let tries = |count: u64| {
        (0..count).map(|at| format!("{} PUT /items/1 > 409 transient\n", at * 500)).collect::<String>()
    };
    for (count, have_gone, cap, give_up) in [
        (5, false, Verdict::Undetermined, Verdict::Undetermined),
        (40, false, Verdict::Fail, Verdict::Fail),
        (5, true, Verdict::Pass, Verdict::Pass),
    ] {
        let report = graded("", &tries(count), have_gone);
        assert_eq!((found(&report, 9).0, found(&report, 10).0), (cap, give_up), "{count} tries");
        let open = report.totals.unfinished;
        assert_eq!(open, u64::from(!have_gone));
    }
    let report = graded("", &tries(5), false);
    assert_eq!(found(&report, 9).1, "most: 5; still trying at the end");
    assert_eq!(found(&report, 10).1, "still trying at the end");
}

#[test]
fn a_client_that_drops_the_refused_parts_of_a_bulk_request_has_not_recovered() {
    let asked = "[expect]\nrecovered = 1.0\n";
    for (what, text, verdict) in [
        ("dropped", "0 POST /_bulk > 200 version", Verdict::Fail),
        ("as created", "0 POST /db/_bulk_docs > 201 version", Verdict::Fail),
        ("in many states", "0 POST /batch > 207 version", Verdict::Fail),
        ("in GraphQL", "0 POST /graphql > 200 version", Verdict::Fail),
        ("an item, with a 2xx", "0 PUT /items/1 > 204 version", Verdict::Fail),
        ("sent again", "0 POST /_bulk > 200 transient\n500 POST /_bulk > 200", Verdict::Pass),
        (
            "the rest, or the next",
            "0 POST /_bulk b=1 > 200 version\n500 POST /_bulk b=2 > 200",
            Verdict::Undetermined,
        ),
    ] {
        let report = graded(asked, text, true);
        assert_eq!(report.expectations[0].verdict, verdict, "{what}: {:?}", report.expectations);
        assert_eq!(report.totals.recovered, u64::from(verdict == Verdict::Pass), "{what}");
    }
}

#[test]
fn the_line_of_a_client_says_only_what_its_checks_say() {
    use fracas::grading::{BackoffShape, Jitter};
    // Two operations of three uneven gaps: neither growth nor jitter can be told of so few.
    let text = each(
        2,
        "0 PUT /items/1 > 409 transient\n190 PUT /items/1 > 409 transient\n330 PUT /items/1 > 409 transient\n600 PUT /items/1 > 200",
    );
    let report = graded("", &text, true);
    assert_eq!((found(&report, 7).0, found(&report, 8).0), (Verdict::Undetermined, Verdict::Undetermined));
    let told = report.clients[0].backoff.as_ref().expect("it waited");
    assert_eq!((told.shape, told.jitter), (BackoffShape::Undetermined, Jitter::Undetermined), "{told:?}");
    // One operation of four tries shows its growth, but not its variation.
    let text = "0 PUT /items/1 > 409 transient\n100 PUT /items/1 > 409 transient\n300 PUT /items/1 > 409 transient\n\
                700 PUT /items/1 > 409 transient\n1500 PUT /items/1 > 200";
    let report = graded("", text, true);
    assert_eq!((found(&report, 7).0, found(&report, 8).0), (Verdict::Pass, Verdict::Undetermined));
    let told = report.clients[0].backoff.as_ref().expect("it waited");
    assert_eq!((told.shape, told.jitter), (BackoffShape::Exponential, Jitter::Undetermined), "{told:?}");
}

#[test]
fn tries_of_one_call_or_of_several_neither_pass_nor_fail() {
    // A connection each, 250 and 500 ms apart: workers that take turns.
    let tries = (0..16)
        .map(|at| format!("{} PUT /items/1 c={at} > 409 transient\n", at * 375 + at % 2 * 125))
        .collect::<String>();
    let report = graded("", &tries, false);
    assert_eq!(found(&report, 9).0, Verdict::Undetermined);
    let give_up = "still trying at the end, in one call or in several".to_owned();
    assert_eq!(found(&report, 10), (Verdict::Undetermined, give_up));

    let twice = "0 POST /orders c=1 > 502 e=reset\n1000 POST /orders c=2 > 201";
    assert_eq!(found(&graded("", twice, true), 14).0, Verdict::Undetermined);
}

/// Tries half a second apart, each on a connection of its own and refused so.
fn spaced(count: u64, refusal: &str) -> String {
    (0..count).map(|at| format!("{} PUT /items/1 c={at} > {refusal}\n", at * 500)).collect()
}

#[test]
fn a_loop_that_sleeps_is_judged_by_its_tries_and_not_by_its_waits() {
    let report = graded("", &spaced(16, "409 transient"), false);
    assert_eq!(found(&report, 9), (Verdict::Fail, "most: 16".to_owned()));
    assert_eq!(found(&report, 10).0, Verdict::Fail);
    // Polite callers that are spread evenly over their wait would look so.
    for check in [7, 8, 12, 13] {
        let verdict = verdict(&report, check);
        assert!(verdict.is_none_or(|verdict| verdict == Verdict::Undetermined), "R{check}: {verdict:?}");
    }
    // A single retry after a hang-up is the same call, although it is unknown whether both were applied.
    let twice = "0 POST /orders c=1 > 502 e=reset\n1000 POST /orders c=2 > 201";
    let report = graded("", twice, true);
    assert_eq!((found(&report, 14).0, found(&report, 16).0), (Verdict::Undetermined, Verdict::Fail));
}

#[test]
fn a_client_passes_by_what_it_did_after_a_conflict_alone() {
    for (what, text, have_clients_gone, verdict) in [
        ("stopped", "0 PUT /items/1 > 409 transient", true, Verdict::Pass),
        ("may still be about to try again", "0 PUT /items/1 > 409 transient", false, Verdict::Undetermined),
        ("met nothing", "0 PUT /items/1 > 200", true, Verdict::Undetermined),
        (
            "nobody knows whose tries they are, and only requests can be counted",
            "0   PUT /items/1 v=1 c=1 > - up=200 transient:lost
             700 PUT /items/1 v=1 c=2 > 412",
            true,
            Verdict::Undetermined,
        ),
        (
            "its accepted write was applied once, and the refused one's tries cannot be told apart",
            "0   POST /register b=7 c=1 > 201
             50  POST /register b=7 c=2 > 409 duplicate
             150 POST /register b=7 c=3 > 409 duplicate
             250 POST /register b=7 c=4 > 409 duplicate
             350 POST /register b=7 c=5 > 409 duplicate
             450 POST /register b=7 c=6 > 409 duplicate",
            true,
            Verdict::Undetermined,
        ),
        (
            "another client's write was accepted, and it met no conflict",
            "0   PUT /items/2 by=other/1 > 200
             10  PUT /items/1 v=1 c=1 > - up=200 transient:lost
             700 PUT /items/1 v=1 c=2 > 412",
            true,
            Verdict::Undetermined,
        ),
    ] {
        let report = graded("", text, have_clients_gone);
        assert_eq!(report.verdict, verdict, "{what}: {:#?}", report.clients);
    }
}
