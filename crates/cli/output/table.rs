//! Tables for people: columns in line, long cells broken, nothing that acts on a terminal.

use comfy_table::{ColumnConstraint, ContentArrangement, Table, Width, presets};

use super::text::{WIDTH, safe};

/// Writes rows under a heading. Every cell is made safe here.
pub(crate) fn table<const COLUMNS: usize>(heading: [&str; COLUMNS], rows: impl IntoIterator<Item = [String; COLUMNS]>) -> String {
    written(&laid_out(heading, rows))
}

/// The same for objects: the first column, which names them, is not broken, so that a name can be copied.
pub(crate) fn listing<const COLUMNS: usize>(heading: [&str; COLUMNS], rows: impl IntoIterator<Item = [String; COLUMNS]>) -> String {
    const LONGEST: usize = WIDTH / 2;
    let mut table = laid_out(heading, rows);
    let widest = table.column_max_content_widths().first().copied().unwrap_or_default();
    if let Some(names) = table.column_mut(0).filter(|_| usize::from(widest) <= LONGEST) {
        names.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(widest.saturating_add(PADDING))));
    }
    written(&table)
}

/// Blanks around a cell.
const PADDING: u16 = 2;

fn laid_out<const COLUMNS: usize>(heading: [&str; COLUMNS], rows: impl IntoIterator<Item = [String; COLUMNS]>) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(u16::try_from(WIDTH).expect("a line is short"));
    table.set_header(heading);
    for row in rows {
        table.add_row(row.map(|cell| safe(&cell)));
    }
    table
}

fn written(table: &Table) -> String {
    let lines = table.lines().map(|line| format!("{}\n", line.trim_end()));
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_in_line_and_long_cells_are_broken() {
        let long = "word ".repeat(40);
        let text = table(
            ["claim", "seen"],
            [["a".to_owned(), long], ["state\u{1b}[2J".to_owned(), "x".to_owned()]],
        );
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
        assert!(text.lines().count() >= 4 && !text.contains('\u{1b}'), "{text}");
    }

    #[test]
    fn names_are_never_broken() {
        let id = "123e4567-e89b-12d3-a456-426614174000";
        let rows = [[id.to_owned(), "word ".repeat(20), "word ".repeat(20), "word ".repeat(20)]];
        let text = listing(["id", "name", "registers", "state"], rows);
        assert!(
            text.contains(id) && text.lines().all(|line| line.chars().count() <= WIDTH),
            "{text}"
        );
    }
}
