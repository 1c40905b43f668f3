//! The parts of the report as the page shows them.

use std::collections::BTreeSet;

use super::marked::Marked;
use super::plots::{self, Plot};
use crate::grading::{
    Backoff, BackoffShape, CHECKS, CheckDefinition, CheckId, ClientReport, Expectation, Finding, Herd,
    Jitter, OperationReport, Report, RuleReport, TryReport, Verdict,
};
use crate::report::conflicts;
use crate::report::phrases::{self, AttemptRole};

/// Rules of one check, and attempts of one operation, at most.
const MOST_ROWS: usize = 50;
/// Operations that one finding names, the clearest first.
const MOST_REFERENCES: usize = 3;

/// An operation that shows something.
pub struct OperationLink {
    pub id: u64,
    /// Whether it is on the page, so that a link leads somewhere.
    pub is_shown: bool,
}

/// The operations on the page, by id.
pub type OnPage = BTreeSet<u64>;

/// The first of the operations that show something, and how many there are.
pub struct OperationLinks {
    pub shown: Vec<OperationLink>,
    pub cut: Option<String>,
}

fn references(ids: &[u64], on_page: &OnPage) -> OperationLinks {
    let reference = |id: &u64| OperationLink { id: *id, is_shown: on_page.contains(id) };
    let shown = ids.iter().take(MOST_REFERENCES).map(reference).collect();
    let cut = (ids.len() > MOST_REFERENCES).then(|| format!("{MOST_REFERENCES} of {}", ids.len()));
    OperationLinks { shown, cut }
}

/// One class of clients.
pub struct ClientView {
    pub agent: Marked,
    pub verdict: Marked,
    pub counts: Vec<(&'static str, Marked)>,
    pub findings: Vec<FindingView>,
    pub backoff: Vec<(&'static str, Marked)>,
    pub gaps: Option<Plot>,
    /// That the gaps drawn are a sample.
    pub sample: Option<Marked>,
    pub means: Vec<(usize, Marked, Marked)>,
    pub means_cut: Option<Marked>,
    pub herd: Vec<(&'static str, Marked)>,
    pub crowd: Option<Plot>,
}

/// The purpose of a check, for readers new to it.
pub struct Explanation {
    pub check: Marked,
    pub check_anchor: &'static str,
    pub title: &'static str,
    pub why: &'static str,
}

/// The checks that the page names, each explained once.
pub fn explanations(report: &Report) -> Vec<Explanation> {
    let findings = report.clients.iter().flat_map(|client| &client.findings).map(|finding| finding.check);
    let expected = report.expectations.iter().filter_map(check_of).map(|check| check.id);
    let named: BTreeSet<CheckId> = findings.chain(expected).collect();
    let explained = |check: &'static CheckDefinition| Explanation {
        check: Marked::derived("check", "", &check.id.to_string()),
        check_anchor: check.anchor,
        title: check.id.title(),
        why: check.why,
    };
    named.into_iter().filter_map(CheckDefinition::of).map(explained).collect()
}

/// The check that an expectation is about: `R5 = "fail"`.
fn check_of(expected: &Expectation) -> Option<&'static CheckDefinition> {
    CHECKS.iter().find(|check| check.id.to_string() == expected.name)
}

/// One check over all rules, with the complaints of single rules.
pub struct FindingView {
    pub check: Marked,
    pub anchor: &'static str,
    pub title: Marked,
    pub verdict: Marked,
    pub measured: Marked,
    pub advice: Option<Marked>,
    pub rules: Vec<(Marked, Marked)>,
    /// A sentence on the rules beyond those.
    pub rules_cut: Option<String>,
    pub operations: OperationLinks,
}

/// One line of `[expect]`.
pub struct ExpectationView {
    pub operations: OperationLinks,
    pub verdict: Marked,
    pub rule: Option<Marked>,
    pub name: Marked,
    /// Where its check is explained, if it is about one.
    pub anchor: Option<&'static str>,
    pub asked: Marked,
    pub found: Marked,
}

/// The counts of one rule.
pub struct RuleView {
    pub name: Marked,
    pub kind: Marked,
    pub asked: Marked,
    pub got: Option<Marked>,
    pub bar: Option<Plot>,
    pub fired: Marked,
    pub matched: Marked,
}

/// One operation.
pub struct OperationView<'a> {
    pub report: &'a OperationReport,
    pub id: Marked,
    pub method: Marked,
    pub path: Marked,
    pub agent: Marked,
    pub outcome: &'static str,
    pub tries: Marked,
    pub began: Marked,
    pub length: Marked,
    pub checks: Vec<&'static CheckDefinition>,
    pub lane: Plot,
    pub attempts: Vec<AttemptView>,
    /// A sentence on the requests that are in the report and not on the page.
    pub left: Option<String>,
    pub is_unfolded: bool,
}

/// One attempt.
pub struct AttemptView {
    pub turn: &'static str,
    pub at: Marked,
    pub gap: Option<Marked>,
    pub asked: Option<Marked>,
    pub method: Marked,
    pub response: Marked,
    pub version: Option<Marked>,
    pub rule: Option<Marked>,
    pub kind: Option<Marked>,
    pub note: Option<Marked>,
}

impl ClientView {
    pub fn of((at, client): (usize, &ClientReport), on_page: &OnPage) -> ClientView {
        let at = format!("/clients/{at}");
        let count = |label, field, number| (label, Marked::count(&at, field, number));
        let mut counts = vec![
            count("clients", "clients", client.clients),
            count("operations", "operations", client.operations),
            count(conflicts::met_label(client.conflicted_upstream), "conflicted", client.conflicted),
            count("tries", "tries", client.tries),
            count("recovered", "recovered", client.recovered),
            count("gave up", "gave_up", client.gave_up),
        ];
        if client.conflicted_upstream > 0 {
            counts.insert(
                3,
                count(conflicts::MET_OWN_LABEL, "conflicted_upstream", client.conflicted_upstream),
            );
        }
        if client.unfinished > 0 {
            counts.push(count("unfinished", "unfinished", client.unfinished));
        }
        let means = client.backoff.iter().flat_map(|backoff| backoff.mean_gaps_ms.iter().enumerate());
        let mean = |(nth, (gap, number)): (usize, &(f64, u64))| {
            let at = format!("{at}/backoff/mean_gaps_ms/{nth}");
            (nth + 1, Marked::span(&at, "0", *gap), Marked::count(&at, "1", *number))
        };
        ClientView {
            agent: Marked::text(&at, "agent", &client.agent),
            verdict: Marked::verdict(&format!("{at}/verdict"), client.verdict),
            counts,
            findings: findings(&at, client, on_page),
            backoff: client.backoff.as_ref().map(|found| backoff(&at, found)).unwrap_or_default(),
            gaps: plots::gaps(&client.gaps, client.backoff.as_ref()),
            sample: (client.gaps.len() >= ClientReport::MOST_GAPS).then(|| {
                Marked::sentence("sample", &format!("a sample of {} waits is drawn", client.gaps.len()))
            }),
            means_cut: phrases::cut_off(MOST_ROWS, means.clone().count(), "mean waits")
                .map(|cut| Marked::sentence("left", &cut)),
            means: means.take(MOST_ROWS).map(mean).collect(),
            herd: client.herd.as_ref().map(|found| herd(&at, found)).unwrap_or_default(),
            crowd: client.herd.as_ref().and_then(plots::herd),
        }
    }
}

fn findings(at: &str, client: &ClientReport, on_page: &OnPage) -> Vec<FindingView> {
    let place = |finding: &Finding| {
        let place = client.findings.iter().position(|found| std::ptr::eq(found, finding));
        format!("{at}/findings/{}", place.unwrap_or_default())
    };
    let view = |finding: &Finding| {
        let at = place(finding);
        let complaint = |(rule, complaint): (&str, &Finding)| {
            let at = place(complaint);
            (Marked::text(&at, "rule", rule), Marked::prose(&at, "measured", &complaint.measured))
        };
        let complaints = phrases::complaints(client, finding);
        let advice = finding.advice.as_deref().filter(|_| finding.verdict != Verdict::Pass);
        FindingView {
            check: Marked::text(&at, "check", &finding.check.to_string()),
            anchor: finding.anchor,
            title: Marked::text(&at, "title", &finding.title),
            verdict: Marked::verdict(&format!("{at}/verdict"), finding.verdict),
            measured: Marked::prose(&at, "measured", &finding.measured),
            advice: advice.map(|advice| Marked::prose(&at, "advice", advice)),
            rules_cut: phrases::cut_off(MOST_ROWS, complaints.len(), "rules"),
            rules: complaints.into_iter().take(MOST_ROWS).map(complaint).collect(),
            operations: references(&finding.operations, on_page),
        }
    };
    phrases::overall(client).into_iter().map(view).collect()
}

fn backoff(at: &str, backoff: &Backoff) -> Vec<(&'static str, Marked)> {
    let at = format!("{at}/backoff");
    let shape = match backoff.shape {
        BackoffShape::Immediate => "immediate",
        BackoffShape::Fixed => "fixed",
        BackoffShape::Linear => "linear",
        BackoffShape::Exponential => "exponential",
        BackoffShape::Growing => "growing",
        BackoffShape::Undetermined => "undetermined",
    };
    let jitter = match backoff.jitter {
        Jitter::None => "none",
        Jitter::Small => "small",
        Jitter::Medium => "medium",
        Jitter::Full => "full",
        Jitter::Undetermined => "undetermined",
    };
    let mut rows = vec![
        ("shape", Marked::text(&at, "shape", shape)),
        ("jitter", Marked::text(&at, "jitter", jitter)),
        ("first wait", Marked::span(&at, "base_ms", backoff.base_ms)),
    ];
    match (backoff.factor, backoff.shape) {
        (Some(step), BackoffShape::Linear) => {
            rows.push(("longer each time by", Marked::span(&at, "factor", step)));
        }
        (Some(factor), _) => rows.push(("times as long each time", Marked::factor(&at, "factor", factor))),
        (None, _) => {}
    }
    rows.extend(backoff.cap_ms.map(|cap| ("at most", Marked::span(&at, "cap_ms", cap))));
    rows.push(("read from operations", Marked::count(&at, "operations", backoff.operations)));
    rows
}

fn herd(at: &str, herd: &Herd) -> Vec<(&'static str, Marked)> {
    let at = format!("{at}/herd");
    vec![
        ("refused together", Marked::count(&at, "clients", herd.clients)),
        ("largest share at once", Marked::percent(&at, "index", herd.index)),
        ("within", Marked::span(&at, "window_ms", herd.window_ms)),
    ]
}

impl ExpectationView {
    pub fn of((at, expected): (usize, &Expectation), on_page: &OnPage) -> ExpectationView {
        let at = format!("/expectations/{at}");
        ExpectationView {
            operations: references(&expected.operations, on_page),
            verdict: Marked::verdict(&format!("{at}/verdict"), expected.verdict),
            rule: expected.rule.as_deref().map(|rule| Marked::text(&at, "rule", rule)),
            name: Marked::text(&at, "name", &expected.name),
            anchor: check_of(expected).map(|check| check.anchor),
            asked: Marked::text(&at, "asked", &expected.asked),
            found: Marked::prose(&at, "found", &expected.found),
        }
    }
}

impl RuleView {
    pub fn of((at, rule): (usize, &RuleReport)) -> RuleView {
        let at = format!("/rules/{at}");
        let got = phrases::achieved(rule.fired, rule.matched);
        RuleView {
            name: Marked::text(&at, "name", &rule.name),
            kind: Marked::text(&at, "kind", &rule.kind),
            asked: Marked::text(&at, "asked", &rule.asked),
            got: got.map(|got| Marked::derived("got", &at, &phrases::percent(got))),
            bar: got.map(|got| plots::rate(got, rule.asked_share)),
            fired: Marked::count(&at, "fired", rule.fired),
            matched: Marked::count(&at, "matched", rule.matched),
        }
    }
}

impl<'a> OperationView<'a> {
    pub fn of(
        at: usize,
        operation: &'a OperationReport,
        checks: &[CheckId],
        is_unfolded: bool,
    ) -> OperationView<'a> {
        let at = format!("/operations/{at}");
        let attempts = operation.tries.iter().enumerate().take(MOST_ROWS);
        let id = operation.id.to_string();
        OperationView {
            report: operation,
            id: Marked::text(&at, "id", &id),
            method: Marked::text(&at, "method", &operation.method),
            path: Marked::text(&at, "path", &operation.path),
            agent: Marked::text(&at, "agent", &operation.agent),
            outcome: phrases::outcome(operation.outcome),
            tries: Marked::count(&at, "count", operation.count),
            began: Marked::span(&at, "start_ms", operation.start_ms),
            length: Marked::derived("length", &at, &phrases::span(phrases::length(operation))),
            checks: checks.iter().copied().filter_map(CheckDefinition::of).collect(),
            lane: plots::lane(operation),
            attempts: attempts
                .map(|(nth, tried)| AttemptView::of(&format!("{at}/tries/{nth}"), tried))
                .collect(),
            left: phrases::cut_off(MOST_ROWS, operation.tries.len(), "requests"),
            is_unfolded,
        }
    }
}

impl AttemptView {
    fn of(at: &str, tried: &TryReport) -> AttemptView {
        let text =
            |field: &str, text: &Option<String>| text.as_deref().map(|text| Marked::text(at, field, text));
        let note = tried.note.as_deref().map(|note| Marked::prose(at, "note", note));
        let response = phrases::response(tried);
        AttemptView {
            turn: match phrases::turn(tried) {
                AttemptRole::Read => "read",
                AttemptRole::Succeeded => "succeeded",
                AttemptRole::Failed => "failed",
                AttemptRole::Refused => "refused",
            },
            at: Marked::span(at, "at_ms", tried.at_ms),
            gap: tried.gap_ms.map(|gap| Marked::span(at, "gap_ms", gap)),
            asked: tried.retry_after_ms.map(|asked| Marked::span(at, "retry_after_ms", asked as f64)),
            method: Marked::text(at, "method", &tried.method),
            response: match tried.status {
                Some(_) => Marked::text(at, "status", &response),
                None => Marked::derived("answer", at, &response),
            },
            version: text("version", &tried.version),
            rule: match conflicts::is_upstream_conflict(tried) {
                true => Some(Marked::derived("refused_by", at, "the upstream's own")),
                false => text("rule", &tried.rule),
            },
            kind: text("kind", &tried.kind),
            note,
        }
    }
}
