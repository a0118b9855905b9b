//! A message for people: verdict, start line, headers with what they mean, body, anomalies. Everything from the wire is made safe and
//! redacted by `shown` before it comes here.

use sip_message::{Name, Weight, printable};

use super::report::{Examined, Place};
use super::{reading, shown};
use crate::output::style::{Style, Tone};
use crate::output::text::{counted, safe, wrapped};

/// Writes one message.
pub(super) fn render(examined: &Examined<'_>, style: Style) -> String {
    let mut text = examined.place.as_ref().map(|place| heading(place, style)).unwrap_or_default();
    text += &verdict(examined, style);
    text += &start_line(examined, style);
    text += &headers(examined, style);
    text += &body(examined);
    text += &anomalies(examined, style);
    text + &advice(examined)
}

/// `#3  2026-11-21T17:32:35.516Z  udp 192.0.2.1:5060 → 192.0.2.2:5060`
fn heading(place: &Place, style: Style) -> String {
    let number = style.paint(Tone::Strong, &format!("#{}", place.number));
    let time = place.time.as_deref().unwrap_or("(no time)");
    format!("{number}  {time}  {} {} → {}\n", place.transport, place.source, place.destination)
}

fn verdict(examined: &Examined<'_>, style: Style) -> String {
    let kind = examined.inspection.kind.map_or("message", |kind| kind.name());
    let odd = match examined.inspection.found.len() {
        0 => "nothing odd".to_owned(),
        1 => "1 anomaly".to_owned(),
        many => format!("{many} anomalies"),
    };
    match examined.error() {
        None => format!("{} usable {kind}, {odd}\n\n", style.paint(Tone::Good, "✔")),
        Some(error) => format!("{} malformed {kind}: {}, {odd}\n\n", style.paint(Tone::Bad, "✘"), safe(&error)),
    }
}

fn start_line(examined: &Examined<'_>, style: Style) -> String {
    let inspection = &examined.inspection;
    if inspection.start_line.is_empty() {
        return String::new();
    }
    let line = cut(shown::start_line(inspection));
    let number = number(inspection.start_line_number(), style);
    format!("{number}{}\n", style.paint(Tone::Strong, &line))
}

fn number(line: usize, style: Style) -> String {
    style.paint(Tone::Faint, &format!("{line:5}  "))
}

/// Each header with the number of its line, and below it what it means.
fn headers(examined: &Examined<'_>, style: Style) -> String {
    let inspection = &examined.inspection;
    let widest = inspection
        .headers
        .iter()
        .map(|field| printable(field.raw_name).chars().count())
        .max();
    let width = widest.unwrap_or_default().min(WIDEST_NAME);
    let mut text = String::new();
    for (line, field) in inspection.lines() {
        let value = shown::value(&field);
        let name = cut(printable(field.raw_name));
        // The colour is put on when the lines are broken: it has no width.
        let first = format!("{line:5}  {name:width$}  ");
        let lines = wrapped(&first, &cut(printable(&value)));
        text += &lines.replacen(&first, &format!("{}{name:width$}  ", number(line, style)), 1);
        let indent = format!("       {:width$}  · ", "");
        for meaning in reading::of(field.name, &value) {
            text += &style.paint(Tone::Faint, wrapped(&indent, &cut(meaning)).trim_end_matches('\n'));
            text.push('\n');
        }
    }
    text
}

/// Names that are longer push their values to the right.
const WIDEST_NAME: usize = 20;

fn body(examined: &Examined<'_>) -> String {
    let inspection = &examined.inspection;
    if inspection.body.is_empty() {
        return String::new();
    }
    let size = counted(inspection.body.len(), "byte");
    let of = inspection.headers.first(Name::ContentType).map(shown::text);
    format!(
        "\n       body of {size}{}\n",
        of.map(|kind| format!(" ({kind})")).unwrap_or_default()
    )
}

fn anomalies(examined: &Examined<'_>, style: Style) -> String {
    let mut text = String::new();
    for found in &examined.inspection.found {
        let (mark, tone) = match found.anomaly.weight() {
            Weight::Error => ("✘", Tone::Bad),
            Weight::Fault => ("!", Tone::Doubtful),
            Weight::Note => ("i", Tone::Faint),
        };
        text += &wrapped(&format!("  {mark} "), &found.to_string()).replacen(mark, &style.paint(tone, mark), 1);
    }
    if text.is_empty() { text } else { format!("\n{text}") }
}

fn advice(examined: &Examined<'_>) -> String {
    let advice = examined.advice.as_deref();
    advice
        .map(|advice| format!("\n{}", wrapped("  next  ", advice)))
        .unwrap_or_default()
}

/// The beginning of a text that nobody would read to its end.
fn cut(text: String) -> String {
    let Some((end, _)) = text.char_indices().nth(MOST_SHOWN) else {
        return text;
    };
    let (shown, rest) = text.split_at(end);
    format!("{shown}… ({} more)", counted(rest.chars().count(), "character"))
}

/// As many characters of a line are shown; JSON has them all.
const MOST_SHOWN: usize = 2000;

#[cfg(test)]
mod tests {
    use super::*;

    const ODD: &[u8] = b"REGISTER sip:example.test SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.1;branch=1\r\n\
        Max-Forwards: 70\r\nFrom: <sip:a@h>;tag=1\r\nTo: <sip:a@h>\r\nCall-ID: x\r\nCSeq: 1 REGISTER\r\n\
        Subject: \x1b[2J\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n\r\nabc";

    #[test]
    fn a_message_is_laid_out_with_its_meaning_and_anomalies() {
        let text = render(&Examined::of(ODD), Style::Plain);
        let expected = "✔ usable request, 3 anomalies\n\n    \
1  REGISTER sip:example.test SIP/2.0\n    \
2  Via             SIP/2.0/UDP 192.0.2.1;branch=1\n                       \
· udp, sent by 192.0.2.1, branch 1\n    \
3  Max-Forwards    70\n    \
4  From            <sip:a@h>;tag=1\n                       \
· sip:a@h, tag 1\n    \
5  To              <sip:a@h>\n                       \
· sip:a@h\n    \
6  Call-ID         x\n    \
7  CSeq            1 REGISTER\n    \
8  Subject         \\x1b[2J\n    \
9  Content-Type    text/plain\n   \
10  Content-Length  3\n\n       \
body of 3 bytes (text/plain)\n\n  \
! bare_lf: the line ends in LF without CR; it is read as a line end (line 1; RFC 3261 §7)\n  \
! via_no_cookie: the branch of a Via does not open with z9hG4bK, so that it says nothing to\n    \
servers of today (line 2, Via; RFC 3261 §8.1.1.7)\n  \
! control_byte: the line holds control bytes, which no header may hold outside of an escape in a\n    \
quoted string (line 8, Subject; RFC 3261 §25.1)\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn colour_changes_nothing_but_colour() {
        let plain = render(&Examined::of(ODD), Style::Plain);
        let coloured = render(&Examined::of(ODD), Style::Colour);
        let stripped = ["\u{1b}[0m", "\u{1b}[1m", "\u{1b}[2m", "\u{1b}[31m", "\u{1b}[32m", "\u{1b}[33m"];
        assert_eq!(stripped.iter().fold(coloured, |text, code| text.replace(code, "")), plain);
    }

    #[test]
    fn a_line_without_end_does_not_fill_the_screen() {
        let long = format!("SIP/2.0 200 {0}\r\nX: {0}\r\n{0}: x\r\nTo: <sip:{0}@h>\r\n\r\n", "a".repeat(9_000));
        let text = render(&Examined::of(long.as_bytes()), Style::Plain);
        assert!(text.contains("… (7000 characters more)"), "{text}");
        assert!(text.lines().all(|line| line.chars().count() < 2_100), "{text}");
    }

    #[test]
    fn what_to_do_stands_at_the_end() {
        let text = render(&Examined::of(b"> SIP/2.0 200 OK\n> \n"), Style::Plain);
        let (_, advice) = text.split_once("\n\n  next  ").unwrap();
        assert!(advice.starts_with("Line 1 ") && advice.ends_with("inspect`\n"), "{text}");
    }

    #[test]
    fn what_cannot_be_used_says_why() {
        let text = render(&Examined::of(b"\r\n"), Style::Plain);
        assert!(
            text.starts_with("✘ malformed message: empty message, 2 anomalies\n\n\n  ✘ empty: "),
            "{text}"
        );
    }
}
