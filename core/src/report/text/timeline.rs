//! One operation as a time line of characters.

use super::cut;
use super::page::{Page, Tone};
use crate::grading::{CheckId, OperationReport, TryReport};
use crate::report::phrases::{self, AttemptRole, shown, span};
use crate::report::table;

/// Requests with a row of their own.
const MOST_ROWS: usize = 12;

/// The operation: its heading, the line, and a row for each of its requests.
pub fn draw(page: &mut Page, operation: &OperationReport, checks: &[CheckId]) {
    page.gap();
    let checks: String = checks.iter().map(|check| format!("  {check}")).collect();
    let title = format!("{} {}", shown(&operation.method), shown(&operation.path));
    let op = format!("op {}", operation.id);
    let room = page.width().saturating_sub(op.len() + 2 + checks.len());
    page.line(&[&page.toned(Tone::Strong, &op), "  ", &cut(&title, room), &checks]);
    page.hanging("  ", 2, &format!("{}, {}", phrases::course(operation), shown(&operation.agent)));
    page.line(&["  ", &line(operation, page.width() - 2)]);
    let columns = Columns::of(operation);
    let mut rows = vec![columns.row(phrases::TRY_HEADS.map(str::to_owned))];
    rows.extend(operation.tries.iter().take(MOST_ROWS).map(|tried| columns.row(cells(tried))));
    for (at, line) in table::lines(&rows, &columns.numbers(), page.width() - 2).iter().enumerate() {
        let line = if at == 0 { page.toned(Tone::Faint, line) } else { line.clone() };
        page.line(&["  ", &line]);
    }
    let left = operation.tries.len().saturating_sub(MOST_ROWS);
    if left > 0 {
        page.line(&["  … and ", &phrases::counted(left as u64, "more request", "more requests")]);
    }
}

/// `×───────×──────○─●`: refused, read, succeeded.
fn line(operation: &OperationReport, length: usize) -> String {
    let whole = phrases::length(operation);
    let mut columns = vec![None; length];
    for tried in &operation.tries {
        let share = if whole > 0.0 { (tried.at_ms / whole).clamp(0.0, 1.0) } else { 0.0 };
        // NaN casts to 0.
        let at = (share * length.saturating_sub(1) as f64).round() as usize;
        if let Some(column) = columns.get_mut(at) {
            *column = (*column).max(Some(phrases::turn(tried)));
        }
    }
    columns.into_iter().map(|turn| turn.map_or('─', symbol)).collect()
}

fn symbol(turn: AttemptRole) -> char {
    match turn {
        AttemptRole::Read => '○',
        AttemptRole::Succeeded => '●',
        AttemptRole::Failed => '!',
        AttemptRole::Refused => '×',
    }
}

/// Which columns the rows have: those that some request has something for.
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

    fn row(&self, cells: [String; 7]) -> Vec<String> {
        let [at, gap, asked, method, response, version, remark] = cells;
        let asked = self.asked.then_some(asked);
        let version = self.version.then_some(version);
        let cells = [Some(at), Some(gap), asked, Some(method), Some(response), version, Some(remark)];
        cells.into_iter().flatten().collect()
    }

    /// Spans of time stand to the right.
    fn numbers(&self) -> Vec<usize> {
        (0..2 + usize::from(self.asked)).collect()
    }
}

fn cells(tried: &TryReport) -> [String; 7] {
    let remark = match &tried.note {
        Some(note) if tried.rule.is_some() => shown(note).into_owned(),
        _ => phrases::remark(tried),
    };
    [
        span(tried.at_ms),
        tried.gap_ms.map(span).unwrap_or_default(),
        tried.retry_after_ms.map(|asked| span(asked as f64)).unwrap_or_default(),
        format!("{} {}", symbol(phrases::turn(tried)), cut(&shown(&tried.method), 12)),
        cut(&phrases::response(tried), 12),
        cut(&shown(tried.version.as_deref().unwrap_or_default()), 20),
        remark,
    ]
}
