//! The report as one page that needs nothing else: no request, no script. Every value on it says where
//! in the JSON report it stands (`data-at`, a JSON pointer), and a test reads them all in a browser.

mod marked;
mod plots;
mod view;

use askama::Template;
use jiff::Timestamp;

use self::marked::Marked;
use self::view::{ClientView, ExpectationView, Explanation, OperationView, RuleView};
use super::evidence::ShownOperations;
use super::{conflicts, phrases, run};
use crate::grading::{Report, RuleReport, Totals, Verdict};
use crate::rules::grouped;

/// Classes of clients on the page.
const MOST_CLIENTS: usize = 50;
/// Rules and expectations on the page, of each.
const MOST_ROWS: usize = 500;
/// Operations on the page; a browser lays them out without delay.
const MOST_OPERATIONS: usize = 200;
/// Operations that are shown with their requests unfolded.
const UNFOLDED: usize = 3;

/// The page.
#[derive(Template)]
#[template(path = "report/page.html")]
struct Page<'a> {
    report: &'a Report,
    title: String,
    headline: Marked,
    words: &'static str,
    /// A sentence on the headline, the cause of the exit code, and the command that was run.
    said: Vec<Marked>,
    idle: Vec<(String, String, Marked)>,
    run: String,
    began: String,
    version: &'static str,
    icon: &'static str,
    tiles: Vec<Tile>,
    shares: Vec<(&'static str, f64)>,
    clients: Vec<ClientView>,
    expectations: Vec<ExpectationView>,
    rules: Vec<RuleView>,
    operations: Vec<OperationView<'a>>,
    explanations: Vec<Explanation>,
    left: Left,
}

/// One number of the heading.
struct Tile {
    label: &'static str,
    value: Marked,
}

/// Items that the report or the run has and the page leaves out.
struct Left {
    clients: Option<String>,
    expectations: Option<String>,
    rules: Option<String>,
    operations: Option<String>,
}

impl Left {
    fn of(report: &Report) -> Left {
        let classes = report.clients.len() + usize::try_from(report.totals.other_clients).unwrap_or(0);
        let (kept, all) = (report.operations.len(), report.totals.operations);
        let operations = kept.max(usize::try_from(all).unwrap_or(usize::MAX));
        let operations = phrases::cut_off(kept.min(MOST_OPERATIONS), operations, "operations");
        let in_json = match kept {
            0..=MOST_OPERATIONS => String::new(),
            _ => format!("; the JSON report has {}", grouped(kept as u64)),
        };
        Left {
            clients: phrases::cut_off(report.clients.len().min(MOST_CLIENTS), classes, "classes of clients"),
            expectations: phrases::cut_off(MOST_ROWS, report.expectations.len(), "expectations"),
            rules: phrases::cut_off(MOST_ROWS, report.rules.len(), "rules"),
            operations: operations.map(|cut| cut + &in_json),
        }
    }
}

/// The report as a page; `started` is the moment 0 of its times.
pub fn render(report: &Report, started: Timestamp) -> Result<String, askama::Error> {
    let evidence = ShownOperations::of(report);
    let shown = evidence.all().iter().take(MOST_OPERATIONS);
    let on_page = shown.clone().map(|(_, operation)| operation.id).collect();
    let page = Page {
        report,
        title: phrases::headline(report).replace('`', ""),
        headline: Marked::sentence("headline", &phrases::headline(report)),
        words: phrases::WORDS,
        said: run::aside(report)
            .into_iter()
            .chain(run::exit(report).map(std::borrow::Cow::into_owned))
            .map(|sentence| Marked::sentence("said", &sentence))
            .collect(),
        idle: idle(report),
        run: run::line(&report.run).unwrap_or_default(),
        began: format!("{}", started.strftime("%Y-%m-%d %H:%M:%S UTC")),
        version: env!("CARGO_PKG_VERSION"),
        icon: icon(run::headline(report)),
        tiles: tiles(&report.totals),
        shares: shares(&report.totals),
        clients: report
            .clients
            .iter()
            .enumerate()
            .take(MOST_CLIENTS)
            .map(|client| ClientView::of(client, &on_page))
            .collect(),
        expectations: report
            .expectations
            .iter()
            .enumerate()
            .take(MOST_ROWS)
            .map(|expected| ExpectationView::of(expected, &on_page))
            .collect(),
        rules: report.rules.iter().enumerate().take(MOST_ROWS).map(RuleView::of).collect(),
        operations: shown
            .enumerate()
            .map(|(nth, (at, operation))| {
                OperationView::of(*at, operation, evidence.checks(operation), nth < UNFOLDED)
            })
            .collect(),
        explanations: view::explanations(report),
        left: Left::of(report),
    };
    page.render()
}

/// Rules that did not fire, with their matches and why, where nothing was tested.
fn idle(report: &Report) -> Vec<(String, String, Marked)> {
    let of = |(rule, why): (&RuleReport, std::borrow::Cow<str>)| {
        (phrases::shown(&rule.name).into_owned(), grouped(rule.matched), Marked::sentence("idle", &why))
    };
    let idle = run::idle(report).into_iter().filter(|_| report.untested.is_some());
    idle.take(MOST_ROWS).map(of).collect()
}

impl Page<'_> {
    fn verdict(&self) -> Marked {
        match run::headline(self.report) {
            verdict if verdict == self.report.verdict => Marked::verdict("/verdict", verdict),
            verdict => Marked::headline(verdict),
        }
    }

    fn caveats(&self) -> Vec<Marked> {
        let caveats = phrases::caveats(self.report);
        caveats.iter().map(|caveat| Marked::sentence("caveat", caveat)).collect()
    }
}

fn tiles(totals: &Totals) -> Vec<Tile> {
    let mut tiles: Vec<Tile> = [
        ("requests", "attempts", totals.attempts),
        ("operations", "operations", totals.operations),
        (conflicts::met_label(totals.conflicted_upstream), "conflicted", totals.conflicted),
        ("recovered", "recovered", totals.recovered),
        ("gave up", "gave_up", totals.gave_up),
        ("unfinished", "unfinished", totals.unfinished),
    ]
    .into_iter()
    .map(|(label, field, number)| Tile { label, value: Marked::count("/totals", field, number) })
    .collect();
    if totals.conflicted_upstream > 0 {
        let value = Marked::count("/totals", "conflicted_upstream", totals.conflicted_upstream);
        tiles.insert(3, Tile { label: conflicts::MET_OWN_LABEL, value });
    }
    tiles.push(Tile {
        label: "elapsed",
        value: Marked::span("/totals", "elapsed_ms", totals.elapsed_ms as f64),
    });
    tiles
}

/// How the operations that met a conflict ended, in percent of them. To give up is no fault by itself.
fn shares(totals: &Totals) -> Vec<(&'static str, f64)> {
    let ends = [("pass", totals.recovered), ("warn", totals.gave_up), ("undetermined", totals.unfinished)];
    let all: u64 = ends.iter().fold(0, |all, (_, number)| all.saturating_add(*number));
    ends.into_iter()
        .filter(|(_, number)| *number > 0)
        .map(|(name, number)| (name, 100.0 * number as f64 / all as f64))
        .collect()
}

/// The colour of the page's icon.
fn icon(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "1a7f4b",
        Verdict::Warn => "b7791f",
        Verdict::Fail => "c0392b",
        Verdict::Undetermined => "6b7280",
    }
}
