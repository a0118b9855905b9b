//! Answers of DNS, made up by the fuzzer's bytes: errors, or records that fit the question, more or less.

use sip_registration::{DnsError, Naptr, Question, RecordKind, Records, Srv};

use super::draw::Draw;

const ERRORS: [DnsError; 5] = [
    DnsError::NoSuchName,
    DnsError::NoRecords,
    DnsError::ServerFailure,
    DnsError::Refused,
    DnsError::Timeout,
];
const NAMES: [&str; 6] = ["a.test", "b.test", "pbx.test", "_sip._udp.pbx.test", "_sips._tcp.pbx.test", "."];

/// An answer to this question.
pub(super) fn records(question: &Question, draw: &mut Draw<'_>) -> Result<Records, DnsError> {
    if draw.once_in(3) {
        return Err(draw.pick(&ERRORS));
    }
    // At times another kind than was asked for.
    let kind = if draw.once_in(16) { RecordKind::A } else { question.kind };
    let count = if draw.once_in(16) { 300 } else { 1 + draw.below(3) };
    let name = |draw: &mut Draw<'_>| {
        if draw.once_in(8) {
            draw.text(30)
        } else {
            draw.pick(&NAMES).to_owned()
        }
    };
    Ok(match kind {
        RecordKind::A => Records::Addresses((0..count).map(|_| [192, 0, 2, draw.byte()].into()).collect()),
        RecordKind::Aaaa => Records::Addresses((0..count).map(|_| [0x2001, 0xdb8, 0, 0, 0, 0, 0, draw.short()].into()).collect()),
        RecordKind::Srv => Records::Srv(
            (0..count)
                .map(|_| Srv {
                    priority: draw.byte().into(),
                    weight: draw.short(),
                    port: draw.short(),
                    target: name(draw),
                })
                .collect(),
        ),
        RecordKind::Naptr => Records::Naptr(
            (0..count)
                .map(|_| Naptr {
                    order: draw.byte().into(),
                    preference: draw.byte().into(),
                    flags: draw.pick(&["s", "a", "u", "S", ""]).to_owned(),
                    service: draw.pick(&["SIP+D2U", "SIP+D2T", "SIPS+D2T", "sip+d2u", "E2U+sip"]).to_owned(),
                    replacement: name(draw),
                })
                .collect(),
        ),
    })
}
