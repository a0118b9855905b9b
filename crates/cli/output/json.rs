//! Reports as JSON (docs/report.md, docs/verify.md): indented on a terminal, one line otherwise. The contracts themselves are those of
//! `Report` and `Verification`.

use std::fmt::Write as _;

use regprobe_providers::Verification;
use schemars::SchemaGenerator;
use serde::Serialize;
use sip_registration::Report;

use crate::args::SchemaOf;
use crate::bulk::line::ResultLine;
use crate::inspect::report::InspectReport;
use crate::load::report::LoadReport;
use crate::output::verify::Problem;
use crate::watch::lines::Line;

/// Writes the report, with a line end.
///
/// JSON must escape only what is below U+0020; characters that move a terminal's cursor or hide text are escaped as well, so
/// that `regprobe ... | less` or a log viewer stays readable. Readers of JSON see no difference.
pub(crate) fn render(report: &impl Serialize, indented: bool) -> String {
    let text = if indented {
        serde_json::to_string_pretty(report)
    } else {
        serde_json::to_string(report)
    };
    escaped(&text.expect("a report has text keys and finite numbers")) + "\n"
}

/// Appends a value as one line. Text that is escaped is what `render` escapes; where there is none, nothing is copied.
pub(crate) fn append(value: &impl Serialize, to: &mut Vec<u8>) {
    let start = to.len();
    serde_json::to_writer(&mut *to, value).expect("a result has text keys and finite numbers, and a Vec takes everything");
    let written = to.get(start..).unwrap_or_default();
    // Without an early end, so that many bytes are looked at in one step.
    let is_plain = written.iter().fold(true, |plain, byte| plain & matches!(byte, b' '..=b'~'));
    if !is_plain {
        let shown = escaped(&String::from_utf8_lossy(written));
        to.truncate(start);
        to.extend_from_slice(shown.as_bytes());
    }
    to.push(b'\n');
}

/// The JSON Schema of a report, indented, with a line end.
pub(crate) fn schema(of: SchemaOf) -> String {
    let generator = SchemaGenerator::default();
    let mut schema = match of {
        SchemaOf::Probe => generator.into_root_schema_for::<Report>(),
        SchemaOf::Verify => generator.into_root_schema_for::<Verification>(),
        SchemaOf::Bulk => generator.into_root_schema_for::<ResultLine<'_>>(),
        SchemaOf::Load => generator.into_root_schema_for::<LoadReport>(),
        SchemaOf::Inspect => generator.into_root_schema_for::<InspectReport>(),
        SchemaOf::Problem => generator.into_root_schema_for::<Problem<'_>>(),
        SchemaOf::Watch => generator.into_root_schema_for::<Line>(),
    };
    schema.insert("title".to_owned(), title(of).into());
    serde_json::to_string_pretty(&schema).expect("a schema is JSON") + "\n"
}

/// What a schema describes, for people; the names of our types say nothing to them.
const fn title(of: SchemaOf) -> &'static str {
    match of {
        SchemaOf::Probe => "Report of regprobe probe, bindings, unregister and ping",
        SchemaOf::Verify => "Report of regprobe verify",
        SchemaOf::Bulk => "Line of regprobe bulk",
        SchemaOf::Load => "Report of regprobe load",
        SchemaOf::Inspect => "Message of regprobe inspect",
        SchemaOf::Problem => "Line of regprobe verify --all for a check that could not be made",
        SchemaOf::Watch => "Line of regprobe watch",
    }
}

fn escaped(json: &str) -> String {
    let mut shown = String::with_capacity(json.len());
    for character in json.chars() {
        if character.is_ascii_graphic() || matches!(character, ' ' | '\n') || is_visible(character) {
            shown.push(character);
        } else {
            for unit in character.encode_utf16(&mut [0; 2]) {
                write!(shown, "\\u{unit:04x}").expect("a String takes everything");
            }
        }
    }
    shown
}

/// Beyond ASCII, what `printable` leaves as it is.
fn is_visible(character: char) -> bool {
    !character.is_ascii()
        && sip_message::printable(character.encode_utf8(&mut [0; 4]).as_bytes())
            .chars()
            .eq([character])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::samples::registered;

    #[test]
    fn a_report_is_one_line_unless_somebody_looks() {
        assert_eq!(render(&registered(), false).lines().count(), 1);
        assert!(render(&registered(), true).lines().count() > 20);
        let parsed = |indented| serde_json::from_str::<serde_json::Value>(&render(&registered(), indented)).unwrap();
        assert_eq!(parsed(false), parsed(true));
        assert_eq!(parsed(false)["state"], "REGISTERED_STATE");
    }

    #[test]
    fn what_moves_a_terminal_is_escaped_and_reads_back_the_same() {
        let mut report = registered();
        let hostile = "x\x1b[2J\u{9b}2J\u{202e}\u{7f}\u{e0001}\r\n\0Gr\u{fc}\u{df}e \u{4e16}\"\\";
        report.detail = hostile.to_owned();
        let json = render(&report, false);
        let mut line = b"before\n".to_vec();
        append(&report, &mut line);
        assert_eq!(line, format!("before\n{json}").as_bytes());
        assert!(!json.contains(['\x1b', '\u{9b}', '\u{202e}', '\u{7f}', '\u{e0001}', '\0', '\r']));
        assert!(json.contains('\u{4e16}'));
        let read: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(read["detail"], hostile);
    }

    #[test]
    fn the_schema_names_the_contract_and_every_cause() {
        assert!(schema(SchemaOf::Verify).contains("false_positive_unbound"));
        let problem: serde_json::Value = serde_json::from_str(&schema(SchemaOf::Problem)).unwrap();
        assert_eq!(
            problem["required"],
            serde_json::json!(["schema", "name", "provider", "object", "problem"])
        );
        let schema = schema(SchemaOf::Probe);
        for word in [
            "opensips_state",
            "server_not_authenticated",
            "phases_ms",
            "certificate_expires_soon",
        ] {
            assert!(schema.contains(word), "{word}");
        }
    }
}
