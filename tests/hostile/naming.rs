//! A name server, or whoever answers in its place, that sends the probe in circles, buries it in records, breaks off, or changes its
//! mind: the search is a bounded number of questions and ends in a cause (RFC 3263, RFC 5452 for who may answer).

use crate::at_once;
use crate::program::{Report, TIMEOUT, report_of};
use crate::support::hostile::Hostile;
use crate::support::name_server::{Answer, NameServer, Question, address, alias, kind, name, naptr, record, record_of, srv};

/// Probes `alice@example.test` as this name server leads there.
fn found(dns: &NameServer, options: &[&str]) -> Report {
    let dns = dns.address();
    report_of(&[&["probe", "sip:alice@example.test", "--dns", &dns, "--timeout", TIMEOUT], options].concat())
}

/// Where `sip:example.test` is to be found by UDP.
const SERVICE: &str = "_sip._udp.example.test";

/// A registrar that grants everything.
fn generous() -> Hostile {
    Hostile::udp(|request, line| line.send(request.granted()))
}

/// A name server that knows one service, which is this peer's, and answers everything else by `others`.
fn leading_to(peer: &Hostile, others: impl Fn(&Question) -> Answer + Send + 'static) -> NameServer {
    let port = peer.address().port();
    NameServer::start(move |question| match &*question.name {
        SERVICE if question.kind == kind::SRV => Answer::Message(question.answered(&[srv(1, 1, port, "pbx.example.test")])),
        "pbx.example.test" if question.kind == kind::A => Answer::Message(question.answered(&[address("127.0.0.1")])),
        _ => others(question),
    })
}

/// Names that lead to themselves, by SRV, NAPTR and CNAME (the class of resolvers that follow aliases until the stack or the time is
/// used up).
#[test]
fn names_in_a_circle_end_in_a_cause() {
    type Circle = fn(&Question) -> Vec<Vec<u8>>;
    let circles: [(&str, Circle); 6] = [
        ("an SRV of itself", |question| match question.kind {
            kind::SRV => vec![srv(1, 1, 5060, &question.name)],
            _ => Vec::new(),
        }),
        ("an SRV of another SRV", |question| match question.kind {
            kind::SRV => vec![srv(1, 1, 5060, &format!("_sip._udp.{}", question.name))],
            _ => Vec::new(),
        }),
        ("a NAPTR of itself", |question| match question.kind {
            kind::NAPTR => vec![naptr(1, "s", "SIP+D2U", &question.name), naptr(2, "", "SIP+D2T", &question.name)],
            _ => Vec::new(),
        }),
        ("an alias of itself", |question| vec![alias(&question.name)]),
        ("two aliases of each other", |question| match question.name.strip_prefix("x.") {
            Some(other) => vec![alias(other)],
            None => vec![alias(&format!("x.{}", question.name))],
        }),
        ("an alias that grows", |question| {
            vec![alias(&format!("x.{}", question.name.get(..150).unwrap_or(&question.name)))]
        }),
    ];
    at_once(&circles, |&(what, circle)| {
        let dns = NameServer::start(move |question| question.answered_or_unknown(&circle(question)));
        let report = found(&dns, &[]);
        assert!(["dns_not_found", "dns_failed"].contains(&report.outcome()), "{what}: {}", *report);
        assert!(dns.asked() <= MOST_QUESTIONS, "{what}: {} questions", dns.asked());
        assert_eq!(report["requests"], 0, "{what}: {}", *report);
    });
}

/// As many records as a message can hold, at every step of the way: thousands of services with thousands of hosts with thousands of
/// addresses each.
#[test]
fn thousands_of_records_lead_to_a_few_targets() {
    // All of them in one datagram, which nobody asked for, or over TCP.
    for by_stream in [false, true] {
        let dns = NameServer::start(move |question| {
            if by_stream && !question.by_stream {
                return Answer::Message(question.cut_off());
            }
            let fill = |make: &dyn Fn(u16) -> Vec<u8>| {
                let mut records: Vec<Vec<u8>> = (0..10_000).map(make).collect();
                let mut room = 64_000;
                records.retain(|record| {
                    room -= i32::try_from(record.len()).expect("a record is short");
                    room >= 0
                });
                records
            };
            let records = match question.kind {
                kind::NAPTR => fill(&|at| naptr(at, "s", "SIP+D2U", &format!("s{at}.test"))),
                kind::SRV => fill(&|at| srv(at % 7, 0, 9, &format!("h{at}.test"))),
                kind::A => fill(&|at| address(&format!("127.1.{}.{}", at >> 8, at & 255))),
                _ => Vec::new(),
            };
            question.answered_or_unknown(&records)
        });
        // Thousands of records take longer than the usual time where other programs run beside this one.
        let command = [
            "probe",
            "sip:alice@example.test",
            "--dns",
            &dns.address(),
            "--timeout",
            if by_stream { "20s" } else { TIMEOUT },
        ];
        let report = report_of(&command);
        let targets = report["network"]["targets"].as_array().expect("targets are a list").len();
        // Nobody listens there.
        let expected = if by_stream { "unreachable" } else { "dns_failed" };
        assert_eq!(report.outcome(), expected, "{}", *report);
        assert!((usize::from(by_stream)..=16).contains(&targets), "{targets} targets");
        assert!(dns.asked() <= MOST_QUESTIONS, "{} questions", dns.asked());
    }
}

/// Weights of nothing but zero, which RFC 2782 allows and a naive choice divides by.
#[test]
fn weights_of_zero_are_chosen_among() {
    let peer = generous();
    let port = peer.address().port();
    for weights in [&[0][..], &[0, 0, 0], &[0, u16::MAX, u16::MAX, u16::MAX], &[u16::MAX; 30]] {
        let dns = NameServer::start(move |question| {
            let records: Vec<Vec<u8>> = match (question.kind, &*question.name) {
                (kind::SRV, SERVICE) => weights.iter().map(|weight| srv(0, *weight, port, "pbx.example.test")).collect(),
                (kind::A, "pbx.example.test") => vec![address("127.0.0.1")],
                _ => Vec::new(),
            };
            question.answered_or_unknown(&records)
        });
        assert_eq!(found(&dns, &[]).outcome(), "registered", "{weights:?}");
    }
}

/// A host that has an IPv6 address only.
#[test]
fn a_host_with_ipv6_only_is_tried_by_ipv6_only() {
    let zone = |question: &Question| {
        let records = match question.kind {
            kind::AAAA if question.name == "example.test" => vec![address("::1")],
            _ => Vec::new(),
        };
        question.answered_or_unknown(&records)
    };
    let both = found(&NameServer::start(zone), &["--transport", "udp"]);
    let targets = both["network"]["targets"].as_array().expect("targets are a list");
    assert_eq!(targets.len(), 1, "{}", *both);
    assert_eq!(targets[0]["address"], "[::1]:5060", "{}", *both);
    let v4 = found(&NameServer::start(zone), &["--transport", "udp", "--ipv4"]);
    assert_eq!(v4.outcome(), "dns_not_found", "{}", *v4);
}

/// An answer that is too long for a datagram, and a TCP side that does not keep its word.
#[test]
fn an_answer_that_was_cut_off_and_never_comes_whole_is_a_failure() {
    let streams = [
        Answer::Silence,
        Answer::Hangup,
        Answer::Half(vec![0; 400]),
        Answer::Message(Vec::new()),
    ];
    at_once(&streams, |answer| {
        let answer = answer.clone();
        let dns = NameServer::start(move |question| {
            if question.by_stream {
                answer.clone()
            } else {
                Answer::Message(question.cut_off())
            }
        });
        assert_eq!(found(&dns, &[]).outcome(), "dns_failed");
    });
}

/// An answer that ends in the middle, at any byte: of the header, of a name, of a record (CVE-2020-25682's class: lengths in an answer
/// that nobody holds against its end).
#[test]
fn an_answer_that_ends_at_any_byte_is_none() {
    let whole: Vec<usize> = (0..=150).step_by(6).collect();
    at_once(&whole, |&length| {
        let peer = generous();
        let dns = leading_to(&peer, move |question| {
            let records = [
                naptr(1, "s", "SIP+D2U", SERVICE),
                naptr(2, "s", "SIP+D2T", "_sip._tcp.example.test"),
            ];
            let mut message = question.answered(&records);
            message.truncate(length);
            Answer::Message(message)
        });
        let report = found(&dns, &[]);
        // What is asked next may be answered well, or nothing was found in time.
        assert!(["registered", "dns_failed"].contains(&report.outcome()), "{length}: {}", *report);
    });
}

/// Names that no name server may send: labels of 255 bytes, names of 64 KiB, and pointers into themselves, forwards and in circles
/// (CVE-2005-0036's class: the reader that follows them never comes back).
#[test]
fn names_that_cannot_be_are_no_answer() {
    let own = |target: &[u8]| record(kind::SRV, 60, &[&[0, 1, 0, 1, 0x13, 0xc4], target].concat());
    let label = |length: u8| [&[length][..], &vec![b'a'; length.into()], &[0]].concat();
    let mut long = name(&vec!["a".repeat(63); 5].join("."));
    let many = name(&vec!["a"; 20_000].join("."));
    long.truncate(300);
    let records: [(&str, Vec<u8>); 9] = [
        ("a label of 255", own(&label(255))),
        ("a label of 128", own(&label(128))),
        ("a label of 64", own(&label(64))),
        ("a name of 320", own(&long)),
        ("a name of 40,000", own(&many)),
        ("a pointer to itself", own(&[0xc0, 58])),
        ("a pointer behind the end", own(&[0xff, 0xff])),
        ("an owner that points to itself", record_of(&[0xc0, 40], kind::SRV, 60, &[0; 8])),
        ("a length beyond the end", {
            let mut record = own(&name("pbx.example.test"));
            record[10..12].copy_from_slice(&[0xff, 0xff]);
            record
        }),
    ];
    at_once(&records, |(what, record)| {
        let record = record.clone();
        let dns = NameServer::start(move |question| match question.kind {
            kind::SRV => Answer::Message(question.answered(std::slice::from_ref(&record))),
            _ => Answer::Message(question.refused(3)),
        });
        let report = found(&dns, &[]);
        assert!(["dns_not_found", "dns_failed"].contains(&report.outcome()), "{what}: {}", *report);
        assert!(dns.asked() <= MOST_QUESTIONS, "{what}: {} questions", dns.asked());
    });
}

/// Times to live that are nothing, negative or for ever (RFC 2181 §8).
#[test]
fn any_time_to_live_is_good_for_one_look() {
    for time_to_live in [0, 1, 0x7fff_ffff, 0x8000_0000, u32::MAX] {
        let peer = generous();
        let port = peer.address().port();
        let dns = NameServer::start(move |question| {
            let numbers = [1, 1, port].map(u16::to_be_bytes).concat();
            let records = match (question.kind, &*question.name) {
                (kind::SRV, SERVICE) => vec![record(kind::SRV, time_to_live, &[numbers, name("pbx.example.test")].concat())],
                (kind::A, "pbx.example.test") => vec![record(kind::A, time_to_live, &[127, 0, 0, 1])],
                _ => Vec::new(),
            };
            question.answered_or_unknown(&records)
        });
        assert_eq!(found(&dns, &[]).outcome(), "registered", "{time_to_live}");
    }
}

/// Every response code that is none of success, and answers that are none.
#[test]
fn refusals_and_silence_are_told_apart() {
    type Reply = fn(&Question) -> Answer;
    let replies: [(&str, Reply, &str); 9] = [
        ("FORMERR", |question| Answer::Message(question.refused(1)), "dns_failed"),
        ("SERVFAIL", |question| Answer::Message(question.refused(2)), "dns_failed"),
        ("NXDOMAIN", |question| Answer::Message(question.refused(3)), "dns_not_found"),
        ("NOTIMP", |question| Answer::Message(question.refused(4)), "dns_failed"),
        ("REFUSED", |question| Answer::Message(question.refused(5)), "dns_failed"),
        ("no records", |question| Answer::Message(question.refused(0)), "dns_not_found"),
        ("silence", |_| Answer::Silence, "dns_failed"),
        ("nothing", |_| Answer::Message(Vec::new()), "dns_failed"),
        ("junk", |_| Answer::Message(vec![0xff; 1500]), "dns_failed"),
    ];
    at_once(&replies, |&(what, reply, cause)| {
        let dns = NameServer::start(reply);
        let report = found(&dns, &[]);
        assert_eq!(report.outcome(), cause, "{what}: {}", *report);
        assert!(dns.asked() <= MOST_QUESTIONS, "{what}: {} questions", dns.asked());
    });
}

/// An answer that is not to our question: another identifier, another question (CVE-2008-1447's class: whoever guesses poisons).
#[test]
fn an_answer_to_another_question_is_not_believed() {
    type Forgery = fn(Vec<u8>) -> Vec<u8>;
    let forgeries: [(&str, Forgery); 3] = [
        ("another identifier", |mut message| {
            message[0] ^= 0x55;
            message
        }),
        ("another question", |mut message| {
            // The first letter of the name.
            message[13] = b'x';
            message
        }),
        ("a question", |mut message| {
            message[2] &= 0x7f;
            message
        }),
    ];
    at_once(&forgeries, |&(what, forge)| {
        let peer = generous();
        let port = peer.address().port();
        let dns = NameServer::start(move |question| {
            let records = match question.kind {
                kind::SRV => vec![srv(1, 1, port, "pbx.example.test")],
                kind::A => vec![address("127.0.0.1")],
                _ => Vec::new(),
            };
            Answer::Message(forge(question.answered(&records)))
        });
        let report = found(&dns, &[]);
        assert_eq!(report.outcome(), "dns_failed", "{what}: {}", *report);
        assert!(peer.requests().is_empty(), "{what}");
    });
}

/// A name that means our registrar at the first look, and somebody else's machine at every later one (the class of DNS rebinding): the
/// removal goes to where the binding was made, and nobody else hears anything.
#[test]
fn a_name_that_changes_its_meaning_takes_nothing_along() {
    let challenged = "Digest realm=\"example.test\", nonce=\"5f1c\", qop=\"auth\"";
    let peer = Hostile::udp(move |request, line| {
        line.send(if request.has_credentials() {
            request.granted()
        } else {
            request.challenged(challenged)
        });
    });
    let collector = generous();
    let (first, later) = (peer.address().port(), collector.address().port());
    let dns = NameServer::start(move |question| {
        let port = if question.turn == 0 { first } else { later };
        let records = match (question.kind, &*question.name) {
            (kind::SRV, SERVICE) => vec![record_of(
                &[0xc0, 12],
                kind::SRV,
                0,
                &[&[0, 1, 0, 1][..], &port.to_be_bytes(), &name("pbx.example.test")].concat(),
            )],
            (kind::A, "pbx.example.test") => vec![record(kind::A, 0, &[127, 0, 0, 1])],
            _ => Vec::new(),
        };
        question.answered_or_unknown(&records)
    });
    let report = found(&dns, &[]);
    assert_eq!(report.outcome(), "registered", "{}", *report);
    assert!(peer.requests().iter().any(|request| request.removes()), "{}", *report);
    assert!(collector.requests().is_empty());
}

/// What a search may cost at most, asked again once each: the bound of the plan and one more try of every question.
const MOST_QUESTIONS: usize = 160;
