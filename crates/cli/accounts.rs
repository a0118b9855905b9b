//! Lists of accounts for `bulk` and `watch`: CSV with a header, JSON lines, or TOML. Columns and keys are the probe's own option names,
//! with `-` or `_`; their values go through the same functions as the command line's. What a row leaves out, the command line says.
//!
//! CSV and JSON lines are read row by row, so a list may be longer than memory. TOML is read whole. Reading sends nothing, and nobody is
//! asked for a password.
//!
//! What is wrong with the list as a whole (no such file, an unknown column in the header) is said by [`Reader::open`]; what is wrong with
//! one row is a [`BadRow`], and the rows behind it are read all the same.

mod build;
mod columns;
mod delimited;
mod lines;
pub(crate) mod property;
mod reference;
mod source;
mod tables;

use std::fmt;
use std::path::Path;

use sip_registration::Account;

pub(crate) use self::build::Template;
use self::columns::{Column, Values};
use self::delimited::Delimited;
use self::lines::Lines;
use self::source::Source;
use self::tables::Tables;
use crate::args::accounts::{AccountsArgs, FormatArg};
use crate::failure::Failure;
use crate::output::text::safe;
use crate::secret::Surroundings;

/// One account of a list.
#[derive(Debug)]
pub(crate) struct Row {
    /// Which account of the list it is, from 1; the header is none.
    pub(crate) number: u64,
    /// The line of the list at which it begins, from 1.
    pub(crate) line: u64,
    /// The name that it has for people, if any.
    pub(crate) name: Option<String>,
    /// What it says, and for the rest the command line.
    pub(crate) account: Account,
}

/// A row that is no account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BadRow {
    /// Which account of the list it would be, from 1.
    pub(crate) number: u64,
    /// The line, from 1.
    pub(crate) line: u64,
    /// Where in it, from 1: the cell of CSV, the character of JSON and TOML as far as it is known.
    pub(crate) column: u64,
    /// What the list calls it, when all of its cells could be read: in others a part of a password may stand in that place.
    pub(crate) name: Option<String>,
    /// Whose account it would be, when that much can be read.
    pub(crate) aor: Option<String>,
    /// What is wrong there, and what would be right. Never holds a secret.
    pub(crate) problem: String,
}

impl fmt::Display for BadRow {
    /// As it goes behind the name of the list: `17:3: registrar: ...`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.line, self.column, self.problem)
    }
}

/// A list that is being read: an iterator of its rows.
pub(crate) struct Reader {
    rows: Rows,
    template: Template,
    values: Values,
    number: u64,
}

enum Rows {
    Delimited(Box<Delimited>),
    Lines(Lines),
    Tables(Tables),
}

/// Where a row or a flaw stands: the line and the column, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    line: u64,
    column: u64,
}

/// What is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Flaw {
    place: Place,
    problem: String,
}

impl Flaw {
    fn at(line: u64, column: u64, problem: impl Into<String>) -> Self {
        Self {
            place: Place { line, column },
            problem: problem.into(),
        }
    }
}

impl Reader {
    /// Opens the list and reads what is said before its first row. `template` is what the command line says of every account.
    ///
    /// # Errors
    /// [`Failure::Usage`], which names the file and the place, when it is no list of accounts.
    pub(crate) fn open(args: &AccountsArgs, mut template: Template) -> Result<Self, Failure> {
        let shown = shown(&args.file);
        let wrong = |flaw: Flaw| Failure::Usage(format!("{shown}:{}:{}: {}", flaw.place.line, flaw.place.column, flaw.problem));
        let format = args.format.map_or_else(|| format_of(&args.file), Ok)?;
        let source = Source::open(&args.file).map_err(|why| Failure::Usage(format!("{shown}: {why}")))?;
        template.beside(&args.file, source.is_open_to_all());
        Self::new(source, format, args.delimiter, template).map_err(wrong)
    }

    fn new(source: Source, format: FormatArg, delimiter: Option<u8>, template: Template) -> Result<Self, Flaw> {
        let rows = match format {
            FormatArg::Csv => Rows::Delimited(Box::new(Delimited::open(source, delimiter)?)),
            FormatArg::Jsonl => Rows::Lines(Lines::open(source)),
            FormatArg::Toml => Rows::Tables(Tables::open(source)?),
        };
        Ok(Self {
            rows,
            template,
            values: Values::default(),
            number: 0,
        })
    }

    /// What the command line says of every account. Reads its secret; nobody is asked for it.
    ///
    /// # Errors
    /// [`Failure`] when the secret cannot be read.
    pub(crate) fn template(args: &AccountsArgs, surroundings: Surroundings) -> Result<Template, Failure> {
        Template::new(args, surroundings)
    }

    /// The account of the row that was read last.
    fn build(&mut self, line: u64) -> Result<Row, BadRow> {
        let name = self.values.text(Column::Name).map(|name| name.trim().to_owned());
        match self.template.account(&self.values) {
            Ok(account) => Ok(Row {
                number: self.number,
                line,
                name,
                account,
            }),
            Err((column, problem)) => Err(self.bad(name, self.values.flaw(line, column, &problem))),
        }
    }

    fn bad(&self, name: Option<String>, flaw: Flaw) -> BadRow {
        BadRow {
            number: self.number,
            line: flaw.place.line,
            column: flaw.place.column,
            name,
            aor: self.values.text(Column::Aor).and_then(build::shown_aor),
            problem: flaw.problem,
        }
    }
}

impl Iterator for Reader {
    type Item = Result<Row, BadRow>;

    fn next(&mut self) -> Option<Self::Item> {
        self.values.clear();
        let read = match &mut self.rows {
            Rows::Delimited(rows) => rows.next(&mut self.values),
            Rows::Lines(rows) => rows.next(&mut self.values),
            Rows::Tables(rows) => rows.next(&mut self.values),
        }?;
        self.number += 1;
        let built = match read {
            Ok(line) => self.build(line),
            Err(flaw) => Err(self.bad(None, flaw)),
        };
        Some(built)
    }
}

/// What a list is called in messages.
pub(crate) fn shown(path: &Path) -> String {
    if path == Path::new("-") {
        "standard input".to_owned()
    } else {
        crate::secret::shown(path)
    }
}

fn format_of(path: &Path) -> Result<FormatArg, Failure> {
    if path == Path::new("-") {
        return Ok(FormatArg::Csv);
    }
    let end = path.extension().map(|end| end.to_string_lossy().to_ascii_lowercase());
    match end.as_deref() {
        Some("csv" | "tsv" | "txt") => Ok(FormatArg::Csv),
        Some("jsonl" | "ndjson" | "json") => Ok(FormatArg::Jsonl),
        Some("toml") => Ok(FormatArg::Toml),
        Some(_) | None => Err(Failure::Usage(format!(
            "{}: its name does not end in .csv, .tsv, .jsonl, .ndjson or .toml; name the format with --format csv, jsonl or toml",
            shown(path)
        ))),
    }
}

/// The longest row that is read, in bytes: more is an unclosed quote or no list of accounts.
const LONGEST_ROW: usize = 1024 * 1024;

/// Why a key is none of an account, and which there are.
fn unknown(key: &str) -> String {
    let normal = columns::normal(key);
    if columns::OF_ALL.contains(&normal.as_str()) {
        return format!("`{normal}` is said on the command line, for all accounts; leave it out here");
    }
    let names: Vec<_> = Column::ALL.iter().map(|column| column.name()).collect();
    format!("`{}` is unknown; there are {}", safe(key), names.join(", "))
}

#[cfg(test)]
mod tests;
