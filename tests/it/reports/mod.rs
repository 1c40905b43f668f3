//! Every format of a report, over the same samples built by hand.

mod junit;
pub mod samples;

use std::path::Path;
use std::sync::Arc;

use fracas::grading::{ClientReport, Report, Verdict};
use fracas::model::{
    AskedWait, Attempt, Fingerprint, GrpcStatus, HttpVersion, InjectedConflict, Kind, MediaType, Phase,
    RequestRecord, ResponseRecord,
};
use fracas::report::{self, Format, ReportInput, Width};
use fracas::rules::Paint;
use http::HeaderValue;

#[test]
fn every_format_is_as_it_was_looked_at() {
    for (name, report) in samples::all() {
        for format in Format::ALL.into_iter().filter(|format| *format != Format::Har) {
            insta::assert_snapshot!(format!("{format}_{name}"), written(format, &report));
        }
    }
}

#[test]
fn the_archive_is_as_it_was_looked_at() {
    let mut out = Vec::new();
    let report = samples::empty();
    report::write(Format::Har, ReportInput { attempts: &attempts(), ..subject(&report) }, &mut out)
        .expect("memory");
    let archive: serde_json::Value = serde_json::from_slice(&out).expect("it is JSON");
    insta::assert_snapshot!("har", format!("{archive:#}"));
}

/// The fields that HAR 1.2 asks for (its §§ log to timings): readers refuse an archive without one of them.
#[test]
fn the_archive_has_every_field_that_har_asks_for() {
    let mut out = Vec::new();
    let report = samples::failing();
    let mut odd = Attempt { path: "/a b#c?d/\u{fc}".into(), ..Attempt::default() };
    odd.method = "OPTIONS".into();
    let attempts: Vec<Arc<Attempt>> = attempts().into_iter().chain([odd.into()]).collect();
    report::write(Format::Har, ReportInput { attempts: &attempts, ..subject(&report) }, &mut out)
        .expect("memory");
    let archive: serde_json::Value = serde_json::from_slice(&out).expect("it is JSON");
    let asked = |value: &serde_json::Value, place: &str, fields: &[&str]| {
        let part = value.pointer(place).and_then(serde_json::Value::as_object).expect("an object");
        for field in fields {
            assert!(part.get(*field).is_some_and(|field| !field.is_null()), "{place}: {field}");
        }
        let is_known = |field: &String| fields.contains(&field.as_str());
        let optional = ["comment", "connection", "pages"];
        let is_own = |field: &String| field.starts_with('_') || optional.contains(&field.as_str());
        assert!(part.keys().all(|field| is_known(field) || is_own(field)), "{place}: {part:?}");
    };
    asked(&archive, "/log", &["version", "creator", "entries"]);
    asked(&archive, "/log/creator", &["name", "version"]);
    let entries = archive["log"]["entries"].as_array().expect("a list");
    assert_eq!(entries.len(), 4);
    for entry in entries {
        asked(entry, "", &["startedDateTime", "time", "request", "response", "cache", "timings"]);
        asked(
            entry,
            "/request",
            &["method", "url", "httpVersion", "cookies", "headers", "queryString", "headersSize", "bodySize"],
        );
        asked(
            entry,
            "/response",
            &[
                "status",
                "statusText",
                "httpVersion",
                "cookies",
                "headers",
                "content",
                "redirectURL",
                "headersSize",
                "bodySize",
            ],
        );
        asked(entry, "/response/content", &["size", "mimeType"]);
        asked(entry, "/timings", &["send", "wait", "receive"]);
        let url = entry["request"]["url"].as_str().expect("text");
        let parsed: http::Uri = url.parse().expect("a URL");
        assert_eq!(parsed.authority().map(http::uri::Authority::as_str), Some("127.0.0.1:4090"), "{url}");
        assert!(parsed.query().is_none() && !url.contains(['#', ' ', '?']), "{url}");
        assert!(
            entry["startedDateTime"].as_str().is_some_and(|time| time.parse::<jiff::Timestamp>().is_ok())
        );
    }
}

/// The counts and each request tell the origin of a conflict, and no count contradicts a finding.
#[test]
fn the_upstreams_own_conflicts_are_told_from_injected_ones_in_every_format() {
    for (name, report) in [("own", samples::own()), ("own_only", samples::own_only())] {
        for format in Format::ALL.into_iter().filter(|format| *format != Format::Har) {
            let written = written(format, &report).replace("&#39;", "'").replace("&apos;", "'");
            let (counted, marked) = match format {
                Format::Json => ("\"conflicted_upstream\": 1", "\"refused_by\": \"upstream\""),
                Format::Html => ("met one of the upstream's own", "the upstream's own</"),
                // Annotations hold no requests.
                Format::Github => ("1 met a conflict of the upstream's own", ""),
                _ => ("1 met a conflict of the upstream's own", "the upstream's own conflict"),
            };
            assert!(written.contains(counted), "{name}, {format}: {counted}\n{written}");
            assert!(written.contains(marked), "{name}, {format}: {marked}\n{written}");
            assert!(!written.contains("0 met a conflict"), "{name}, {format}\n{written}");
            assert!(!written.contains("No operation met a conflict"), "{name}, {format}\n{written}");
        }
    }
}

/// The ends of those operations are not counted, so a pass only means that no fault was found.
#[test]
fn the_upstreams_own_conflicts_are_not_said_to_be_taken_well() {
    let mut report = samples::own_only();
    (report.verdict, report.clients[0].verdict) = (Verdict::Pass, Verdict::Pass);
    report.clients[0].findings.clear();
    let text = written(Format::Text, &report);
    assert!(text.starts_with("PASS  Nothing wrong was seen at the upstream's own conflicts;"), "{text}");
}

#[test]
fn a_wide_terminal_is_used() {
    for (name, report) in samples::all() {
        insta::assert_snapshot!(format!("text_{name}_120"), text(&report, Width::of(Some(300))));
    }
}

#[test]
fn a_terminal_is_filled_never_overrun_nor_steered_by_strangers() {
    for (terminal, columns) in [(None, 80), (Some(40), 80), (Some(100), 100), (Some(300), 120)] {
        assert_eq!(Width::of(terminal).columns(), columns);
        for (name, report) in samples::all().into_iter().chain([("many", samples::many(50_000))]) {
            let text = text(&report, Width::of(terminal));
            let widest = text.lines().map(textwrap::core::display_width).max().unwrap_or(0);
            assert!(widest <= columns, "{name}: {widest} columns\n{text}");
            assert!(text.chars().all(|character| character == '\n' || !character.is_control()), "{name}");
        }
    }
}

fn text(report: &Report, width: Width) -> String {
    let mut out = Vec::new();
    report::write(Format::Text, ReportInput { width, ..subject(report) }, &mut out).expect("memory");
    String::from_utf8(out).expect("text")
}

#[test]
fn colours_only_carry_what_words_say() {
    for (name, report) in samples::all() {
        let mut out = Vec::new();
        let subject = ReportInput { paint: Paint::Coloured, ..subject(&report) };
        report::write(Format::Text, subject, &mut out).expect("memory");
        let coloured = String::from_utf8(out).expect("text");
        let mut plain = String::new();
        for (at, part) in coloured.split('\u{1b}').enumerate() {
            plain.push_str(if at == 0 { part } else { part.split_once('m').expect("a colour").1 });
        }
        let trimmed = |text: &str| text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n");
        assert_eq!(trimmed(&plain), trimmed(&written(Format::Text, &report)), "{name}");
    }
}

#[test]
fn junit_counts_what_it_holds() {
    for (name, report) in samples::all() {
        let document =
            quick_junit::Report::deserialize_from_str(&written(Format::Junit, &report)).expect(name);
        let suites = &document.test_suites;
        assert!(
            document.tests > 0 && suites.iter().all(|suite| suite.test_cases.len() == suite.tests),
            "{name}"
        );
        assert_eq!(document.tests, suites.iter().map(|suite| suite.tests).sum::<usize>(), "{name}");
        let failures = |suite: &quick_junit::TestSuite| {
            let is_failure = |case: &&quick_junit::TestCase| {
                matches!(case.status, quick_junit::TestCaseStatus::NonSuccess { .. })
            };
            suite.test_cases.iter().filter(is_failure).count()
        };
        assert!(suites.iter().all(|suite| failures(suite) == suite.failures), "{name}");
        let fails = report.verdict == Verdict::Fail;
        assert_eq!(document.failures > 0, fails, "{name}: the document fails when the report does");
    }
}

#[test]
fn large_reports_are_cut_and_say_so() {
    let report = samples::many(50_000);
    let page = written(Format::Html, &report);
    assert!(page.len() < 2_000_000, "{} bytes", page.len());
    assert!(
        page.contains("200 of 50,000 operations are shown; the JSON report has 50,000"),
        "the page says what it leaves out"
    );
    let summary = written(Format::Markdown, &report);
    assert!(summary.len() < 1_048_576, "{} bytes", summary.len());
    assert!(summary.contains("50 of 16,668 operations that something is wrong with are shown"));
    let text = written(Format::Text, &report);
    assert!(text.contains("3 of 16,668 such operations are shown"), "{text}");
}

#[test]
fn mean_waits_beyond_those_shown_are_counted() {
    let mut report = samples::failing();
    let client = report.clients.iter_mut().find(|client| client.backoff.is_some()).expect("one that waits");
    let backoff = client.backoff.as_mut().expect("it waits");
    backoff.mean_gaps_ms = (0..50).map(|n| (f64::from(n), 1)).collect();
    assert!(!written(Format::Html, &report).contains("mean waits are shown"));
    let client = report.clients.iter_mut().find(|client| client.backoff.is_some()).expect("one that waits");
    client.backoff.as_mut().expect("it waits").mean_gaps_ms = (0..80).map(|n| (f64::from(n), 1)).collect();
    assert!(written(Format::Html, &report).contains("50 of 80 mean waits are shown"));
}

#[test]
fn the_waits_of_thousands_of_retries_are_a_sample_and_say_so() {
    let mut report = samples::failing();
    let gap = report.clients[0].gaps[0];
    report.clients[0].gaps = vec![gap; ClientReport::MOST_GAPS - 1];
    assert!(!written(Format::Html, &report).contains("a sample of"));
    report.clients[0].gaps = vec![gap; ClientReport::MOST_GAPS];
    assert!(written(Format::Html, &report).contains("a sample of 500 waits is drawn"));
}

#[test]
fn a_page_asks_nothing_of_anybody_and_runs_nothing() {
    for (name, report) in samples::all() {
        let page = written(Format::Html, &report);
        for forbidden in ["<script", "http://", "https://", "@import", "url(", "onload="] {
            let found = page.matches(forbidden).count();
            // The icon's own name space.
            let expected = usize::from(forbidden == "http://");
            assert_eq!(found, expected, "{name}: {forbidden}");
        }
    }
}

#[test]
fn the_schema_describes_every_report() {
    let schema = report::schema();
    let written: serde_json::Value =
        serde_json::from_str(&written(Format::Json, &samples::failing())).expect("it is JSON");
    let fields = |value: &serde_json::Value| -> Vec<String> {
        value.as_object().expect("an object").keys().cloned().collect()
    };
    assert_eq!(fields(&schema["properties"]), fields(&written));
    for (definition, example) in [
        ("ClientReport", &written["clients"][0]),
        ("Finding", &written["clients"][0]["findings"][0]),
        ("Gap", &written["clients"][0]["gaps"][0]),
        ("Herd", &written["clients"][0]["herd"]),
        ("OperationReport", &written["operations"][0]),
        ("TryReport", &written["operations"][0]["tries"][0]),
        ("Expectation", &written["expectations"][0]),
        ("RuleReport", &written["rules"][0]),
    ] {
        assert_eq!(fields(&schema["$defs"][definition]["properties"]), fields(example), "{definition}");
    }
}

#[test]
fn the_published_schema_is_what_the_types_say() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/report.schema.json");
    crate::rules::assert_same_as(&file, &format!("{:#}\n", report::schema()));
}

#[test]
fn a_format_is_read_by_its_word() {
    for format in Format::ALL {
        assert_eq!(format.as_str().parse(), Ok(format));
    }
    assert_eq!(
        "pdf".parse::<Format>(),
        Err("a report is one of text, json, junit, markdown, html, har, github".to_owned())
    );
}

fn written(format: Format, report: &Report) -> String {
    let mut out = Vec::new();
    report::write(format, subject(report), &mut out).expect("memory takes everything");
    String::from_utf8(out).expect("a report is UTF-8")
}

fn subject(report: &Report) -> ReportInput<'_> {
    let started = "2026-03-05T14:02:11.318Z".parse().expect("a time");
    ReportInput { report, attempts: &[], started, paint: Paint::Plain, width: Width::of(None) }
}

fn attempts() -> Vec<Arc<Attempt>> {
    let refused = Attempt {
        id: 1,
        start: 1_000_000,
        end: 1_001_200,
        connection: 3,
        protocol: HttpVersion::Http2,
        client: Fingerprint(0x9f86),
        peer: None,
        agent: Some("my-service/1.4".into()),
        method: "PUT".into(),
        path: "/items/7".into(),
        query: None,
        sent: RequestRecord { version: Some("\"3\"".into()), bytes: 15, ..RequestRecord::default() },
        got: ResponseRecord {
            status: Some(409),
            retry_after: Some(AskedWait::Seconds(1_500)),
            media_type: MediaType::of(b"application/problem+json; charset=utf-8"),
            bytes: 120,
            ..ResponseRecord::default()
        },
        conflict: Some(InjectedConflict {
            rule: "somebody-else-won".into(),
            kind: Kind::Version,
            phase: Phase::Before,
            n: 1,
            key: Fingerprint(7),
        }),
        fault: None,
    };
    let earlier = Attempt {
        id: 2,
        start: 500_000,
        end: 3_000_000,
        method: "POST".into(),
        path: "/orders".into(),
        got: ResponseRecord {
            upstream: Some(201),
            grpc: Some(GrpcStatus::of(&HeaderValue::from_static("10"))),
            error: Some("client".into()),
            ..ResponseRecord::default()
        },
        ..Attempt::default()
    };
    let own = Attempt {
        id: 3,
        start: 4_000_000,
        end: 4_000_900,
        method: "PUT".into(),
        path: "/items/7".into(),
        sent: RequestRecord { version: Some("\"3\"".into()), bytes: 15, ..RequestRecord::default() },
        got: ResponseRecord { status: Some(412), upstream: Some(412), bytes: 2, ..ResponseRecord::default() },
        ..Attempt::default()
    };
    vec![refused.into(), earlier.into(), own.into()]
}

#[test]
fn junit_fails_when_the_report_does_and_only_then() {
    let mut report = samples::failing();
    report.expectations.retain(|expected| expected.verdict == Verdict::Pass);
    report.verdict = Verdict::Pass;
    let document = quick_junit::Report::deserialize_from_str(&written(Format::Junit, &report)).expect("XML");
    assert_eq!(document.failures, 0, "[expect] decides, and is met");
    assert!(
        written(Format::Text, &report)
            .starts_with("PASS  1 expectation met; 1 of 2 clients fell short of other checks.\n")
    );
}
