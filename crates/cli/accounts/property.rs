//! What holds for every list of accounts, whatever bytes it is made of. Called by a fuzzer and by the tests of [`crate::property`].

use clap::Parser;
use serde_json::{Map, Value};

use super::{BadRow, Reader, Row, Source, Template};
use crate::args::accounts::{AccountsArgs, FormatArg};
use crate::property::harmless;
use crate::secret::Surroundings;

const FORMATS: [FormatArg; 3] = [FormatArg::Csv, FormatArg::Jsonl, FormatArg::Toml];
/// A password that no message may show.
const SECRET: &str = "canary-password";
/// The columns of a list whose cells the bytes are.
const COLUMNS: [&str; 7] = ["aor", "name", "registrar", "transport", "auth_user", "expires", "contact"];

#[derive(Debug, Parser)]
struct List {
    #[command(flatten)]
    accounts: AccountsArgs,
}

/// The first byte says how a list is written that the others are: it is read to its end, the same each time, and what is wrong with a row
/// is said at its place. And the others are the cells of one account, which is the same account in every format, and whose password
/// nothing shows, whatever stands around it.
pub fn accounts(bytes: &[u8]) {
    let Some((format, list)) = bytes.split_first() else { return };
    let text = String::from_utf8_lossy(list);
    // What would wait for somebody, or never end, is no business of a fuzzer.
    if text.contains("/dev/") || text.contains("/proc/") || text.contains(SECRET) {
        return;
    }
    let format = FORMATS[usize::from(*format) % FORMATS.len()];
    whole(format, list);
    one(&text);
    amid(format, &text);
}

fn template() -> Template {
    let list = List::try_parse_from(["list", "x.csv"]).expect("a file is all that is needed");
    let silent = Surroundings {
        variable: |_| false,
        terminal: true,
    };
    Reader::template(&list.accounts, silent).expect("there is no secret to be read")
}

/// All rows of a list, or nothing when it is none.
fn rows(format: FormatArg, list: &[u8]) -> Option<Vec<Result<Row, BadRow>>> {
    match Reader::new(Source::of(list), format, None, template()) {
        Ok(reader) => Some(reader.collect()),
        Err(flaw) => {
            assert!(flaw.place.line >= 1 && flaw.place.column >= 1, "{flaw:?}");
            harmless(&flaw.problem);
            assert!(!flaw.problem.contains(SECRET), "the password is shown: {}", flaw.problem);
            None
        }
    }
}

fn whole(format: FormatArg, list: &[u8]) {
    let Some(read) = rows(format, list) else { return };
    let lines = list.iter().filter(|byte| matches!(byte, b'\n' | b'\r')).count() as u64 + 1;
    assert!(read.len() as u64 <= lines + list.iter().filter(|byte| **byte == b'[').count() as u64);
    let mut last = 1;
    for (row, number) in read.iter().zip(1..) {
        let (counted, line) = match row {
            Ok(row) => (row.number, row.line),
            Err(bad) => (bad.number, bad.line),
        };
        assert_eq!(counted, number);
        assert!((last..=lines).contains(&line), "line {line} of {lines} behind {last}");
        last = line;
        if let Err(bad) = row {
            assert!(bad.column >= 1);
            harmless(&bad.to_string());
        }
    }
    let again = rows(format, list).expect("it was a list before");
    assert_eq!(format!("{again:?}"), format!("{read:?}"), "read again it is another list");
}

/// One account by its cells, a line for each, in all three formats.
fn one(text: &str) {
    let cells: Vec<_> = COLUMNS
        .into_iter()
        .zip(text.split('\n'))
        .filter(|(_, cell)| !cell.trim().is_empty())
        .collect();
    if cells.is_empty() {
        return;
    }
    let read = FORMATS.map(|format| {
        // A header without the column that every account needs is no list.
        let rows = rows(format, written(format, &cells).as_bytes())?;
        assert_eq!(rows.len(), 1, "{format:?}: {rows:?}");
        rows.into_iter().next().and_then(Result::ok).map(|row| format!("{:?}", row.account))
    });
    assert!(read.iter().all(|account| *account == read[0]), "{read:?}");
    assert!(!format!("{read:?}").contains(SECRET), "the password is shown");
}

/// The cells as one account, with the password.
fn written(format: FormatArg, cells: &[(&str, &str)]) -> String {
    let secret = ("password", SECRET);
    let all = || cells.iter().copied().chain([secret]);
    let quoted = |text: &str| Value::from(text).to_string().replace('\u{7f}', "\\u007f");
    match format {
        FormatArg::Csv => {
            let header: Vec<_> = all().map(|(name, _)| name).collect();
            let row: Vec<_> = all().map(|(_, cell)| format!("\"{}\"", cell.replace('"', "\"\""))).collect();
            format!("{}\n{}\n", header.join(","), row.join(","))
        }
        FormatArg::Jsonl => {
            let fields: Map<String, Value> = all().map(|(name, cell)| (name.to_owned(), cell.into())).collect();
            Value::from(fields).to_string() + "\n"
        }
        FormatArg::Toml => {
            let lines = all().map(|(name, cell)| format!("{name} = {}\n", quoted(cell)));
            format!("[[account]]\n{}", lines.collect::<String>())
        }
    }
}

/// A password amid bytes that may break the list in any way: no message shows it.
fn amid(format: FormatArg, text: &str) {
    let at = (0..=text.len() / 2).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    let (before, behind) = text.split_at(at);
    let list = match format {
        FormatArg::Csv => format!("aor,password,expires\n{before},{SECRET},{behind}\n"),
        FormatArg::Jsonl => format!("{{\"aor\":\"a@h\",{before}\"password\":\"{SECRET}\"{behind}}}\n"),
        FormatArg::Toml => format!("[[account]]\naor = \"a@h\"\n{before}\npassword = \"{SECRET}\"{behind}\n"),
    };
    for row in rows(format, list.as_bytes()).unwrap_or_default() {
        match row {
            Ok(row) => assert!(!format!("{:?}", row.account.secret).contains(SECRET), "the password is shown"),
            Err(bad) => assert!(!bad.to_string().contains(SECRET), "the password is shown: {bad}"),
        }
    }
}
