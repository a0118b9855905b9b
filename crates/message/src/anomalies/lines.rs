//! What is odd about the lines of a head, whatever they say: their ends, bytes, folds and names (RFC 3261 §7, §25.1). Not for values.

use super::{Anomaly, Found, Inspection, Kind};
use crate::message::StartLine;
use crate::{Name, Uri, lexer};

/// Looks at each line of a head.
pub(super) fn look<'a>(head: &'a [u8], inspection: &Inspection<'a>, found: &mut Vec<Found<'a>>) {
    let first = inspection.start_line_number();
    if inspection.places.is_preceded() {
        found.push(Found::on_line(Anomaly::LeadingLineEnds, 1));
    }
    look_at_start_line(inspection, found);
    for (number, line) in (first..).zip(head.split_inclusive(|byte| *byte == b'\n')) {
        let text = line.strip_suffix(b"\n").unwrap_or(line);
        let kept = text.strip_suffix(b"\r").unwrap_or(text);
        if text.len() == kept.len() && text.len() < line.len() {
            inspection.add(Anomaly::BareLf, number, found);
        }
        if let Some(anomaly) = fold(kept, number, first) {
            inspection.add(anomaly, number, found);
        }
        look_at_bytes(kept, number, inspection, found);
    }
    look_at_names(inspection, found);
}

/// RFC 3261 §7.3.1: a line that opens with a blank goes on with the header before it.
fn fold(line: &[u8], number: usize, first: usize) -> Option<Anomaly> {
    let goes_on = matches!(line.first(), Some(b' ' | b'\t')) && number > first;
    goes_on.then_some(if number == first + 1 {
        Anomaly::FoldWithoutHeader
    } else {
        Anomaly::Folded
    })
}

fn look_at_bytes<'a>(line: &'a [u8], number: usize, inspection: &Inspection<'a>, found: &mut Vec<Found<'a>>) {
    let is_control = |byte: &u8| matches!(byte, 1..=8 | 11..=12 | 14..=31 | 127);
    for (anomaly, is_there) in [
        (Anomaly::BareCr, memchr::memchr(b'\r', line).is_some()),
        (Anomaly::NulByte, memchr::memchr(0, line).is_some()),
        (Anomaly::ControlByte, line.iter().any(is_control)),
        (Anomaly::NotUtf8, std::str::from_utf8(line).is_err()),
    ] {
        if is_there {
            inspection.add(anomaly, number, found);
        }
    }
}

fn look_at_start_line<'a>(inspection: &Inspection<'a>, found: &mut Vec<Found<'a>>) {
    let (line, number) = (inspection.start_line, inspection.start_line_number());
    let Some(start_line) = StartLine::parse(line) else { return };
    let mut odd = |anomaly, is_there| {
        if is_there {
            found.push(Found::on_line(anomaly, number));
        }
    };
    let parts = line.split(|byte| *byte == b' ');
    match start_line {
        StartLine::Request { uri, .. } => {
            odd(Anomaly::StartLineSpacing, parts.count() != 3);
            odd(Anomaly::SipVersionCase, !lexer::trim(line).ends_with(b"SIP/2.0"));
            odd(
                Anomaly::RequestUriMalformed,
                Uri::parse(uri).is_err() || uri.iter().any(|byte| is_no_uri(*byte)),
            );
        }
        StartLine::Response { reason, .. } => {
            let written = [b"SIP/2.0 ".len() + b"200 ".len() + reason.len(), line.len()];
            odd(Anomaly::StartLineSpacing, written[0] != written[1]);
            odd(Anomaly::SipVersionCase, !line.starts_with(b"SIP/2.0"));
        }
    }
}

/// Bytes that no URI may hold (RFC 3261 §19.1.2).
pub(super) const fn is_no_uri(byte: u8) -> bool {
    matches!(byte, 0..=b' ' | 127.. | b'<' | b'>' | b'"')
}

fn look_at_names<'a>(inspection: &Inspection<'a>, found: &mut Vec<Found<'a>>) {
    let mut odd = Vec::new();
    for (at, (line, field)) in inspection.lines().enumerate() {
        if field.raw_name.is_empty() {
            let is_fold = line == inspection.start_line_number() + 1 && inspection.headers.is_fold(at);
            let first_line = field.value.split(|byte| *byte == b'\n').next().unwrap_or_default();
            let anomaly = match memchr::memchr(b':', first_line) {
                Some(_) => Anomaly::BadHeaderName,
                None => Anomaly::NoColon,
            };
            if !is_fold {
                inspection.add(anomaly, line, &mut odd);
            }
            continue;
        }
        if inspection.headers.has_space_before_colon(at) {
            inspection.add(Anomaly::SpaceBeforeColon, line, &mut odd);
        }
        if field.raw_name.len() == 1 && is_compact(field.name, field.raw_name) {
            inspection.add(Anomaly::CompactForm, line, found);
        }
    }
    found.extend(odd);
}

/// RFC 3261 §7.3.3, and of the headers that we do not read those in the registry of IANA.
fn is_compact(name: Name, raw: &[u8]) -> bool {
    name != Name::Other
        || matches!(
            raw.first().map(u8::to_ascii_lowercase),
            Some(b'a' | b'b' | b'd' | b'e' | b'j' | b'n' | b'o' | b'r' | b's' | b'u' | b'x' | b'y')
        )
}

impl Kind<'_> {
    /// The name of the kind.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Request(_) => "request",
            Self::Response(_) => "response",
        }
    }
}
