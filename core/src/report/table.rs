//! Columns without borders, as wide as their cells; a cell too wide for its line is wrapped in its column.

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

/// Spaces between two columns.
const BETWEEN: u16 = 2;

/// The rows as lines of at most `width` columns; `numbers` are the columns that stand to the right. The
/// first row says how many columns there are.
pub fn lines(rows: &[Vec<String>], numbers: &[usize], width: usize) -> Vec<String> {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(u16::try_from(width).unwrap_or(u16::MAX));
    for row in rows {
        table.add_row(row);
    }
    let last = table.column_count().saturating_sub(1);
    for (at, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, if at == last { 0 } else { BETWEEN }));
        if numbers.contains(&at) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.lines().map(|line| line.trim_end().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(rows: &[&[&str]]) -> Vec<Vec<String>> {
        rows.iter().map(|row| row.iter().map(|cell| (*cell).to_owned()).collect()).collect()
    }

    #[test]
    fn columns_are_as_wide_as_what_is_in_them() {
        let rows = rows(&[&["rule", "fired", "why"], &["flaky", "1,003", "a rate"], &["語", "9", "–"]]);
        let lines = lines(&rows, &[1], 80);
        assert_eq!(lines, ["rule   fired  why", "flaky  1,003  a rate", "語         9  –"]);
    }

    #[test]
    fn what_has_no_room_is_wrapped_and_never_left_out() {
        let long = "one two three four five six seven";
        let lines = lines(&rows(&[&["rule", long]]), &[], 20);
        assert!(lines.iter().all(|line| line.chars().count() <= 20), "{lines:?}");
        let words = lines.join(" ");
        assert_eq!(words.split_whitespace().skip(1).collect::<Vec<_>>().join(" "), long);
    }
}
