//! Reports built by hand: every format is shown with them.

mod operations;
mod own;

use fracas::grading::{
    Backoff, BackoffShape, CheckDefinition, CheckId, ClientReport, CommandEnd, CommandReport, Demands,
    ExitReport, Expectation, Finding, Gap, Herd, Jitter, OperationOutcome, Report, RuleReport, RunReport,
    Totals, Verdict,
};

use self::operations::{recovering, replaying};
pub use self::own::{own, own_only};

/// Every sample, by name.
pub fn all() -> [(&'static str, Report); 8] {
    [
        ("all_pass", all_pass()),
        ("failing", failing()),
        ("undetermined", undetermined()),
        ("hostile", hostile()),
        ("empty", empty()),
        ("untested", untested()),
        ("own", own()),
        ("own_only", own_only()),
    ]
}

/// One good client.
pub fn all_pass() -> Report {
    let mut client = client("my-service/1.5", Verdict::Pass);
    client.findings = vec![
        finding(2, Verdict::Pass, "reads again before it writes again", "18 of 18"),
        finding(5, Verdict::Pass, "waits as long as Retry-After says", "18 of 18, never early"),
        finding(8, Verdict::Pass, "spreads its tries out", "full"),
        finding(9, Verdict::Pass, "stops after at most 5 tries", "most: 3"),
    ];
    (client.recovered, client.gave_up, client.tries) = (18, 0, 54);
    client.gaps = gaps(3, |retry, nth| 100.0 * 2_f64.powi(retry) * (0.2 + f64::from(nth % 9) / 10.0), None);
    client.backoff = Some(Backoff {
        shape: BackoffShape::Exponential,
        jitter: Jitter::Full,
        base_ms: 104.0,
        factor: Some(2.0),
        cap_ms: Some(20_000.0),
        operations: 18,
        mean_gaps_ms: vec![(104.0, 18), (211.0, 18)],
    });
    Report {
        version: 1,
        verdict: Verdict::Pass,
        totals: Totals {
            attempts: 1_072,
            operations: 412,
            conflicted: 18,
            recovered: 18,
            elapsed_ms: 12_410,
            ..Totals::default()
        },
        clients: vec![client],
        rules: rules(),
        expectations: vec![Expectation {
            name: "max_tries".to_owned(),
            rule: None,
            asked: "5".to_owned(),
            found: "at most 3".to_owned(),
            verdict: Verdict::Pass,
            operations: vec![],
        }],
        operations: vec![recovering(3)],
        run: run(0),
        exit: exit(0, "the command exited with 0, and so does the run"),
        ..Report::default()
    }
}

/// One client that falls short, and one that could do better.
pub fn failing() -> Report {
    let mut hasty = client("my-service/1.4", Verdict::Fail);
    hasty.findings = vec![
        Finding {
            value: Some(7.0),
            limit: Some(18.0),
            unit: Some("operations".to_owned()),
            advice: Some(
                "fetch the item after a 409, apply the change to what you got, and send its new ETag"
                    .to_owned(),
            ),
            operations: vec![14],
            ..finding(
                2,
                Verdict::Fail,
                "reads again before it writes again",
                "11 of 18 replayed the stale version",
            )
        },
        Finding {
            rule: Some("somebody-else-won".to_owned()),
            operations: vec![14],
            ..finding(
                2,
                Verdict::Fail,
                "reads again before it writes again",
                "11 of 11 replayed the stale version",
            )
        },
        Finding {
            rule: Some("flaky-writes".to_owned()),
            ..finding(2, Verdict::Pass, "reads again before it writes again", "7 of 7")
        },
        finding(5, Verdict::Pass, "waits as long as Retry-After says", "18 of 18, never early"),
        Finding {
            advice: Some("add a random part to each wait, of at least half its length".to_owned()),
            operations: vec![14],
            ..finding(8, Verdict::Warn, "spreads its tries out", "small (±4 %): 12 clients would collide")
        },
        finding(9, Verdict::Pass, "stops after at most 5 tries", "most: 5"),
        Finding {
            advice: Some("needs 5 clients at once, saw 1".to_owned()),
            ..finding(13, Verdict::Undetermined, "its clients do not come back together", "1 client")
        },
    ];
    hasty.backoff = Some(Backoff {
        shape: BackoffShape::Exponential,
        jitter: Jitter::Small,
        base_ms: 104.0,
        factor: Some(2.0),
        cap_ms: Some(2_000.0),
        operations: 18,
        mean_gaps_ms: vec![(104.0, 18), (207.0, 14), (413.0, 8), (830.0, 3)],
    });
    hasty.gaps =
        gaps(5, |retry, nth| 52.0 * 2_f64.powi(retry) * (0.96 + f64::from(nth % 9) / 100.0), Some(1_000));
    hasty.herd = Some(Herd {
        clients: 12,
        index: 0.75,
        window_ms: 20.0,
        bar_ms: 10.0,
        first_retries: vec![1, 4, 5, 1, 0, 0, 1],
    });
    let mut herding = client("python-httpx/0.28.1", Verdict::Warn);
    (herding.conflicted, herding.recovered, herding.gave_up, herding.unfinished) = (1, 0, 0, 1);
    (herding.clients, herding.tries) = (1, 2);
    herding.findings = vec![finding(7, Verdict::Warn, "waits longer each time", "waits 500 ms each time")];
    Report {
        version: 1,
        verdict: Verdict::Fail,
        totals: Totals {
            attempts: 1_072,
            operations: 412,
            conflicted: 19,
            recovered: 17,
            gave_up: 1,
            unfinished: 1,
            dropped: 7,
            evicted: 2,
            other_clients: 2,
            elapsed_ms: 12_410,
            ..Totals::default()
        },
        clients: vec![hasty, herding],
        rules: rules(),
        expectations: vec![
            Expectation {
                name: "refetch".to_owned(),
                rule: None,
                asked: "true".to_owned(),
                found: "11 of 18 operations did not read again".to_owned(),
                verdict: Verdict::Fail,
                operations: vec![14],
            },
            Expectation {
                name: "max_tries".to_owned(),
                rule: Some("somebody-else-won".to_owned()),
                asked: "5".to_owned(),
                found: "at most 5".to_owned(),
                verdict: Verdict::Pass,
                operations: vec![],
            },
        ],
        operations: vec![replaying(14), recovering(31)],
        run: run(3),
        exit: exit(3, "the command exited with 3, and so does the run"),
        ..Report::default()
    }
}

/// Too little to say anything.
pub fn undetermined() -> Report {
    let mut client = client("curl/8.5.0", Verdict::Undetermined);
    (client.clients, client.operations, client.conflicted, client.tries) = (1, 1, 1, 1);
    (client.recovered, client.gave_up, client.unfinished) = (0, 0, 1);
    client.findings = vec![
        Finding {
            advice: Some("needs three operations that were tried again, saw none".to_owned()),
            ..finding(7, Verdict::Undetermined, "waits longer each time", "no retry")
        },
        finding(13, Verdict::Undetermined, "its clients do not come back together", "1 client"),
    ];
    let mut operation = replaying(0);
    operation.agent = "curl/8.5.0".to_owned();
    operation.outcome = OperationOutcome::Unfinished;
    operation.count = 1;
    operation.tries.truncate(1);
    Report {
        version: 1,
        verdict: Verdict::Undetermined,
        totals: Totals { attempts: 1, operations: 1, conflicted: 1, unfinished: 1, ..Totals::default() },
        clients: vec![client],
        rules: rules(),
        expectations: vec![],
        operations: vec![operation],
        ..Report::default()
    }
}

/// A report with hostile text in every field that is untrusted.
pub fn hostile() -> Report {
    let nasty =
        "\u{1b}[31m</script><script>alert(1)</script>\"'`|*_[x](javascript:y)\r\n\u{202e}@all #1 ]]>&";
    let mut report = failing();
    report.clients.truncate(1);
    if let Some(client) = report.clients.first_mut() {
        client.agent = format!("{nasty}{}", "a".repeat(300));
        client.findings.truncate(2);
        for finding in &mut client.findings {
            finding.measured = nasty.to_owned();
            finding.advice = Some(nasty.to_owned());
            finding.rule = finding.rule.as_ref().map(|_| nasty.to_owned());
        }
        client.gaps = vec![
            Gap { retry: 1, gap_ms: f64::NAN, asked_ms: None },
            Gap { retry: u64::MAX, gap_ms: f64::INFINITY, asked_ms: Some(u64::MAX) },
            Gap { retry: 2, gap_ms: -1.0, asked_ms: Some(0) },
        ];
        client.herd =
            Some(Herd { clients: 0, index: f64::NAN, window_ms: 0.0, bar_ms: 0.0, first_retries: vec![] });
    }
    report.rules.truncate(1);
    for rule in &mut report.rules {
        (rule.name, rule.kind, rule.asked) = (nasty.to_owned(), nasty.to_owned(), nasty.to_owned());
    }
    for expected in &mut report.expectations {
        (expected.asked, expected.found) = (nasty.to_owned(), nasty.to_owned());
        expected.rule = Some(nasty.to_owned());
    }
    report.operations.truncate(1);
    for operation in &mut report.operations {
        operation.path = format!("/{nasty}{}", "%00".repeat(100));
        operation.agent = nasty.to_owned();
        operation.method = nasty.to_owned();
        for tried in &mut operation.tries {
            tried.version = Some(nasty.to_owned());
            tried.note = Some(nasty.to_owned());
            tried.rule = Some(nasty.to_owned());
            tried.kind = None;
            (tried.status, tried.error) = (None, Some(nasty.to_owned()));
            (tried.at_ms, tried.took_ms) = (f64::NAN, f64::INFINITY);
        }
    }
    report
}

/// A run without requests.
pub fn empty() -> Report {
    Report { version: 1, untested: Some("no request came".to_owned()), ..Report::default() }
}

/// Requests came, and no rule was for them; one operation at least was asked for.
pub fn untested() -> Report {
    let mut report = Report {
        version: 1,
        totals: Totals {
            attempts: 17,
            operations: 17,
            elapsed_ms: 2_100,
            other_rules: 980,
            ..Totals::default()
        },
        untested: Some("no rule fired".to_owned()),
        rules: rules(),
        ..Report::default()
    };
    for (rule, (matched, why)) in report.rules.iter_mut().zip([
        (0, "14 requests had the method and not the path: nearest PUT /api/item/7"),
        (3, "3 requests matched: 25 % of so few may be none"),
        (0, "3 requests matched but for this: the body is not JSON (application/x-www-form-urlencoded)"),
    ]) {
        (rule.matched, rule.fired, rule.why_not) = (matched, 0, Some(why.to_owned()));
    }
    report.conclude(run(0), Demands { min_operations: 1, require_fired: false }, &[], 3);
    report
}

fn run(code: u8) -> RunReport {
    RunReport {
        fracas: "0.1.0".to_owned(),
        started: "2026-03-05T14:02:11.318Z".to_owned(),
        seed: 7,
        rules_file: Some("rules.toml".to_owned()),
        more_rules_files: Vec::new(),
        rules_sha256: Some("9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08".to_owned()),
        proxy: "http://127.0.0.1:4090".to_owned(),
        upstream: "demo".to_owned(),
        command: Some(CommandReport {
            line: vec!["pytest".to_owned(), "-q".to_owned()],
            end: Some(CommandEnd { code, signal: None }),
        }),
    }
}

fn exit(code: u8, because: &str) -> Option<ExitReport> {
    Some(ExitReport { code, because: because.to_owned() })
}

/// As [`failing`], with as many operations as asked for, and counts to match.
pub fn many(operations: u64) -> Report {
    let mut report = failing();
    report.totals.operations = operations;
    report.totals.attempts = operations * 4;
    report.totals.conflicted = operations;
    report.operations =
        (0..operations).map(|id| if id % 3 == 0 { replaying(id) } else { recovering(id) }).collect();
    if let Some(client) = report.clients.first_mut() {
        (client.operations, client.conflicted) = (operations, operations);
        client.gaps.truncate(usize::try_from(operations).unwrap_or(usize::MAX).saturating_mul(4));
    }
    report
}

fn client(agent: &str, verdict: Verdict) -> ClientReport {
    ClientReport {
        agent: agent.to_owned(),
        clients: 3,
        operations: 206,
        conflicted: 18,
        conflicted_upstream: 0,
        recovered: 17,
        gave_up: 1,
        unfinished: 0,
        tries: 61,
        verdict,
        backoff: None,
        gaps: vec![],
        herd: None,
        findings: vec![],
    }
}

fn finding(check: u8, verdict: Verdict, title: &str, measured: &str) -> Finding {
    Finding {
        check: CheckId::new(check).expect("a check"),
        title: title.to_owned(),
        anchor: CheckId::new(check).and_then(CheckDefinition::of).expect("a check of ours").anchor,
        rule: None,
        verdict,
        measured: measured.to_owned(),
        value: None,
        limit: None,
        unit: None,
        advice: None,
        operations: vec![],
    }
}

/// Twelve gaps before each retry.
fn gaps(retries: i32, gap: impl Fn(i32, i32) -> f64, asked_ms: Option<u64>) -> Vec<Gap> {
    let each = |retry: i32| (0..12).map(move |nth| (retry, nth));
    (1..=retries)
        .flat_map(each)
        .map(|(retry, nth)| Gap {
            retry: u64::from(retry.unsigned_abs()),
            gap_ms: gap(retry, nth),
            asked_ms: asked_ms.filter(|_| nth % 3 == 0),
        })
        .collect()
}

fn rules() -> Vec<RuleReport> {
    let rule = |name: &str, kind: &str, asked: &str, asked_share, matched, fired| RuleReport {
        name: name.to_owned(),
        kind: kind.to_owned(),
        asked: asked.to_owned(),
        asked_share,
        matched,
        fired,
        why_not: None,
    };
    vec![
        rule("flaky-writes", "transient", "25 %", Some(0.25), 4_012, 1_003),
        rule("somebody-else-won", "version", "first 1", None, 31, 9),
        rule("scraper-block", "blocked", "above 20/s", None, 0, 0),
    ]
}
