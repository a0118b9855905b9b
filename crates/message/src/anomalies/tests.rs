//! One message for each anomaly, and what `inspect` promises of all.

use std::collections::BTreeSet;

use super::*;

const SOUND: &str = "REGISTER sip:example.test SIP/2.0\r\n\
    Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKa;rport\r\n\
    Max-Forwards: 70\r\n\
    From: \"Alice\" <sip:alice@example.test>;tag=1\r\n\
    To: <sip:alice@example.test>\r\n\
    Call-ID: a@192.0.2.1\r\n\
    CSeq: 1 REGISTER\r\n\
    Contact: <sip:alice@192.0.2.1:5060>;expires=60;q=0.5\r\n\
    Expires: 60\r\n\
    Content-Length: 0\r\n\r\n";

const REPLY: &str = "SIP/2.0 401 Unauthorized\r\n\
    Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKa;rport=5060;received=192.0.2.1\r\n\
    From: <sip:alice@example.test>;tag=1\r\n\
    To: <sip:alice@example.test>;tag=2\r\n\
    Call-ID: a@192.0.2.1\r\n\
    CSeq: 1 REGISTER\r\n\
    WWW-Authenticate: Digest realm=\"r\", nonce=\"n\"\r\n\
    Content-Length: 0\r\n\r\n";

/// Name, line and header of all that is odd.
fn seen(bytes: &[u8]) -> Vec<(&'static str, Option<usize>, Option<String>)> {
    let inspection = inspect(bytes);
    assert_eq!(inspection.usable.is_ok(), Message::parse(bytes).is_ok());
    let told = |found: &Found<'_>| (found.anomaly.name(), found.line, found.header.map(crate::printable));
    inspection.found.iter().map(told).collect()
}

fn names(bytes: &[u8]) -> Vec<&'static str> {
    seen(bytes).into_iter().map(|(name, ..)| name).collect()
}

/// The sound request with something else in place of a part of it.
fn with(part: &str, other: &str) -> Vec<u8> {
    assert!(SOUND.contains(part), "{part}");
    SOUND.replacen(part, other, 1).into_bytes()
}

fn reply_with(part: &str, other: &str) -> Vec<u8> {
    assert!(REPLY.contains(part), "{part}");
    REPLY.replacen(part, other, 1).into_bytes()
}

#[test]
fn sound_messages_have_nothing_odd() {
    assert_eq!(seen(SOUND.as_bytes()), []);
    assert_eq!(seen(REPLY.as_bytes()), []);
    assert_eq!(inspect(SOUND.as_bytes()).kind, Some(Kind::Request(Method::Register)));
    assert_eq!(inspect(REPLY.as_bytes()).kind, Some(Kind::Response(401)));
}

#[test]
fn where_a_message_starts_is_known_and_also_where_no_line_ends() {
    let start = |bytes: &'static [u8]| {
        let inspection = inspect(bytes);
        (inspection.start_line_number(), inspection.start_line, inspection.kind)
    };
    let ok = Some(Kind::Response(200));
    assert_eq!(start(b"SIP/2.0 200 OK\r\n\r\n"), (1, &b"SIP/2.0 200 OK"[..], ok));
    assert_eq!(start(b"\r\n\n SIP/2.0 200 OK "), (3, &b"SIP/2.0 200 OK"[..], ok));
}

#[test]
fn a_star_stands_only_where_everything_is_removed() {
    let star = SOUND.replace("<sip:alice@192.0.2.1:5060>;expires=60;q=0.5", "*");
    assert_eq!(names(star.as_bytes()), ["contact_star"]);
    assert_eq!(names(star.replace("Expires: 60", "Expires: 0").as_bytes()), [""; 0]);
    let reply = REPLY.replace("Content-L", "Contact: *\r\nExpires: 0\r\nContent-L");
    assert_eq!(names(reply.as_bytes()), ["contact_star"]);
}

#[test]
fn a_display_name_is_a_quoted_string_or_tokens() {
    for name in ["\"A (at home)\"", "Alice Smith", ""] {
        assert_eq!(seen(&with("\"Alice\"", name)), [], "{name}");
    }
    assert_eq!(names(&with("\"Alice\"", "Alice (at home)")), ["display_name_unquoted"]);
}

#[test]
fn what_is_odd_about_several_elements_of_a_list_is_told_once_with_their_number() {
    let bytes = with(
        "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKa;rport",
        "Via: SIP/2.0/UDP 192.0.2.1, SIP/2.0/UDP 192.0.2.2, SIP/2.0/UDP 192.0.2.3",
    );
    let inspection = inspect(&bytes);
    let [found] = inspection.found[..] else {
        panic!("{:?}", inspection.found)
    };
    assert_eq!((found.anomaly, found.times), (Anomaly::ViaNoBranch, 3));
}

/// Each changed part of the sound request, the anomaly, its line and its header.
const CHANGES: [(&str, &str, &str, Option<usize>, &str); 60] = [
    ("REGISTER sip:ex", "\r\n\r\nREGISTER sip:ex", "leading_line_ends", Some(1), ""),
    ("rport\r\n", "rport\n", "bare_lf", Some(2), "Via"),
    ("SIP/2.0\r\n", "SIP/2.0\n", "bare_lf", Some(1), ""),
    ("Expires: 60\r\n", "Expires: 60\r\nXa: a\rb\r\n", "bare_cr", Some(10), "Xa"),
    (
        "<sip:alice@example.test>\r\n",
        "\r\n <sip:alice@example.test>\r\n",
        "folded",
        Some(6),
        "To",
    ),
    ("Via", " x\r\nVia", "fold_without_header", Some(2), ""),
    ("Alice", "\u{fc}", "", None, ""),
    ("Expires: 60", "Xa: \0", "nul_byte", Some(9), "Xa"),
    ("Expires: 60", "Xa: \x1b[2J", "control_byte", Some(9), "Xa"),
    ("Expires: 60", "Xa: \x7f", "control_byte", Some(9), "Xa"),
    ("Expires: 60", "Xa:\ta", "", None, ""),
    ("To:", "To :", "space_before_colon", Some(5), "To"),
    ("Expires: 60", "nonsense", "no_colon", Some(9), ""),
    ("Expires: 60", "not a name: 60", "bad_header_name", Some(9), ""),
    ("Expires: 60", ": 60", "bad_header_name", Some(9), ""),
    ("Via:", "v:", "compact_form", Some(2), "v"),
    ("Expires: 60", "s: x", "compact_form", Some(9), "s"),
    ("Expires: 60", "Q: x", "", None, ""),
    ("REGISTER sip:", "REGISTER  sip:", "start_line_spacing", Some(1), ""),
    ("SIP/2.0\r\n", "SIP/2.0 \r\n", "start_line_spacing", Some(1), ""),
    (" SIP/2.0\r\n", " sip/2.0\r\n", "sip_version_case", Some(1), ""),
    ("sip:example.test ", "example.test ", "request_uri_malformed", Some(1), ""),
    ("sip:example.test ", "<sip:example.test> ", "request_uri_malformed", Some(1), ""),
    ("Max-Forwards: 70\r\n", "", "missing_header", None, "Max-Forwards"),
    ("To: <sip:alice@example.test>\r\n", "", "missing_header", None, "To"),
    (
        "Expires: 60\r\n",
        "Expires: 60\r\nexpires: 70\r\n",
        "duplicate_header",
        Some(10),
        "expires",
    ),
    ("To: <", "From: <sip:a@h>;tag=1\r\nTo: <", "duplicate_header", Some(5), "From"),
    ("Content-Length: 0\r\n", "", "content_length_missing", None, ""),
    ("Length: 0", "Length: x", "content_length_malformed", Some(10), "Content-Length"),
    ("Length: 0", "Length: -1", "content_length_malformed", Some(10), "Content-Length"),
    ("Length: 0", "Length: 1", "content_length_too_large", Some(10), "Content-Length"),
    ("0\r\n\r\n", "0\r\n\r\nabc", "content_length_too_small", Some(10), "Content-Length"),
    ("0\r\n\r\n", "0\r\n\r\n\r\n", "trailing_line_ends", Some(10), "Content-Length"),
    ("Length: 0\r\n\r\n", "Length: 1\r\n\r\na", "content_type_missing", None, ""),
    ("SIP/2.0/UDP 1", "HTTP/1.1/UDP 1", "via_protocol", Some(2), "Via"),
    ("UDP 192.0.2.1:5060;b", "UDP ;b", "via_sent_by", Some(2), "Via"),
    (";branch=z9hG4bKa", "", "via_no_branch", Some(2), "Via"),
    (";branch=z9hG4bKa", ";branch=", "via_no_branch", Some(2), "Via"),
    ("z9hG4bKa", "1", "via_no_cookie", Some(2), "Via"),
    ("CSeq: 1 REGISTER", "CSeq: 1", "cseq_malformed", Some(7), "CSeq"),
    ("CSeq: 1 REGISTER", "CSeq: x REGISTER", "cseq_malformed", Some(7), "CSeq"),
    ("CSeq: 1 ", "CSeq: 4294967296 ", "cseq_out_of_range", Some(7), "CSeq"),
    ("CSeq: 1 ", "CSeq: 2147483648 ", "cseq_out_of_range", Some(7), "CSeq"),
    ("CSeq: 1 ", "CSeq: 2147483647 ", "", None, ""),
    ("1 REGISTER", "1 register", "cseq_method_mismatch", Some(7), "CSeq"),
    ("a@192.0.2.1", "a b", "call_id_malformed", Some(6), "Call-ID"),
    (
        "To: <sip:alice@example.test>",
        "To: <sip:alice@example.test",
        "address_malformed",
        Some(5),
        "To",
    ),
    (
        "To: <sip:alice@example.test>",
        "To: alice@example.test",
        "uri_malformed",
        Some(5),
        "To",
    ),
    (
        "To: <sip:alice@example.test>",
        "To: sip:alice@example.test?x=y",
        "uri_needs_brackets",
        Some(5),
        "To",
    ),
    ("\"Alice\"", "Al,ice", "display_name_unquoted", Some(4), "From"),
    (";tag=1", "", "from_tag_missing", Some(4), "From"),
    (";tag=1", ";tag=", "tag_empty", Some(4), "From"),
    ("Contact: <", "Contact: *, <", "contact_star", Some(8), "Contact"),
    (";expires=60;", ";expires=soon;", "contact_expires_malformed", Some(8), "Contact"),
    (";expires=60;", ";expires=-1;", "contact_expires_malformed", Some(8), "Contact"),
    ("q=0.5", "q=1.5", "contact_q_malformed", Some(8), "Contact"),
    ("Expires: 60", "Expires: soon", "number_malformed", Some(9), "Expires"),
    ("Forwards: 70", "Forwards: 256", "number_out_of_range", Some(3), "Max-Forwards"),
    ("Expires: 60", "Expires: 4294967296", "number_out_of_range", Some(9), "Expires"),
    ("Expires: 60", "Expires: 60;x", "number_trailing", Some(9), "Expires"),
];

#[test]
fn each_fault_of_a_request_is_named_with_its_line_and_header() {
    for (part, other, name, line, header) in CHANGES {
        let header = Some(header.to_owned()).filter(|header| !header.is_empty());
        let expected = Some((name, line, header)).filter(|_| !name.is_empty());
        let found = seen(&with(part, other));
        assert_eq!(found, expected.into_iter().collect::<Vec<_>>(), "{other:?}");
    }
}

#[test]
fn each_fault_of_a_response_is_named() {
    for (part, other, name) in [
        ("401 Unauthorized", "401", "start_line_spacing"),
        ("401 Unauthorized", " 401 Unauthorized", "start_line_spacing"),
        ("401 Unauthorized", "401 ", ""),
        ("SIP/2.0 4", "sip/2.0 4", "sip_version_case"),
        (";tag=2", "", "to_tag_missing"),
        (";tag=2", ";tag=", "tag_empty"),
        ("realm=\"r\", ", "", "challenge_incomplete"),
        (", nonce=\"n\"", "", "challenge_incomplete"),
        ("nonce=\"n\"", "nonce=\"n", "challenge_malformed"),
        ("Digest realm=\"r\", nonce=\"n\"", "", "challenge_malformed"),
        ("nonce=\"n\"", "nonce=\"n\", Basic realm=\"r\"", "challenges_in_one_header"),
        ("Content-L", "Authorization: Digest a=1, a=2\r\nContent-L", "credentials_malformed"),
        ("Content-L", "Authorization: Basic YTpi\r\nContent-L", ""),
        (
            "Content-L",
            "Authentication-Info: nextnonce=\"\r\nContent-L",
            "authentication_info_malformed",
        ),
        ("Content-L", "Warning: 3 h \"t\"\r\nContent-L", "warning_malformed"),
        ("Content-L", "Reason: ;cause=1\r\nContent-L", "reason_malformed"),
        ("Content-L", "Date: Fri, 01 Jan 2010 16:00:00 EST\r\nContent-L", "date_not_gmt"),
        ("Content-L", "Date: Sat, 13 Nov 2010 23:29:00 GMT\r\nContent-L", ""),
        ("Content-L", "Retry-After: soon\r\nContent-L", "number_malformed"),
        ("Content-L", "Contact: *\r\nContent-L", "contact_star"),
        ("Content-L", "Path: <sip:h\r\nContent-L", "address_malformed"),
        ("Content-L", "l: 1\r\nContent-L", "duplicate_header"),
    ] {
        let found = names(&reply_with(part, other));
        let about: Vec<_> = found
            .iter()
            .filter(|name| **name == "compact_form" || name.starts_with("content_length"))
            .collect();
        let rest: Vec<_> = found.iter().copied().filter(|name| !about.contains(&name)).collect();
        assert_eq!(
            rest,
            Some(name).filter(|name| !name.is_empty()).into_iter().collect::<Vec<_>>(),
            "{other:?}"
        );
    }
    assert_eq!(names(&reply_with("401 Unauthorized", "100 Trying")), [""; 0]);
    assert_eq!(names(&reply_with(";tag=2", "")), ["to_tag_missing"]);
}

#[test]
fn lengths_that_contradict_each_other_are_named_beside_the_duplicate() {
    let found = names(&with("Content-Length: 0", "Content-Length: 0\r\nContent-Length: 1"));
    assert_eq!(found, ["duplicate_header", "content_length_conflicting"]);
    let found = names(&with("Content-Length: 0", "Content-Length: 0\r\nContent-Length: 00"));
    assert_eq!(found, ["duplicate_header"]);
}

#[test]
fn a_star_that_removes_all_is_sound() {
    let bytes = SOUND
        .replacen("<sip:alice@192.0.2.1:5060>;expires=60;q=0.5", "*", 1)
        .replacen("Expires: 60", "Expires: 0", 1);
    assert_eq!(seen(bytes.as_bytes()), []);
}

#[test]
fn what_makes_a_message_unusable_comes_first() {
    let long_line = format!("X: {}\r\nContent-L", "a".repeat(MAX_HEAD));
    let many = format!("{}Content-L", "X: a\r\n".repeat(crate::MAX_HEADERS));
    for (bytes, name) in [
        (b"".to_vec(), "empty"),
        (b"\r\n \r\n".to_vec(), "empty"),
        (
            with("Length: 0\r\n\r\n", &format!("Length: 0\r\n\r\n{}", "a".repeat(MAX_MESSAGE))),
            "message_too_long",
        ),
        (with(" SIP/2.0\r\n", "\r\n"), "start_line_malformed"),
        (reply_with("401", "99"), "start_line_malformed"),
        (reply_with("SIP/2.0 4", "HTTP/1.1 4"), "start_line_malformed"),
        (with(" SIP/2.0\r\n", " SIP/3.0\r\n"), "sip_version_unknown"),
        (reply_with("SIP/2.0 4", "SIP/1.0 4"), "sip_version_unknown"),
        (with("0\r\n\r\n", "0\r\n"), "head_unfinished"),
        (b"REGISTER sip:h SIP/2.0".to_vec(), "head_unfinished"),
        (with("Content-L", &long_line), "head_too_long"),
        (with("Content-L", &many), "too_many_headers"),
    ] {
        let inspection = inspect(&bytes);
        let error = inspection.usable.unwrap_err();
        assert_eq!(inspection.found.first().map(|found| found.anomaly.name()), Some(name), "{error}");
        assert!(
            inspection.found.iter().skip(1).all(|found| found.anomaly.weight() != Weight::Error),
            "{error}"
        );
        assert!(inspection.body.is_empty());
    }
}

#[test]
fn an_unusable_message_still_shows_what_it_has() {
    let bytes = with(" SIP/2.0\r\n", " SIP/3.0\r\n");
    let inspection = inspect(&bytes);
    assert_eq!(inspection.kind, Some(Kind::Request(Method::Register)));
    assert_eq!(inspection.start_line, b"REGISTER sip:example.test SIP/3.0");
    assert_eq!(inspection.headers.len(), 9);
    let bytes = with("Expires: 60\r\nContent-Length: 0\r\n\r\n", "Expi");
    let inspection = inspect(&bytes);
    assert_eq!(
        inspection.headers.len(),
        7,
        "and nothing is said to be missing: {:?}",
        inspection.found
    );
    assert_eq!(names(&bytes), ["head_unfinished"]);
    assert_eq!(inspect(b"nonsense").kind, None);
    assert_eq!(inspect(b"SIP/2.0 99 x\r\n\r\n").kind, Some(Kind::Response(99)));
}

#[test]
fn what_is_on_many_lines_is_told_once() {
    let bytes = SOUND.replace("\r\n", "\n");
    let inspection = inspect(bytes.as_bytes());
    let [found] = inspection.found[..] else {
        panic!("{:?}", inspection.found)
    };
    assert_eq!((found.line, found.times), (Some(1), 11));
    assert_eq!(
        found.to_string(),
        "bare_lf: the line ends in LF without CR; it is read as a line end (line 1 and 10 more; RFC 3261 §7)"
    );
    for (part, other, wanted) in [
        (": ", " : ", "space_before_colon (line 2, Via and 8 more)"),
        ("\r\n", "\r\npbx[8]: ", "bad_header_name (line 2 and 9 more)"),
        ("\r\n", "\r\n> ", "bad_header_name (line 2 and 8 more)"),
    ] {
        let bytes = SOUND.replace(part, other);
        let inspection = inspect(bytes.as_bytes());
        let told: Vec<String> = inspection
            .found
            .iter()
            .map(|found| format!("{} ({})", found.anomaly.name(), found.place().unwrap_or_default()))
            .collect();
        assert!(told.contains(&wanted.to_owned()), "{told:?}");
    }
    let bytes = with("Max-Forwards: 70\r\n", "");
    assert!(inspect(&bytes).found[0].to_string().contains(" (Max-Forwards; RFC 3261 §8.1.1"));
}

#[test]
fn latin_1_is_named_and_kept() {
    let bytes = [b"SIP/2.0 403 \xfcber\r\n", REPLY.split_once('\n').unwrap().1.as_bytes()].concat();
    assert_eq!(seen(&bytes), [("not_utf8", Some(1), None)]);
}

#[test]
fn every_anomaly_is_provoked_by_some_test_here() {
    let mut provoked: BTreeSet<&str> = CHANGES.iter().map(|change| change.2).collect();
    let source = include_str!("tests.rs");
    provoked.extend(
        Anomaly::ALL
            .iter()
            .map(|anomaly| anomaly.name())
            .filter(|name| source.contains(&format!("\"{name}\""))),
    );
    for anomaly in Anomaly::ALL {
        assert!(provoked.contains(anomaly.name()), "{}", anomaly.name());
    }
}
