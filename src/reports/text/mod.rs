//! The report for a terminal: a score card that is read in ten seconds, then the worst operations as
//! time lines.

mod page;
mod timeline;

use std::collections::BTreeMap;

use self::page::{Page, Tone, WIDTH};
use super::evidence::Evidence;
use super::phrases::{self, shown};
use super::run;
use crate::judgement::grading::{CheckId, ClientReport, Expectation, Finding, Report, RuleReport, Verdict};
use crate::rules::{Paint, grouped};

/// Classes of clients with a card of their own.
const MOST_CLIENTS: usize = 10;
/// Rules, of one check or in the table.
const MOST_RULES: usize = 12;
/// Operations with a time line.
const MOST_OPERATIONS: usize = 3;
/// `  FAIL  R2   `: where a finding's own words begin.
const INDENT: usize = 13;
/// The widest column of what a client that passes does.
const WIDEST_TITLE: usize = 36;

/// The report as text.
pub fn render(report: &Report, paint: Paint) -> String {
    let mut page = Page::new(paint);
    let verdict = if report.untested.is_some() { Verdict::Undetermined } else { report.verdict };
    let mark = page.mark(verdict);
    page.hanging(&format!("{mark}  "), 6, &phrases::headline(report));
    if let Some(aside) = run::aside(report) {
        page.hanging("      ", 6, &aside);
    }
    page.hanging("      ", 6, &phrases::totals(&report.totals));
    for caveat in phrases::caveats(&report.totals) {
        page.hanging("note  ", 6, &caveat);
    }
    idle(&mut page, report);
    if let Some(exit) = run::exit(report) {
        page.hanging("      ", 6, &exit);
    }
    for client in report.clients.iter().take(MOST_CLIENTS) {
        card(&mut page, client);
    }
    more(&mut page, report.clients.len(), MOST_CLIENTS, "client");
    explanations(&mut page, report);
    expectations(&mut page, &report.expectations);
    rules(&mut page, &report.rules);
    let evidence = Evidence::of(report);
    for operation in evidence.troubled().take(MOST_OPERATIONS) {
        timeline::draw(&mut page, operation, evidence.checks(operation));
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
        let name = cut(&shown(&rule.name), 30);
        page.hanging("      ", 8, &format!("{name}: {why}"));
    }
    let left = report.totals.other_rules + idle.len().saturating_sub(MOST_RULES) as u64;
    if left > 0 && report.untested.is_some() {
        let left =
            phrases::counted(left, "more rule that no request matched", "more rules that no request matched");
        page.hanging("      ", 6, &left);
    }
}

fn card(page: &mut Page, client: &ClientReport) {
    page.gap();
    let agent = shown(&client.agent);
    let word = phrases::verdict(client.verdict).to_uppercase();
    let agent: String = agent.chars().take(WIDTH - word.len() - 10).collect();
    let space = " ".repeat(WIDTH.saturating_sub("client ".len() + agent.chars().count() + word.len()));
    let (agent, word) = (page.toned(Tone::Strong, &agent), page.toned(Tone::Verdict(client.verdict), &word));
    page.line(&["client ", &agent, &space, &word]);
    page.hanging("  ", 2, &phrases::course_of(client));
    if let Some(backoff) = &client.backoff {
        page.hanging("  ", 2, &phrases::backoff(backoff));
    }
    page.gap();
    let findings = phrases::overall(client);
    let widest = findings.iter().map(|finding| shown(&finding.title).chars().count()).max().unwrap_or(0);
    for finding in findings {
        write_finding(page, finding, widest.min(WIDEST_TITLE));
        let blank = " ".repeat(INDENT);
        for (rule, complaint) in phrases::complaints(client, finding).into_iter().take(MOST_RULES) {
            page.hanging(&blank, INDENT, &format!("{}: {}", shown(rule), shown(&complaint.measured)));
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
        let head = "  explained in  ";
        page.hanging(head, head.len(), &sections.into_values().collect::<Vec<_>>().join(" "));
    }
}

fn write_finding(page: &mut Page, finding: &Finding, width: usize) {
    let mut head = format!("  {}  {:<5}", page.mark(finding.verdict), finding.check.to_string());
    let titles = page::wrapped(&shown(&finding.title), width);
    let measures = page::wrapped(&shown(&finding.measured), WIDTH - INDENT - width - 2);
    for at in 0..titles.len().max(measures.len()) {
        let title = titles.get(at).map_or("", String::as_str);
        let measure = measures.get(at).map_or("", String::as_str);
        page.line(&[&head, &format!("{title:<width$}  "), measure]);
        head = " ".repeat(INDENT);
    }
}

fn expectations(page: &mut Page, expectations: &[Expectation]) {
    page.gap();
    for expected in expectations {
        let of = expected.rule.as_deref().map(|rule| format!("{}: ", shown(rule))).unwrap_or_default();
        let (name, asked) = (shown(&expected.name), shown(&expected.asked));
        let met = match expected.verdict {
            Verdict::Pass => "met",
            Verdict::Fail => "not met",
            Verdict::Warn => "barely met",
            Verdict::Undetermined => "undetermined",
        };
        let text = format!("expected {of}{name} = {asked}: {met}; {}", shown(&expected.found));
        let mark = page.mark(expected.verdict);
        page.hanging(&format!("  {mark}  "), 8, &text);
    }
}

/// Rates achieved beside rates asked, of the rules that a request matched.
fn rules(page: &mut Page, rules: &[RuleReport]) {
    let matched: Vec<&RuleReport> = rules.iter().filter(|rule| rule.matched > 0).collect();
    if matched.is_empty() {
        return;
    }
    page.gap();
    page.line(&[&page.toned(
        Tone::Faint,
        &format!("{:<30}{:>16}{:>11}{:>11}{:>9}", "rule", "asked", "matched", "fired", "got"),
    )]);
    for rule in matched.iter().take(MOST_RULES) {
        let name = cut(&shown(&rule.name), 30);
        let asked = cut(&shown(&rule.asked), 15);
        let got = phrases::achieved(rule.fired, rule.matched).map_or("–".to_owned(), phrases::percent);
        let (matched, fired) = (grouped(rule.matched), grouped(rule.fired));
        page.line(&[&format!("{name:<30}{asked:>16}{matched:>11}{fired:>11}{got:>9}")]);
    }
    more(page, matched.len(), MOST_RULES, "rule");
}

fn more(page: &mut Page, number: usize, shown: usize, one: &str) {
    if let Some(left @ 1..) = number.checked_sub(shown) {
        let left = phrases::counted(left as u64, one, &format!("{one}s"));
        page.line(&["… and ", &left, " more"]);
    }
}

/// The text in at most `longest` characters, with a sign where it was cut.
fn cut(text: &str, longest: usize) -> String {
    if text.chars().count() <= longest {
        return text.to_owned();
    }
    text.chars().take(longest.saturating_sub(1)).chain(['…']).collect()
}
