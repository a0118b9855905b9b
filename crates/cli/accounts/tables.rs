//! TOML: `[[account]]` above each account, and `[defaults]` for what holds for all of them. Read whole, unlike the other formats.

use std::collections::VecDeque;

use toml::de::{DeTable, DeValue};

use super::columns::{Column, Values};
use super::source::Source;
use super::{Flaw, Place, unknown};
use crate::output::text::safe;

/// A list as TOML, read already.
pub(super) struct Tables {
    rows: VecDeque<Entry>,
    defaults: Vec<Cell>,
}

/// One account: its line, and what it says or what is wrong with it.
struct Entry {
    line: u64,
    cells: Result<Vec<Cell>, Flaw>,
}

struct Cell {
    column: Column,
    place: Place,
    text: String,
}

impl Tables {
    /// Reads all of it.
    ///
    /// # Errors
    /// Where it is no TOML or no list of accounts.
    pub(super) fn open(source: Source) -> Result<Self, Flaw> {
        let text = source.whole()?;
        let lines = LineStarts::new(&text);
        let root = DeTable::parse(&text).map_err(|error| {
            let place = lines.place(error.span().map_or(0, |span| span.start));
            Flaw::at(place.line, place.column, safe(error.message()))
        })?;
        let mut tables = Self {
            rows: VecDeque::new(),
            defaults: Vec::new(),
        };
        for (key, value) in root.get_ref() {
            let at = lines.place(key.span().start);
            let wrong = |problem: String| Flaw::at(at.line, at.column, problem);
            match (&**key.get_ref(), value.get_ref()) {
                ("defaults", DeValue::Table(table)) => tables.defaults = defaults(table, &lines)?,
                ("account", DeValue::Array(accounts)) => {
                    tables.rows = accounts
                        .iter()
                        .map(|account| entry(account.get_ref(), lines.place(account.span().start), &lines))
                        .collect();
                }
                ("defaults", _) => return Err(wrong("`defaults` is a table: write [defaults]".to_owned())),
                ("account", _) => return Err(wrong("accounts are a list: write [[account]] above each".to_owned())),
                (other, _) => {
                    let problem = format!("`{}` is unknown here; there are [defaults] and [[account]]", safe(other));
                    return Err(wrong(problem));
                }
            }
        }
        Ok(tables)
    }

    /// The next row into `values`: its line, or what is wrong with it.
    pub(super) fn next(&mut self, values: &mut Values) -> Option<Result<u64, Flaw>> {
        let Entry { line, cells } = self.rows.pop_front()?;
        let own = match cells {
            Ok(own) => own,
            Err(flaw) => return Some(Err(flaw)),
        };
        for cell in &own {
            values.set(cell.column, cell.place, &cell.text);
        }
        // A secret of its own in whatever form goes before that of all.
        let has_secret = own.iter().any(|cell| Column::SECRETS.contains(&cell.column));
        let defaults = self.defaults.iter();
        for cell in defaults.filter(|cell| !(has_secret && Column::SECRETS.contains(&cell.column))) {
            values.set(cell.column, cell.place, &cell.text);
        }
        Some(Ok(line))
    }
}

fn entry(account: &DeValue<'_>, at: Place, lines: &LineStarts<'_>) -> Entry {
    let cells = match account {
        DeValue::Table(table) => cells(table, lines),
        _ => Err(Flaw::at(
            at.line,
            at.column,
            "an account is a table: write [[account]] and its keys below",
        )),
    };
    Entry { line: at.line, cells }
}

fn defaults(table: &DeTable<'_>, lines: &LineStarts<'_>) -> Result<Vec<Cell>, Flaw> {
    let cells = cells(table, lines)?;
    match cells.iter().find(|cell| matches!(cell.column, Column::Aor | Column::Name)) {
        Some(cell) => {
            let problem = format!("`{}` is each account's own", cell.column.name());
            Err(Flaw::at(cell.place.line, cell.place.column, problem))
        }
        None => Ok(cells),
    }
}

fn cells(table: &DeTable<'_>, lines: &LineStarts<'_>) -> Result<Vec<Cell>, Flaw> {
    let mut cells: Vec<Cell> = Vec::with_capacity(table.len());
    for (key, value) in table {
        let place = lines.place(key.span().start);
        let wrong = |problem: String| Flaw::at(place.line, place.column, problem);
        let column = Column::named(key.get_ref()).ok_or_else(|| wrong(unknown(key.get_ref())))?;
        if cells.iter().any(|cell| cell.column == column) {
            // TOML itself refuses only what is spelled the same.
            return Err(wrong(format!("`{}` is said twice", column.name())));
        }
        let text = match value.get_ref() {
            DeValue::String(text) => text.to_string(),
            DeValue::Integer(number) => number.as_str().to_owned(),
            DeValue::Float(_) | DeValue::Boolean(_) | DeValue::Datetime(_) | DeValue::Array(_) | DeValue::Table(_) => {
                return Err(wrong(format!("`{}` is a text or a whole number", column.name())));
            }
        };
        cells.push(Cell { column, place, text });
    }
    Ok(cells)
}

/// Where the lines of a text begin, so that a place is found without counting from the start each time.
struct LineStarts<'a> {
    text: &'a str,
    starts: Vec<usize>,
}

impl<'a> LineStarts<'a> {
    fn new(text: &'a str) -> Self {
        let ends = text.bytes().enumerate().filter(|&(_, byte)| byte == b'\n');
        let starts = [0].into_iter().chain(ends.map(|(at, _)| at + 1)).collect();
        Self { text, starts }
    }

    fn place(&self, at: usize) -> Place {
        let line = self.starts.partition_point(|&start| start <= at);
        let start = line
            .checked_sub(1)
            .and_then(|line| self.starts.get(line))
            .copied()
            .unwrap_or_default();
        let before = self.text.get(start..at).unwrap_or_default();
        Place {
            line: line as u64,
            column: before.chars().count() as u64 + 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_counted_in_lines_and_characters_from_1() {
        let lines = LineStarts::new("ab\nä=x\n");
        let place = |at| {
            let Place { line, column } = lines.place(at);
            (line, column)
        };
        assert_eq!(
            (place(0), place(1), place(3), place(5), place(7)),
            ((1, 1), (1, 2), (2, 1), (2, 2), (2, 4))
        );
    }
}
