//! What holds for every request: where replies go, retransmissions, other methods, malformed ones, keep-alives.

use std::time::Duration;

use crate::laboratory::{CONTACT, Lab, Phone, config, open};

#[test]
fn a_retransmission_gets_the_same_bytes_and_changes_nothing() {
    let mut lab = Lab::new(open());
    let request = lab.request(&mut Phone::new("alice"), CONTACT);
    let first = lab.ask(&request);
    lab.wait(Duration::from_secs(1));
    assert_eq!(lab.ask(&request).bytes, first.bytes);
    let counters = lab.registrar.counters();
    assert_eq!((counters.requests, counters.retransmissions, counters.registrations), (2, 1, 1));
    // Timer J: after 64·T1 it would be another request, and its CSeq is old.
    lab.wait(Duration::from_secs(32));
    assert_eq!(lab.ask(&request).code(), 400);
}

#[test]
fn nothing_is_a_retransmission_on_a_stream() {
    let mut lab = Lab::over_tcp(config());
    let request = lab.request(&mut Phone::new("alice"), CONTACT);
    let (first, second) = (lab.ask(&request), lab.ask(&request));
    assert_ne!(first.bytes, second.bytes);
    assert!(!first.closes());
}

#[test]
fn replies_go_back_over_their_flow() {
    let mut lab = Lab::new(open());
    let request = lab.request(&mut Phone::new("alice"), CONTACT);
    let reply = lab.ask(&request).reply;
    assert_eq!(reply.peer, lab.peer);
    let without_rport = request.replace(";rport", "").replace(":40000", ":5099").replace("bK1", "bK2");
    assert_eq!(lab.ask(without_rport).reply.peer.source.port(), 5099);
}

#[test]
fn options_are_answered_and_other_methods_are_not_allowed() {
    let mut lab = Lab::new(config());
    let mut alice = Phone::new("alice");
    let reply = lab.ask(alice.request("OPTIONS", "z9hG4bKo", ""));
    assert_eq!((reply.code(), reply.header("Allow")), (200, "REGISTER, OPTIONS".to_owned()));
    assert_eq!(
        (reply.header("Accept"), reply.header("Supported")),
        ("application/sdp".to_owned(), "path, outbound".to_owned())
    );
    for method in ["INVITE", "FROB", "CANCEL"] {
        let reply = lab.ask(alice.request(method, "z9hG4bKm", ""));
        assert_eq!((reply.code(), reply.header("Allow")), (405, "REGISTER, OPTIONS".to_owned()));
    }
    assert!(lab.send(alice.request("ACK", "z9hG4bKm", "")).is_empty());
    let lower = lab
        .request(&mut alice, CONTACT)
        .replace("REGISTER sip:", "register sip:")
        .replace("1 REGISTER", "1 register");
    assert_eq!(lab.ask(lower).code(), 405);
}

#[test]
fn options_that_are_required_but_unknown_are_named() {
    let mut lab = Lab::new(open());
    let mut alice = Phone::new("alice");
    let reply = lab.register(&mut alice, &format!("{CONTACT}Require: PATH, gruu\r\nRequire: x-y\r\n"));
    assert_eq!((reply.code(), reply.header("Unsupported")), (420, "gruu, x-y".to_owned()));
    assert_eq!(lab.register(&mut alice, &format!("{CONTACT}Require: path\r\n")).code(), 200);
}

#[test]
fn malformed_requests_hear_what_is_wrong_with_them() {
    let request = Phone {
        cseq: 1,
        ..Phone::new("alice")
    }
    .request("REGISTER", "z9hG4bKm", CONTACT);
    for (from, to, code, phrase) in [
        ("Call-ID: call-1\r\n", "", 400, "Missing Call-ID"),
        ("From: <sip:alice@example.test>;tag=f\r\n", "", 400, "Missing From"),
        ("From: <sip:alice@example.test>", "From: <sip:alice", 400, "Malformed From"),
        ("To: <sip:alice@example.test>\r\n", "", 400, "Missing To"),
        ("To: <sip:alice@example.test>", "To: \"alice", 400, "Malformed To"),
        ("To: <sip:alice@example.test>", "To: <sip:example.test>", 404, "Not Found"),
        ("To: <sip:alice@example.test>", "To: <tel:+49>", 404, "Not Found"),
        ("CSeq: 1 REGISTER\r\n", "", 400, "Missing CSeq"),
        ("CSeq: 1 REGISTER", "CSeq: one REGISTER", 400, "Malformed CSeq"),
        ("CSeq: 1 REGISTER", "CSeq: 4294967296 REGISTER", 400, "Malformed CSeq"),
        ("CSeq: 1 REGISTER", "CSeq: 1 INVITE", 400, "CSeq Names Another Method"),
        ("REGISTER sip:example.test", "REGISTER tel:+49", 416, "Unsupported URI Scheme"),
        ("REGISTER sip:example.test", "REGISTER example", 400, "Malformed Request-URI"),
    ] {
        assert!(request.contains(from), "{from}");
        let mut lab = Lab::new(open());
        let reply = lab.ask(request.replacen(from, to, 1));
        assert_eq!((reply.code(), reply.reason()), (code, phrase.to_owned()), "{to}");
        assert_eq!(lab.registrar.counters().refusals, 1);
    }
}

#[test]
fn what_can_not_be_answered_is_counted_and_told() {
    let mut lab = Lab::new(open());
    for message in [
        "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n",
        "REGISTER sip:h SIP/2.0\r\nCall-ID: 1\r\n\r\n",
        "REGISTER sip:h SIP/2.0\r\nVia: nonsense\r\n\r\n",
        "\r\n\r\n",
        "",
    ] {
        assert!(lab.send(message).is_empty(), "{message}");
    }
    assert_eq!(lab.registrar.counters().ignored, 6);
    let notes: Vec<_> = lab.events().into_iter().map(|event| event.note).collect();
    assert_eq!(
        notes,
        [
            "not ours to answer",
            "first line is no SIP/2.0 request or status line",
            "no readable Via to answer to",
            "no readable Via to answer to"
        ]
    );
}

#[test]
fn a_ping_on_a_stream_is_answered_with_a_pong() {
    let mut lab = Lab::over_tcp(open());
    assert_eq!(lab.ask("\r\n\r\n").bytes, b"\r\n");
    assert!(lab.send("\r\n").is_empty());
}

#[test]
fn events_and_replies_that_nobody_polls_are_bounded() {
    let mut config = open();
    config.limits.events = 2;
    config.limits.replies = 3;
    let mut lab = Lab::over_tcp(config);
    for _ in 0..5 {
        let request = lab.request(&mut Phone::new("alice"), "");
        lab.registrar.handle_message(lab.now, lab.peer, request.as_bytes());
    }
    assert_eq!(lab.events().len(), 2);
    assert_eq!((lab.drain().len(), lab.registrar.counters().dropped), (3, 2));
}

#[test]
fn nothing_in_a_request_can_add_a_header_to_the_reply() {
    let mut lab = Lab::new(open());
    let contact = "Contact: <sip:a@h>;x=\"\r\n Evil: 1\"\r\n";
    let reply = lab.register(&mut Phone::new("alice"), contact);
    assert_eq!((reply.code(), reply.find("Evil")), (200, None));
}
