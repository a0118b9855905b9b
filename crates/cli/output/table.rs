//! Tables for people: columns in line, long cells broken, nothing that acts on a terminal.

use comfy_table::{ContentArrangement, Table, presets};

use super::text::{WIDTH, safe};

/// Writes rows under a heading. Every cell is made safe here.
pub(crate) fn table<const COLUMNS: usize>(heading: [&str; COLUMNS], rows: impl IntoIterator<Item = [String; COLUMNS]>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(u16::try_from(WIDTH).expect("a line is short"));
    table.set_header(heading);
    for row in rows {
        table.add_row(row.map(|cell| safe(&cell)));
    }
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
}
