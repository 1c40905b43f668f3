//! One operation as a time line of characters.

use super::cut;
use super::page::{Page, Tone, WIDTH, wrapped};
use crate::judgement::grading::{CheckId, OperationReport, TryReport};
use crate::reports::phrases::{self, Turn, shown, span};

/// Characters of the line.
const LENGTH: usize = WIDTH - 2;
/// Attempts with a row of their own.
const MOST_ROWS: usize = 12;

/// The operation: what it was, the line, and a row for each of its attempts.
pub fn draw(page: &mut Page, operation: &OperationReport, checks: &[CheckId]) {
    page.gap();
    let checks: String = checks.iter().map(|check| format!("  {check}")).collect();
    let title = format!("{} {}", shown(&operation.method), shown(&operation.path));
    let op = page.toned(Tone::Strong, &format!("op {}", operation.id));
    page.line(&[&op, "  ", &cut(&title, 50), &checks]);
    page.hanging("  ", 2, &format!("{}, {}", phrases::course(operation), shown(&operation.agent)));
    page.line(&["  ", &line(operation)]);
    let columns = Columns::of(operation);
    page.line(&["  ", &page.toned(Tone::Faint, &columns.heading())]);
    for tried in operation.tries.iter().take(MOST_ROWS) {
        columns.row(page, tried);
    }
    let left = operation.tries.len().saturating_sub(MOST_ROWS);
    if left > 0 {
        page.line(&["  … and ", &phrases::counted(left as u64, "attempt", "attempts"), " more"]);
    }
}

/// `×───────×──────○─●`: refused, read, succeeded.
fn line(operation: &OperationReport) -> String {
    let whole = phrases::length(operation);
    let mut columns = vec![None; LENGTH];
    for tried in &operation.tries {
        let share = if whole > 0.0 { (tried.at_ms / whole).clamp(0.0, 1.0) } else { 0.0 };
        // What is no number is 0.
        let at = (share * (LENGTH - 1) as f64).round() as usize;
        if let Some(column) = columns.get_mut(at) {
            *column = (*column).max(Some(phrases::turn(tried)));
        }
    }
    columns.into_iter().map(|turn| turn.map_or('─', symbol)).collect()
}

fn symbol(turn: Turn) -> char {
    match turn {
        Turn::Read => '○',
        Turn::Succeeded => '●',
        Turn::Failed => '!',
        Turn::Refused => '×',
    }
}

/// Which columns the rows have: those that some attempt has something for.
struct Columns {
    asked: bool,
    version: bool,
}

impl Columns {
    fn of(operation: &OperationReport) -> Columns {
        let tries = &operation.tries;
        Columns {
            asked: tries.iter().any(|tried| tried.retry_after_ms.is_some()),
            version: tries.iter().any(|tried| tried.version.is_some()),
        }
    }

    fn heading(&self) -> String {
        self.cells(["at", "gap", "asked", "", "method", "answer", "version"])
    }

    fn row(&self, page: &mut Page, tried: &TryReport) {
        let gap = tried.gap_ms.map(span).unwrap_or_default();
        let asked = tried.retry_after_ms.map(|asked| span(asked as f64)).unwrap_or_default();
        let method = cut(&shown(&tried.method), 7);
        let answer = cut(&phrases::answer(tried), 8);
        let version = cut(&shown(tried.version.as_deref().unwrap_or_default()), 12);
        let symbol = symbol(phrases::turn(tried)).to_string();
        let cells = self.cells([&span(tried.at_ms), &gap, &asked, &symbol, &method, &answer, &version]);
        let indent = cells.chars().count() + 2;
        let remark = match &tried.note {
            Some(note) => shown(note).into_owned(),
            None => phrases::remark(tried),
        };
        let mut head = format!("  {cells}");
        for line in wrapped(&remark, WIDTH - indent) {
            page.line(&[&head, &line]);
            head = " ".repeat(indent);
        }
    }

    fn cells(&self, [at, gap, asked, symbol, method, answer, version]: [&str; 7]) -> String {
        let asked = if self.asked { format!("{asked:>9}") } else { String::new() };
        let version = if self.version { format!("{version:<13}") } else { String::new() };
        format!("{at:>8}{gap:>9}{asked}  {symbol:<2}{method:<8}{answer:<9}{version}")
    }
}
