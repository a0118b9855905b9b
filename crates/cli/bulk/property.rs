//! What holds for every line of results, whatever the other side has said. Called by [`crate::output::property`].

use sip_registration::Report;

use super::line::{ResultLine, Why};
use super::show::Sink;
use crate::args::bulk::BulkOutput;
use crate::output::style::Style;

/// What `bulk` shows of an account with this report, in each form: JSON and CSV can be read, and no cell is a formula of the other side's.
pub(crate) fn lines(report: &Report) -> [String; 3] {
    let reason = report.last_response.as_ref().map(|last| last.reason.as_str());
    let line = ResultLine {
        row: 1,
        line: 1,
        name: None,
        aor: Some(&report.aor),
        registrar: Some(&report.registrar),
        started_at: None,
        registered: report.registered,
        state: report.state,
        state_code: report.state_code,
        cause: report.cause.map(Why::Cause),
        sip_code: report.last_response.as_ref().map(|last| last.code),
        reason,
        granted_s: None,
        removal: None,
        total_ms: report.phases_ms.total,
        requests: report.requests,
        retransmissions: report.retransmissions,
        findings: &[],
        detail: report.cause.map(|_| report.detail.as_str()),
    };
    let shown = [BulkOutput::Jsonl, BulkOutput::Csv, BulkOutput::Human].map(|form| {
        let mut sink = Sink::new(form, Style::Plain);
        sink.take(&line);
        String::from_utf8_lossy(sink.lines()).into_owned()
    });
    let [object, table, _] = &shown;
    assert!(serde_json::from_str::<serde_json::Value>(object).is_ok(), "{object}");
    let (header, row) = table.split_once('\n').expect("there is a header");
    let names: Vec<_> = header.split(',').collect();
    let cells = cells(row.strip_suffix('\n').expect("a row is a whole line"));
    assert_eq!(cells.len(), names.len(), "{row}");
    for (name, said) in [("reason", reason), ("detail", line.detail)] {
        let at = names.iter().position(|known| *known == name).expect("it is a column");
        let cell = &cells[at];
        assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r']), "a formula: {cell}");
        assert_eq!(
            cell.strip_prefix('\'').filter(|_| said != Some(cell)).unwrap_or(cell),
            said.unwrap_or_default()
        );
    }
    shown
}

/// The cells of one row (RFC 4180).
fn cells(row: &str) -> Vec<String> {
    let (mut cells, mut cell, mut is_quoted) = (Vec::new(), String::new(), false);
    let mut characters = row.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '"' if is_quoted && characters.next_if_eq(&'"').is_some() => cell.push('"'),
            '"' => is_quoted = !is_quoted,
            ',' if !is_quoted => cells.push(std::mem::take(&mut cell)),
            other => cell.push(other),
        }
    }
    assert!(!is_quoted, "a quote is not closed: {row}");
    cells.push(cell);
    cells
}
