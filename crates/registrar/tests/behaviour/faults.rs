//! What goes wrong on purpose: each fault by its text form, as a client sees it.

use std::time::Duration;

use sip_message::{Message, NameAddr};
use sip_registrar::{AfterReply, Config};

use crate::laboratory::{CONTACT, Got, Lab, Phone, config, credentials, open};

fn faulty(config: Config, faults: &[&str]) -> Lab {
    Lab::new(with_faults(config, faults))
}

fn with_faults(config: Config, faults: &[&str]) -> Config {
    Config {
        faults: faults.iter().map(|fault| fault.parse().unwrap()).collect(),
        ..config
    }
}

/// One REGISTER of Alice to an open registrar.
fn registered(faults: &[&str]) -> Got {
    faulty(open(), faults).register(&mut Phone::new("alice"), CONTACT)
}

const OUR_CONTACT: &str = "<sip:alice@192.0.2.9:40000>;expires=3600";

#[test]
fn silence_swallows_every_datagram_and_does_nothing() {
    let mut lab = faulty(open(), &["silence;times=2"]);
    let request = lab.request(&mut Phone::new("alice"), CONTACT);
    assert!(lab.send(&request).is_empty());
    assert!(lab.send(&request).is_empty());
    assert_eq!(lab.registrar.bindings("alice@example.test"), []);
    assert_eq!(lab.ask(&request).code(), 200);
    assert_eq!(
        (lab.registrar.counters().silenced, lab.registrar.counters().retransmissions),
        (2, 0)
    );
    let lines: Vec<_> = lab.events().iter().map(ToString::to_string).collect();
    assert_eq!(lines[0], "192.0.2.9:40000 REGISTER sip:alice@example.test: fault silence");
    assert_eq!(lines[2], "192.0.2.9:40000 REGISTER sip:alice@example.test: 200, 1 bound");
}

#[test]
fn requests_and_replies_are_lost_by_turns() {
    let mut lab = faulty(open(), &["loss=1/2", "reply-loss=1"]);
    let request = lab.request(&mut Phone::new("alice"), CONTACT);
    let answered: Vec<_> = (0..4).map(|_| lab.send(&request).len()).collect();
    // The 1st and 3rd request are lost; the 2nd is carried out but its reply is lost; the 4th gets that reply again.
    assert_eq!(answered, [0, 0, 0, 1]);
    let counters = lab.registrar.counters();
    assert_eq!((counters.silenced, counters.registrations, counters.retransmissions), (2, 1, 1));
}

#[test]
fn a_connection_is_closed_without_a_reply() {
    let mut lab = Lab::over_tcp(with_faults(open(), &["close;times=1"]));
    let got = lab.register(&mut Phone::new("alice"), CONTACT);
    assert_eq!((got.reply.then, got.bytes.len()), (AfterReply::Close, 0));
    assert!(!lab.register(&mut Phone::new("alice"), CONTACT).closes());
    let mut datagrams = faulty(open(), &["close"]);
    let request = datagrams.request(&mut Phone::new("alice"), CONTACT);
    assert!(datagrams.send(request).is_empty());
}

#[test]
fn a_delayed_reply_comes_when_it_is_due_and_retransmissions_wait_for_it() {
    let mut lab = faulty(open(), &["delay=200ms", "delay=100ms"]);
    let request = lab.request(&mut Phone::new("alice"), CONTACT);
    assert!(lab.send(&request).is_empty());
    assert_eq!(lab.registrar.poll_timeout(), Some(lab.now + Duration::from_millis(300)));
    lab.now += Duration::from_millis(299);
    assert!(lab.send(&request).is_empty());
    let late = lab.wait(Duration::from_millis(1));
    assert_eq!((late.len(), late[0].code()), (1, 200));
    assert_eq!(lab.ask(&request).bytes, late[0].bytes);
}

#[test]
fn a_provisional_reply_comes_first_or_alone() {
    let mut lab = faulty(open(), &["provisional=2s"]);
    let request = lab.request(&mut Phone::new("alice"), CONTACT);
    let trying = lab.ask(&request);
    assert_eq!((trying.code(), trying.header("CSeq")), (100, "1 REGISTER".to_owned()));
    assert_eq!(lab.ask(&request).bytes, trying.bytes);
    assert_eq!(lab.wait(Duration::from_secs(2))[0].code(), 200);

    let mut lab = faulty(open(), &["provisional"]);
    let request = lab.request(&mut Phone::new("alice"), CONTACT);
    assert_eq!(lab.ask(&request).code(), 100);
    assert!(lab.wait(Duration::from_secs(31)).is_empty());
    assert_eq!(lab.ask(&request).code(), 100);
}

#[test]
fn replies_come_several_times() {
    let mut lab = faulty(open(), &["duplicate", "duplicate=2"]);
    let request = lab.request(&mut Phone::new("alice"), CONTACT);
    let all = lab.send(request);
    assert_eq!(all.len(), 4);
    assert!(all.iter().all(|got| got.bytes == all[0].bytes));
}

#[test]
fn replies_are_cut_off_or_followed_by_the_end_of_the_stream() {
    let mut lab = Lab::over_tcp(with_faults(open(), &["times=1;cut=20", "close-after"]));
    let mut alice = Phone::new("alice");
    let cut = lab.register(&mut alice, CONTACT);
    assert_eq!((cut.bytes.as_slice(), cut.closes()), (&b"SIP/2.0 200 OK\r\nVia:"[..], true));
    let whole = lab.register(&mut alice, CONTACT);
    assert_eq!((whole.code(), whole.closes()), (200, true));
    assert!(!registered(&["close-after"]).closes(), "a datagram socket stays open");
}

#[test]
fn any_status_can_be_replied_with_phrase_and_headers() {
    let mut lab = faulty(
        open(),
        &[
            "status=503;retry-after=30 (busy);times=1",
            "status=480 Gone Fishing;warning=399 h \"x\"",
        ],
    );
    let busy = lab.register(&mut Phone::new("alice"), CONTACT);
    assert_eq!(
        (busy.code(), busy.reason(), busy.header("Retry-After")),
        (503, "Service Unavailable".to_owned(), "30 (busy)".to_owned())
    );
    let gone = lab.register(&mut Phone::new("alice"), CONTACT);
    assert_eq!(
        (gone.code(), gone.reason(), gone.header("Warning")),
        (480, "Gone Fishing".to_owned(), "399 h \"x\"".to_owned())
    );
    assert_eq!(lab.registrar.bindings("alice@example.test"), []);
    assert_eq!(
        lab.events()[1].to_string(),
        "192.0.2.9:40000 REGISTER sip:alice@example.test: 480, Gone Fishing, fault status"
    );
}

#[test]
fn conditions_pick_the_requests() {
    let mut lab = faulty(
        config(),
        &["status=403;credentials=yes;user=alice", "status=500;method=OPTIONS;nth=2"],
    );
    let mut alice = Phone::new("alice");
    // The ban after a right digest.
    assert_eq!(lab.register_with(&mut alice, "secret", CONTACT).code(), 403);
    assert_eq!(lab.register_with(&mut Phone::new("bob"), "hunter2", CONTACT).code(), 200);
    let options: Vec<_> = ["1", "2", "3"]
        .map(|branch| lab.ask(alice.request("OPTIONS", branch, "")).code())
        .to_vec();
    assert_eq!(options, [200, 500, 200]);
}

#[test]
fn a_redirect_names_its_targets() {
    let reply = registered(&["redirect=sip:other.test:5070, sips:third.test"]);
    assert_eq!(
        (reply.code(), reply.all("Contact")),
        (302, vec!["<sip:other.test:5070>".to_owned(), "<sips:third.test>".to_owned()])
    );
}

#[test]
fn scripted_bytes_repeat_what_they_are_told_to() {
    let reply = registered(&[r"bytes=SIP/2.0 200 Fine\r\n{head}X: {cseq};{call-id}\r\n\r\n"]);
    assert_eq!(
        (reply.reason(), reply.header("X")),
        ("Fine".to_owned(), "1 REGISTER;call-1".to_owned())
    );
    assert!(reply.header("Via").contains("rport=40000") && reply.header("To").contains(";tag="));
    let raw = registered(&[r"bytes=\x00\xff;{nothing}"]);
    assert_eq!(raw.bytes, b"\0\xff;{nothing}");
}

#[test]
fn malformed_replies_are_each_malformed_in_their_own_way() {
    for kind in ["start-line", "html", "binary"] {
        let reply = registered(&[&format!("malformed={kind}")]);
        assert!(Message::parse(&reply.bytes).is_err(), "{kind}");
    }
    for (kind, missing) in [("no-via", "Via"), ("no-cseq", "CSeq"), ("no-call-id", "Call-ID")] {
        let reply = registered(&[&format!("malformed={kind}")]);
        let names = ["Via", "From", "To", "Call-ID", "CSeq"].map(|name| reply.find(name).is_some());
        assert_eq!(names.iter().filter(|there| **there).count(), 4, "{kind}");
        assert_eq!(reply.find(missing), None);
    }
    assert_eq!(registered(&["malformed=length"]).header("Content-Length"), "4294967296");
    assert!(NameAddr::parse(registered(&["malformed=contact"]).header("Contact").as_bytes()).is_err());
}

#[test]
fn credentials_are_refused_with_a_new_or_the_same_nonce() {
    let nonce = |got: &Got| {
        let challenge = got.header("WWW-Authenticate");
        challenge.split("nonce=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
    };
    for (fault, same) in [("wrong-credentials", false), ("wrong-credentials=same-nonce", true)] {
        let mut lab = faulty(config(), &[fault]);
        let mut alice = Phone::new("alice");
        let first = lab.register(&mut alice, CONTACT);
        let second = lab.answer(&mut alice, &first, "secret", CONTACT);
        assert_eq!((second.code(), nonce(&first) == nonce(&second)), (401, same), "{fault}");
        assert!(!second.header("WWW-Authenticate").contains("stale"));
    }
}

#[test]
fn a_right_answer_is_stale_as_often_as_wanted_and_a_wrong_one_never() {
    let mut lab = faulty(config(), &["stale=2"]);
    let mut alice = Phone::new("alice");
    let mut reply = lab.register(&mut alice, CONTACT);
    reply = lab.answer(&mut alice, &reply, "wrong", CONTACT);
    assert!(!reply.header("WWW-Authenticate").contains("stale"));
    for _ in 0..2 {
        reply = lab.answer(&mut alice, &reply, "secret", CONTACT);
        assert!(reply.header("WWW-Authenticate").contains("stale=true"));
    }
    assert_eq!(lab.answer(&mut alice, &reply, "secret", CONTACT).code(), 200);
}

#[test]
fn credentials_are_refused_without_a_challenge() {
    let mut lab = faulty(config(), &["reject-without-challenge"]);
    let mut alice = Phone::new("alice");
    let challenge = lab.register(&mut alice, CONTACT);
    assert_eq!(challenge.all("WWW-Authenticate").len(), 2);
    let refusal = lab.answer(&mut alice, &challenge, "secret", CONTACT);
    assert_eq!((refusal.code(), refusal.find("WWW-Authenticate")), (401, None));
}

#[test]
fn challenges_can_be_replaced_and_added_to() {
    let challenges = |faults: &[&str]| {
        faulty(config(), faults)
            .register(&mut Phone::new("alice"), CONTACT)
            .all("WWW-Authenticate")
    };
    assert_eq!(challenges(&["basic-only"]), ["Basic realm=\"example.test\""]);
    assert!(challenges(&["unsupported-algorithm"])[0].ends_with("algorithm=AKAv1-MD5, qop=\"auth\""));
    let unclosed = &challenges(&["malformed-challenge"])[0];
    assert_eq!(unclosed.matches('"').count() % 2, 1, "{unclosed}");
    let rogue = challenges(&[r#"challenge=Digest realm="evil", nonce="{nonce}""#, "challenge=Other x"]);
    assert!(rogue[0].starts_with("Digest realm=\"evil\", nonce=\"") && !rogue[0].contains('{'));
    assert_eq!(rogue[1], "Other x");
    let added = challenges(&[r#"extra-challenge=Digest realm="{realm}", nonce="1", algorithm=AKAv1-MD5"#]);
    assert_eq!((added.len(), added[0].contains("AKAv1-MD5")), (3, true));
}

#[test]
fn the_proof_of_the_registrar_can_be_wrong() {
    let proof = |faults: &[&str]| {
        let config = Config { rspauth: true, ..config() };
        let reply = faulty(config, faults).register_with(&mut Phone::new("alice"), "secret", CONTACT);
        assert_eq!(reply.code(), 200);
        reply.header("Authentication-Info")
    };
    let (right, wrong) = (proof(&[]), proof(&["wrong-rspauth"]));
    let differing = right.bytes().zip(wrong.bytes()).filter(|(left, right)| left != right).count();
    assert_eq!((right.len(), differing), (wrong.len(), 1));
    // It needs no other setting to be there at all.
    let mut lab = faulty(config(), &["wrong-rspauth"]);
    assert!(
        lab.register_with(&mut Phone::new("alice"), "secret", CONTACT)
            .find("Authentication-Info")
            .is_some()
    );
}

#[test]
fn an_interval_is_too_brief_for_some_or_for_everybody() {
    let mut lab = faulty(open(), &["too-brief=600"]);
    let mut alice = Phone::new("alice");
    let mut asked = |expires: u32| lab.register(&mut alice, &format!("{CONTACT}Expires: {expires}\r\n"));
    let brief = asked(599);
    assert_eq!((brief.code(), brief.header("Min-Expires")), (423, "600".to_owned()));
    assert_eq!((asked(600).code(), asked(0).code()), (200, 200));

    let mut lab = faulty(open(), &["too-brief=600,always"]);
    for headers in [
        &format!("{CONTACT}Expires: 3600\r\n"),
        &format!("{CONTACT}Expires: 0\r\n"),
        "Contact: *\r\nExpires: 0\r\n",
    ] {
        assert_eq!(lab.register(&mut alice, headers).code(), 423, "{headers}");
    }
    assert_eq!(lab.register(&mut alice, "").code(), 200);
}

#[test]
fn another_expiry_is_granted_or_none() {
    let mut lab = faulty(open(), &["grant=30"]);
    let mut alice = Phone::new("alice");
    assert_eq!(
        lab.register(&mut alice, CONTACT).header("Contact"),
        "<sip:alice@192.0.2.9:40000>;expires=30"
    );
    assert_eq!(
        lab.registrar.bindings("alice@example.test")[0].expires_at,
        lab.now + Duration::from_secs(30)
    );
    assert_eq!(lab.register(&mut alice, &format!("{CONTACT}Expires: 0\r\n")).find("Contact"), None);

    let mut lab = faulty(open(), &["grant=0"]);
    assert_eq!(
        lab.register(&mut alice, CONTACT).header("Contact"),
        "<sip:alice@192.0.2.9:40000>;expires=0"
    );
    assert_eq!(lab.registrar.bindings("alice@example.test"), []);
}

#[test]
fn a_200_lists_no_contact_or_somebody_elses() {
    let none = registered(&["no-contact"]);
    assert_eq!((none.code(), none.find("Contact")), (200, None));
    let other = registered(&["only-other"]);
    assert_eq!(other.all("Contact"), ["<sip:somebody.else@192.0.2.77:5060>;expires=3600"]);
    assert_eq!(
        registered(&["only-other=sip:x@h;a=b"]).all("Contact"),
        ["<sip:x@h;a=b>;expires=3600"]
    );
}

#[test]
fn a_gateway_and_a_nat_leave_their_traces() {
    let contact = registered(&["rewrite-contact=203.0.113.5:4000"]);
    assert_eq!(contact.header("Contact"), "<sip:alice@203.0.113.5:4000>;expires=3600");
    let via = registered(&["rewrite-via=203.0.113.5:4000"]);
    assert_eq!(
        via.header("Via"),
        "SIP/2.0/UDP 203.0.113.5:4000;rport=40000;branch=z9hG4bK1;received=192.0.2.9"
    );
    let nat = registered(&["nat=[2001:db8::5]:4000"]);
    assert_eq!(
        nat.header("Via"),
        "SIP/2.0/UDP 192.0.2.9:40000;rport=4000;branch=z9hG4bK1;received=2001:db8::5"
    );
    assert_eq!(
        (nat.header("Contact"), nat.reply.peer.source.port()),
        (OUR_CONTACT.to_owned(), 40000)
    );
}

#[test]
fn phrases_lie_and_inject() {
    let lie = registered(&["failure-phrase"]);
    assert_eq!((lie.code(), lie.reason()), (200, "Forbidden".to_owned()));
    let challenge = faulty(config(), &["failure-phrase"]).register(&mut Phone::new("alice"), CONTACT);
    assert_eq!(challenge.reason(), "Unauthorized", "only a 200 lies");
    assert!(
        registered(&["injected-reason"])
            .bytes
            .starts_with(b"SIP/2.0 200 OK\x1b[2J\x1b]0;owned\x07")
    );
    let two_lines = registered(&[r"reason=a\r\nEvil: 1"]);
    assert_eq!((two_lines.reason(), two_lines.find("Evil")), ("a  Evil: 1".to_owned(), None));
}

#[test]
fn a_header_can_be_huge() {
    let reply = registered(&["huge-header=40000"]);
    assert!(reply.bytes.len() > 40_000);
    assert!(Message::parse(&reply.bytes).is_err(), "more than any client has to read");
}

#[test]
fn faults_compose() {
    let mut lab = faulty(
        config(),
        &["loss=1", "stale=1", "grant=45", "nat=203.0.113.9:9", "duplicate", "delay=50ms"],
    );
    let mut alice = Phone::new("alice");
    let first = lab.request(&mut alice, CONTACT);
    assert!(lab.send(&first).is_empty());
    let turn = |lab: &mut Lab, request: String| {
        assert!(lab.send(request).is_empty());
        lab.wait(Duration::from_millis(50))
    };
    let challenge = turn(&mut lab, first);
    assert_eq!((challenge.len(), challenge[0].code()), (2, 401));
    let answer = credentials(&alice, &challenge[0], "secret", 1);
    let request = lab.request(&mut alice, &format!("{answer}{CONTACT}"));
    let stale = turn(&mut lab, request);
    assert!(stale[0].header("WWW-Authenticate").contains("stale=true"));
    let answer = credentials(&alice, &stale[0], "secret", 1);
    let request = lab.request(&mut alice, &format!("{answer}{CONTACT}"));
    let done = turn(&mut lab, request);
    assert_eq!(done[0].header("Contact"), "<sip:alice@192.0.2.9:40000>;expires=45");
    assert!(done[0].header("Via").contains("received=203.0.113.9"));
    let notes: Vec<_> = lab.events().into_iter().map(|event| event.note).collect();
    assert_eq!(notes[0], "fault loss");
    assert_eq!(notes[3], "1 bound, fault grant, fault nat, fault duplicate, fault delay");
}
