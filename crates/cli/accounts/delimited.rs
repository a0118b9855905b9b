//! CSV (RFC 4180) and its kin: a header that names the columns, then a row for each account. Streams.
//!
//! Lines that begin with `#` and empty ones are passed over. A row has as many cells as the header, so that an unquoted separator in a
//! password shows instead of shifting everything behind it.

use std::io::{self, BufRead};

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

use super::columns::{Column, Values};
use super::source::{LineError, Source};
use super::{Flaw, LONGEST_ROW, Place, unknown};

/// A list as CSV.
pub(super) struct Delimited {
    source: Source,
    records: Records,
    columns: Vec<Column>,
    /// The list cannot be read any further.
    broken: bool,
}

impl Delimited {
    /// Reads the header.
    ///
    /// # Errors
    /// Where it is no header of a list of accounts.
    pub(super) fn open(mut source: Source, delimiter: Option<u8>) -> Result<Self, Flaw> {
        let (header, line) = header(&mut source)?;
        let mut records = Records::new(delimiter.unwrap_or_else(|| detected(&header)), line);
        let read = records.read(&mut &header[..]).map_err(|error| error.flaw(line))?;
        if read.is_none() {
            return Err(Flaw::at(1, 1, "is empty; the first line names the columns, such as aor,password"));
        }
        // A record ends at a carriage return; the line break behind it is of the header as well.
        records.line = line + 1;
        Ok(Self {
            columns: columns(records.cells(), line)?,
            source,
            records,
            broken: false,
        })
    }

    /// The next row into `values`: its line, or what is wrong with it.
    pub(super) fn next(&mut self, values: &mut Values) -> Option<Result<u64, Flaw>> {
        if self.broken {
            return None;
        }
        let line = match self.records.read(self.source.bytes()) {
            Ok(line) => line?,
            Err(error) => {
                self.broken = true;
                return Some(Err(error.flaw(self.records.began)));
            }
        };
        let mut flaw = None;
        let cells = self.records.cells();
        for ((column, cell), at) in self.columns.iter().zip(cells).zip(1..) {
            match std::str::from_utf8(cell) {
                Ok(text) => {
                    values.set(*column, Place { line, column: at }, text);
                }
                Err(_) => {
                    let problem = format!("{}: is not UTF-8 text; save the list as UTF-8", column.name());
                    flaw = flaw.or(Some(Flaw::at(line, at, problem)));
                }
            }
        }
        let (cells, columns) = (self.records.count, self.columns.len());
        if cells != columns {
            let last = cells.min(columns) as u64;
            let problem =
                format!("the row has {cells} cells and the header {columns}; a cell with a separator in it stands between quotes");
            return Some(Err(Flaw::at(line, last, problem)));
        }
        Some(flaw.map_or(Ok(line), Err))
    }
}

/// One record after another. Their memory is used again.
struct Records {
    core: Reader,
    /// The cells, one behind the other.
    text: Vec<u8>,
    /// Where each of them ends.
    ends: Vec<usize>,
    /// How many of them there are.
    count: usize,
    /// The line that is read.
    line: u64,
    /// The line at which the record begins.
    began: u64,
}

/// Stands behind the last line: it ends a record that has no line break, and leaves one open whose quote is not closed.
const LINE_BREAK: &[u8] = b"\n";

/// Why there is no next record.
enum Broken {
    /// It is longer than a row may be.
    TooLong,
    /// The list ends within a quoted cell.
    Unclosed,
    /// The system's words.
    Io(io::Error),
}

impl From<io::Error> for Broken {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl Broken {
    fn flaw(self, line: u64) -> Flaw {
        let problem = match self {
            Self::TooLong => "the row is longer than 1 MiB; is a quote not closed? Nothing behind it was read".to_owned(),
            Self::Unclosed => "a quote is not closed: the row goes on to the end of the list".to_owned(),
            Self::Io(error) => format!("cannot be read any further: {error}"),
        };
        Flaw::at(line, 1, problem)
    }
}

impl Records {
    fn new(delimiter: u8, line: u64) -> Self {
        Self {
            core: ReaderBuilder::new().delimiter(delimiter).build(),
            text: vec![0; 1024],
            ends: vec![0; 16],
            count: 0,
            line,
            began: line,
        }
    }

    /// Reads a record; the line at which it begins.
    fn read(&mut self, bytes: &mut impl BufRead) -> Result<Option<u64>, Broken> {
        self.pass_over(bytes)?;
        self.began = self.line;
        let (mut length, mut count) = (0, 0);
        loop {
            let input = bytes.fill_buf()?;
            let at_end = input.is_empty();
            let input = if at_end { LINE_BREAK } else { input };
            let (text, ends) = (self.text.get_mut(length..), self.ends.get_mut(count..));
            let read = self.core.read_record(input, text.unwrap_or_default(), ends.unwrap_or_default());
            let (result, used, written, ended) = read;
            if !at_end {
                let lines = input.iter().take(used).filter(|&&byte| byte == b'\n').count();
                self.line += lines as u64;
                bytes.consume(used);
            }
            (length, count) = (length + written, count + ended);
            match result {
                ReadRecordResult::InputEmpty if at_end && length + count > 0 => return Err(Broken::Unclosed),
                ReadRecordResult::InputEmpty if at_end => return Ok(None),
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull if self.text.len() >= LONGEST_ROW => return Err(Broken::TooLong),
                ReadRecordResult::OutputFull => self.text.resize(self.text.len() * 2, 0),
                ReadRecordResult::OutputEndsFull if self.ends.len() >= LONGEST_ROW => return Err(Broken::TooLong),
                ReadRecordResult::OutputEndsFull => self.ends.resize(self.ends.len() * 2, 0),
                ReadRecordResult::Record => {
                    self.count = count;
                    return Ok(Some(self.began));
                }
                ReadRecordResult::End => return Ok(None),
            }
        }
    }

    /// Passes over empty lines and comments.
    fn pass_over(&mut self, bytes: &mut impl BufRead) -> io::Result<()> {
        let mut in_comment = false;
        loop {
            let used = match bytes.fill_buf()? {
                [] => return Ok(()),
                [b'\n', ..] => {
                    self.line += 1;
                    in_comment = false;
                    1
                }
                [b'\r', ..] => 1,
                [b'#', ..] => {
                    in_comment = true;
                    1
                }
                rest if in_comment => rest.iter().position(|&byte| byte == b'\n').unwrap_or(rest.len()),
                _ => return Ok(()),
            };
            bytes.consume(used);
        }
    }

    /// The cells of the record.
    fn cells(&self) -> impl Iterator<Item = &[u8]> {
        let starts = [0].into_iter().chain(self.ends.iter().copied());
        let cells = starts.zip(&self.ends).take(self.count);
        cells.map(|(start, &end)| self.text.get(start..end).unwrap_or_default())
    }
}

/// The line of the header, and which one it is. A byte order mark goes.
fn header(source: &mut Source) -> Result<(Vec<u8>, u64), Flaw> {
    let mut line = Vec::new();
    for number in 1.. {
        let more = source.line(&mut line).map_err(|error| match error {
            LineError::TooLong => Flaw::at(number, 1, "the line is longer than 1 MiB; the first line names the columns"),
            LineError::Io(error) => Flaw::at(number, 1, format!("cannot be read: {error}")),
        })?;
        if number == 1 && (line.starts_with(b"\xff\xfe") || line.starts_with(b"\xfe\xff")) {
            return Err(Flaw::at(1, 1, "is UTF-16 text; save it as UTF-8"));
        }
        let text = if number == 1 {
            line.strip_prefix(MARK).unwrap_or(&line)
        } else {
            &line
        };
        if !more || !(text.starts_with(b"#") || text.trim_ascii().is_empty()) {
            return Ok((text.to_vec(), number));
        }
    }
    Ok((Vec::new(), 1))
}

/// U+FEFF as UTF-8, which some programs put in front.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// Of comma, semicolon and tab the one that the header has most of; a comma for one column.
fn detected(header: &[u8]) -> u8 {
    let count = |wanted: u8| header.iter().filter(|&&byte| byte == wanted).count();
    let [comma, semicolon, tab] = [b',', b';', b'\t'].map(|byte| (count(byte), byte));
    let most = [semicolon, tab]
        .into_iter()
        .fold(comma, |most, other| if other.0 > most.0 { other } else { most });
    most.1
}

/// What the header names.
fn columns<'a>(header: impl Iterator<Item = &'a [u8]>, line: u64) -> Result<Vec<Column>, Flaw> {
    let names: Vec<_> = header.map(String::from_utf8_lossy).collect();
    // Without it the line is hardly a header, and its cells, passwords among them, are not repeated.
    if !names.iter().any(|name| Column::named(name) == Some(Column::Aor)) {
        let problem = "no column is named aor; the first line names the columns, such as aor,registrar,password";
        return Err(Flaw::at(line, 1, problem));
    }
    let mut columns: Vec<Column> = Vec::with_capacity(names.len());
    for (name, at) in names.iter().zip(1..) {
        let column = Column::named(name).ok_or_else(|| Flaw::at(line, at, unknown(name)))?;
        if columns.contains(&column) {
            return Err(Flaw::at(line, at, format!("`{}` is named twice", column.name())));
        }
        columns.push(column);
    }
    Ok(columns)
}
