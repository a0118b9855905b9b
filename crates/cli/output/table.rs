//! Tables for people: columns in line, long cells broken, nothing that acts on a terminal.

use comfy_table::{ColumnConstraint, ContentArrangement, Table, Width, presets};

use super::text::{safe, width};

/// Writes rows under a heading. Every cell is made safe here. Words are not broken where all of them fit, and the first column, which
/// names the rows, is not broken at all unless it takes more than half of the screen, so that a name can be copied.
pub(crate) fn table<const COLUMNS: usize>(heading: [&str; COLUMNS], rows: &[[String; COLUMNS]]) -> String {
    let mut table = laid_out(heading, rows.iter().cloned());
    let needed: [usize; COLUMNS] = std::array::from_fn(|at| {
        let cells = rows.iter().map(|row| safe(&row[at])).chain([heading[at].to_owned()]);
        let parts = cells.flat_map(|cell| match at {
            0 => Some(cell.chars().count()),
            _ => cell.split(' ').map(|word| word.chars().count()).max(),
        });
        parts.max().unwrap_or_default() + usize::from(PADDING)
    });
    let fits = needed.iter().sum::<usize>() <= width();
    for (at, wide) in needed.into_iter().enumerate() {
        let names = at == 0 && wide <= width() / 2;
        if let (Some(column), Ok(width), true) = (table.column_mut(at), u16::try_from(wide), fits || names) {
            column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(width)));
        }
    }
    written(&table)
}

/// Blanks around a cell.
const PADDING: u16 = 2;

fn laid_out<const COLUMNS: usize>(heading: [&str; COLUMNS], rows: impl IntoIterator<Item = [String; COLUMNS]>) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(u16::try_from(width()).expect("a line is short"));
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
    use crate::output::text::WIDTH;

    #[test]
    fn columns_stand_in_line_and_long_cells_are_broken() {
        let long = "word ".repeat(40);
        let text = table(
            ["claim", "seen"],
            &[["a".to_owned(), long], ["state\u{1b}[2J".to_owned(), "x".to_owned()]],
        );
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
        assert!(text.lines().count() >= 4 && !text.contains('\u{1b}'), "{text}");
    }

    #[test]
    fn names_are_never_broken() {
        let id = "123e4567-e89b-12d3-a456-426614174000";
        let row = |at: &str| {
            [
                id.to_owned(),
                "a long name with many words".to_owned(),
                at.to_owned(),
                "Not Registered".to_owned(),
            ]
        };
        let heading = ["id", "name", "registers", "state"];
        let text = table(heading, &[row("telnyx-reg at pbx.example.com:5080 by UDP")]);
        assert!(text.contains(id) && text.contains(" pbx.example.com:5080"), "{text}");
        // Nor are names of several words.
        let [_, name, at, state] = row(&"word ".repeat(30));
        let text = table(heading, &[["✔ the last response of it".to_owned(), name, at, state]]);
        assert!(text.contains("✔ the last response of it"), "{text}");
        // Where not all fits, the name does.
        let text = table(heading, &[row(&"x".repeat(90))]);
        assert!(
            text.contains(id) && text.lines().all(|line| line.chars().count() <= WIDTH),
            "{text}"
        );
    }
}
