//! What `inspect` promises of every message: it agrees with the parser, points to lines and headers that are there, and says nothing that
//! could harm. And what it names in the invalid messages of RFC 4475, §3.1.2 and §3.3, in messages of our own.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use sip_message::{Anomaly, Found, Kind, Message, Weight, inspect};

/// Lines of which messages are made, sound and odd, each with its end.
const LINES: [&[u8]; 40] = [
    b"SIP/2.0 200 OK\r\n",
    b"SIP/2.0 401\n",
    b"SIP/3.0 200 OK\r\n",
    b"REGISTER sip:h SIP/2.0\r\n",
    b"register  <sip:h> sip/2.0 \r\n",
    b"\r\n",
    b"\n",
    b"\r",
    b" folded\r\n",
    b"\tfolded\n",
    b"Via: SIP/2.0/UDP h;branch=z9hG4bKa\r\n",
    b"v : SIP/2.0/UDP h, nonsense,,\r\n",
    b"From: <sip:a@h>;tag=1\r\n",
    b"From: \"a <sip:a@h\r\n",
    b"To: sip:a@h?x;tag=\r\n",
    b"t: \r\n",
    b"Call-ID: x\r\n",
    b"i: a b\r\n",
    b"CSeq: 1 REGISTER\r\n",
    b"CSeq: 4294967296 X\r\n",
    b"Max-Forwards: 70\r\n",
    b"Max-Forwards: 1000\r\n",
    b"Contact: *\r\n",
    b"m: <sip:a@h>;expires=-1;q=2\r\n",
    b"Expires: 60\r\n",
    b"Expires: soon\r\n",
    b"l: 0\r\n",
    b"Content-Length: 7\r\n",
    b"Content-Length: x\r\n",
    b"WWW-Authenticate: Digest realm=\"r\", nonce=\"n\"\r\n",
    b"WWW-Authenticate: Digest realm=\"r, Basic x\r\n",
    b"Authorization: Digest a=1, a=2\r\n",
    b"Warning: 3\r\n",
    b"Date: now\r\n",
    b"nonsense\r\n",
    b"not a name: x\r\n",
    b": x\r\n",
    b"X-\xfc: \x1b[2J\0\r\n",
    b"\xff\xfe\r\n",
    b"abc",
];

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let line = prop_oneof![12 => select(&LINES[..]).prop_map(<[u8]>::to_vec), 1 => vec(any::<u8>(), 0..12)];
    prop_oneof![
        vec(any::<u8>(), 0..200),
        vec(line.clone(), 0..30).prop_map(|lines| lines.concat()),
        (vec(line, 0..30), select(&LINES[..5])).prop_map(|(lines, start)| [start, &lines.concat(), b"\r\n"].concat()),
    ]
}

proptest! {
    #[test]
    fn what_is_said_agrees_with_the_parser_and_points_to_what_is_there(bytes in bytes()) {
        let inspection = inspect(&bytes);
        let message = Message::parse(&bytes);
        prop_assert_eq!(inspection.usable, message.as_ref().map(|_| ()).map_err(|error| *error));
        if let Ok(message) = &message {
            let kind = match message {
                Message::Request(request) => Kind::Request(request.method),
                Message::Response(response) => Kind::Response(response.status.code()),
            };
            prop_assert_eq!(inspection.kind, Some(kind));
            prop_assert_eq!(inspection.body, message.body());
            prop_assert!(inspection.headers.iter().eq(message.headers().iter()));
        }
        let errors: Vec<_> = inspection.found.iter().map(|found| found.anomaly.weight() == Weight::Error).collect();
        prop_assert_eq!(errors.first() == Some(&true), message.is_err());
        prop_assert!(!errors.iter().skip(1).any(|error| *error), "an error is told once, and first");
        let lines = 1 + bytes.iter().filter(|byte| **byte == b'\n').count();
        for found in &inspection.found {
            prop_assert!(found.line.is_none_or(|line| (1..=lines).contains(&line)), "{found:?} of {lines}");
            prop_assert!(found.times >= 1);
            let text = found.to_string();
            prop_assert!(text.starts_with(&format!("{}: ", found.anomaly.name())) && !text.contains(char::is_control), "{text:?}");
        }
    }

    #[test]
    fn each_header_is_on_its_line(bytes in bytes()) {
        let inspection = inspect(&bytes);
        let lines: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').collect();
        for (line, field) in inspection.lines() {
            // A header that begins with a bare CR shows its first text only where it is continued.
            let there = lines[line - 1..].iter().find(|line| !line.trim_ascii().is_empty()).copied().unwrap_or_default();
            let start = if field.raw_name.is_empty() { field.value } else { field.raw_name };
            let first = start.split(|byte| *byte == b'\n').next().unwrap_or_default().trim_ascii();
            prop_assert!(there.windows(first.len().max(1)).any(|part| part == first) || first.is_empty(), "{line}: {field:?}");
        }
    }
}

fn names(bytes: &[u8]) -> Vec<&'static str> {
    inspect(bytes).found.iter().map(|found: &Found<'_>| found.anomaly.name()).collect()
}

/// An INVITE with these lines instead of those of the same names.
fn invite(start: &str, lines: &[&str]) -> Vec<u8> {
    let sound = [
        "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1",
        "Max-Forwards: 70",
        "From: <sip:caller@example.test>;tag=1",
        "To: <sip:user@example.test>",
        "Call-ID: torture@192.0.2.1",
        "CSeq: 8 INVITE",
        "Contact: <sip:caller@192.0.2.1>",
        "Content-Length: 0",
    ];
    let name = |line: &str| line.split(':').next().unwrap_or_default().to_owned();
    let kept = sound.iter().filter(|line| !lines.iter().any(|other| name(other) == name(line)));
    let text: String = kept.chain(lines).map(|line| format!("{line}\r\n")).collect();
    format!("{start}\r\n{text}\r\n").into_bytes()
}

const START: &str = "INVITE sip:user@example.test SIP/2.0";

#[test]
fn the_invalid_messages_of_rfc_4475_are_told_by_what_is_wrong_with_them() {
    for (section, bytes, expected) in [
        ("3.1.2.1", invite(START, &["Via: SIP/2.0/UDP 192.0.2.15;branch=z9hG4bK1;;,;,,"]), &["via_protocol"][..]),
        ("3.1.2.2", invite(START, &["Content-Length: 9999"]), &["content_length_too_large"]),
        ("3.1.2.3", invite(START, &["Content-Length: -999"]), &["content_length_malformed"]),
        (
            "3.1.2.4",
            invite(START, &["CSeq: 36893488147419103232 INVITE", "Max-Forwards: 300", "Expires: 10000000000000000000000000000000000000"]),
            &["cseq_out_of_range", "number_out_of_range", "number_out_of_range"],
        ),
        ("3.1.2.6", invite(START, &["To: \"Mr. J. User <sip:j.user@example.test>"]), &["address_malformed"]),
        ("3.1.2.7", invite("INVITE <sip:user@example.test> SIP/2.0", &[]), &["request_uri_malformed"]),
        (
            "3.1.2.8",
            invite("INVITE sip:user@example.test; lr SIP/2.0", &[]),
            &["start_line_spacing", "request_uri_malformed"],
        ),
        ("3.1.2.9", invite("INVITE  sip:user@example.test  SIP/2.0", &[]), &["start_line_spacing"]),
        ("3.1.2.10", invite("INVITE sip:user@example.test SIP/2.0  ", &[]), &["start_line_spacing"]),
        ("3.1.2.12", invite(START, &["Date: Fri, 01 Jan 2010 16:00:00 EST"]), &["date_not_gmt"]),
        (
            "3.1.2.13",
            invite(START, &["Contact: sip:user@example.test?Route=%3Csip:sip.example.test%3E"]),
            &["uri_needs_brackets"],
        ),
        ("3.1.2.14", invite(START, &["To: <sip:t.watson@exam ple.test>"]), &["uri_malformed"]),
        ("3.1.2.15", invite(START, &["From: Bell, Alexander <sip:a.g.bell@example.test>;tag=43"]), &["display_name_unquoted"]),
        ("3.1.2.16", invite("INVITE sip:user@example.test SIP/7.0", &[]), &["sip_version_unknown"]),
        ("3.1.2.17", invite("OPTIONS sip:user@example.test SIP/2.0", &[]), &["cseq_method_mismatch"]),
        ("3.1.2.18", invite("NEWMETHOD sip:user@example.test SIP/2.0", &[]), &["cseq_method_mismatch"]),
        ("3.1.2.19", invite("SIP/2.0 4294967301 better not break", &[]), &["start_line_malformed", "to_tag_missing"]),
        (
            "3.3.1",
            b"INVITE sip:user@example.test SIP/2.0\r\nCSeq: 193942 INVITE\r\nVia: SIP/2.0/UDP 192.0.2.95;branch=z9hG4bK1\r\nContent-Length: 0\r\n\r\n".to_vec(),
            &["missing_header", "missing_header", "missing_header", "missing_header"],
        ),
        (
            "3.3.8",
            invite(START, &["CSeq: 5 INVITE\r\nCSeq: 59 INVITE", "Max-Forwards: 70\r\nMax-Forwards: 5"]),
            &["duplicate_header", "duplicate_header"],
        ),
        (
            "3.3.9",
            invite(START, &["Content-Length: 13\r\nContent-Length: 5"]),
            &["content_length_too_large", "duplicate_header", "content_length_conflicting"],
        ),
        (
            "3.4.1",
            invite(START, &["Via: SIP/2.0/UDP 192.0.2.1", "From: <sip:caller@example.test>"]),
            &["via_no_branch", "from_tag_missing"],
        ),
    ] {
        assert_eq!(names(&bytes), expected, "RFC 4475 §{section}");
    }
}

#[test]
fn a_name_is_found_again_in_the_list_of_all() {
    let named = Anomaly::ALL.iter().find(|anomaly| anomaly.name() == "bare_lf");
    assert_eq!(named, Some(&Anomaly::BareLf));
}

#[test]
fn weights_and_kinds_have_the_names_that_a_report_shows() {
    assert_eq!(
        [Weight::Error, Weight::Fault, Weight::Note].map(Weight::name),
        ["error", "fault", "note"]
    );
    let kind = |bytes: &[u8]| inspect(bytes).kind.map(|kind| kind.name());
    assert_eq!(kind(b"REGISTER sip:h SIP/2.0\r\n\r\n"), Some("request"));
    assert_eq!(kind(b"SIP/2.0 200 OK\r\n\r\n"), Some("response"));
    assert_eq!(kind(b"nonsense"), None);
}
