//! The report as Markdown, for the job summary of a GitHub workflow: the card as a table, and the
//! evidence folded away.
//!
//! GitHub refuses a summary beyond [`LONGEST_SUMMARY`], so the evidence ends before that. Untrusted text
//! is written as character references, which are never markup (CommonMark §2.5).

use std::fmt::Write as _;

use super::evidence::ShownOperations;
use super::phrases::{self, shown, span};
use super::run;
use crate::grading::{ClientReport, Expectation, OperationReport, Report, RuleReport, Verdict};
use crate::rules::grouped;

/// Bytes of a job summary, at most 1 MiB; some are left for other steps.
const LONGEST_SUMMARY: usize = 1_000_000;
/// Clients, rules, expectations or operations shown of each.
const MOST_ROWS: usize = 50;
/// Requests shown of an operation.
const MOST_TRIES: usize = 30;

/// The report as a summary.
pub fn render(report: &Report) -> String {
    let mut page = String::new();
    let _ =
        writeln!(page, "## fracas: {} {}\n", sign(run::headline(report)), prose(&phrases::headline(report)));
    let _ = writeln!(page, "{}", phrases::totals(&report.totals));
    if let Some(aside) = run::aside(report) {
        let _ = writeln!(page, "\n{}", prose(&aside));
    }
    if let Some(exit) = run::exit(report) {
        let _ = writeln!(page, "\n{}", prose(&exit));
    }
    write_idle(&mut page, report);
    for caveat in phrases::caveats(report) {
        let _ = writeln!(page, "\n> {}", prose(&caveat));
    }
    write_expectations(&mut page, &report.expectations);
    for client in report.clients.iter().take(MOST_ROWS) {
        write_client(&mut page, client);
    }
    write_more(&mut page, report.clients.len(), "classes of clients");
    write_rules(&mut page, &report.rules);
    write_evidence(&mut page, report);
    if report.totals.operations > 0 {
        let _ = writeln!(page, "\n<sub>{}</sub>", phrases::WORDS);
    }
    if let Some(line) = run::line(&report.run) {
        let _ = writeln!(page, "\n<sub>{}</sub>", escaped(&line));
    }
    page
}

/// Why nothing was tested, rule by rule.
fn write_idle(page: &mut String, report: &Report) {
    let idle = run::idle(report);
    if idle.is_empty() || report.untested.is_none() {
        return;
    }
    page.push_str("\n| rule | matched | why it did not fire |\n| --- | --: | --- |\n");
    for (rule, why) in idle.iter().take(MOST_ROWS) {
        let _ = writeln!(page, "| {} | {} | {} |", quoted(&rule.name), grouped(rule.matched), prose(why));
    }
    write_more(page, idle.len(), "rules");
}

fn write_client(page: &mut String, client: &ClientReport) {
    let _ = writeln!(page, "\n### {} {}\n", sign(client.verdict), quoted(&client.agent));
    let _ = writeln!(page, "{}", phrases::course_of(client));
    if let Some(backoff) = &client.backoff {
        let _ = writeln!(page, "\n{}", phrases::backoff(backoff));
    }
    let findings = phrases::overall(client);
    if findings.is_empty() {
        return;
    }
    page.push_str("\n| | check | measured | what to do |\n| --- | --- | --- | --- |\n");
    for finding in findings {
        let mut measured = prose(&shown(&finding.measured));
        let complaints = phrases::complaints(client, finding);
        for (rule, complaint) in complaints.iter().take(MOST_ROWS) {
            let _ = write!(measured, "<br>{}: {}", quoted(rule), prose(&shown(&complaint.measured)));
        }
        if let Some(cut) = phrases::cut_off(MOST_ROWS, complaints.len(), "rules") {
            let _ = write!(measured, "<br>{cut}");
        }
        let advice = finding.advice.as_deref().filter(|_| finding.verdict != Verdict::Pass);
        let mut advice = prose(&shown(advice.unwrap_or_default()));
        if finding.verdict != Verdict::Pass {
            let section = phrases::section(finding.anchor);
            let _ = write!(advice, "{}<code>{section}</code>", if advice.is_empty() { "" } else { "<br>" });
        }
        let (sign, check, title) = (sign(finding.verdict), finding.check, prose(&shown(&finding.title)));
        let _ = writeln!(page, "| {sign} | **{check}** {title} | {measured} | {advice} |");
    }
}

fn write_expectations(page: &mut String, expectations: &[Expectation]) {
    if expectations.is_empty() {
        return;
    }
    page.push_str("\n### Expected\n\n| | key | asked | found |\n| --- | --- | --- | --- |\n");
    for expected in expectations.iter().take(MOST_ROWS) {
        let of = expected.rule.as_deref().map(|rule| format!(" of {}", quoted(rule))).unwrap_or_default();
        let (name, asked) = (quoted(&expected.name), quoted(&expected.asked));
        let _ = writeln!(
            page,
            "| {} | {name}{of} | {asked} | {} |",
            sign(expected.verdict),
            prose(&shown(&expected.found))
        );
    }
    write_more(page, expectations.len(), "expectations");
}

fn write_rules(page: &mut String, rules: &[RuleReport]) {
    if rules.is_empty() {
        return;
    }
    page.push_str("\n### Rules\n\n| rule | kind | matched | fired | should fire | did fire |\n| --- | --- | --: | --: | --: | --: |\n");
    for rule in rules.iter().take(MOST_ROWS) {
        let got = phrases::achieved(rule.fired, rule.matched).map_or("–".to_owned(), phrases::percent);
        let (name, kind, asked) = (quoted(&rule.name), escaped(&rule.kind), escaped(&rule.asked));
        let (fired, matched) = (grouped(rule.fired), grouped(rule.matched));
        let _ = writeln!(page, "| {name} | {kind} | {matched} | {fired} | {asked} | {got} |");
    }
    write_more(page, rules.len(), "rules");
}

fn write_evidence(page: &mut String, report: &Report) {
    let evidence = ShownOperations::of(report);
    let troubled = evidence.troubled().count();
    let mut told = 0;
    for operation in evidence.troubled().take(MOST_ROWS) {
        let section = section(operation, &evidence);
        if page.len() + section.len() >= LONGEST_SUMMARY {
            break;
        }
        page.push_str(&section);
        told += 1;
    }
    if let Some(cut) = phrases::cut_off(told, troubled, "operations that something is wrong with") {
        let _ = writeln!(page, "\n{cut}");
    }
}

fn section(operation: &OperationReport, evidence: &ShownOperations) -> String {
    let checks: String = evidence.checks(operation).iter().map(|check| format!(" {check}")).collect();
    let title = quoted(&format!("{} {}", operation.method, operation.path));
    let mut section = format!(
        "\n<details><summary>op {} {title} {}{}{checks}</summary>\n\n",
        operation.id,
        phrases::course(operation),
        if checks.is_empty() { "" } else { "," }
    );
    section.push_str(
        "| at | waited | Retry-After | method | answer | version | |\n| --: | --: | --: | --- | --- | --- | --- |\n",
    );
    for tried in operation.tries.iter().take(MOST_TRIES) {
        let _ = writeln!(
            section,
            "| {} | {} | {} | {} | {} | {} | {} |",
            span(tried.at_ms),
            tried.gap_ms.map(span).unwrap_or_default(),
            tried.retry_after_ms.map(|asked| span(asked as f64)).unwrap_or_default(),
            escaped(&tried.method),
            escaped(&phrases::response(tried)),
            tried.version.as_deref().map(quoted).unwrap_or_default(),
            prose(&phrases::remark(tried)),
        );
    }
    if operation.tries.len() > MOST_TRIES {
        let _ = writeln!(section, "\n… and {} more requests", operation.tries.len() - MOST_TRIES);
    }
    section.push_str("\n</details>\n");
    section
}

fn write_more(page: &mut String, number: usize, many: &str) {
    if let Some(cut) = phrases::cut_off(MOST_ROWS, number, many) {
        let _ = writeln!(page, "\n{cut}; `--report json` has all");
    }
}

/// The verdict as a sign and a word, since a sign alone says nothing to a screen reader.
fn sign(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "✅ pass",
        Verdict::Warn => "⚠️ warn",
        Verdict::Fail => "❌ fail",
        Verdict::Undetermined => "⚪ undetermined",
    }
}

/// A name, set as code.
fn quoted(text: &str) -> String {
    format!("<code>{}</code>", escaped(text))
}

/// Text without markup, except that text between backticks becomes code. A code span of
/// backticks would not do: in a table a bar ends it (GFM §4.10), and a stranger's own backtick.
fn prose(text: &str) -> String {
    let parts: Vec<&str> = text.split('`').collect();
    // An odd number of backticks pairs with nothing: the last one is itself.
    let pairs = (parts.len() - 1) / 2 * 2;
    let mut prose = String::with_capacity(text.len() + 16);
    for (at, part) in parts.into_iter().enumerate() {
        match at {
            _ if at > pairs => _ = write!(prose, "&#96;{}", references(part)),
            _ if at % 2 == 1 => _ = write!(prose, "<code>{}</code>", references(part)),
            _ => prose.push_str(&references(part)),
        }
    }
    prose
}

/// Text in which nothing is markup, a mention or a link.
fn escaped(text: &str) -> String {
    references(&shown(text))
}

/// Replaces each character that could be markup by its reference.
fn references(text: &str) -> String {
    let mut escaped = String::new();
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        // A sign that no address goes on after does not begin one.
        let ends = characters.peek().is_none_or(|next| matches!(next, ' ' | ','));
        match character {
            ' ' | ',' | '/' | '-' | '(' | ')' | '%' | ';' | '=' | '?' | '"' | '\'' => escaped.push(character),
            '.' | ':' if ends => escaped.push(character),
            _ if character.is_ascii_punctuation() => _ = write!(escaped, "&#{};", u32::from(character)),
            _ => escaped.push(character),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_from_outside_is_markup() {
        assert_eq!(escaped("a|b\n<c> `d` www.e"), "a&#124;b&#92;n&#60;c&#62; &#96;d&#96; www&#46;e");
        assert_eq!(quoted("/items/7"), "<code>/items/7</code>");
        assert_eq!(escaped("www.e. a: b http://x"), "www&#46;e. a: b http&#58;//x");
    }

    #[test]
    fn what_stands_between_backticks_is_code() {
        for (text, markdown) in [
            ("write `[expect] a|b`.", "write <code>&#91;expect&#93; a&#124;b</code>."),
            ("`a` and `b`", "<code>a</code> and <code>b</code>"),
            ("one ` alone", "one &#96; alone"),
            ("`<script>` ``", "<code>&#60;script&#62;</code> <code></code>"),
            ("", ""),
        ] {
            assert_eq!(prose(text), markdown);
        }
    }
}
