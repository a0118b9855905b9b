//! Results as text: JSON lines, CSV, or for people those that failed. Turns values into bytes and collects them; [`Sink::flush`] writes
//! whole lines only, so that whatever ends the run, no result is cut off by us.

use std::io;

use serde::Serialize;
use serde_json::Value;

use super::line::{ResultLine, Why};
use crate::args::bulk::BulkOutput;
use crate::output::style::{Style, Tone};
use crate::output::text::safe;
use crate::output::{self, json};

/// Where results go.
pub(super) struct Sink {
    form: BulkOutput,
    style: Style,
    lines: Vec<u8>,
}

impl Sink {
    /// An empty one.
    pub(super) fn new(form: BulkOutput, style: Style) -> Self {
        let mut lines = Vec::new();
        if form == BulkOutput::Csv {
            lines.extend_from_slice(COLUMNS.join(",").as_bytes());
            lines.push(b'\n');
        }
        Self { form, style, lines }
    }

    /// Takes a result.
    pub(super) fn take(&mut self, line: &ResultLine<'_>) {
        match self.form {
            BulkOutput::Jsonl => json::append(line, &mut self.lines),
            BulkOutput::Csv => append_csv(line, &mut self.lines),
            BulkOutput::Human => self.lines.extend_from_slice(for_people(line, self.style).as_bytes()),
        }
    }

    /// What there is to write.
    pub(super) fn lines(&self) -> &[u8] {
        &self.lines
    }

    /// How much that is, in bytes.
    pub(super) const fn len(&self) -> usize {
        self.lines.len()
    }

    /// Writes what there is. False when nobody reads it any more.
    ///
    /// # Errors
    /// What standard output says, such as a full disk.
    pub(super) fn flush(&mut self) -> io::Result<bool> {
        if self.lines.is_empty() {
            return Ok(true);
        }
        let read = output::hand_over(&self.lines);
        self.lines.clear();
        read
    }
}

/// The line for people; none for a row that is registered or had no turn: those are counted in the summary.
fn for_people(line: &ResultLine<'_>, style: Style) -> String {
    let Some(why) = line.cause.filter(|why| why.had_its_turn()) else {
        return String::new();
    };
    let mark = style.paint(Tone::Bad, "✘");
    let whom = match (line.aor, why) {
        // What has to be mended stands there.
        (Some(aor), Why::BadRow) => format!("line {}  {}", line.line, safe(aor)),
        (Some(aor), Why::Cause(_) | Why::HeldBack | Why::NotDone) => safe(aor),
        (None, _) => format!("line {}", line.line),
    };
    let name = line.name.map(|name| format!(" ({})", safe(name))).unwrap_or_default();
    let detail = line.detail.map(|detail| format!("  {}", safe(detail))).unwrap_or_default();
    format!("{mark} {whom}{name}  {}{}\n", why.name(), style.paint(Tone::Faint, &detail))
}

/// The columns of CSV: the fields of the object in its order.
const COLUMNS: [&str; 19] = [
    "row",
    "line",
    "name",
    "aor",
    "registrar",
    "started_at",
    "registered",
    "state",
    "state_code",
    "cause",
    "sip_code",
    "reason",
    "granted_s",
    "removal",
    "total_ms",
    "requests",
    "retransmissions",
    "findings",
    "detail",
];

/// Columns with words of a peer's: one that begins like a formula gets an apostrophe in front, or a table program would calculate it.
const OF_THE_PEER: [&str; 2] = ["reason", "detail"];

/// Appends a result as a row of CSV (RFC 4180, but with bare line feeds): null is an empty cell, and several findings stand in one cell
/// with blanks between them.
fn append_csv(line: &impl Serialize, to: &mut Vec<u8>) {
    let value = serde_json::to_value(line).expect("a result has text keys and finite numbers");
    for (at, column) in COLUMNS.iter().enumerate() {
        if at > 0 {
            to.push(b',');
        }
        let mut cell = cell(value.get(column).unwrap_or(&Value::Null));
        if OF_THE_PEER.contains(column) && cell.starts_with(['=', '+', '-', '@']) {
            cell.insert(0, '\'');
        }
        if cell.contains([',', '"', '\n', '\r']) {
            to.extend_from_slice(format!("\"{}\"", cell.replace('"', "\"\"")).as_bytes());
        } else {
            to.extend_from_slice(cell.as_bytes());
        }
    }
    to.push(b'\n');
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(value) => value.to_string(),
        Value::Number(value) => value.to_string(),
        Value::String(text) => safe(text),
        Value::Array(values) => values.iter().map(cell).collect::<Vec<_>>().join(" "),
        Value::Object(_) => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use schemars::schema_for;
    use sip_registration::{Cause, FindingId, Severity};

    use super::*;

    fn line<'a>(name: Option<&'a str>, why: Why, detail: &'a str) -> ResultLine<'a> {
        ResultLine {
            row: 2,
            line: 3,
            name,
            aor: Some("sip:bob@h"),
            registrar: Some("sip:h"),
            started_at: None,
            registered: false,
            state: why.state(),
            state_code: why.state().code(),
            cause: Some(why),
            sip_code: Some(401),
            reason: Some("Un, authorized"),
            granted_s: None,
            removal: None,
            total_ms: Some(2.5),
            requests: 2,
            retransmissions: 0,
            findings: &[
                (FindingId::WeakDigest, Severity::Warning),
                (FindingId::PlaintextTransport, Severity::Info),
            ],
            detail: Some(detail),
        }
    }

    fn shown(form: BulkOutput, line: &ResultLine<'_>) -> String {
        let mut sink = Sink::new(form, Style::Plain);
        sink.lines.clear();
        sink.take(line);
        String::from_utf8(sink.lines).unwrap()
    }

    #[test]
    fn the_columns_of_csv_are_the_fields_of_the_contract() {
        let schema = schema_for!(ResultLine<'_>);
        let mut fields: Vec<&str> = schema
            .get("properties")
            .unwrap()
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        let mut columns = COLUMNS.to_vec();
        fields.sort_unstable();
        columns.sort_unstable();
        assert_eq!(fields, columns);
    }

    #[test]
    fn what_a_peer_says_is_no_formula_in_csv() {
        for (said, cell) in [
            ("=cmd|' /C calc'!A0", ",'=cmd|"),
            ("+1", ",'+1"),
            ("-1", ",'-1"),
            ("@SUM", ",'@SUM"),
            ("1=1", ",1=1"),
        ] {
            let line = ResultLine {
                reason: Some(said),
                ..line(Some("+49301234"), Why::Cause(Cause::WrongCredentials), said)
            };
            let text = shown(BulkOutput::Csv, &line);
            assert_eq!(text.matches(cell).count(), 2, "{text}");
            assert!(text.starts_with("2,3,+49301234,"), "a name is the user's own: {text}");
        }
    }

    #[test]
    fn what_has_a_comma_or_a_quote_is_quoted_in_csv_and_null_is_empty() {
        let line = line(Some("a \"b\""), Why::Cause(Cause::WrongCredentials), "no");
        let text = shown(BulkOutput::Csv, &line);
        assert!(
            text.starts_with("2,3,\"a \"\"b\"\"\",sip:bob@h,sip:h,,false,WRONG_CREDENTIALS_STATE,6,wrong_credentials,401,"),
            "{text}"
        );
        assert!(
            text.ends_with(",401,\"Un, authorized\",,,2.5,2,0,weak_digest plaintext_transport,no\n"),
            "{text}"
        );
    }

    #[test]
    fn people_see_what_failed_and_nothing_that_acts_on_their_terminal() {
        let failed = line(Some("\u{1b}[2J\u{202e}"), Why::BadRow, "a\nb");
        for form in [BulkOutput::Human, BulkOutput::Csv, BulkOutput::Jsonl] {
            let text = shown(form, &failed);
            assert_eq!(text.lines().count(), 1, "{text:?}");
            assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text:?}");
        }
        assert_eq!(shown(BulkOutput::Human, &line(None, Why::HeldBack, "x")), "");
        assert_eq!(
            shown(BulkOutput::Human, &line(None, Why::BadRow, "x")),
            "✘ line 3  sip:bob@h  bad_row  x\n"
        );
        let named = shown(BulkOutput::Human, &line(Some("Berlin"), Why::BadRow, "x"));
        assert_eq!(named, "✘ line 3  sip:bob@h (Berlin)  bad_row  x\n");
        let failed = shown(BulkOutput::Human, &line(None, Why::Cause(Cause::NoReply), "x"));
        assert_eq!(failed, "✘ sip:bob@h  no_reply  x\n");
    }
}
