//! The report for a terminal: a score card that is read in ten seconds, then the worst operations as
//! time lines.

mod page;
mod timeline;

use std::collections::BTreeMap;

use self::page::{Page, Tone};
use super::evidence::ShownOperations;
use super::phrases::{self, shown};
use super::width::Width;
use super::{run, table};
use crate::grading::{CheckId, ClientReport, Expectation, Finding, Report, RuleReport, Verdict};
use crate::rules::{Paint, grouped};

/// Classes of clients with a card of their own.
const MOST_CLIENTS: usize = 10;
/// Rules, of one check or in the table.
const MOST_RULES: usize = 12;
/// Operations with a time line.
const MOST_OPERATIONS: usize = 3;
/// `  FAIL  R2   `: where a finding's own words begin.
const INDENT: usize = 13;
/// The widest column of the titles of checks.
const WIDEST_TITLE: usize = 40;

/// The report as text.
pub fn render(report: &Report, paint: Paint, width: Width) -> String {
    let mut page = Page::new(paint, width);
    let mark = page.mark(run::headline(report));
    page.hanging(&format!("{mark}  "), 6, &phrases::headline(report));
    if let Some(aside) = run::aside(report) {
        page.hanging("      ", 6, &aside);
    }
    page.hanging("      ", 6, &phrases::totals(&report.totals));
    for caveat in phrases::caveats(report) {
        page.hanging("note  ", 6, &caveat);
    }
    if report.untested.is_some() {
        idle(&mut page, report);
    }
    if let Some(exit) = run::exit(report) {
        page.hanging("      ", 6, &exit);
    }
    expectations(&mut page, &report.expectations);
    for client in report.clients.iter().take(MOST_CLIENTS) {
        card(&mut page, client);
    }
    more(&mut page, report.clients.len(), MOST_CLIENTS, ["class of clients", "classes of clients"]);
    explanations(&mut page, report);
    rules(&mut page, &report.rules);
    if let Some(unmatched) = run::unmatched(report) {
        page.hanging("", 0, &unmatched);
    }
    // Where something was tested they are an aside.
    if report.untested.is_none() && !run::idle(report).is_empty() {
        page.gap();
        page.line(&["rules that no request matched"]);
        idle(&mut page, report);
    }
    operations(&mut page, report);
    if report.totals.operations > 0 {
        page.gap();
        page.hanging("words ", 6, phrases::WORDS);
    }
    if let Some(line) = run::line(&report.run) {
        page.gap();
        page.hanging("run   ", 6, &line);
    }
    page.finish()
}

/// Rules that did not fire, and why, where nothing was tested.
fn idle(page: &mut Page, report: &Report) {
    let idle = run::idle(report);
    for (rule, why) in idle.iter().take(MOST_RULES) {
        page.hanging("      ", 8, &format!("{}: {why}", shown(&rule.name)));
    }
    let left = report.totals.other_rules + idle.len().saturating_sub(MOST_RULES) as u64;
    if left > 0 {
        let left =
            phrases::counted(left, "more rule that no request matched", "more rules that no request matched");
        page.hanging("      ", 6, &left);
    }
}

fn card(page: &mut Page, client: &ClientReport) {
    page.gap();
    let word = phrases::verdict(client.verdict).to_uppercase();
    let room = page.width() - "client ".len() - word.len();
    let agent = cut(&shown(&client.agent), room - 3);
    let space = " ".repeat(room.saturating_sub(textwrap::core::display_width(&agent)));
    let (agent, word) = (page.toned(Tone::Strong, &agent), page.toned(Tone::Verdict(client.verdict), &word));
    page.line(&["client ", &agent, &space, &word]);
    page.hanging("  ", 2, &phrases::course_of(client));
    if let Some(backoff) = &client.backoff {
        page.hanging("  ", 2, &phrases::backoff(backoff));
    }
    page.gap();
    let findings = phrases::overall(client);
    let width = |finding: &&Finding| textwrap::core::display_width(&shown(&finding.title));
    let widest = findings.iter().map(width).max().unwrap_or(0);
    for finding in findings {
        write_finding(page, finding, widest.min(WIDEST_TITLE));
        let blank = " ".repeat(INDENT);
        let complaints = phrases::complaints(client, finding);
        for (rule, complaint) in complaints.iter().take(MOST_RULES) {
            page.hanging(&blank, INDENT, &format!("{}: {}", shown(rule), shown(&complaint.measured)));
        }
        if let Some(left @ 1..) = complaints.len().checked_sub(MOST_RULES) {
            let left = phrases::counted(left as u64, "more rule", "more rules");
            page.hanging(&blank, INDENT, &format!("… and of {left}"));
        }
        if let Some(advice) = finding.advice.as_deref().filter(|_| finding.verdict != Verdict::Pass) {
            page.hanging(&format!("{blank}→ "), INDENT + 2, &shown(advice));
        }
    }
}

/// Where the checks that found something are explained.
fn explanations(page: &mut Page, report: &Report) {
    let findings = report.clients.iter().take(MOST_CLIENTS).flat_map(|client| &client.findings);
    let told = findings.filter(|finding| matches!(finding.verdict, Verdict::Fail | Verdict::Warn));
    let sections: BTreeMap<CheckId, String> =
        told.map(|finding| (finding.check, phrases::section(finding.anchor))).collect();
    if !sections.is_empty() {
        page.gap();
        let head = "  explained by  ";
        page.hanging(head, head.len(), &sections.into_values().collect::<Vec<_>>().join(", "));
    }
}

/// The title and the measure beside each other, each wrapped in its own column.
fn write_finding(page: &mut Page, finding: &Finding, width: usize) {
    let mut head = format!("  {}  {:<5}", page.mark(finding.verdict), finding.check.to_string());
    let titles = page::wrapped(&shown(&finding.title), width);
    let measures = page::wrapped(&shown(&finding.measured), page.width() - INDENT - width - 2);
    for at in 0..titles.len().max(measures.len()) {
        let title = titles.get(at).map_or("", String::as_str);
        let space = " ".repeat(width.saturating_sub(textwrap::core::display_width(title)) + 2);
        let measure = measures.get(at).map_or("", String::as_str);
        page.line(&[&head, title, &space, measure]);
        head = " ".repeat(INDENT);
    }
}

fn expectations(page: &mut Page, expectations: &[Expectation]) {
    page.gap();
    for expected in expectations {
        let met = match expected.verdict {
            Verdict::Pass => "met",
            Verdict::Fail => "not met",
            Verdict::Warn => "barely met",
            Verdict::Undetermined => "undetermined",
        };
        let text = format!("expected {}: {met}; {}", phrases::asked(expected), shown(&expected.found));
        let mark = page.mark(expected.verdict);
        page.hanging(&format!("  {mark}  "), 8, &text);
    }
}

/// Rates achieved beside rates asked for, of the rules that a request matched.
fn rules(page: &mut Page, rules: &[RuleReport]) {
    let matched: Vec<&RuleReport> = rules.iter().filter(|rule| rule.matched > 0).collect();
    if matched.is_empty() {
        return;
    }
    let mut rows = vec![phrases::RULE_HEADS.map(str::to_owned).to_vec()];
    rows.extend(matched.iter().take(MOST_RULES).map(|rule| {
        let did = phrases::achieved(rule.fired, rule.matched).map_or("–".to_owned(), phrases::percent);
        let (name, should) = (shown(&rule.name).into_owned(), shown(&rule.asked).into_owned());
        vec![name, grouped(rule.matched), grouped(rule.fired), should, did]
    }));
    page.gap();
    for (at, line) in table::lines(&rows, &[1, 2, 3, 4], page.width()).iter().enumerate() {
        let line = if at == 0 { page.toned(Tone::Faint, line) } else { line.clone() };
        page.line(&[&line]);
    }
    more(page, matched.len(), MOST_RULES, ["rule", "rules"]);
}

/// The operations that show the most, and how many more the report has.
fn operations(page: &mut Page, report: &Report) {
    let evidence = ShownOperations::of(report);
    let troubled = evidence.troubled().count();
    for operation in evidence.troubled().take(MOST_OPERATIONS) {
        timeline::draw(page, operation, evidence.checks(operation));
    }
    if troubled > MOST_OPERATIONS {
        page.gap();
        let all = phrases::counted(troubled as u64, "such operation", "such operations");
        page.hanging("", 0, &format!("{MOST_OPERATIONS} of {all} are shown; `--report html` shows more"));
    }
}

fn more(page: &mut Page, number: usize, shown: usize, [one, many]: [&str; 2]) {
    if number > shown {
        let all = phrases::counted(number as u64, one, many);
        page.line(&[&format!("{shown} of {all} are shown; `--report json` has all")]);
    }
}

/// The text in at most `longest` columns, with a sign where it was cut.
fn cut(text: &str, longest: usize) -> String {
    let width = textwrap::core::display_width;
    if width(text) <= longest {
        return text.to_owned();
    }
    let mut kept = String::new();
    for character in text.chars() {
        if width(&kept) + width(character.encode_utf8(&mut [0; 4])) + 1 > longest {
            break;
        }
        kept.push(character);
    }
    kept + "…"
}
