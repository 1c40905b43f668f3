//! The report as JUnit XML, which CI systems show: a suite for `[expect]`, and one per class
//! of clients with a case per check; its text gives the findings of single rules.
//!
//! A warning passes, and says so in `system-out`: JUnit has no verdict in between, and a build that
//! must fail for it says `warn` as `fail` in `[expect]`. Undetermined is `skipped`, with the evidence that would
//! settle it. Where `[expect]` is met, a check that fails is such a warning too: the document fails
//! when the report does, and then only.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::time::Duration;

use quick_junit::{NonSuccessKind, Property, SerializeError, TestCase, TestCaseStatus, TestSuite};

use super::phrases::{self, shown, span};
use super::run;
use crate::grading::{ClientReport, Expectation, Finding, OperationReport, Report, Verdict};

/// Operations that a failure shows.
const MOST_OPERATIONS: usize = 3;
/// Rules that a case tells of.
const MOST_RULES: usize = 50;

/// The report as a document.
pub fn render(report: &Report) -> Result<String, SerializeError> {
    let mut document = quick_junit::Report::new("fracas");
    document.set_time(Duration::from_millis(report.totals.elapsed_ms));
    if !report.expectations.is_empty() {
        let mut suite = TestSuite::new("[expect]");
        suite.add_test_cases(report.expectations.iter().map(|expected| expectation(report, expected)));
        document.add_test_suite(suite);
    }
    // A suite without a case is a mistake to some CI systems.
    for client in report.clients.iter().filter(|client| !client.findings.is_empty()) {
        document.add_test_suite(suite(report, client));
    }
    let summary = summary(report);
    if document.tests == 0 || summary.tests > 0 || !summary.properties.is_empty() {
        document.add_test_suite(summary);
    }
    document.to_string()
}

/// The run itself: its facts, and one case where nothing was tested, or nothing else is a case. A document
/// without any is a mistake to many a CI system.
fn summary(report: &Report) -> TestSuite {
    let mut suite = TestSuite::new("fracas");
    suite.add_properties(run::facts(&report.run).into_iter().map(|(name, value)| Property::new(name, value)));
    if let Some(exit) = &report.exit {
        suite.add_property(Property::new("exit_code", exit.code.to_string()));
    }
    if let Some(around) = run::around(report) {
        suite.add_property(Property::new("around", around));
    }
    let sentences = [
        Some(phrases::headline(report)),
        Some(phrases::totals(&report.totals)),
        run::aside(report),
        run::exit(report).map(Cow::into_owned),
    ];
    suite.set_system_out(sentences.into_iter().flatten().collect::<Vec<_>>().join("\n"));
    if report.untested.is_some() {
        let why: Vec<String> =
            run::idle(report).iter().map(|(rule, why)| format!("{}: {why}", shown(&rule.name))).collect();
        let headline = phrases::headline(report);
        let name = "an operation meets a conflict";
        suite.add_test_case(case(name, "fracas", Verdict::Undetermined, &headline, &why.join("\n")));
    }
    suite
}

fn suite(report: &Report, client: &ClientReport) -> TestSuite {
    let agent = shown(&client.agent);
    let mut suite = TestSuite::new(agent.as_ref());
    suite.set_time(Duration::from_millis(report.totals.elapsed_ms));
    suite.add_properties(
        [
            ("clients", client.clients),
            ("operations", client.operations),
            ("conflicted", client.conflicted),
            ("conflicted_upstream", client.conflicted_upstream),
            ("recovered", client.recovered),
            ("gave_up", client.gave_up),
            ("unfinished", client.unfinished),
            ("tries", client.tries),
        ]
        .map(|(name, number)| Property::new(name, number.to_string())),
    );
    for finding in client.findings.iter().filter(|finding| finding.rule.is_none()) {
        suite.add_test_case(finding_case(report, client, finding));
    }
    suite
}

fn finding_case(report: &Report, client: &ClientReport, finding: &Finding) -> TestCase {
    let name = format!("{} {}", finding.check, shown(&finding.title));
    let mut details = shown(&finding.measured).into_owned();
    let by_rule = phrases::by_rule(client, finding);
    for (rule, found) in by_rule.iter().take(MOST_RULES) {
        let verdict = phrases::verdict(found.verdict);
        let _ = write!(details, "\n{}: {verdict}: {}", shown(rule), shown(&found.measured));
    }
    if let Some(cut) = phrases::cut_off(MOST_RULES, by_rule.len(), "rules") {
        let _ = write!(details, "\n{cut}");
    }
    if let Some(advice) = &finding.advice {
        let _ = write!(details, "\n{}", shown(advice));
    }
    let _ = write!(details, "\n{}", phrases::section(finding.anchor));
    append_evidence(&mut details, report, &finding.operations);
    // A complaint of a single rule is a complaint, even if all rules together pass.
    let complaints = phrases::complaints(client, finding).into_iter().map(|(_, found)| found.verdict);
    let verdict = match complaints.fold(finding.verdict, Verdict::max) {
        Verdict::Fail if report.verdict != Verdict::Fail => Verdict::Warn,
        verdict => verdict,
    };
    let message = finding.advice.as_deref().filter(|_| verdict == Verdict::Undetermined);
    let message = shown(message.unwrap_or(&finding.measured));
    case(&name, &shown(&client.agent), verdict, &message, &details)
}

fn expectation(report: &Report, expected: &Expectation) -> TestCase {
    let of = expected.rule.as_deref().map(|rule| format!(" [{}]", shown(rule))).unwrap_or_default();
    let name = format!("{} = {}{of}", shown(&expected.name), shown(&expected.asked));
    let mut details = shown(&expected.found).into_owned();
    append_evidence(&mut details, report, &expected.operations);
    case(&name, "[expect]", expected.verdict, &shown(&expected.found), &details)
}

fn case(name: &str, class: &str, verdict: Verdict, message: &str, details: &str) -> TestCase {
    let details = if details.is_empty() { message } else { details };
    let mut status = match verdict {
        Verdict::Pass | Verdict::Warn => TestCaseStatus::success(),
        Verdict::Fail => TestCaseStatus::non_success(NonSuccessKind::Failure),
        Verdict::Undetermined => TestCaseStatus::skipped(),
    };
    status.set_message(message);
    if verdict == Verdict::Fail {
        status.set_type("fracas").set_description(details);
    }
    let mut case = TestCase::new(name, status);
    // Some viewers show no case without a time.
    case.set_classname(class).set_time(Duration::ZERO);
    match verdict {
        Verdict::Pass => _ = case.set_system_out(details),
        Verdict::Warn => _ = case.set_system_out(format!("warning: {details}")),
        Verdict::Undetermined => _ = case.set_system_out(format!("undetermined: {details}")),
        Verdict::Fail => {}
    }
    case
}

/// The operations as lines: ` 0.104 s  PUT 409  same version, not re-read`.
fn append_evidence(text: &mut String, report: &Report, ids: &[u64]) {
    let named = |id: &&u64| report.operations.iter().find(|operation| operation.id == **id);
    for operation in ids.iter().take(MOST_OPERATIONS).filter_map(|id| named(&id)) {
        append_operation(text, operation);
    }
    if let Some(cut) = phrases::cut_off(MOST_OPERATIONS, ids.len(), "operations that show it") {
        let _ = write!(text, "\n\n{cut}");
    }
}

fn append_operation(text: &mut String, operation: &OperationReport) {
    let (method, path) = (shown(&operation.method), shown(&operation.path));
    let _ = write!(text, "\n\nop {}  {method} {path}, {}", operation.id, phrases::course(operation));
    for tried in &operation.tries {
        let asked = tried.retry_after_ms.map(|asked| format!("  Retry-After {}", span(asked as f64)));
        let version = tried.version.as_deref().map(|version| format!("  version {}", shown(version)));
        let _ = write!(
            text,
            "\n  {:>8}  {} {}{}{}  {}",
            span(tried.at_ms),
            shown(&tried.method),
            phrases::response(tried),
            version.unwrap_or_default(),
            asked.unwrap_or_default(),
            phrases::remark(tried)
        );
    }
}
